from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain import members_list
from velvetrope.domain.days import end_of_day, read_deadline
from velvetrope.domain.members_list import Line, MembersList, Terms, read_list
from velvetrope.domain.validation import Invalid

KYIV = ZoneInfo("Europe/Kyiv")
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
BOT = 500
TERMS = Terms(now=NOW, zone=KYIV, bot_id=BOT, plans={"price_gold": 1, "7": 7})


def read(text: str | bytes, terms: Terms = TERMS) -> MembersList:
    raw = text.encode() if isinstance(text, str) else text
    return read_list(io.BytesIO(raw), terms)


def codes(text: str | bytes, terms: Terms = TERMS) -> list[tuple[int, str]]:
    return [(one.number, one.code) for one in read(text, terms).mistakes]


#: Telegram's own, which hypothesis finds in the source and tries.
NOBODY = {BOT, 777000, 1087968824, 136817688}

people = st.builds(
    Line,
    number=st.just(0),
    user_id=st.integers(1, 2**52 - 1).filter(lambda one: one not in NOBODY),
    until=st.none()
    | st.dates(date(2027, 3, 2), date(2100, 1, 1)).map(lambda day: end_of_day(day, KYIV)),
    note=st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20),
    plan=st.sampled_from([None, 1, 7]),
)
lists = st.lists(people, min_size=1, max_size=20, unique_by=lambda one: one.user_id)


@given(
    lists,
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.permutations(["user_id", "until", "note", "plan"]),
    st.sampled_from([str.upper, str.title, lambda name: name.replace("_", " ")]),
    st.booleans(),
)
def test_a_list_is_read_however_it_is_written(
    wanted: list[Line],
    separator: str,
    end: str,
    encoding: str,
    order: list[str],
    style: object,
    quoted: bool,
) -> None:
    assert callable(style)
    file = io.StringIO()
    writer = csv.writer(
        file,
        delimiter=separator,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL,
    )
    writer.writerow([style(name) for name in order])
    for one in wanted:
        cells = {
            "user_id": str(one.user_id),
            "until": one.until.astimezone(KYIV).date().isoformat() if one.until else "",
            "note": one.note,
            "plan": {None: "", 1: "PRICE_gold", 7: "7"}[one.plan],
        }
        writer.writerow([cells[name] for name in order])
    found = read(file.getvalue().encode(encoding))
    assert list(found.mistakes) == []
    read_back = [(one.user_id, one.until, one.note, one.plan) for one in found.lines]
    assert read_back == [(one.user_id, one.until, one.note, one.plan) for one in wanted]


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_whatever_is_given_is_read_or_refused_in_words(raw: bytes) -> None:
    found = read(raw)
    assert found.lines or found.mistakes
    assert all(one.remedy.endswith(".") and str(one) for one in found.mistakes)
    assert len({one.user_id for one in found.lines}) == len(found.lines)


@given(lists, st.lists(st.sampled_from(["", "-100123", "@ann", "1.2E+09"]), max_size=5))
def test_bad_lines_are_named_by_their_number_and_hide_no_good_one(
    good: list[Line], bad: list[str]
) -> None:
    lines = [*(f"x{one}," if one == "" else f"{one},2030-01-01" for one in bad)]
    lines += [f"{one.user_id}," for one in good]
    found = read("user_id,until\n" + "\n".join(lines))
    first = 2 + len(bad)
    assert [one.number for one in found.mistakes] == list(range(2, first))
    assert [one.user_id for one in found.lines] == [one.user_id for one in good]
    assert [one.number for one in found.lines] == list(
        range(2 + len(bad), 2 + len(bad) + len(good))
    )


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("-1001234567890", "member_is_chat"),
        ("−5", "member_is_chat"),
        ("@olena", "member_malformed"),
        ("+380501234567", "member_malformed"),
        ("0", "member_malformed"),
        ("99999999999999999", "member_malformed"),
        ("1.23457E+11", "member_shortened"),
        ("500", "member_is_bot"),
        ("777000", "member_is_bot"),
        ("", "member_missing"),
    ],
)
def test_what_is_no_person_is_refused(cell: str, code: str) -> None:
    assert codes(f"user_id;note\n{cell};x") == [(2, code)]


