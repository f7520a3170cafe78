from __future__ import annotations

import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.processes import COMMAND, Installation, child_environment
from velvetrope.cli.commands import COMMANDS
from velvetrope.cli.grammar import build_parser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import Template


@pytest.fixture
def alone(migrated: Path | Template, tmp_path: Path) -> Iterator[Installation]:
    """Give an installation whose vendors don't answer."""
    place = Installation(tmp_path, migrated)
    yield place
    place.close()


def test_wrong_settings_are_told_all_at_once_with_exit_code_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "bots", "list"],
        env=child_environment(VELVETROPE_LOG_FORMAT="loud"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    for name in ("LOG_FORMAT", "PUBLIC_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "STRIPE_API_KEY"):
        assert f"velvetrope bots list: VELVETROPE_{name}: " in done.stderr
    assert "VELVETROPE_ENV=development" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dance"],
        ["bots"],
        ["bots", "ad"],
        ["bots", "list", "--jso"],
        ["events", "show", "one"],
        ["serve", "--role", "king"],
        ["members", "list", "--limit", "0"],
        ["members", "list", "--limit", "99999999999999999999"],
        ["plans", "sync", "--wait", "-1"],
        ["plans", "sync", "--wait", "nan"],
        ["plans", "sync", "--wait", "soon"],
    ],
    ids=" ".join,
)
def test_wrong_usage_has_exit_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        build_parser(COMMANDS).parse_args(words)
    assert caught.value.code == 2
    assert "velvetrope" in capsys.readouterr().err


def test_a_database_that_is_behind_is_told_with_the_command_that_helps(
    alone: Installation,
) -> None:
    alone.database.write_bytes(b"")
    done = alone.command("bots", "list")
    assert done.code == 1
    assert done.err.strip().endswith("Run: velvetrope migrate.")


@pytest.mark.parametrize(
    "words",
    [("bots", "list"), ("check",), ("doctor",), ("createoperator",), ("serve", "--port", "0")],
    ids=" ".join,
)
def test_a_database_that_is_not_there_is_not_made_by_who_only_uses_it(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [*COMMAND, *words],
        env=child_environment(VELVETROPE_ENV="development"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.strip().splitlines()
    assert f": no database at {tmp_path}/data/velvetrope.sqlite3. " in line
    assert "VELVETROPE_DATABASE_URL" in line
    assert "velvetrope migrate" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("bots", "list"), ("check",), ("doctor",), ("migrate",)])
@pytest.mark.parametrize("damage", ["another file", "a torn page"])
def test_a_file_that_sqlite_cannot_read_is_told_without_a_trace(
    alone: Installation, words: tuple[str, ...], damage: str
) -> None:
    whole = alone.database.read_bytes()
    torn = whole[:100] + b"\xff" * (len(whole) - 100)
    alone.database.write_bytes(torn if damage == "a torn page" else b"my notes\n" * 200)
    done = alone.command(*words)
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.strip().splitlines()
    assert f": {alone.database}: This is no SQLite database, or it is damaged (" in line
    assert line.endswith("restore a backup.")


def test_migrating_brings_the_database_up_to_date_and_again_does_nothing(
    alone: Installation,
) -> None:
    alone.database.unlink()
    assert alone.command("migrate", "--json").json["applied"]
    assert stat.S_IMODE(alone.database.stat().st_mode) == 0o600
    assert alone.command("migrate", "--json").json["applied"] == []
    assert alone.command("bots", "list", "--json").json == []


