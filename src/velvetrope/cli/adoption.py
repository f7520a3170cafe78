"""Members from before: lists that are imported, and the link by which they claim their place."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.finding import find_bot, find_chat, find_plan
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_json, print_record, say
from velvetrope.cli.vendor_words import explain_here
from velvetrope.cli.waiting import finish_event, finish_job, server_pid
from velvetrope.domain import validation
from velvetrope.domain.days import read_deadline
from velvetrope.domain.states import AdoptionState, EventState, Source
from velvetrope.store.clock import present
from velvetrope.store.models import Adoption, InboxEvent
from velvetrope.usecases.adoption.claiming import claim_link
from velvetrope.usecases.adoption.jobs import ADOPT, LOOK, ORDER
from velvetrope.usecases.adoption.summary import describe
from velvetrope.usecases.operations import claims, member_lists
from velvetrope.usecases.wording.problems import explain

if TYPE_CHECKING:
    import argparse
    from datetime import datetime
    from pathlib import Path

    from velvetrope.cli.output import Value
    from velvetrope.domain.members_list import MembersList
    from velvetrope.store.models import Integration
    from velvetrope.usecases.operations.claims import ChatClaim
    from velvetrope.usecases.operations.member_lists import ListTerms

#: Lines with mistakes that are told one by one to a person; JSON has all.
_MISTAKES_SHOWN: Final = 50
_PAUSE: Final = 0.05


def import_list(options: argparse.Namespace) -> int:
    """Look where the people of a list are, say what would be done, and do it when confirmed."""
    terms = _terms(options)
    found = _read(options.file, terms)
    if found.mistakes and not options.skip_bad:
        return _refuse(found, as_json=options.json)
    if not found.lines:
        return _refuse(found, as_json=options.json)
    adoption = member_lists.start_adoption(terms, found, ACTOR)
    if adoption.state == AdoptionState.LOOKING:
        say(f"Telegram is asked about {len(found.lines)} people, some 20 a second.")
        _work_through(options, adoption, AdoptionState.LOOKING)
    if adoption.state == AdoptionState.ADOPTING:
        say("This list was confirmed before; going on.")
    elif options.dry_run:
        _print(adoption, options)
        return Exit.DONE
    elif not _is_confirmed(adoption, options):
        _print(adoption, options)
        say("Nobody was adopted. To do it, run the command again with --yes.")
        return Exit.FAILED
    else:
        member_lists.confirm_adoption(adoption.pk, ACTOR)
    adoption.refresh_from_db()
    _work_through(options, adoption, AdoptionState.ADOPTING)
    _print(adoption, options)
    return Exit.DONE


def claim(options: argparse.Namespace) -> int:
    """Open or close the link for members from before; without either, tell how it stands."""
    row = find_bot(options.bot)
    if options.until and options.close:
        raise CommandError("Use --until or --close, not both", code=Exit.USAGE)
    until = row.claim_until
    if options.until:
        until = read_deadline(options.until, ZoneInfo(row.time_zone), present(), field="--until")
    if options.close:
        until = None
    counted = claims.count_members(row.pk)
    finish_job(options.settings, row.pk, counted, seconds=options.wait)
    if not options.dry_run and (options.until or options.close):
        claims.set_claim_deadline(row.pk, until, ACTOR)
        row.refresh_from_db()
    print_record(_claim_record(row, until), as_json=options.json)
    return Exit.DONE


def _terms(options: argparse.Namespace) -> ListTerms:
    row = find_bot(options.bot)
    zone = ZoneInfo(row.time_zone)
    until = None
    if options.deadline:
        until = read_deadline(options.deadline, zone, present(), field="--deadline")
    plan = find_plan(options.plan, row.pk)
    chats = (
        [find_chat(row, one) for one in dict.fromkeys(validation.chat_ids(options.chat))]
        if options.chat
        else []
    )
    return member_lists.list_terms(row, plan, chats, until, comp=options.comp)


def _read(path: Path, terms: ListTerms) -> MembersList:
    try:
        with path.open("rb") as file:
            return member_lists.read_members(file, terms)
    except OSError as error:
        raise CommandError(
            f"The list cannot be read ({error.strerror})", where=str(path), code=Exit.USAGE
        ) from None


def _refuse(found: MembersList, *, as_json: bool) -> int:
    """Name every line that can't be used; nothing was stored."""
    if as_json:
        print_json(
            {
                "problems": [
                    {
                        "line": one.number,
                        "code": one.code,
                        "given": one.shown,
                        "remedy": one.remedy,
                    }
                    for one in found.mistakes
                ]
            }
        )
    for one in found.mistakes[:_MISTAKES_SHOWN]:
        say(str(one))
    if (more := len(found.mistakes) - _MISTAKES_SHOWN) > 0:
        say(f"… and {more} more lines.")
    way = "Mend these lines, or leave them out with --skip-bad" if found.lines else "Mend the file"
    say(f"Nothing was imported. {way}.")
    return Exit.USAGE


