from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from velvetrope.cli import output
from velvetrope.cli.failures import CommandError


def test_a_table_is_as_wide_as_its_widest_values(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[output.Record] = [{"id": 1, "a_name": "Gold club"}, {"id": 20, "a_name": None}]
    output.print_records(rows, as_json=False, empty="none")
    assert capsys.readouterr().out.splitlines() == ["ID  A NAME", "1   Gold club", "20  –"]


def test_a_table_keeps_a_record_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_records([{"what": "two\nlines"}], as_json=False, empty="none")
    assert capsys.readouterr().out.splitlines() == ["WHAT", "two lines"]


def test_a_table_parts_the_figures_in_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_records([{"found": {"moved_unseen": 2, "settled": 1}}], as_json=False, empty="")
    assert capsys.readouterr().out.splitlines() == ["FOUND", "moved unseen: 2; settled: 1"]


def test_an_empty_list_is_an_empty_array_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_records([], as_json=True, empty="No bots.")
    said = capsys.readouterr()
    assert json.loads(said.out) == []
    assert said.err == ""


def test_an_empty_list_is_a_sentence_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_records([], as_json=False, empty="No bots.")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "No bots.\n")


def test_times_are_told_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime.fromisoformat("2026-11-22T23:00:00+02:00")
    assert output.shown(moment) == "2026-11-22 21:00:00"
    output.print_record({"at": moment.astimezone(UTC)}, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"at": "2026-11-22T21:00:00+00:00"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        ("", "–"),
        ([], "–"),
        (0, "0"),
        (False, "no"),
        (True, "yes"),
        (["a", 1], "a, 1"),
        ({"a": 1, "b_c": None}, "a: 1\nb c: –"),
        ({}, "–"),
        ([{"a": 1, "b": 2}, {"a": 3, "b": 4}], "a: 1\nb: 2\n\na: 3\nb: 4"),
    ],
)
def test_values_are_put_into_words(value: output.Value, shown: str) -> None:
    assert output.shown(value) == shown


def test_an_error_says_where_what_and_the_remedy_in_one_line() -> None:
    error = CommandError("There is no such bot", where="Gold", remedy="List them")
    assert str(error) == "Gold: There is no such bot. List them."
    assert str(CommandError("Stopped!")) == "Stopped!"
