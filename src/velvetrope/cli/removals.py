"""Removals that wait for an operator because they are too many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.finding import find_bot, find_chat
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_record, print_records
from velvetrope.store.clock import present
from velvetrope.usecases import operations
from velvetrope.usecases.explaining.rights import because_of
from velvetrope.usecases.explaining.terms import Terms, name_of

if TYPE_CHECKING:
    import argparse

    from velvetrope.cli.output import Record
    from velvetrope.store.models import Chat
    from velvetrope.usecases.operations import HeldChat


def list_some(options: argparse.Namespace) -> int:
    """List who waits, chat by chat, with what ended."""
    found = operations.list_held_chats(find_bot(options.bot).pk if options.bot else None)
    rows = [row for one in found for row in _rows(one)]
    print_records(rows, as_json=options.json, empty="No removal waits for you.")
    return Exit.DONE


def confirm(options: argparse.Namespace) -> int:
    """Let them leave; each is looked up at Stripe once more first."""
    if bool(options.members) == options.all:
        raise CommandError(
            "Name the members, or say --all", remedy="See velvetrope removals list", code=Exit.USAGE
        )
    chat = find_chat(find_bot(options.bot), options.chat)
    chosen = None if options.all else [_access(chat, text) for text in options.members]
    done = operations.confirm_removals(chat.pk, ACTOR, access_ids=chosen)
    print_record({"confirmed": done}, as_json=options.json)
    return Exit.DONE


def recheck(options: argparse.Namespace) -> int:
    """Look up again who waits; who pays leaves the list."""
    chat = find_chat(find_bot(options.bot), options.chat)
    done = operations.recheck_held(chat.pk, ACTOR)
    print_record({"looked_up": done}, as_json=options.json)
    return Exit.DONE


def _rows(held: HeldChat) -> list[Record]:
    terms = Terms(held.chat.integration, present())
    return [
        {
            "bot": held.chat.integration.name,
            "chat": held.chat.telegram_id,
            "member": one.customer.pk,
            "name": name_of(one.customer),
            "since": one.access.desired_at,
            "because": [because_of(row, terms) for row in one.ended],
        }
        for one in held.people
    ]


def _access(chat: Chat, text: str) -> int:
    if text.isascii() and text.isdigit():
        found = chat.access_set.filter(customer_id=int(text)).values_list("id", flat=True).first()
        if found is not None:
            return found
    raise CommandError(
        "No such member waits to leave this chat",
        where=text[:40],
        remedy="Name members as listed by velvetrope removals list",
        code=Exit.USAGE,
    )
