"""What failed for good: listed, tried again, given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.cli import records
from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.finding import find_bot
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_record, print_records
from velvetrope.domain import validation
from velvetrope.usecases import operations
from velvetrope.usecases.operations import Kind, Ref, Selection

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable


def list_some(options: argparse.Namespace) -> int:
    """List events and calls together, the newest first."""
    found = operations.list_dead(_selection(options), limit=options.limit)
    rows = [records.letter(one) for one in found]
    print_records(rows, as_json=options.json, empty="No dead letters.")
    return Exit.DONE


def replay(options: argparse.Namespace) -> int:
    """Have them tried again: by the server that runs, or by the next one that starts."""
    return _each(options, operations.replay, "replayed")


def discard(options: argparse.Namespace) -> int:
    return _each(options, operations.discard, "discarded")


def _each(options: argparse.Namespace, act: Callable[[Iterable[Ref], str], int], word: str) -> int:
    refs = _refs(options)
    done = act(refs, ACTOR)
    print_record({word: done, "asked": len(refs)}, as_json=options.json)
    if done < len(refs):
        raise CommandError(
            f"{len(refs) - done} of them are no dead letters (any more)",
            remedy="List what there is with: velvetrope deadletters list",
        )
    return Exit.DONE


def _refs(options: argparse.Namespace) -> list[Ref]:
    narrowed = options.bot or options.kind or options.code
    if options.letters and (options.all or narrowed):
        raise CommandError("Name letters, or choose them by options, not both", code=Exit.USAGE)
    if options.all or narrowed:
        return operations.select_refs(_selection(options))
    if not options.letters:
        raise CommandError(
            "No letter is named",
            remedy="Name them as listed (event:123), or use --all, --code, --kind or --bot",
            code=Exit.USAGE,
        )
    return sorted({_ref(text) for text in options.letters})


def _ref(text: str) -> Ref:
    try:
        return Ref.parse(text)
    except ValueError:
        raise CommandError(
            "This names no dead letter",
            where=validation.shown(text),
            remedy="Write it as listed: event:123 or item:456",
            code=Exit.USAGE,
        ) from None


def _selection(options: argparse.Namespace) -> Selection:
    return Selection(
        error_code=options.code,
        kind=Kind(options.kind) if options.kind else None,
        integration_id=find_bot(options.bot).pk if options.bot else None,
    )
