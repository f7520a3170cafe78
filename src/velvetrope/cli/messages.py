"""Which messages an integration sends, and when: shown and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.finding import find_bot
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_records, say
from velvetrope.domain import validation
from velvetrope.domain.messages import NUMBERS, RULES, MessageKind, MessageSettings, days_setting
from velvetrope.usecases import operations

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from velvetrope.cli.output import Record, Value


def messages(options: argparse.Namespace) -> int:
    """Show every kind with its switch, and the settings; after the changes, if there are any."""
    row = find_bot(options.bot)
    changes: dict[str, object] = dict(options.set)
    changes |= {_kind(name): True for name in options.on}
    changes |= {_kind(name): False for name in options.off}
    if changes:
        if not operations.change_messages(row.pk, changes, ACTOR):
            say("It is so already.")
        row.refresh_from_db()
    settings = MessageSettings.from_differences(row.reminders)
    print_records(list(_records(settings)), as_json=options.json, empty="")
    return Exit.DONE


def _kind(name: str) -> str:
    kind = name.strip().replace("-", "_")
    if kind not in {*MessageKind}:
        raise CommandError(
            "There is no such message",
            where=validation.shown(name),
            remedy=f"There are: {', '.join(MessageKind)}",
            code=Exit.USAGE,
        )
    return kind


def _records(settings: MessageSettings) -> Iterator[Record]:
    for kind, rule in RULES.items():
        yield _record(kind, settings.is_on(kind), rule.is_on, f"{rule.timing}: {rule.when}")
        if rule.days:
            meaning = f"Days before, for {kind}"
            days = settings.days.get(kind, rule.days)
            yield _record(days_setting(kind), [*days], [*rule.days], meaning)
    usual = MessageSettings()
    for name, number in NUMBERS.items():
        yield _record(name, getattr(settings, name), getattr(usual, name), number.meaning)


def _record(name: str, value: Value, default: Value, meaning: str) -> Record:
    return {"name": str(name), "value": value, "default": default, "meaning": meaning}
