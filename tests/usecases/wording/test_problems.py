"""Whatever code the product can leave on a row, an operator reads what it means."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import velvetrope
from velvetrope.usecases.wording.problems import PROBLEMS, explain, explain_all

SOURCES = Path(velvetrope.__file__).parent
RAISED = {"NeedsOperator", "Permanent", "RetryLater", "Problem", "_Rule"}


def _codes() -> set[str]:
    """Read the codes from the source: first arguments of whatever makes a problem."""
    found = set()
    for folder in ("gateways", "pipeline", "usecases"):
        for file in (SOURCES / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    # `_Rule` is the Bot API's table, which has the code in the fourth place.
                    place = 3 if node.func.id == "_Rule" else 0
                    named = node.args[place : place + 1] if node.func.id in RAISED else []
                    found |= {str(one.value) for one in named if isinstance(one, ast.Constant)}
    return found


def test_every_code_that_is_raised_has_words() -> None:
    assert sorted(_codes() - PROBLEMS.keys()) == []


@pytest.mark.parametrize("code", PROBLEMS)
def test_words_are_whole_sentences_with_and_without_their_data(code: str) -> None:
    for problem in (code, {"code": code, "data": {}}, {"code": code, "data": {"chat": -100}}):
        found = explain(problem)
        for words in (found.what, found.fix):
            assert words[0].isupper() or words.startswith("VELVETROPE_"), words
            assert words.endswith("."), words
            assert "{" not in words, words
            assert " ." not in words, words
            assert "  " not in words, words


def test_data_fills_the_words_and_the_rest_is_told_as_details() -> None:
    problem = {"code": "missing_rights", "data": {"chat": -1001, "rights": "can_invite_users"}}
    found = explain(problem, {-1001: "The channel"})
    assert "«Invite users via link»" in found.what
    assert found.details == "chat: The channel (-1001)"


@pytest.mark.parametrize(
    "problem", [None, 5, [], {}, {"code": None}, {"code": "x", "data": 5}, "no_such_code"]
)
def test_whatever_is_stored_is_explained_somehow(problem: object) -> None:
    assert explain(problem).what
    assert explain_all(problem) == [] or isinstance(problem, list)
