"""Explanations of customers as the command line prints them: the newest at the end."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from velvetrope.cli.output import print_json
from velvetrope.domain.civil import zone_of
from velvetrope.store.clock import present
from velvetrope.store.models import AuditEntry
from velvetrope.usecases.explaining import explain_customer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.cli.output import Record
    from velvetrope.store.models import Customer, InboxEvent
    from velvetrope.usecases.explaining import Entry, Place, Story

_WIDTH: Final = 100


def print_story(story: Story, bot: str) -> None:
    """Print chats first, then answers and rights, and the timeline at the end."""
    print(f"{story.name} · Telegram {story.telegram_user_id} · {bot} · member {story.customer_id}")
    _print_places(story.places)
    for answer in story.answers:
        _print_part(answer.question, [answer.answer])
    rights = [
        f"{'opens ' if one.holds else 'closed'}  {one.sentence} [{one.detail}]"
        for one in story.rights
    ]
    _print_part("What their access rests on", rights or ["Nothing was ever paid for or given."])
    print(f"\nWhat happened (times in {story.time_zone})")
    if story.has_earlier:
        print("  … there is more before this: add --all")
    _print_entries(story.entries, story.time_zone)


def _print_places(places: Sequence[Place]) -> None:
    for place in places:
        lines = [place.sentence, f"→ {place.fix}"] if place.fix else [place.sentence]
        _print_part(place.title, lines)


def _print_part(title: str, lines: Sequence[str]) -> None:
    print(f"\n{title}")
    for line in lines:
        print(textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="    "))


def _print_entries(entries: Sequence[Entry], time_zone: str) -> None:
    zone, day = zone_of(time_zone), ""
    for entry in entries:
        at = entry.at.astimezone(zone)
        if (today := f"{at.day} {at:%B %Y}") != day:
            print(f"\n  {today}")
            day = today
        print(
            textwrap.fill(
                entry.text,
                _WIDTH,
                initial_indent=f"  {at:%H:%M}  ",
                subsequent_indent=" " * len("  12:34  "),
            )
        )


def record(story: Story) -> Record:
    """Give the same for programs, with the technical details."""
    return {
        "id": story.customer_id,
        "telegram_user": story.telegram_user_id,
        "name": story.name,
        "time_zone": story.time_zone,
        "chats": [_place(one) for one in story.places],
        "answers": {one.question: one.answer for one in story.answers},
        "rights": [
            {"holds": one.holds, "sentence": one.sentence, "ground": one.detail}
            for one in story.rights
        ],
        "timeline": [_entry(one) for one in story.entries],
        "has_earlier": story.has_earlier,
    }


def _place(place: Place) -> Record:
    return {
        "chat": place.telegram_id,
        "title": place.title,
        "should_be_in": place.should_be_in,
        "seen": place.observed,
        "sentence": place.sentence,
        "fix": place.fix,
    }


def _entry(entry: Entry) -> Record:
    return {
        "at": entry.at,
        "kind": entry.kind.value,
        "text": entry.text,
        "detail": entry.detail,
        "row": f"{entry.source}:{entry.source_id}" if entry.source else "",
    }


def print_end(job: InboxEvent, row: Customer, *, as_json: bool) -> None:
    """Say what came of an order, as the timeline has it, and where the person is now."""
    story = explain_customer(row, present())
    caused = set(AuditEntry.objects.filter(cause=job.pk).values_list("id", flat=True))
    told = [one.text for one in story.entries if one.job_id == job.pk]
    after = [
        entry.text
        for entry in story.entries
        if entry.source == "auditentry" and entry.source_id in caused
    ]
    if as_json:
        print_json(
            {
                "id": row.pk,
                "result": " ".join(told),
                "changes": after,
                "chats": [_place(one) for one in story.places],
            }
        )
        return
    for text in (*told, *after):
        print(textwrap.fill(text, _WIDTH))
    _print_places(story.places)
