from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.processes import eventually

if TYPE_CHECKING:
    from tests.cli.conftest import Shop
    from tests.processes import Installation


@pytest.fixture
def member(server: Installation, shop: Shop) -> dict[str, Any]:
    """Give a person who has pressed /start and holds nothing."""
    shop.promote()
    assert shop.add(server, "--json").code == 0
    shop.sandbox.telegram.post(
        f"/control/users/{shop.owner}/messages", json={"bot": shop.username, "text": "/start"}
    ).raise_for_status()
    found = eventually(lambda: server.command("members", "list", "--json").json)
    one: dict[str, Any] = found[0]
    return one


def test_access_is_given_by_hand_and_taken_back(
    server: Installation, shop: Shop, member: dict[str, Any]
) -> None:
    whom = (str(shop.owner), "--bot", "Door")
    granted = server.command(
        *("members", "grant", *whom, "--plan", shop.price, "--days", "30"),
        *("--note", "a friend", "--json"),
    )
    assert granted.code == 0, granted.err
    assert granted.json["id"] == member["id"]
    (entitlement,) = granted.json["entitlements"]
    assert (entitlement["kind"], entitlement["holds"]) == ("grant", True)
    assert [one["should_be_in"] for one in granted.json["access"]] == [True]
    holding = server.command("members", "list", "--holding", "--json").json
    assert [one["id"] for one in holding] == [member["id"]]

    revoked = server.command("members", "revoke", str(member["id"]), "--json")
    assert revoked.code == 0, revoked.err
    assert [one["holds"] for one in revoked.json["entitlements"]] == [False]
    assert server.command("members", "list", "--holding", "--json").json == []
    nothing = server.command("members", "revoke", str(member["id"]))
    assert nothing.code == 1
    assert "holds no grant" in nothing.err


def test_a_member_is_explained_to_people_and_to_programs(
    server: Installation, shop: Shop, member: dict[str, Any]
) -> None:
    whom = str(member["id"])
    printed = server.command("members", "why", whom)
    assert printed.code == 0, printed.err
    words = " ".join(printed.out.split())
    assert "Should be out, because nothing that opens this chat was ever paid for" in words
    assert "Have they ever paid? No, and they never opened a payment page." in words
    assert words.index("They pressed /start.") < words.index("The bot answered.")
    story = server.command("members", "why", str(shop.owner), "--bot", "Door", "--json").json
    assert story["id"] == member["id"]
    assert [one["should_be_in"] for one in story["chats"]] == [False]
    assert {"at", "kind", "text", "detail", "row"} == set(story["timeline"][0])
    assert story["has_earlier"] is False


def test_orders_for_a_member_that_make_no_sense_are_refused_in_a_line(
    server: Installation, member: dict[str, Any]
) -> None:
    whom = str(member["id"])
    for words, why in (
        (("reinvite", whom), "holds no right"),
        (("message", whom, "  "), "nothing to send"),
        (("message", whom, "x" * 4097), "Shorten it"),
    ):
        done = server.command("members", *words)
        assert (done.code, done.out) == (1, "")
        assert why in done.err
        assert len(done.err.strip().splitlines()) == 1


def test_an_end_that_makes_no_sense_is_refused(
    server: Installation, shop: Shop, member: dict[str, Any]
) -> None:
    nonsense = (
        ("--until", "tomorrow"),
        ("--until", "2020-01-31"),
        ("--days", "0"),
        ("--days", "3", "--until", "2030-01-31"),
    )
    for when in nonsense:
        done = server.command("members", "grant", str(member["id"]), "--plan", shop.price, *when)
        assert done.code in {1, 2}
        assert done.out == ""
        assert len(done.err.strip().splitlines()) == 1


def test_events_are_listed_shown_and_only_dead_ones_replayed(
    server: Installation, shop: Shop, member: dict[str, Any]
) -> None:
    assert member["telegram_user"] == shop.owner
    listed = server.command("events", "list", "--source", "telegram", "--json").json
    (message,) = (one for one in listed if one["kind"] == "message")
    assert (message["state"], message["outcome"]) == ("done", "handled")
    shown = server.command("events", "show", str(message["id"]), "--json").json
    assert shown["payload"]["message"]["text"] == "/start"
    replayed = server.command("events", "replay", str(message["id"]))
    assert replayed.code == 1
    assert "only a dead one" in replayed.err
    assert server.command("deadletters", "list", "--json").json == []
    assert server.command("deadletters", "replay", "--all", "--json").json == {
        "replayed": 0,
        "asked": 0,
    }
    missed = server.command("deadletters", "discard", f"event:{message['id']}", "--json")
    assert (missed.code, missed.json) == (1, {"discarded": 0, "asked": 1})
