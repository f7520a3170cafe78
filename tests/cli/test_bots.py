from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.processes import eventually

if TYPE_CHECKING:
    from tests.cli.conftest import Shop
    from tests.processes import Completed, Installation


def webhook_of(shop: Shop) -> str:
    answer = shop.sandbox.telegram.get(f"/bot{shop.token}/getWebhookInfo")
    url: str = answer.json()["result"]["url"]
    return url


def test_a_bot_that_cannot_work_is_not_stored_and_the_remedy_is_told(
    installation: Installation, shop: Shop
) -> None:
    done = shop.add(installation, "--json")
    assert done.code == 1
    (problem,) = done.json["problems"]
    assert problem["what"].startswith("The bot is not in the chat.")
    assert "Nothing was stored" in done.err
    shop.promote(can_invite_users=True, can_restrict_members=False)
    assert "lacks rights in the chat: «Ban users»" in shop.add(installation).err
    assert installation.command("bots", "list", "--json").json == []
    assert webhook_of(shop) == ""


def test_a_bot_is_verified_stored_and_registered_without_a_server(
    installation: Installation, shop: Shop
) -> None:
    shop.promote()
    added = shop.add(installation, "--name", "Gold club", "--language", "uk", "--json")
    assert added.code == 0, added.err
    assert added.json["registration"] == "registered"
    assert added.json["problems"] == []
    assert [plan["name"] for plan in added.json["plans"]] == ["Gold"]
    assert webhook_of(shop) == f"{installation.url}/telegram/bots/webhooks"
    listed = installation.command("bots", "list", "--json").json
    assert [(one["id"], one["name"]) for one in listed] == [(added.json["id"], "Gold club")]
    again = shop.add(installation)
    assert again.code == 2
    assert "connected already" in again.err


def test_a_running_server_does_what_the_command_orders(server: Installation, shop: Shop) -> None:
    shop.promote()
    added = shop.add(server, "--json")
    assert added.code == 0, added.err + server.log_text()
    assert added.json["registration"] == "registered"
    name = f"@{shop.username}"
    verified = server.command("bots", "verify", name, "--json")
    assert verified.code == 0, verified.out
    assert [one["level"] for one in verified.json] == ["ok"]
    for words in (("disable", name), ("enable", name), ("register", name)):
        done = server.command("bots", *words, "--json")
        assert done.code == 0, done.err
        assert done.json["active"] is (words[0] != "disable")


def test_a_rotated_secret_is_the_one_that_telegram_sends_from_then_on(
    server: Installation, shop: Shop
) -> None:
    shop.promote()
    added = shop.add(server, "--json").json
    done = server.command("bots", "rotate-secret", str(added["id"]), "--json")
    assert done.code == 0, done.err
    shop.sandbox.telegram.post(
        f"/control/users/{shop.owner}/messages", json={"bot": shop.username, "text": "/start"}
    ).raise_for_status()
    members = eventually(
        lambda: server.command("members", "list", "--bot", "Door", "--json").json,
        what="the customer",
    )
    assert [one["telegram_user"] for one in members] == [shop.owner]


def test_rights_that_were_taken_away_are_found_again(
    installation: Installation, shop: Shop
) -> None:
    shop.promote()
    added = shop.add(installation, "--json").json
    shop.promote(can_invite_users=False, can_restrict_members=True)
    verified = installation.command("bots", "verify", str(added["id"]), "--json")
    assert verified.code == 1
    assert "«Invite users via link»" in " ".join(one["what"] for one in verified.json)
    doctor = installation.command("doctor", "--json")
    assert doctor.code == 1
    assert {one["level"] for one in doctor.json if one["subject"] == "bot Door"} == {"error"}


@pytest.mark.parametrize("way", ["option", "standard input", "environment"])
def test_a_token_comes_by_option_standard_input_or_environment(
    installation: Installation, shop: Shop, way: str
) -> None:
    shop.promote()
    words = ["bots", "add", "--chat", str(shop.chat), "--price", shop.price, "--json"]
    words += {"option": ["--token", shop.token], "standard input": ["--token", "-"]}.get(way, [])
    done = installation.command(
        *words,
        stdin=shop.token,
        env={"TELEGRAM_BOT_TOKEN": shop.token if way == "environment" else ""},
    )
    assert done.code == 0, done.err
    assert shop.token not in done.out + done.err
    assert ("history" in done.err) is (way == "option")


def test_plans_are_listed_and_copied_from_stripe_again(
    installation: Installation, shop: Shop
) -> None:
    shop.promote()
    shop.add(installation)
    shop.sandbox.stripe.post(
        f"/control/prices/{shop.price}", json={"active": False}
    ).raise_for_status()
    synced = installation.command("plans", "sync", "--json")
    assert synced.code == 0, synced.err
    assert [(one["price"], one["for_sale"]) for one in synced.json] == [(shop.price, False)]
    assert "archived" in synced.json[0]["problem"]


def test_a_policy_is_shown_changed_and_reset(installation: Installation, shop: Shop) -> None:
    shop.promote()
    assert shop.add(installation, "--name", "Gold club").code == 0
    bot = ("bots", "policy", "Gold club")

    def values(*more: str) -> dict[str, object]:
        done = installation.command(*bot, *more, "--json")
        assert done.code == 0, done.err
        return {one["name"]: one["value"] for one in done.json}

    before = values()
    assert (before["grace_days"], before["refund_ends"]) == (7, True)
    changed = values("--set", "grace_days=3", "--set", "refund-ends=no", "--dry-run")
    assert (changed["grace_days"], changed["refund_ends"]) == (3, False)
    assert values() == before
    assert values("--set", "grace_days=3", "--set", "refund_ends=no") == changed
    assert values("--reset", "refund_ends") == {**before, "grace_days": 3}
    refused = installation.command(*bot, "--set", "grace_days=300")
    assert refused.code == 2
    assert "grace_days" in refused.err
    assert "from 0 to 90" in refused.err
    assert installation.command(*bot, "--set", "grace_days").code == 2
    table = installation.command(*bot).out
    assert "counted from the first failure" in table


def test_a_token_that_does_not_work_does_not_take_the_place_of_one_that_does(
    server: Installation, shop: Shop
) -> None:
    shop.promote()
    assert shop.add(server, "--name", "Door").code == 0

    def give(token: str) -> Completed:
        return server.command("bots", "set-token", "Door", "--token", "-", "--json", stdin=token)

    wrong = f"{shop.bot_id}:{'A' * 35}"
    for token, words in (
        (wrong, "Telegram does not accept the bot's token any more."),
        (another_bot(shop), "The token belongs to another bot than before."),
    ):
        refused = give(token)
        assert refused.code == 1
        (problem,) = refused.json["problems"]
        assert problem["what"].startswith(words)
        assert "Nothing was stored" in refused.err
        assert server.command("bots", "verify", "Door").code == 0
    renewed = shop.sandbox.telegram.post(f"/control/bots/{shop.username}/token").json()["token"]
    assert server.command("bots", "verify", "Door").code == 1
    assert give(renewed).code == 0
    assert server.command("bots", "verify", "Door").code == 0


def another_bot(shop: Shop) -> str:
    made = shop.sandbox.telegram.post(
        "/control/bots", json={"name": "Other", "username": f"other_{shop.bot_id}_bot"}
    )
    token: str = made.json()["token"]
    return token
