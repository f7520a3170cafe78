"""Lists of members as operators have them: CSV with a header of some kind, judged line by line."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from velvetrope.domain.days import read_day
from velvetrope.domain.validation import Invalid, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo
    from typing import BinaryIO

#: Lines of one list, its header not counted.
MOST_LINES: Final = 200_000
#: Bytes of one list, whatever its lines are.
MOST_BYTES: Final = 24 * 1024 * 1024
_LONGEST_NOTE: Final = 255
_SEPARATORS: Final = ",;\t"

#: What the columns are called, letters and digits only.
_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "user_id": frozenset(
        {"userid", "id", "user", "telegramid", "telegramuserid", "telegram", "tgid", "uid"}
    ),
    "until": frozenset(
        {"until", "paiduntil", "validuntil", "end", "ends", "enddate", "expires", "expiry"}
        | {"expiresat", "expirationdate", "date", "till"}
    ),
    "note": frozenset({"note", "notes", "comment", "remark"}),
    "plan": frozenset({"plan", "planid", "price", "priceid", "tariff"}),
}
#: The order of a list without a header.
_ORDER: Final = ("user_id", "until", "note", "plan")

#: Bot API: ids of people have at most 52 significant bits.
_LARGEST_ID: Final = 2**52 - 1
#: Telegram's own: notifications, anonymous administrators, posts of channels.
_OF_TELEGRAM: Final = frozenset({777000, 1087968824, 136817688})
_WHOLE_NUMBER = re.compile(r"([0-9]{1,19})(?:\.0+)?")
_SHORTENED = re.compile(r"[0-9][.,]?[0-9]*[eE]\+?[0-9]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One person; `until` None: no day of their own, `plan` None: that of the whole list."""

    number: int
    user_id: int
    until: datetime | None = None
    note: str = ""
    plan: int | None = None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that can't be used; `number` 0 is the list as a whole."""

    number: int
    code: str
    shown: str
    remedy: str

    def __str__(self) -> str:
        where = f"line {self.number}: " if self.number else ""
        given = f" (given: {self.shown})" if self.shown else ""
        return f"{where}{self.remedy}{given}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What lines are judged by."""

    now: datetime
    #: In whose days the dates are meant.
    zone: tzinfo
    bot_id: int
    #: Ids of plans by all that a line may call them, in lower case.
    plans: Mapping[str, int]
    #: There is no common day, so each line needs its own.
    needs_day: bool = False


@dataclass(frozen=True, slots=True)
class MembersList:
    lines: Sequence[Line]
    mistakes: Sequence[Mistake]


def read_list(file: BinaryIO, terms: Terms) -> MembersList:
    """Read a whole list; each person is in it once."""
    lines: list[Line] = []
    mistakes: list[Mistake] = []
    first: dict[int, int] = {}
    for found in _read(file, terms):
        if isinstance(found, Mistake):
            mistakes.append(found)
        elif (before := first.setdefault(found.user_id, found.number)) != found.number:
            remedy = f"This person is in line {before} already. Keep one of the two."
            mistakes.append(Mistake(found.number, "member_twice", str(found.user_id), remedy))
        else:
            lines.append(found)
    if not lines and not mistakes:
        mistakes.append(_of_file("list_empty", "There is nobody in the list."))
    return MembersList(lines, mistakes)


def _read(file: BinaryIO, terms: Terms) -> Iterator[Line | Mistake]:
    if file.seek(0, io.SEEK_END) > MOST_BYTES:
        limit = MOST_BYTES // 1024 // 1024
        yield _of_file("list_too_large", f"A list has at most {limit} MiB. Split it into several.")
        return
    text = io.TextIOWrapper(file, encoding=_encoding(file), newline="")
    try:
        yield from _rows(text, terms)
    except UnicodeError:
        yield _of_file("list_not_utf8", "Save the list as CSV in UTF-8 and try again.")
    finally:
        text.detach()  # the file is its opener's to close


def _rows(text: io.TextIOWrapper, terms: Terms) -> Iterator[Line | Mistake]:
    head = _first_line(text)
    text.seek(0)
    rows = csv.reader(text, delimiter=_separator(head), strict=True)
    columns: Mapping[str, int] | None = None
    count = 0
    try:
        for row in rows:
            cells = [cell.strip().strip("\ufeff") for cell in row]
            if not any(cells):
                continue
            if columns is None:
                found = _columns(cells)
                if isinstance(found, Mistake):
                    yield found
                    return
                columns, is_header = found
                if is_header:
                    continue
            count += 1
            if count > MOST_LINES:
                remedy = f"A list has at most {MOST_LINES:,} people. Split it into several."
                yield _of_file("list_too_long", remedy)
                return
            yield _line(rows.line_num, cells, columns, terms)
    except csv.Error:
        # What follows can't be told apart any more: a quotation mark is missing, most likely.
        remedy = "A quotation mark is not closed, or the line is no text. Mend it."
        yield Mistake(rows.line_num, "line_unreadable", "", remedy)


