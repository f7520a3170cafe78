"""Rules of money: what it opens, for how long, and whose it is."""

from __future__ import annotations

from typing import Final

from tests.mutations.fault import Fault

MONEY: Final = (
    Fault(
        "the days of grace count from the first failure",
        "usecases/entitlements.py",
        "row.past_due_since = seen.past_due_since or row.past_due_since or at\n",
        "row.past_due_since = at\n",
        ("usecases/test_policy.py", "usecases/test_billing.py"),
    ),
    Fault(
        "a renewal may come two hours late",
        "domain/access.py",
        "    return _hold_until(min(ends) + policy.slack, facts",
        "    return _hold_until(min(ends), facts",
        ("domain/test_access.py",),
    ),
    Fault(
        "nobody leaves at a period's end before Stripe was asked after it",
        "domain/access.py",
        "    if facts.seen_at is None or facts.seen_at < deadline:\n",
        "    if facts.seen_at is None:\n",
        ("domain/test_access.py",),
    ),
    Fault(
        "an older answer of Stripe's never overwrites a newer one",
        "usecases/entitlements.py",
        "    return row is not None and row.synced_at is not None and row.synced_at > asked_at\n",
        "    return False\n",
        ("usecases/test_billing.py",),
    ),
    Fault(
        "a refund of a part leaves access as it is",
        "usecases/entitlements.py",
        "    refund = Refund.PARTIAL if seen.amount_refunded else Refund.NONE\n",
        "    refund = Refund.FULL if seen.amount_refunded else Refund.NONE\n",
        ("usecases/test_policy.py", "usecases/test_billing.py"),
        stories=60,
    ),
    Fault(
        "customers of other products are nobody's members",
        "gateways/stripe/metadata.py",
        "    if integration is None or person is None or integration < 0 or person < 0:\n",
        "    if person is None:\n",
        ("gateways/stripe/test_metadata.py", "usecases/test_billing_owners.py"),
    ),
    Fault(
        "a refund that failed is as if it had never been",
        "gateways/stripe/payments.py",
        "for r in refunds.result() if r.status not in _UNDONE_REFUNDS)",
        "for r in refunds.result())",
        ("gateways/stripe/test_gateway.py", "gateways/test_contract_stripe.py"),
        stories=60,
    ),
    Fault(
        "a status that nobody knows changes nothing",
        "domain/access.py",
        "        return Decision(facts.held, Reason.UNKNOWN_STATUS,",
        "        return Decision(False, Reason.UNKNOWN_STATUS,",
        ("domain/test_access.py", "usecases/test_policy.py"),
    ),
    Fault(
        "a bank's inquiry leaves access as it is",
        "usecases/entitlements.py",
        '    "warning_needs_response": Dispute.WARNING,\n',
        '    "warning_needs_response": Dispute.OPEN,\n',
        ("usecases/test_policy.py", "usecases/test_billing.py"),
    ),
    Fault(
        "the cursor of missed events moves once they are stored",
        "usecases/reconciling/backfilling.py",
        "        for begin, end in _windows(facts.since, facts.asked_at):\n",
        (
            "        await self._services.db.write(\n"
            "            partial(_advance, order.stripe_account_id, facts.asked_at)\n"
            "        )\n"
            "        for begin, end in _windows(facts.since, facts.asked_at):\n"
        ),
        ("usecases/test_backfilling.py",),
    ),
    Fault(
        "a dispute that was won gives access back",
        "usecases/entitlements.py",
        '    "won": Dispute.WON,\n',
        '    "won": Dispute.LOST,\n',
        ("usecases/test_policy.py", "usecases/test_billing.py"),
    ),
    Fault(
        "money that is not there yet opens nothing",
        "domain/access.py",
        '            if facts.status != "succeeded":\n',
        '            if facts.status == "canceled":\n',
        ("domain/test_access.py",),
    ),
    Fault(
        "the days of grace come to an end",
        "domain/access.py",
        "        return _hold_until(since + policy.grace, facts",
        "        return _hold_until(now + policy.grace, facts",
        ("domain/test_access.py",),
    ),
    Fault(
        "what is refunded wholly is closed",
        "domain/access.py",
        "{Refund.FULL: policy.refund_ends, ",
        "{",
        ("domain/test_access.py",),
    ),
    Fault(
        "an open dispute closes the doors while it lasts",
        "domain/access.py",
        (
            "        case Dispute.OPEN if policy.dispute_suspends:\n"
            "            return Reason.DISPUTED\n"
        ),
        "        case Dispute.OPEN:\n            return None\n",
        ("domain/test_access.py",),
    ),
    Fault(
        "only an invoice that is paid makes up for a refund of an older one",
        "usecases/entitlements.py",
        "seen.latest_invoice != row.invoice_id and is_paid:\n",
        "seen.latest_invoice != row.invoice_id:\n",
        ("usecases/test_billing.py", "usecases/test_policy.py"),
    ),
    Fault(
        "of several disputes the worst counts",
        "usecases/entitlements.py",
        "_WORST = (Dispute.LOST, Dispute.OPEN, Dispute.WARNING, Dispute.WON)",
        "_WORST = (Dispute.WON, Dispute.WARNING, Dispute.OPEN, Dispute.LOST)",
        ("usecases/test_policy.py", "usecases/test_billing.py"),
    ),
    Fault(
        "a tag that names another bot says whose it is, whoever pays",
        "usecases/billing/ownership.py",
        (
            "    if found is not None or tags.parse(metadata) is not None:\n"
            "        return found  # a tag"
        ),
        "    if found is not None:\n        return found  # a tag",
        ("usecases/test_billing_owners.py", "usecases/test_billing.py"),
    ),
    Fault(
        "a bot sells from its own Stripe account only",
        "store/owners.py",
        "Integration.objects.filter(bot_id=bot_id, stripe_account_id=account_id)\n",
        "Integration.objects.filter(bot_id=bot_id)\n",
        ("usecases/test_billing_owners.py",),
    ),
    Fault(
        "what gave somebody a right stays theirs, whatever its tag says later",
        "usecases/billing/ownership.py",
        "    if holder is not None:\n        return holder\n",
        "",
        ("usecases/test_billing_owners.py",),
    ),
    Fault(
        "there is one free trial for each person",
        "usecases/checkout.py",
        'if mode == "subscription" and not buyer.tried else',
        'if mode == "subscription" else',
        ("usecases/test_checkout.py",),
    ),
    Fault(
        "a checkout that can still be paid is offered again, not a second one",
        "usecases/checkout.py",
        "    if buyer.session_id is not None:\n",
        "    if buyer.session_id is None and buyer.name is None:\n",
        ("usecases/test_checkout.py",),
    ),
    Fault(
        "who holds a plan is not sold it again",
        "usecases/conversation/links.py",
        "    if holdings.holds_plan(work, customer, plan.id):\n",
        "    if plan.id < 0:\n",
        ("usecases/test_conversation.py", "usecases/test_conversation_links.py"),
    ),
    Fault(
        "a rebuilt world tells nobody",
        "usecases/billing/applying.py",
        "    if facts.is_quiet:\n        work.hush()\n",
        "",
        ("usecases/test_rebuilding.py",),
    ),
    Fault(
        "a reminder of a payment that was made is not sent",
        "usecases/reminding/refreshing.py",
        " if _is_still_due(row, occasion) else None\n",
        "\n",
        ("usecases/test_reminders.py", "usecases/test_money_notices.py"),
    ),
    Fault(
        "a reminder that is of no use any more is not sent",
        "usecases/reminding/refreshing.py",
        "            and now < one.until\n",
        "",
        ("usecases/test_reminders.py",),
    ),
    Fault(
        "what is given until a day ends on that day",
        "domain/access.py",
        "    if end is not None and now >= end:\n",
        "    if end is not None and now >= end + timedelta(days=30):\n",
        ("domain/test_access.py",),
    ),
    Fault(
        "a subscription that is to end, ends on its day",
        "domain/access.py",
        "for end in (facts.period_end, facts.ends_at) if",
        "for end in (facts.period_end,) if",
        ("domain/test_access.py",),
    ),
    Fault(
        "what Stripe has ended is closed",
        "domain/access.py",
        "        return Decision(holds=False, reason=Reason.ENDED)\n",
        "        return Decision(holds=facts.held, reason=Reason.ENDED)\n",
        ("domain/test_access.py",),
    ),
    Fault(
        "a test event changes nothing where money is real",
        "usecases/billing/handlers.py",
        (
            "            return BillingFacts(owner=None, asked_at=self._services.clock())\n"
            "        facts = await"
        ),
        "            pass\n        facts = await",
        ("usecases/test_billing_owners.py",),
    ),
    Fault(
        "an object that Stripe does not know ends nobody's rights",
        "usecases/billing/applying.py",
        "            row.recheck_at = work.now + UNKNOWN_RECHECK\n",
        (
            "            row.holds = False\n"
            "            row.recheck_at = work.now + UNKNOWN_RECHECK\n"
        ),
        ("usecases/test_world_money.py", "usecases/test_looking_again.py"),
    ),
)
