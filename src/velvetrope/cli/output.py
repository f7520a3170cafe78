"""Prints records: aligned columns for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    #: What a record may hold.
    Value = str | int | float | bool | list["Value"] | Mapping[str, "Value"] | datetime | None
    Record = Mapping[str, Value]


def print_records(records: Sequence[Record], *, as_json: bool, empty: str) -> None:
    """Print a list: one JSON array, or a table; `empty` is said to people if there is none."""
    if as_json:
        print_json(list(records))
    elif not records:
        print(empty, file=sys.stderr)
    else:
        print_table(records)


def print_record(record: Record, *, as_json: bool) -> None:
    """Print one thing: a JSON object, or its fields one a line."""
    if as_json:
        print_json(record)
        return
    width = max(len(name) for name in record)
    for name, value in record.items():
        lines = shown(value).split("\n")
        print(f"{_title(name):<{width}}  {lines[0]}")
        for line in lines[1:]:
            print(f"{'':<{width}}  {line}")


def print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def print_table(records: Sequence[Record]) -> None:
    """Print columns as wide as their widest value; the last one is not padded."""
    names = list(records[0])
    rows = [[_title(name).upper() for name in names]]
    rows += [[_one_line(shown(record[name], "; ")) for name in names] for record in records]
    widths = [max(len(row[column]) for row in rows) for column in range(len(names))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def shown(value: Value, between: str = "\n") -> str:
    """Put a value into words; times are UTC to the second. `between` parts the fields in it."""
    if value is None or (isinstance(value, str | list | Mapping) and not value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, list):
        apart = between * 2 if isinstance(value[0], Mapping) else ", "
        return apart.join(shown(item, between) for item in value)
    if isinstance(value, str | int | float):
        return str(value)
    return between.join(f"{_title(name)}: {shown(item, between)}" for name, item in value.items())


def say(text: str) -> None:
    """Tell a person how it goes, apart from what the command prints."""
    print(text, file=sys.stderr)


def _title(name: str) -> str:
    return name.replace("_", " ")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
