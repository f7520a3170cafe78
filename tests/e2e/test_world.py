"""The world changes around a running server: told once, over by itself, nobody lost meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.house import build_house
from velvetrope.gateways.telegram.bot import ALLOWED_UPDATES
from velvetrope.sandbox.handset import eventually

if TYPE_CHECKING:
    import aiohttp

    from tests.e2e.house import House
    from tests.processes import Installation, Sandbox
    from velvetrope.sandbox.handset import Person

#: The bots are searched for what is due every so often.
LONG = 45.0


def alerts(house: House) -> list[dict[str, Any]]:
    done = house.installation.command("alerts", "list", "--bot", str(house.id), "--json")
    assert done.code == 0, done.err
    found: list[dict[str, Any]] = done.json
    return found


async def is_open(house: House, *codes: str) -> None:
    async def so() -> bool:
        return sorted(one["code"] for one in alerts(house)) == sorted(codes)

    await eventually(so, f"open alerts are {codes}", patience=LONG)


async def operator(house: House) -> Person:
    """Link somebody by the link that the command shows."""
    olga = await house.person(name="Olga")
    done = house.installation.command("bots", "alerts", str(house.id), "--json")
    payload = done.json["link"].rpartition("start=")[2]
    answer = await olga.say(f"/start {payload}")
    assert "From now on you hear here" in answer.text
    return olga


async def standing(house: House, status: str, **rights: bool) -> None:
    await house.telegram.ask(
        "PUT", f"chats/{house.chat}/members/{house.bot_id}", {"status": status, **rights}
    )


async def test_a_demoted_bot_is_told_of_and_lets_people_in_when_it_is_back(
    house: House,
) -> None:
    olga = await operator(house)
    person = await house.person()
    await house.buy(person)
    invitation = await house.invitation(person)
    before = await olga.last_id()
    await standing(house, "administrator", can_invite_users=False)
    told = await olga.hears("«Invite users via link»", after=before)
    assert "⚠️" in told.text
    await is_open(house, "missing_rights")
    await standing(house, "administrator")
    await person.follow(invitation)
    await person.gets_in(house.chat)
    await olga.hears("mended", after=told.id)
    await is_open(house)
    assert house.shown(person)["entitlements"][0]["holds"]


async def test_a_bot_that_was_removed_comes_back_and_nobody_was_lost(house: House) -> None:
    member = await house.person()
    await house.let_in(member)
    await house.telegram.ask("DELETE", f"chats/{house.chat}/members/{house.bot_id}")
    await is_open(house, "bot_not_in_chat")
    await standing(house, "administrator")
    await is_open(house)
    assert await member.is_in(house.chat)


async def test_a_revoked_token_holds_everything_until_the_new_one_is_given(
    session: aiohttp.ClientSession, sandbox: Sandbox, served: Installation
) -> None:
    house = await build_house(session, sandbox, served)
    member, buyer = await house.person(), await house.person(name="Ben")
    await house.let_in(member)
    session_id = await house.offer(buyer)
    new = await house.telegram.post(f"bots/{house.bot}/token")
    await house.pay(session_id)
    await is_open(house, "bot_unauthorized")
    done = served.command("bots", "set-token", str(house.id), "--token", "-", "--json", stdin="1:x")
    assert done.code == 2
    done = served.command(
        "bots", "set-token", str(house.id), "--token", "-", "--json", stdin=new["token"]
    )
    assert done.code == 0, done.err
    await buyer.follow(await house.invitation(buyer))
    await buyer.gets_in(house.chat)
    await is_open(house)
    assert {member.id, buyer.id} <= await house.members()


async def test_a_deleted_telegram_account_that_pays_on_is_told_of(house: House) -> None:
    person = await house.person()
    await house.let_in(person)
    await house.telegram.ask("PATCH", f"users/{person.id}", {"deactivated": True})
    subscription = await house.subscription_of(person)
    whom = ("members", "message", str(person.id), "Hello?", "--bot", str(house.id))
    assert house.installation.command(*whom).code == 0
    await is_open(house, "pays_unreachable")
    assert house.shown(person)["entitlements"][0]["holds"]
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
    await is_open(house)


async def test_a_webhook_that_leads_elsewhere_is_told_of_and_taken_back_by_the_operator(
    session: aiohttp.ClientSession, sandbox: Sandbox, served: Installation
) -> None:
    house = await build_house(session, sandbox, served)
    api = f"{sandbox.telegram_url}/bot{house.token}"
    theirs = {
        "url": "https://thief.example/x",
        "secret_token": "theirs",
        "allowed_updates": list(ALLOWED_UPDATES),
        "max_connections": 100,
    }

    async def taken() -> bool:
        """Set it; Telegram takes one a second, and the product has set its own just before."""
        async with session.post(f"{api}/setWebhook", json=theirs) as answer:
            return answer.ok

    await eventually(taken, "Telegram takes the other webhook")
    await house.later(3700.0)
    await is_open(house, "webhook_elsewhere")
    async with session.post(f"{api}/getWebhookInfo", json={}) as answer:
        assert (await answer.json())["result"]["url"] == "https://thief.example/x"
    done = served.command("bots", "register", str(house.id), "--json")
    assert done.code == 0, done.err
    await is_open(house)
