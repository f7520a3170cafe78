"""What people are told of money: failed, confirmed, made good, renewed, sent back, disputed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.usecases.snapshots import DAY, NOW, dispute
from velvetrope.gateways.stripe.snapshots import InvoiceSnapshot
from velvetrope.usecases import operations

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

#: Stripe delivers things more than once.
THRICE = range(3)


def invoice(**fields: object) -> InvoiceSnapshot:
    values: dict[str, Any] = {
        "id": "in_1",
        "status": "paid",
        "customer": "cus_1",
        "subscription": "sub_1",
        "subscription_metadata": {},
        "hosted_invoice_url": "https://invoice.example.com/in_1",
        "amount_due": 900,
        "amount_paid": 900,
        "currency": "eur",
        "attempt_count": 1,
        "created": NOW,
        "livemode": False,
        "paid_at": NOW,
        "reason": "subscription_create",
    }
    return InvoiceSnapshot(**(values | fields))


def heard(room: Backroom) -> list[tuple[str, list[str]]]:
    """Give the messages that wait, each with the addresses of its buttons, and let them go out."""
    found = []
    for row in room.calls("sendMessage"):
        params = msgspec.json.decode(row.params)
        rows = params.get("reply_markup", {}).get("inline_keyboard", [])
        found.append((params["text"], [one[0].get("url", "") for one in rows]))
    room.sent()
    return found


def has_texts(room: Backroom, *starts: str) -> bool:
    return [text.split(":")[0] for text, _ in heard(room)] == [*starts]


def test_the_first_payment_comes_with_its_receipt(room: Backroom) -> None:
    for _ in THRICE:
        room.subscribes(invoice=invoice())
    ((text, urls),) = heard(room)
    assert "payment has arrived" in text
    assert urls[-1] == "https://invoice.example.com/in_1"


def test_a_payment_once_comes_with_its_receipt(room: Backroom) -> None:
    for _ in THRICE:
        room.pays(receipt_url="https://pay.example.com/receipts/1")
    ((_, urls),) = heard(room)
    assert urls[-1] == "https://pay.example.com/receipts/1"


def test_without_a_receipt_there_is_no_button_for_it(room: Backroom) -> None:
    room.subscribes(invoice=invoice(hosted_invoice_url=None))
    ((_, urls),) = heard(room)
    assert urls == [f"invite:{room.lounge.id}"]


def test_a_trial_has_no_receipt(room: Backroom) -> None:
    end = NOW + 7 * DAY
    nothing = invoice(amount_due=0, amount_paid=0)
    room.subscribes(status="trialing", trial_end=end, current_period_end=end, invoice=nothing)
    ((_, urls),) = heard(room)
    assert urls == [f"invite:{room.lounge.id}"]


def test_a_failed_renewal_leads_to_its_bill_and_is_told_once_however_often_it_fails(
    room: Backroom,
) -> None:
    room.subscribes()
    heard(room)
    bill = invoice(status="open", amount_paid=0, paid_at=None)
    for day in THRICE:
        room.now = NOW + day * DAY
        room.subscribes(status="past_due", invoice=bill)
    ((text, urls),) = heard(room)
    assert "did not go through" in text
    assert "Otherwise access ends: 8 March 2027 (in 7 days)" in text
    assert urls == ["https://invoice.example.com/in_1", ""]


def test_a_subscription_that_fails_when_it_is_first_seen_is_not_thanked_for(
    room: Backroom,
) -> None:
    for _ in THRICE:
        room.subscribes(status="past_due", invoice=invoice(status="open", amount_paid=0))
    (way_in, _), (failure, _) = heard(room)
    assert way_in.startswith("Press the button and ask to join")
    assert "did not go through" in failure


def test_a_failure_whose_bill_is_not_known_leads_to_the_billing_page(room: Backroom) -> None:
    room.subscribes()
    heard(room)
    room.subscribes(status="past_due")
    ((_, urls),) = heard(room)
    assert urls == [""]


def test_a_bank_that_wants_a_confirmation_is_told_instead_of_a_failure(room: Backroom) -> None:
    room.subscribes()
    heard(room)
    bill = invoice(status="open", amount_paid=0, needs_action=True)
    for _ in THRICE:
        room.subscribes(status="past_due", invoice=bill)
    ((text, urls),) = heard(room)
    assert "wants you to confirm" in text
    assert urls[0] == "https://invoice.example.com/in_1"


def test_with_that_switched_off_it_is_told_as_a_failure(room: Backroom) -> None:
    changes = {"payment_action_required": False}
    operations.change_messages(room.integration.id, changes, "test")
    room.subscribes()
    heard(room)
    room.subscribes(status="past_due", invoice=invoice(status="open", needs_action=True))
    assert "did not go through" in heard(room)[0][0]


def test_a_renewal_that_is_made_good_is_told_with_its_receipt(room: Backroom) -> None:
    room.subscribes()
    heard(room)
    room.subscribes(status="past_due", invoice=invoice(status="open"))
    heard(room)
    for _ in THRICE:
        room.subscribes(current_period_end=NOW + 60 * DAY, invoice=invoice())
    ((text, urls),) = heard(room)
    assert "gone through after all" in text
    assert urls == ["https://invoice.example.com/in_1"]


def renewal(room: Backroom, **fields: object) -> None:
    known = invoice(id="in_2", reason="subscription_cycle", **fields)
    end = NOW + 60 * DAY
    room.subscribes(current_period_end=end, latest_invoice="in_2", invoice=known)


def test_renewals_are_not_told_unless_the_operator_wants_it(room: Backroom) -> None:
    room.subscribes(invoice=invoice())
    heard(room)
    renewal(room)
    assert heard(room) == []


def test_each_renewal_is_told_once_with_its_receipt_if_the_operator_wants_it(
    room: Backroom,
) -> None:
    operations.change_messages(room.integration.id, {"renewed": True}, "test")
    room.subscribes(invoice=invoice())
    heard(room)
    for _ in THRICE:
        renewal(room)
    ((text, urls),) = heard(room)
    assert text.startswith("✅ Renewed")
    assert "Next payment: 30 April 2027" in text
    assert urls == ["https://invoice.example.com/in_1"]


def test_the_payment_with_which_a_trial_ends_is_told_as_the_first_one(room: Backroom) -> None:
    end = NOW + 7 * DAY
    room.subscribes(status="trialing", trial_end=end, current_period_end=end)
    heard(room)
    room.now = end
    for at in (None, end):
        known = invoice(
            id="in_2",
            reason="subscription_cycle",
            created=end,
            paid_at=at,
            status="draft" if at is None else "paid",
            amount_paid=0 if at is None else 900,
        )
        for _ in THRICE:
            room.subscribes(
                trial_end=end,
                current_period_end=end + 30 * DAY,
                latest_invoice="in_2",
                invoice=known,
            )
    ((text, urls),) = heard(room)
    assert "Your payment has arrived" in text
    assert urls[-1] == "https://invoice.example.com/in_1"


def test_a_renewal_of_long_ago_is_no_news(room: Backroom) -> None:
    room.subscribes(invoice=invoice())
    heard(room)
    operations.change_messages(room.integration.id, {"renewed": True}, "test")
    room.now = NOW + 10 * DAY
    renewal(room, paid_at=NOW)
    assert heard(room) == []


# Money that goes back


def test_a_refund_of_a_part_is_told_with_its_amount_each_time_there_is_more(
    room: Backroom,
) -> None:
    room.pays()
    heard(room)
    for _ in THRICE:
        room.pays(amount_refunded=300)
    ((text, _),) = heard(room)
    assert "Part of your money is on its way back: €3.00" in text
    assert "Your access stays open." in text
    room.pays(amount_refunded=400)
    ((text, _),) = heard(room)
    assert "€1.00" in text


def test_a_full_refund_is_told_together_with_the_end_that_it_brings(room: Backroom) -> None:
    room.pays()
    heard(room)
    for _ in THRICE:
        room.pays(amount_refunded=900)
    ((text, _),) = heard(room)
    assert "Your access has ended" in text
    assert "refunded" in text


def test_a_full_refund_that_ends_nothing_is_told_by_itself(room: Backroom) -> None:
    room.integration.policy = {"refund_ends": False}
    room.integration.save()
    room.pays()
    heard(room)
    room.pays(amount_refunded=900)
    ((text, _),) = heard(room)
    assert "Your money is on its way back: €9.00" in text
    assert "stays open" in text


def test_a_refund_that_comes_to_nothing_is_told(room: Backroom) -> None:
    room.pays()
    room.pays(amount_refunded=300)
    heard(room)
    for _ in THRICE:
        room.pays("refund.failed", amount_refunded=0)
    ((text, _),) = heard(room)
    assert "didn’t reach you" in text


def test_a_full_refund_that_comes_to_nothing_opens_the_doors_again(room: Backroom) -> None:
    room.pays()
    room.pays(amount_refunded=900)
    heard(room)
    room.pays("refund.failed", amount_refunded=0)
    ((text, _),) = heard(room)
    assert "open again" in text


def test_money_that_went_back_before_the_bot_knew_is_no_news(room: Backroom) -> None:
    room.pays(amount_refunded=300)
    assert len(heard(room)) == 1


# Disputes


def test_a_dispute_that_closes_the_doors_is_told_with_them_and_its_end_opens_them(
    room: Backroom,
) -> None:
    room.pays()
    heard(room)
    for _ in THRICE:
        room.pays("charge.dispute.created", disputes=dispute("needs_response"))
    ((text, _),) = heard(room)
    assert "looking into the payment" in text
    for _ in THRICE:
        room.pays("charge.dispute.closed", disputes=dispute("won"))
    ((text, _),) = heard(room)
    assert "the payment stands" in text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("needs_response", "has questioned the payment"),
        ("won", "the payment stands"),
        ("lost", "has taken the payment back"),
    ],
)
def test_a_dispute_that_closes_nothing_is_told_at_each_step(
    room: Backroom, status: str, words: str
) -> None:
    room.integration.policy = {"dispute_suspends": False, "dispute_lost_ends": False}
    room.integration.save()
    room.pays()
    heard(room)
    if status != "needs_response":
        room.pays(disputes=dispute("needs_response"))
        heard(room)
    for _ in THRICE:
        room.pays(disputes=dispute(status))
    ((text, _),) = heard(room)
    assert words in text


def test_an_inquiry_worries_nobody(room: Backroom) -> None:
    room.pays()
    heard(room)
    room.pays(disputes=dispute("warning_needs_response"))
    assert heard(room) == []


def test_a_lost_dispute_after_the_doors_were_closed_is_told(room: Backroom) -> None:
    room.pays()
    room.pays(disputes=dispute("needs_response"))
    heard(room)
    room.pays(disputes=dispute("lost"))
    ((text, _),) = heard(room)
    assert "has taken the payment back" in text


# Switches


def test_the_way_in_is_shown_though_the_thanks_are_off(room: Backroom) -> None:
    operations.change_messages(room.integration.id, {"payment_received": False}, "test")
    room.subscribes(invoice=invoice())
    ((text, urls),) = heard(room)
    assert text.startswith("Press the button and ask to join")
    assert urls == [f"invite:{room.lounge.id}"]


def test_a_welcome_that_is_off_is_not_said(room: Backroom) -> None:
    operations.change_messages(room.integration.id, {"welcome": False}, "test")
    room.subscribes()
    room.sent()
    room.asks()
    room.sent(*room.calls("approveChatJoinRequest"))
    assert room.texts() == []


def test_an_end_that_is_not_to_be_told_is_not_told(room: Backroom) -> None:
    changes = {"access_ended": False, "refund": False}
    operations.change_messages(room.integration.id, changes, "test")
    room.pays()
    heard(room)
    room.pays(amount_refunded=900)
    assert heard(room) == []
