"""What the documents say is compared with what the code has: neither may know more."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from velvetrope.cli.commands import COMMANDS
from velvetrope.cli.failures import Exit
from velvetrope.domain import messages
from velvetrope.domain.access import ENDED_STATUSES, RUNNING_STATUSES
from velvetrope.domain.policy import RULES
from velvetrope.domain.states import Dispute, Refund
from velvetrope.settings import NAMES
from velvetrope.usecases.reconciling.backfilling import EVENT_TYPES
from velvetrope.usecases.wording.alert_endings import ENDINGS
from velvetrope.usecases.wording.problems import PROBLEMS

if TYPE_CHECKING:
    from velvetrope.cli.grammar import Command

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
SETTING = re.compile(r"VELVETROPE_[A-Z_]+")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_setting_has_a_row_and_every_row_a_setting() -> None:
    rows = re.findall(r"^\| `(VELVETROPE_[A-Z_]+)` \|", text_of("docs/settings.md"), re.MULTILINE)
    assert rows == list(NAMES)


@pytest.mark.parametrize("file", ["README.md", "deploy/velvetrope.env.example"])
def test_no_document_names_a_setting_that_there_is_not(file: str) -> None:
    assert set(SETTING.findall(text_of(file))) <= set(NAMES)


def sections() -> dict[str, str]:
    """Give the text under each `### velvetrope …` heading of docs/commands.md."""
    text = text_of("docs/commands.md")
    found = [*re.finditer(r"^### `velvetrope (.+)`$", text, re.MULTILINE)]
    ends = [*(one.start() for one in found[1:]), len(text)]
    return {one[1]: text[one.end() : end] for one, end in zip(found, ends, strict=True)}


def test_every_command_has_its_section_in_the_same_order() -> None:
    assert list(sections()) == [command.words for command in COMMANDS]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.words)
def test_a_commands_section_tells_all_that_it_takes_and_nothing_else(command: Command) -> None:
    told = set(re.findall(r"^\| `([A-Za-z-]+)", sections()[command.words], re.MULTILINE))
    taken = {
        argument.options.get("metavar", argument.flags[0].upper())
        if not argument.flags[0].startswith("-")
        else argument.flags[0]
        for argument in command.arguments
    }
    assert told == taken


def test_the_exit_codes_are_told() -> None:
    rows = re.findall(r"^\| (\d) \|", text_of("docs/commands.md"), re.MULTILINE)
    assert [int(row) for row in rows] == [code.value for code in Exit]


def test_the_policy_is_documented_value_by_value() -> None:
    def said(value: object) -> str:
        return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)

    rows = re.findall(
        r"^\| `([a-z_]+)` \| (.+) \| (.+) \| (.+) \|$", text_of("docs/policy.md"), re.MULTILINE
    )
    expected = [
        (rule.name, said(rule.default), rule.allowed, f"{rule.label}. {rule.meaning}")
        for rule in RULES
    ]
    assert rows == expected


def test_the_table_of_the_policy_names_every_fact_and_who_decides_about_it() -> None:
    table = text_of("docs/policy.md").partition("## The first failure")[0]
    facts = {*RUNNING_STATUSES, *ENDED_STATUSES, "past_due", *Refund, *Dispute} - {Dispute.NONE}
    assert [fact for fact in facts if f"`{fact}`" not in table] == []
    deciding = {rule.name for rule in RULES if not rule.name.startswith("brake_")}
    assert set(re.findall(r"\| `([a-z_]+)` \|$", table, re.MULTILINE)) == deciding


def test_every_message_is_documented_with_its_switch_and_its_default() -> None:
    text = text_of("docs/messages.md")
    rows = re.findall(
        r"^\| `([a-z_]+)` \| (.+) \| (.+) \| (at .+) \| (on|off) \|$", text, re.MULTILINE
    )
    assert rows == [
        (kind.value, rule.title, rule.when, rule.timing.value, "on" if rule.is_on else "off")
        for kind, rule in messages.RULES.items()
    ]
    days = re.findall(r"^\| `([a-z_]+_days)` \| ([0-9, ]+) \| 1 to 60", text, re.MULTILINE)
    assert days == [
        (messages.days_setting(kind), ", ".join(str(day) for day in messages.RULES[kind].days))
        for kind in messages.REMINDERS
    ]
    numbers = re.findall(
        r"^\| `([a-z_]+)` \| (\d+) \| (\d+) to (\d+) \| (.+) \|$", text, re.MULTILINE
    )
    usual = messages.MessageSettings()
    assert numbers == [
        (name, str(getattr(usual, name)), str(rule.least), str(rule.most), rule.meaning)
        for name, rule in messages.NUMBERS.items()
    ]


def test_the_readme_lists_the_stripe_events_that_have_a_handler() -> None:
    listed = re.findall(r"^[a-z_]+\.[a-z_.]+$", text_of("README.md"), re.MULTILINE)
    assert sorted(listed) == sorted(EVENT_TYPES)


def test_every_alert_has_its_row_in_the_words_of_the_product() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", text_of("docs/alerts.md"), re.MULTILINE)
    told = {code: rest.split(" | ") for code, rest in rows}
    assert told == {code: [*PROBLEMS[code], end] for code, end in ENDINGS.items()}


@pytest.mark.parametrize("file", PAGES, ids=lambda one: str(one.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(file: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", file.read_text(encoding="utf-8"))
    assert [one for one in targets if not (file.parent / one).exists()] == []


@pytest.mark.parametrize("file", PAGES, ids=lambda one: str(one.relative_to(ROOT)))
def test_a_line_holds_one_sentence(file: Path) -> None:
    """So that a change of one sentence is a change of one line."""
    prose = re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    lines = [re.sub(r"^\d+\. ", "", one) for one in prose.splitlines()]
    lines = [one for one in lines if re.match(r"\w|\*\*", one)]
    assert [one for one in lines if re.search(r"[a-z0-9)»`]\. [A-Z`]", one)] == []


def test_every_page_is_named_where_readers_begin() -> None:
    pages = sorted(f"docs/{file.name}" for file in DOCS.glob("*.md"))
    assert [one for one in pages if f"]({one})" not in text_of("README.md")] == []


def test_every_record_of_a_decision_is_in_the_list() -> None:
    records = sorted(file.name for file in (DOCS / "decisions").glob("0*.md"))
    listed = re.findall(r"\]\((0\d+-[a-z-]+\.md)\)", text_of("docs/decisions/README.md"))
    assert listed == records
    numbers = [int(name[:4]) for name in records]
    assert all(after == before + 1 for before, after in pairwise(numbers))


def test_a_decision_fits_on_a_page() -> None:
    long = [one.name for one in (DOCS / "decisions").glob("0*.md") if len(one.read_text()) > 3000]
    assert long == []
