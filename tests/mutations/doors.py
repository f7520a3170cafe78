"""Rules of the doors: who comes in, who stays, and what they hear of it."""

from __future__ import annotations

from typing import Final

from tests.mutations.fault import Fault

DOORS: Final = (
    Fault(
        "who was not let in by the product is left alone",
        "domain/door.py",
        "place.observed is Presence.INSIDE and place.let_in:",
        "place.observed is Presence.INSIDE:",
        ("domain/test_door.py", "usecases/test_doors.py"),
        stories=30,
    ),
    Fault(
        "only who holds access is let in",
        "domain/door.py",
        "        if place.desired:\n            return DoorAction.APPROVE\n",
        ("        if place.desired or not place.let_in:\n            return DoorAction.APPROVE\n"),
        ("domain/test_door.py", "usecases/test_doors.py"),
        stories=30,
    ),
    Fault(
        "the same occasion is told once",
        "usecases/telling.py",
        "        occasion=occasion,\n    )\n",
        "        occasion=None,\n    )\n",
        ("usecases/test_billing.py", "usecases/test_money_notices.py"),
        stories=60,
    ),
    Fault(
        "whom another bot lets into the same chat is not put out",
        "domain/door.py",
        "        return None if place.elsewhere else DoorAction.REMOVE\n",
        "        return DoorAction.REMOVE\n",
        ("domain/test_door.py", "usecases/test_shared_chats.py"),
    ),
    Fault(
        "any one right of several keeps the door open",
        "usecases/membership.py",
        "    rows = work.entitlements(customer)\n    return chats_open(",
        "    rows = work.entitlements(customer)[-1:]\n    return chats_open(",
        ("usecases/test_several_rights.py",),
        stories=60,
    ),
    Fault(
        "who comes in without the product is not taken over by it",
        "usecases/door.py",
        "        if change.via_join_request and (change.from_.id == bot_id or access.desired):\n",
        "        if True:\n",
        ("usecases/test_doors.py",),
    ),
    Fault(
        "who was let in for money can't claim the place of a member from before",
        "usecases/adoption/claiming.py",
        "    return inside - (let_in - claimed)\n",
        "    return inside\n",
        ("usecases/test_adoption_claims.py",),
    ),
    Fault(
        "what an operator has revoked can't be claimed again",
        "usecases/adoption/giving.py",
        '    if row.status == "canceled":\n',
        '    if row.status == "nothing":\n',
        ("usecases/test_adoption_claims.py", "usecases/test_adoption.py"),
    ),
    Fault(
        "nobody is taken over to be removed",
        "usecases/adoption/giving.py",
        "or one.presence is Presence.UNKNOWN or one.chat_id not in opened:\n",
        "or one.presence is Presence.UNKNOWN:\n",
        ("usecases/test_adoption_claims.py", "usecases/test_adoption.py"),
    ),
    Fault(
        "the link lets nobody in by itself",
        "gateways/telegram/bot.py",
        "        creates_join_request: bool = True,\n",
        "        creates_join_request: bool = False,\n",
        (
            "gateways/telegram/test_bot.py",
            "usecases/test_invite_links.py",
            "gateways/test_contract_telegram.py",
        ),
    ),
    Fault(
        "a link that was revoked is not handed out",
        "usecases/invite_links.py",
        "    return None if found.is_revoked else found.invite_link\n",
        "    return found.invite_link\n",
        ("usecases/test_invite_links.py",),
    ),
    Fault(
        "a request belongs to the bot whose link was used",
        "usecases/door.py",
        "        if _is_anothers(work, view, chat, known, request.invite_link):\n",
        "        if known is None and chat is None:\n",
        ("usecases/test_shared_chats.py",),
    ),
    Fault(
        "a welcome is said once for each entry",
        "usecases/outcomes.py",
        "since or self.work.now:%Y",
        "self.work.now:%Y",
        ("usecases/test_doors.py",),
    ),
    Fault(
        "what Telegram refuses for good is not asked again and again",
        "domain/door.py",
        " or (place.refused and action is not DoorAction.APPROVE):\n",
        ":\n",
        ("domain/test_door.py", "usecases/test_leaving.py"),
    ),
    Fault(
        "several requests at one time make one link",
        "usecases/invite_links.py",
        "        async with lock:\n",
        "        if lock:\n",
        ("usecases/test_invite_links.py",),
    ),
)
