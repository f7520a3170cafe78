"""Which messages a bot sends, by command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.cli.conftest import Shop
    from tests.processes import Installation


def shown(server: Installation, *more: str) -> dict[str, Any]:
    done = server.command("bots", "messages", "Door", *more, "--json")
    assert done.code == 0, done.err
    return {one["name"]: one["value"] for one in done.json}


def test_messages_are_shown_switched_and_timed(server: Installation, shop: Shop) -> None:
    shop.promote()
    assert shop.add(server, "--json").code == 0
    before = shown(server)
    assert (before["trial_ends"], before["renewed"]) == (True, False)
    assert (before["access_ends_days"], before["hour_from"]) == ([3, 1], 9)
    after = shown(
        server,
        *("--off", "trial-ends", "--on", "renewed"),
        *("--set", "access_ends_days=7,2", "--set", "hour_from=10"),
    )
    assert (after["trial_ends"], after["renewed"]) == (False, True)
    assert (after["access_ends_days"], after["hour_from"]) == ([7, 2], 10)
    assert shown(server) == after
    table = server.command("bots", "messages", "Door")
    assert "access_ends_days" in table.out
    assert "7, 2" in table.out


def test_what_is_out_of_bounds_is_refused_and_changes_nothing(
    server: Installation, shop: Shop
) -> None:
    shop.promote()
    assert shop.add(server, "--json").code == 0
    before = shown(server)
    for wrong, words in {
        ("--off", "gossip"): "There is no such message",
        ("--set", "trial_ends_days"): "a change is a name and a value",
        ("--set", "trial_ends_days=0"): "from 1 to 60",
        ("--set", "colour=red"): "There are these settings",
    }.items():
        done = server.command("bots", "messages", "Door", "--off", "welcome", *wrong)
        assert done.code == 2, done.out
        assert words in done.err
    assert shown(server) == before