def test_numbers_as_spreadsheets_write_them_are_read() -> None:
    assert [one.user_id for one in read("id\n123456789.0\n").lines] == [123456789]


@pytest.mark.parametrize(
    ("cell", "until"),
    [
        ("2027-12-31", datetime(2027, 12, 31, 21, 59, 59, tzinfo=UTC)),
        ("31.12.2027", datetime(2027, 12, 31, 21, 59, 59, tzinfo=UTC)),
        ("2027-12-31 18:00", datetime(2027, 12, 31, 16, tzinfo=UTC)),
        ("2027-12-31T18:00:00Z", datetime(2027, 12, 31, 18, tzinfo=UTC)),
    ],
)
def test_a_day_is_meant_in_the_bots_time_zone(cell: str, until: datetime) -> None:
    assert read(f"user_id,until\n5,{cell}").lines[0].until == until


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("soon", "day_malformed"),
        ("12/31/2027", "day_malformed"),
        ("2027-13-01", "day_malformed"),
        ("2020-01-01", "day_over"),
    ],
)
def test_a_day_that_makes_no_sense_is_refused(cell: str, code: str) -> None:
    assert codes(f"user_id,until\n5,{cell}") == [(2, code)]


def test_without_a_common_day_each_line_needs_its_own() -> None:
    terms = Terms(now=NOW, zone=KYIV, bot_id=BOT, plans={}, needs_day=True)
    assert codes("user_id,until\n5,2028-01-01\n6,", terms) == [(3, "day_missing")]


def test_a_person_is_listed_once() -> None:
    found = read("user_id\n5\n6\n5")
    assert [one.user_id for one in found.lines] == [5, 6]
    (mistake,) = found.mistakes
    assert str(mistake) == (
        "line 4: This person is in line 2 already. Keep one of the two. (given: 5)"
    )


def test_a_list_without_a_header_is_read_in_the_usual_order() -> None:
    (line,) = read("5;2028-01-01;a friend\n").lines
    assert (line.number, line.user_id, line.note) == (1, 5, "a friend")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "list_empty"),
        ("user_id\n", "list_empty"),
        ("name,mail\nx,y", "list_without_ids"),
        ("id,user_id\n1,2", "list_column_twice"),
        (b"user_id,note\n5,\xff\xfe\xfa", "list_not_utf8"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused_as_a_whole(text: str | bytes, code: str) -> None:
    assert codes(text) == [(0, code)]


def test_an_open_quotation_mark_ends_the_reading_where_it_stands() -> None:
    found = read('user_id,note\n5,fine\n6,"open\n7,lost\n')
    assert [one.user_id for one in found.lines] == [5]
    assert [one.code for one in found.mistakes] == ["line_unreadable"]


def test_lists_are_bounded() -> None:
    many = "user_id\n" + "".join(f"{number}\n" for number in range(1, 200_003) if number != BOT)
    assert codes(many) == [(0, "list_too_long")]
    huge = b"user_id,note\n5," + b"x" * members_list.MOST_BYTES
    assert codes(huge)[0][1] == "list_too_large"


@given(st.integers(1, 36_500))
def test_a_deadline_in_days_ends_with_its_day(days: int) -> None:
    end = read_deadline(f"{days}d", KYIV, NOW)
    assert timedelta(days=days) <= end - NOW <= timedelta(days=days + 1)
    assert end.astimezone(KYIV).strftime("%H:%M:%S") == "23:59:59"


@pytest.mark.parametrize("text", ["", "0d", "99999d", "yesterday", "2020-01-01", "3027-01-01"])
def test_a_deadline_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_deadline(text, KYIV, NOW)
