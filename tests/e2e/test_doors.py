"""Who asks to enter, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.house import build_house
from velvetrope.sandbox.handset import eventually

if TYPE_CHECKING:
    import aiohttp

    from tests.e2e.house import House
    from tests.processes import Installation, Sandbox
    from velvetrope.sandbox.handset import Person

DAY = 24 * 3600.0


async def shared_link(house: House) -> str:
    """Give the channel's link, as somebody inside would share it."""
    member = await house.person(name="Sharer")
    await house.let_in(member)
    return await house.invitation(member)


async def request_state(house: House, person: Person) -> str:
    room = await house.telegram.get(f"chats/{house.chat}")
    states = [one["state"] for one in room["join_requests"] if one["user"] == person.id]
    return states[-1] if states else ""


async def is_answered(house: House, person: Person, state: str) -> None:
    async def answered() -> bool:
        return await request_state(house, person) == state

    await eventually(answered, f"the request is {state}")


async def test_a_stranger_with_a_shared_link_is_declined_and_sent_the_plans(house: House) -> None:
    link = await shared_link(house)
    stranger = await house.person()
    await stranger.follow(link)
    await is_answered(house, stranger, "declined")
    told = await stranger.hears_after(0)
    told.button("plan:")
    assert not await stranger.is_in(house.chat)


async def test_a_declined_stranger_who_pays_gets_in(house: House) -> None:
    link = await shared_link(house)
    stranger = await house.person()
    await stranger.follow(link)
    await is_answered(house, stranger, "declined")
    await house.buy(stranger)
    await stranger.follow(await house.invitation(stranger))
    await stranger.gets_in(house.chat)


async def test_a_request_during_checkout_waits_and_is_approved_by_the_payment(
    house: House,
) -> None:
    link = await shared_link(house)
    person = await house.person()
    session = await house.offer(person)
    before = await person.last_id()
    await person.follow(link)
    told = await person.hears_after(before)
    assert session in told.button("http").url
    assert await request_state(house, person) == "pending"
    await house.pay(session)
    await person.gets_in(house.chat)


async def test_a_payment_before_any_request_opens_the_door_for_it(house: House) -> None:
    person = await house.person()
    await house.buy(person)
    await person.follow(await house.invitation(person))
    await person.gets_in(house.chat)


async def test_when_the_subscription_ends_the_person_is_out_and_may_come_back(
    house: House,
) -> None:
    person = await house.person()
    await house.let_in(person)
    subscription = await house.subscription_of(person)
    after = await person.last_id()
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
    await person.gets_out(house.chat)
    goodbye = await person.hears_after(after)
    offer = await person.press(goodbye, "plan:")
    await house.pay(offer.button("http").url.rpartition("/")[2])
    await person.follow(await house.invitation(person))
    await person.gets_in(house.chat)


async def test_cancelled_at_the_end_of_the_period_stays_until_then(house: House) -> None:
    person = await house.person()
    await house.let_in(person)
    subscription = await house.subscription_of(person)
    path = f"subscriptions/{subscription['id']}"
    await house.stripe.post(path, {"cancel": "at_period_end"})
    await house.later(20 * DAY)
    assert await person.is_in(house.chat)
    await house.later(15 * DAY)
    await person.gets_out(house.chat)


async def test_a_revoked_link_is_renewed_when_it_is_needed(house: House) -> None:
    old = await shared_link(house)
    await house.telegram.post(f"chats/{house.chat}/links/revoke", {"url": old})
    await house.later(2 * 3600)
    person = await house.person()
    await house.buy(person)
    new = await house.invitation(person)
    assert new != old
    await person.follow(new)
    await person.gets_in(house.chat)


async def test_somebody_banned_earlier_is_let_in_after_paying(house: House) -> None:
    person = await house.person()
    await person.say("/start")
    path = f"chats/{house.chat}/members/{person.id}"
    await house.telegram.ask("PUT", path, {"status": "member"})
    await house.telegram.ask("PUT", path, {"status": "kicked"})
    await house.buy(person)
    link = await house.invitation(person)

    async def follows() -> bool:
        await person.follow(link)
        return await person.is_in(house.chat)

    await eventually(follows, "the ban is lifted and the request approved")


async def test_people_whom_the_product_never_let_in_are_left_alone(house: House) -> None:
    person = await house.person()
    await person.say("/start")
    path = f"chats/{house.chat}/members/{person.id}"
    await house.telegram.ask("PUT", path, {"status": "member"})
    await house.let_in(other := await house.person())
    subscription = await house.subscription_of(other)
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
    await other.gets_out(house.chat)
    assert await person.is_in(house.chat)


async def test_who_blocks_the_bot_is_not_written_to_until_they_unblock(house: House) -> None:
    person = await house.person()
    await house.let_in(person)
    subscription = await house.subscription_of(person)
    await house.telegram.post(f"users/{person.id}/block", {"bot": house.bot})

    async def remembered() -> bool:
        return bool(house.shown(person)["blocked"])

    await eventually(remembered, "the block is remembered")
    before = (await house.telegram.get("calls"))["last"]
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
    await person.gets_out(house.chat)
    calls = (await house.telegram.get(f"calls?after={before}"))["calls"]
    assert not [call for call in calls if call["method"] == "sendMessage"]
    await house.telegram.post(f"users/{person.id}/unblock", {"bot": house.bot})
    assert (await person.say("/status")).text


async def test_a_member_from_before_who_pays_is_recognised_and_not_invited_again(
    house: House,
) -> None:
    person = await house.person()
    await person.say("/start")
    path = f"chats/{house.chat}/members/{person.id}"
    await house.telegram.ask("PUT", path, {"status": "member"})
    session = await house.offer(person)
    after = await person.last_id()
    await house.pay(session)
    received = await person.hears_after(after)
    assert not [button for button in received.buttons if button.url.startswith("https://t.me/+")]


async def test_several_chats_are_offered_a_few_at_a_time(
    session: aiohttp.ClientSession, sandbox: Sandbox, served: Installation
) -> None:
    house = await build_house(session, sandbox, served, chats=3)
    person = await house.person()
    checkout = await house.offer(person)
    message_id = await person.last_id()
    await house.pay(checkout)
    entered: set[int] = set()
    for _ in house.chats:
        message = await person.hears_after(message_id)
        message_id = message.id
        links = [one.url for one in message.buttons if one.url.startswith("https://t.me/+")]
        assert 1 <= len(links) <= 2
        opened = await person.follow(links[0])
        await person.gets_in(opened["chat"])
        entered.add(opened["chat"])
    assert entered == set(house.chats)
