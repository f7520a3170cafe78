"""Rules of leaving: nobody is put out by mistake, too many at once, or told so while inside."""

from __future__ import annotations

from typing import Final

from tests.mutations.fault import Fault

LEAVING: Final = (
    Fault(
        "Stripe is asked again before anybody is put out",
        "usecases/leaving/handler.py",
        "            facts = await look_again(self._services, (view.id, person))\n",
        "            facts = None\n",
        ("usecases/test_leaving.py",),
    ),
    Fault(
        "while Stripe can't be asked, nobody is put out",
        "usecases/leaving/handler.py",
        "            return Look(order=order, asked_at=asked_at, trouble=error.code)\n",
        "            return Look(order=order, asked_at=asked_at)\n",
        ("usecases/test_leaving.py",),
    ),
    Fault(
        "too many removals of a chat wait for an operator",
        "usecases/leaving/brake.py",
        "    return Access.objects.filter(chat_id=chat_id, removed_at__gt=since).count()\n",
        "    return 0\n",
        ("usecases/test_leaving.py",),
    ),
    Fault(
        "right before a removal the facts are asked once more",
        "usecases/door_calls.py",
        "    if desired or asked != action.value:\n",
        "    if asked is None:\n",
        ("usecases/test_leaving.py", "usecases/test_doors.py"),
    ),
    Fault(
        "a removal is no lasting ban",
        "usecases/leaving/handler.py",
        "        method=membership.METHODS[DoorAction.REMOVE],\n",
        '        method="banChatMember",\n',
        ("usecases/test_leaving.py",),
        stories=30,
    ),
    Fault(
        "who is still inside hears no goodbye",
        "usecases/leaving/goodbye.py",
        "        if _is_to_wait(set(places.values())):\n",
        "        if not places:\n",
        ("usecases/test_goodbyes.py",),
    ),
    Fault(
        "who holds a right again hears no goodbye",
        "usecases/leaving/goodbye.py",
        "        if is_open_still or not view",
        "        if not view",
        ("usecases/test_goodbyes.py",),
    ),
    Fault(
        "who ends twice before they are out hears it once",
        "usecases/leaving/goodbye.py",
        "    return None if newer.exists() else right\n",
        "    return right\n",
        ("usecases/test_goodbyes.py",),
    ),
    Fault(
        "a removal is made within minutes of the look, or looked at anew",
        "usecases/door_calls.py",
        "(looked_at is None or clock() - looked_at > FRESH_FOR)",
        "looked_at is None",
        ("usecases/test_leaving.py",),
    ),
    Fault(
        "that Telegram does not find somebody proves nothing",
        "usecases/leaving/handler.py",
        "            return None  # «not found» proves nothing",
        "            return Presence.OUTSIDE  # «not found» proves nothing",
        ("usecases/test_leaving.py",),
    ),
    Fault(
        "owners and administrators are left alone",
        "usecases/observing.py",
        "        return Presence.KEEPER\n",
        "        return Presence.INSIDE\n",
        ("usecases/test_leaving.py", "usecases/test_doors.py"),
    ),
    Fault(
        "an older look never overwrites what an update told since",
        "usecases/observing.py",
        "        is_newer = access.observed_at is not None and access.observed_at >= asked_at\n",
        "        is_newer = False\n",
        (
            "usecases/test_leaving.py",
            "usecases/test_looking_again.py",
            "usecases/test_reconciling.py",
        ),
    ),
    Fault(
        "once the brake is pulled, all the others wait",
        "usecases/leaving/brake.py",
        "    if chat.brake_at is None:\n",
        "    if True:\n",
        ("usecases/test_leaving.py",),
    ),
    Fault(
        "the share of the brake is of those who were known before",
        "domain/brake.py",
        "    return so_far.gone + 1 > most_departures(policy, so_far.known + so_far.gone)\n",
        "    return so_far.gone > most_departures(policy, so_far.known + so_far.gone)\n",
        ("domain/test_brake.py", "usecases/test_leaving.py"),
    ),
    Fault(
        "what an operator confirms is looked up once more",
        "usecases/leaving/handler.py",
        "        if facts.facts is None:\n",
        "        if facts.facts is None or order.confirmed:\n",
        ("usecases/test_leaving.py",),
    ),
    Fault(
        "what waits for an operator is not looked up again every hour",
        "usecases/sweep.py",
        "    ).exclude(problem__in=LASTING_TROUBLE)\n",
        "    )\n",
        ("usecases/test_leaving.py", "usecases/test_sweep.py"),
    ),
)