@pytest.fixture(scope="module")
def untouched(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Give an installation for commands that change nothing."""
    place = Installation(tmp_path_factory.mktemp("untouched"), migrated_file)
    yield place
    place.close()


@pytest.mark.parametrize(
    "words",
    [
        ("bots", "show", "nobody"),
        ("members", "show", "7"),
        ("members", "show", "anna"),
        ("events", "show", "7"),
        ("deadletters", "replay", "letter"),
        ("deadletters", "discard"),
        ("bots", "add", "--token", "-", "--chat", "-1001234567890", "--price", "price_1"),
    ],
    ids=" ".join,
)
def test_what_there_is_not_is_one_line_with_a_remedy_and_exit_code_2(
    untouched: Installation, words: tuple[str, ...]
) -> None:
    done = untouched.command(*words)
    assert done.code == 2
    assert done.out == ""
    (line,) = done.err.strip().splitlines()
    assert line.startswith(f"velvetrope {words[0]} {words[1]}: ")
    assert line.count(". ") >= 1 or line.count(": ") > 1


def test_a_vendor_that_does_not_answer_is_named_without_a_trace(alone: Installation) -> None:
    alone.command("doctor")  # makes the row of the environment's Stripe account
    done = alone.command(
        *("bots", "add", "--token", "-", "--chat", "-1001234567890", "--price", "price_1"),
        stdin="1234567:" + "A" * 35,
    )
    assert done.code == 1
    host = alone.env["VELVETROPE_TELEGRAM_API_URL"].removeprefix("http://")
    assert done.err.strip() == (
        "velvetrope bots add: telegram_unavailable: Telegram does not answer. Nothing was stored "
        f"or changed. Check this machine's connection to {host}, then run the command again."
    )
    seen = alone.command("doctor", "--json")
    assert seen.code == 1
    (stripe,) = [one for one in seen.json if one["subject"].startswith("stripe ")]
    assert alone.env["VELVETROPE_STRIPE_API_URL"].removeprefix("http://") in stripe["fix"]
    assert "tried again" not in seen.out
    assert "reason" not in stripe["what"]


def test_a_token_is_never_repeated_even_if_it_is_malformed(alone: Installation) -> None:
    done = alone.command(
        *("bots", "add", "--token", "1234567:planted-and-too-short", "--chat", "1", "--price", "x")
    )
    assert done.code == 2
    assert "planted" not in done.out + done.err


def test_a_bot_without_a_token_is_told_how_to_give_one(untouched: Installation) -> None:
    words = ("bots", "add", "--chat", "-1001234567890", "--price", "price_1")
    done = untouched.command(*words, env={"TELEGRAM_BOT_TOKEN": ""})
    assert (done.code, done.out) == (2, "")
    assert "No token was given." in done.err
    assert "--token -" in done.err
    assert "TELEGRAM_BOT_TOKEN" in done.err
    piped = untouched.command(*words, "--token", "-")
    assert "Standard input held no token." in piped.err


def test_the_check_judges_without_reaching_out(alone: Installation) -> None:
    done = alone.command("check", "--json", env={"VELVETROPE_METRICS_TOKN": "x"})
    assert done.code == 0
    assert [one["id"] for one in done.json] == ["velvetrope.W001"]
    assert "VELVETROPE_METRICS_TOKN" in done.json[0]["what"]


def test_the_check_fails_for_a_database_that_is_behind(alone: Installation) -> None:
    alone.database.write_bytes(b"")
    done = alone.command("check", "--json")
    assert done.code == 1
    assert [one["id"] for one in done.json] == ["velvetrope.E005"]


def test_an_operators_password_is_generated_or_read_from_standard_input(
    alone: Installation,
) -> None:
    made = alone.command("createoperator", "anna", "--json").json
    assert made["name"] == "anna"
    assert len(made["password"]) > 20
    given = alone.command(
        "createoperator", "olha", "--password", "-", "--json", stdin="x9 Kp two\n"
    )
    assert given.code == 1
    assert "at least 12 characters" in given.err
    given = alone.command(
        "createoperator", "olha", "--password", "-", "--json", stdin="nine green lamps\n"
    )
    assert given.json == {"name": "olha"}
    again = alone.command("createoperator", "olha", "--generate")
    assert (again.code, again.out) == (1, "")
    assert "olha: there is such an operator" in again.err
    assert "velvetrope createoperator olha --reset" in again.err


def test_an_operator_gets_a_new_password_or_is_kept_out(alone: Installation) -> None:
    first = alone.command("createoperator", "anna", "--json").json
    second = alone.command("createoperator", "anna", "--reset", "--json").json
    assert second["name"] == "anna"
    assert second["password"] != first["password"]
    kept_out = alone.command("createoperator", "anna", "--disable", "--json")
    assert kept_out.json == {"name": "anna", "active": False}
    for way in ("--reset", "--disable"):
        nobody = alone.command("createoperator", "olha", way)
        assert (nobody.code, nobody.out) == (1, "")
        assert "olha: there is no such operator" in nobody.err
    assert alone.command("createoperator", "anna", "--disable", "--reset").code == 2


def test_a_reader_who_has_seen_enough_is_no_error(alone: Installation) -> None:
    line = f"{sys.executable} -m velvetrope --help | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["/bin/bash", "-c", line], env=alone.env, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"
