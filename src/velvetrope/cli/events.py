"""What came in, and what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from velvetrope.cli import records
from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.finding import find_bot
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_record, print_records, say
from velvetrope.cli.waiting import finish_event
from velvetrope.domain.secrecy import scrub
from velvetrope.domain.states import EventState, Source
from velvetrope.store.models import InboxEvent
from velvetrope.usecases import operations
from velvetrope.usecases.operations import Kind, Ref

if TYPE_CHECKING:
    import argparse

    from velvetrope.cli.output import Value


def list_some(options: argparse.Namespace) -> int:
    """List the newest events that fit."""
    rows = InboxEvent.objects.defer("payload", "error").order_by("-id")
    if options.bot:
        integration = find_bot(options.bot)
        rows = rows.filter(account=integration.pk).exclude(source=Source.STRIPE)
    for name in ("source", "state", "outcome"):
        if getattr(options, name):
            rows = rows.filter(**{name: getattr(options, name)})
    found = [records.event(row) for row in rows[: options.limit]]
    print_records(found, as_json=options.json, empty="No event fits.")
    return Exit.DONE


def show(options: argparse.Namespace) -> int:
    """Show all of one event; whatever looks like a secret is hidden."""
    row = _find(options.event)
    print_record(
        {
            **records.event(row),
            "external_id": row.external_id,
            "due_at": row.due_at,
            "trace": row.error,
            "payload": _payload(bytes(row.payload), as_json=options.json),
        },
        as_json=options.json,
    )
    return Exit.DONE


def replay(options: argparse.Namespace) -> int:
    """Try a dead event again and wait for what comes of it."""
    row = _find(options.event)
    if row.state != EventState.DEAD:
        raise CommandError(
            f"The event is {row.state}, only a dead one is tried again",
            where=f"event {row.pk}",
            remedy="List those with: velvetrope deadletters list",
        )
    operations.replay([Ref(Kind.EVENT, row.pk)], ACTOR)
    done = finish_event(options.settings, row.pk, seconds=options.wait)
    print_record(records.event(done), as_json=options.json)
    if done.state != EventState.DONE:
        say(f"It is {done.state} again: {done.error_code or 'it waits for its next try'}.")
        return Exit.FAILED
    return Exit.DONE


def _find(number: int) -> InboxEvent:
    row = InboxEvent.objects.filter(id=number).first()
    if row is None:
        raise CommandError(
            "There is no such event",
            where=str(number),
            remedy="List them with: velvetrope events list",
            code=Exit.USAGE,
        )
    return row


def _payload(raw: bytes, *, as_json: bool) -> Value:
    """Give the payload as JSON inside JSON, or indented for people; else as text."""
    text = scrub(raw.decode(errors="replace"))
    try:
        value: Value = json.loads(text)
    except ValueError:
        return text
    return value if as_json else json.dumps(value, ensure_ascii=False, indent=2)