def _is_confirmed(adoption: Adoption, options: argparse.Namespace) -> bool:
    if options.yes:
        return True
    if options.json or not sys.stdin.isatty():
        return False
    _print(adoption, options)
    say(f"Adopt {adoption.numbers.get('concerned', 0)} people? Type yes to do it:")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _work_through(options: argparse.Namespace, adoption: Adoption, state: AdoptionState) -> None:
    """Wait until a step is through, doing it here if no server does."""
    deadline = time.monotonic() + options.wait
    while adoption.state == state:
        if code := member_lists.trouble_of(adoption):
            said = explain(code)
            raise CommandError(
                said.what,
                where="looking for the people of the list",
                remedy=f"{said.fix} Then: velvetrope deadletters replay --all, and this again",
            )
        if time.monotonic() > deadline:
            done, people = member_lists.progress_of(adoption)
            raise CommandError(
                f"{done} of {people} people are through after {options.wait:g} seconds",
                where=str(options.file),
                remedy="The server goes on; the same command shows how far it is",
            )
        if (job := _next_job(adoption)) is not None:
            left = max(1.0, deadline - time.monotonic())
            _judge(options, finish_event(options.settings, job, seconds=left))
        time.sleep(_PAUSE)
        adoption.refresh_from_db()


def _judge(options: argparse.Namespace, job: InboxEvent) -> None:
    """Say what kept a job from its end, if nobody but a server tries again."""
    if not job.attempts or job.state != EventState.PENDING or server_pid():
        return
    said = explain_here(job.error_code, options.settings)
    raise CommandError(
        said.what,
        where=str(options.file),
        remedy="What was found so far is kept. Start the server: it goes on by itself",
    )


def _next_job(adoption: Adoption) -> int | None:
    """Find the oldest job of the list, or of its people, that nobody has done."""
    jobs = InboxEvent.objects.filter(
        source=Source.JOB,
        account=adoption.integration_id,
        kind__in=(LOOK, ORDER, ADOPT),
        state=EventState.PENDING,
    )
    return jobs.order_by("due_at", "id").values_list("id", flat=True).first()


def _print(adoption: Adoption, options: argparse.Namespace) -> None:
    if options.json:
        print_json(
            {
                "id": adoption.pk,
                "state": adoption.state,
                "plan": adoption.plan.stripe_price_id,
                "until": adoption.until,
                "friends": adoption.comp,
                "skipped": adoption.skipped,
                **adoption.numbers,
            }
        )
        return
    for line in describe(adoption):
        print(line)


def _claim_record(row: Integration, until: datetime | None) -> dict[str, Value]:
    chats: list[Value] = [_chat_record(one) for one in claims.preview_claims(row)]
    return {
        "bot": row.name,
        "open_until": until,
        "is_open": row.claim_until is not None and row.claim_until > present(),
        "link": claim_link(row.bot_username),
        "posts": dict(claims.claim_posts(row, until)) if until else {},
        "chats": chats,
    }


def _chat_record(one: ChatClaim) -> dict[str, Value]:
    return {
        "chat": one.numbers.chat.telegram_id,
        "title": one.numbers.chat.title,
        "members": one.numbers.chat.member_count,
        "known": one.numbers.known,
        "from_before": one.numbers.from_before,
        "can_be_claimed": one.covered,
        "may_leave_at_once": one.brake,
    }
