from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.processes import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Shop
    from tests.processes import Completed, Installation


@pytest.fixture
def people(server: Installation, shop: Shop) -> list[int]:
    """Give three people who were in the channel before the bot came, and one who is not."""
    shop.promote()
    assert shop.add(server, "--json").code == 0
    telegram = shop.sandbox.telegram
    made = [
        telegram.post("/control/users", json={"first_name": "Ann", "language_code": "en"}).json()
        for _ in range(4)
    ]
    for one in made[:3]:
        path = f"/control/chats/{shop.chat}/members/{one['id']}"
        telegram.put(path, json={"status": "member"}).raise_for_status()
    return [one["id"] for one in made]


def imported(
    installation: Installation, shop: Shop, file: Path, *more: str, stdin: str = ""
) -> Completed:
    return installation.command(
        *("members", "import", str(file), "--bot", "Door", "--plan", shop.price, *more),
        stdin=stdin,
    )


def written(folder: Path, *lines: str) -> Path:
    file = folder / "members.csv"
    file.write_text("\n".join(["user_id;until;note", *lines]), encoding="utf-8-sig")
    return file


def test_a_list_is_shown_first_and_adopted_when_confirmed(
    server: Installation, shop: Shop, people: list[int], tmp_path: Path
) -> None:
    file = written(tmp_path, *(f"{one};;" for one in (*people, shop.owner)))
    terms = ("--deadline", "30d")
    looked = imported(server, shop, file, *terms, "--dry-run", "--json")
    assert looked.code == 0, looked.err
    wanted = {"people": 5, "new": 5, "inside": 3, "outside": 1, "keeper": 1}
    assert {name: looked.json[name] for name in wanted} == wanted
    assert server.command("members", "list", "--json").json == []

    unconfirmed = imported(server, shop, file, *terms)
    assert unconfirmed.code == 1
    assert "Would be adopted: 3." in unconfirmed.out
    assert "--yes" in unconfirmed.err
    assert server.command("members", "list", "--json").json == []

    done = imported(server, shop, file, *terms, "--yes", "--json")
    assert done.code == 0, done.err
    assert done.json["id"] == looked.json["id"]
    assert (done.json["state"], done.json["outcomes"]["adopted"]) == ("done", 3)
    listed = server.command("members", "list", "--holding", "--json").json
    assert {one["telegram_user"] for one in listed} == set(people[:3])
    again = imported(server, shop, file, *terms, "--yes")
    assert "Adopted before, nothing to change: 3" in again.out


def test_bad_lines_are_named_and_nothing_is_imported(
    server: Installation, shop: Shop, people: list[int], tmp_path: Path
) -> None:
    file = written(tmp_path, f"{people[0]};;", "-100123;;", f"{people[1]};2001-01-01;")
    refused = imported(server, shop, file, "--deadline", "30d", "--yes")
    assert refused.code == 2
    assert refused.out == ""
    assert "line 3: This is the id of a group or channel." in refused.err
    assert "line 4: This day is over." in refused.err
    as_json = imported(server, shop, file, "--deadline", "30d", "--json").json
    assert [(one["line"], one["code"]) for one in as_json["problems"]] == [
        (3, "member_is_chat"),
        (4, "day_over"),
    ]
    done = imported(server, shop, file, "--deadline", "30d", "--yes", "--skip-bad", "--json")
    assert done.code == 0, done.err
    assert (done.json["skipped"], done.json["outcomes"]["adopted"]) == (2, 1)


def test_what_makes_no_sense_is_refused_in_a_line(
    server: Installation, shop: Shop, people: list[int], tmp_path: Path
) -> None:
    file = written(tmp_path, f"{people[0]};;")
    nonsense = (
        (file, "--deadline", "yesterday"),
        (file, "--deadline", "30d", "--comp"),
        (file, "--deadline", "30d", "--chat", "-1009999999999"),
        (tmp_path / "gone.csv", "--deadline", "30d"),
        (tmp_path, "--deadline", "30d"),
    )
    for path, *more in nonsense:
        done = imported(server, shop, path, *more, "--yes")
        assert (done.code, done.out) == (2, ""), more
        assert len(done.err.strip().splitlines()) == 1, done.err
    dayless = imported(server, shop, file, "--yes")
    assert dayless.code == 2
    assert "give a deadline for all" in dayless.err


def test_without_a_server_the_command_does_it_itself(
    installation: Installation, shop: Shop, tmp_path: Path
) -> None:
    shop.promote()
    assert shop.add(installation, "--json").code == 0
    telegram = shop.sandbox.telegram
    one = telegram.post("/control/users", json={"first_name": "Ann", "language_code": "en"}).json()
    path = f"/control/chats/{shop.chat}/members/{one['id']}"
    telegram.put(path, json={"status": "member"}).raise_for_status()
    done = imported(
        installation, shop, written(tmp_path, f"{one['id']};;"), "--comp", "--yes", "--json"
    )
    assert done.code == 0, done.err
    assert done.json["outcomes"]["adopted"] == 1
    shown = installation.command("members", "show", str(one["id"]), "--bot", "Door", "--json").json
    (held,) = shown["entitlements"]
    assert (held["kind"], held["period_end"]) == ("grant", None)


def test_the_link_is_opened_shown_and_closed(
    server: Installation, shop: Shop, people: list[int]
) -> None:
    looked = server.command("bots", "claim", "Door", "--until", "30d", "--dry-run", "--json")
    assert looked.code == 0, looked.err
    assert looked.json["is_open"] is False
    (chat,) = looked.json["chats"]
    assert (chat["members"], chat["known"], chat["from_before"]) == (5, 0, 5)
    assert chat["can_be_claimed"] is True
    opened = server.command("bots", "claim", "Door", "--until", "30d", "--json").json
    assert opened["is_open"] is True
    assert opened["link"] == f"https://t.me/{shop.username}?start=claim"
    assert all(opened["link"] in opened["posts"][language] for language in ("en", "uk", "ru"))
    shop.sandbox.telegram.post(
        f"/control/users/{people[0]}/messages", json={"bot": shop.username, "text": "/start claim"}
    ).raise_for_status()
    listed = eventually(lambda: server.command("members", "list", "--holding", "--json").json)
    assert [one["telegram_user"] for one in listed] == [people[0]]
    closed = server.command("bots", "claim", "Door", "--close", "--json").json
    assert (closed["is_open"], closed["open_until"], closed["posts"]) == (False, None, {})
    both = server.command("bots", "claim", "Door", "--close", "--until", "30d")
    assert both.code == 2


def test_while_telegram_is_away_the_command_says_so_and_goes_on_later(
    installation: Installation, shop: Shop, tmp_path: Path
) -> None:
    shop.promote()
    assert shop.add(installation, "--json").code == 0
    file = written(tmp_path, f"{shop.owner};;")
    telegram = shop.sandbox.telegram
    away = {"match": "getChatMember", "status": 502, "count": 100}
    telegram.post("/control/faults", json={"fail_next": away}).raise_for_status()
    try:
        failed = imported(installation, shop, file, "--deadline", "30d", "--dry-run")
    finally:
        telegram.post("/control/faults", json={"reset": True}).raise_for_status()
    assert failed.code == 1
    assert "Start the server" in failed.err
    installation.start()
    done = imported(installation, shop, file, "--deadline", "30d", "--dry-run", "--json")
    assert done.code == 0, done.err
    assert done.json["keeper"] == 1