def _columns(cells: Sequence[str]) -> tuple[Mapping[str, int], bool] | Mistake:
    """Give what stands where, and whether this is a header; without one the order counts."""
    found: dict[str, int] = {}
    for position, cell in enumerate(cells):
        name = "".join(sign for sign in cell.lower() if sign.isalnum())
        meaning = next((one for one, names in _NAMES.items() if name in names), None)
        if meaning is not None and meaning in found:
            remedy = f"Two columns could be «{meaning}». Rename or remove one of them."
            return _of_file("list_column_twice", remedy, shown(cell))
        if meaning is not None:
            found[meaning] = position
    if "user_id" in found:
        return found, True
    if _WHOLE_NUMBER.fullmatch(cells[0]) or cells[0].startswith(("-", "@")):
        return dict(zip(_ORDER, range(len(cells)), strict=False)), False
    remedy = "The first line has to name the columns: user_id, and if wanted until, note, plan."
    return _of_file("list_without_ids", remedy, shown(_SEPARATORS[0].join(cells)))


def _line(
    number: int, cells: Sequence[str], columns: Mapping[str, int], terms: Terms
) -> Line | Mistake:
    def cell(name: str) -> str:
        position = columns.get(name)
        return "" if position is None or position >= len(cells) else cells[position]

    try:
        user_id = _user_id(cell("user_id"), terms)
        until = _until(cell("until"), terms)
        plan = _plan(cell("plan"), terms)
    except Invalid as invalid:
        return Mistake(number, invalid.code, invalid.value_shown, invalid.remedy)
    note = " ".join("".join(s if s.isprintable() else " " for s in cell("note")).split())
    return Line(number, user_id, until, note[:_LONGEST_NOTE], plan)


def _user_id(text: str, terms: Terms) -> int:
    def refuse(code: str, remedy: str) -> Invalid:
        return Invalid(code, "user_id", shown(text), remedy)

    if not text:
        raise refuse("member_missing", "The Telegram user id is missing. Fill it in.")
    if _SHORTENED.fullmatch(text):
        remedy = "The spreadsheet has shortened the number. Format the column as text and fill it "
        raise refuse("member_shortened", remedy + "in again.")
    if text.startswith(("-", "\N{MINUS SIGN}")):
        remedy = "This is the id of a group or channel. Use the id of a person, a positive number."
        raise refuse("member_is_chat", remedy)
    whole = _WHOLE_NUMBER.fullmatch(text)
    if whole is None:
        remedy = "Use the number that Telegram gives the person: names and phones can change."
        raise refuse("member_malformed", remedy)
    number = int(whole[1])
    if number == terms.bot_id or number in _OF_TELEGRAM:
        raise refuse("member_is_bot", "This is a bot or Telegram itself. Remove the line.")
    if not 0 < number <= _LARGEST_ID:
        raise refuse("member_malformed", "No person at Telegram has such an id. Check the number.")
    return number


def _until(text: str, terms: Terms) -> datetime | None:
    if not text:
        if terms.needs_day:
            remedy = "There is no day until when. Fill it in, or give a deadline for all."
            raise Invalid("day_missing", "until", "", remedy)
        return None
    moment = read_day(text, terms.zone)
    if moment <= terms.now:
        remedy = "This day is over. Correct it, or leave it empty for the deadline of all."
        raise Invalid("day_over", "until", shown(text), remedy)
    return moment


def _plan(text: str, terms: Terms) -> int | None:
    if not text:
        return None
    found = terms.plans.get(text.lower())
    if found is None:
        remedy = (
            "No plan of this bot is called so, or it opens none of the chats. Use its price id."
        )
        raise Invalid("plan_unknown", "plan", shown(text), remedy)
    return found


def _separator(head: str) -> str:
    """Find what parts the columns: the sign that the first line has most of, outside quotes."""
    bare = re.sub(r'"[^"]*"', "", head)
    return max(_SEPARATORS, key=bare.count)


def _first_line(text: io.TextIOWrapper) -> str:
    for line in text:
        if line.strip().strip("\ufeff"):
            return line
    return ""


def _encoding(file: BinaryIO) -> str:
    """Tell by its first bytes how a list is written; spreadsheets also save UTF-16."""
    file.seek(0)
    start = file.read(2)
    file.seek(0)
    return "utf-16" if start in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"


def _of_file(code: str, remedy: str, what: str = "") -> Mistake:
    return Mistake(0, code, what, remedy)
