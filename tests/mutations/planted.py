"""Faults to be planted: each breaks one rule of safety, in the words of the source as it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_SRC: Final = "src/velvetrope"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `before` occurs once in the file, and `tests` should find out."""

    #: The rule that it breaks.
    rule: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    #: Whether the random stories are to find it too, with fewer or more of them.
    stories: int = 0


FAULTS: Final = (
    Fault(
        "Stripe is asked again before anybody is put out",
        f"{_SRC}/usecases/leaving/handler.py",
        "            facts = await look_again(self._services, (view.id, person))\n",
        "            facts = None\n",
        ("tests/usecases/test_leaving.py",),
    ),
    Fault(
        "while Stripe can't be asked, nobody is put out",
        f"{_SRC}/usecases/leaving/handler.py",
        "            return Look(order=order, asked_at=asked_at, trouble=error.code)\n",
        "            return Look(order=order, asked_at=asked_at)\n",
        ("tests/usecases/test_leaving.py",),
    ),
    Fault(
        "who was not let in by the product is left alone",
        f"{_SRC}/domain/door.py",
        "place.observed is Presence.INSIDE and place.let_in:",
        "place.observed is Presence.INSIDE:",
        ("tests/domain/test_door.py", "tests/usecases/test_doors.py"),
        stories=30,
    ),
    Fault(
        "too many removals of a chat wait for an operator",
        f"{_SRC}/usecases/leaving/brake.py",
        "    return Access.objects.filter(chat_id=chat_id, removed_at__gt=since).count()\n",
        "    return 0\n",
        ("tests/usecases/test_leaving.py",),
    ),
    Fault(
        "the days of grace count from the first failure",
        f"{_SRC}/usecases/entitlements.py",
        "row.past_due_since = seen.past_due_since or row.past_due_since or at\n",
        "row.past_due_since = at\n",
        ("tests/usecases/test_policy.py", "tests/usecases/test_billing.py"),
    ),
    Fault(
        "a renewal may come two hours late",
        f"{_SRC}/domain/access.py",
        "    return _hold_until(min(ends) + policy.slack, facts",
        "    return _hold_until(min(ends), facts",
        ("tests/domain/test_access.py",),
    ),
    Fault(
        "nobody leaves at a period's end before Stripe was asked after it",
        f"{_SRC}/domain/access.py",
        "    if facts.seen_at is None or facts.seen_at < deadline:\n",
        "    if facts.seen_at is None:\n",
        ("tests/domain/test_access.py",),
    ),
    Fault(
        "an older answer of Stripe's never overwrites a newer one",
        f"{_SRC}/usecases/entitlements.py",
        "    return row is not None and row.synced_at is not None and row.synced_at > asked_at\n",
        "    return False\n",
        ("tests/usecases/test_billing.py",),
    ),
    Fault(
        "only who holds access is let in",
        f"{_SRC}/domain/door.py",
        "        if place.desired:\n            return DoorAction.APPROVE\n",
        "        if place.desired or not place.let_in:\n            return DoorAction.APPROVE\n",
        ("tests/domain/test_door.py", "tests/usecases/test_doors.py"),
        stories=30,
    ),
    Fault(
        "a refund of a part leaves access as it is",
        f"{_SRC}/usecases/entitlements.py",
        "    refund = Refund.PARTIAL if seen.amount_refunded else Refund.NONE\n",
        "    refund = Refund.FULL if seen.amount_refunded else Refund.NONE\n",
        ("tests/usecases/test_policy.py", "tests/usecases/test_billing.py"),
        stories=60,
    ),
    Fault(
        "customers of other products are nobody's members",
        f"{_SRC}/gateways/stripe/metadata.py",
        "    if integration is None or person is None or integration < 0 or person < 0:\n",
        "    if person is None:\n",
        ("tests/gateways/stripe/test_metadata.py", "tests/usecases/test_billing_owners.py"),
    ),
    Fault(
        "the same occasion is told once",
        f"{_SRC}/usecases/telling.py",
        "        occasion=occasion,\n    )\n",
        "        occasion=None,\n    )\n",
        ("tests/usecases/test_billing.py", "tests/usecases/test_money_notices.py"),
        stories=60,
    ),
    Fault(
        "a refund that failed is as if it had never been",
        f"{_SRC}/gateways/stripe/payments.py",
        "for r in refunds.result() if r.status not in _UNDONE_REFUNDS)",
        "for r in refunds.result())",
        ("tests/gateways/stripe/test_gateway.py", "tests/gateways/test_contract_stripe.py"),
        stories=60,
    ),
    Fault(
        "right before a removal the facts are asked once more",
        f"{_SRC}/usecases/door_calls.py",
        "    if desired or asked != action.value:\n",
        "    if asked is None:\n",
        ("tests/usecases/test_leaving.py", "tests/usecases/test_doors.py"),
    ),
    Fault(
        "whom another bot lets into the same chat is not put out",
        f"{_SRC}/domain/door.py",
        "        return None if place.elsewhere else DoorAction.REMOVE\n",
        "        return DoorAction.REMOVE\n",
        ("tests/domain/test_door.py", "tests/usecases/test_shared_chats.py"),
    ),
    Fault(
        "a removal is no lasting ban",
        f"{_SRC}/usecases/leaving/handler.py",
        "        method=membership.METHODS[DoorAction.REMOVE],\n",
        '        method="banChatMember",\n',
        ("tests/usecases/test_leaving.py",),
        stories=30,
    ),
    Fault(
        "a status that nobody knows changes nothing",
        f"{_SRC}/domain/access.py",
        "        return Decision(facts.held, Reason.UNKNOWN_STATUS,",
        "        return Decision(False, Reason.UNKNOWN_STATUS,",
        ("tests/domain/test_access.py", "tests/usecases/test_policy.py"),
    ),
    Fault(
        "an update that comes twice is handled once",
        f"{_SRC}/web/ingress.py",
        "            external_id=str(peek.update_id),\n",
        '            external_id=f"{peek.update_id}:{id(peek)}",\n',
        ("tests/web/test_ingress.py",),
    ),
    Fault(
        "any one right of several keeps the door open",
        f"{_SRC}/usecases/membership.py",
        "    rows = work.entitlements(customer)\n    return chats_open(",
        "    rows = work.entitlements(customer)[-1:]\n    return chats_open(",
        ("tests/usecases/test_several_rights.py",),
        stories=60,
    ),
    Fault(
        "a bank's inquiry leaves access as it is",
        f"{_SRC}/usecases/entitlements.py",
        '    "warning_needs_response": Dispute.WARNING,\n',
        '    "warning_needs_response": Dispute.OPEN,\n',
        ("tests/usecases/test_policy.py", "tests/usecases/test_billing.py"),
    ),
    Fault(
        "the cursor of missed events moves once they are stored",
        f"{_SRC}/usecases/reconciling/backfilling.py",
        "        for begin, end in _windows(facts.since, facts.asked_at):\n",
        "        await self._services.db.write(\n"
        "            partial(_advance, order.stripe_account_id, facts.asked_at)\n"
        "        )\n"
        "        for begin, end in _windows(facts.since, facts.asked_at):\n",
        ("tests/usecases/test_backfilling.py",),
    ),
    Fault(
        "what a killed server had in hand is taken up again",
        f"{_SRC}/pipeline/dialect/sqlite.py",
        "            \" WHERE state IN ('pending', 'claimed') AND state = 'claimed'\"\n",
        "            \" WHERE state IN ('pending', 'claimed') AND state = 'nobody'\"\n",
        ("tests/pipeline/test_crashes.py",),
        stories=30,
    ),
    Fault(
        "a dispute that was won gives access back",
        f"{_SRC}/usecases/entitlements.py",
        '    "won": Dispute.WON,\n',
        '    "won": Dispute.LOST,\n',
        ("tests/usecases/test_policy.py", "tests/usecases/test_billing.py"),
    ),
)
