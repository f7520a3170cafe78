from __future__ import annotations

from typing import TYPE_CHECKING

from tests.processes import eventually

if TYPE_CHECKING:
    from tests.cli.conftest import Shop
    from tests.processes import Installation


def test_who_hears_of_a_bots_alerts_is_named_and_shown(
    installation: Installation, shop: Shop
) -> None:
    shop.promote()
    name = shop.add(installation, "--json").json["name"]
    shown = installation.command("bots", "alerts", name, "--json").json
    assert shown["alerts_to"] is None
    assert shown["link"].startswith(f"https://t.me/{shop.username}?start=alerts-")
    assert installation.command("bots", "alerts", name, "--to", "501", "--json").json[
        "alerts_to"
    ] == 501  # fmt: skip
    assert installation.command("bots", "show", name, "--json").json["alerts_to"] == 501
    assert installation.command("bots", "alerts", name, "--to", "0").code == 2
    assert installation.command("bots", "alerts", name, "--to", "5", "--off").code == 2
    assert installation.command("bots", "alerts", name, "--off", "--json").json["alerts_to"] is None


def test_alerts_are_listed_with_their_fix_and_kept_when_they_are_over(
    server: Installation, shop: Shop
) -> None:
    shop.promote()
    name = shop.add(server, "--json").json["name"]
    assert server.command("alerts", "list", "--json").json == []
    shop.promote(can_invite_users=True, can_restrict_members=False)

    def codes(*more: str) -> list[str]:
        done = server.command("alerts", "list", "--bot", name, "--json", *more)
        return [one["code"] for one in done.json]

    eventually(lambda: codes() == ["missing_rights"])
    (alert,) = server.command("alerts", "list", "--json").json
    assert "«Ban users»" in alert["what"]
    assert alert["fix"]
    shop.promote()
    eventually(lambda: codes() == [])
    assert codes("--all") == ["missing_rights"]


def test_a_chat_that_is_no_chat_of_the_bot_is_not_replaced(
    installation: Installation, shop: Shop
) -> None:
    shop.promote()
    name = shop.add(installation, "--json").json["name"]
    done = installation.command("bots", "replace-chat", name, "--old", "-5", "--new", "-1009")
    assert done.code == 2
    assert "opens no such chat" in done.err
