"""What time gives a reason to say: planned with the rights, said once, and only while it is so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.usecases.backroom import Backroom, item_of
from tests.usecases.snapshots import ANN, DAY, NOW, price
from velvetrope.domain.messages import MessageKind
from velvetrope.gateways.stripe.snapshots import InvoiceSnapshot
from velvetrope.store.models import Customer, Entitlement, InboxEvent, Integration, OutboxItem
from velvetrope.usecases import operations
from velvetrope.usecases.onboarding import update_integration
from velvetrope.usecases.operations import texts
from velvetrope.usecases.reminding import replanning
from velvetrope.usecases.reminding.occasions import Occasion, parse

if TYPE_CHECKING:
    from velvetrope.pipeline.work import Item

TRIAL: dict[str, Any] = {
    "status": "trialing",
    "trial_end": NOW + 7 * DAY,
    "current_period_end": NOW + 7 * DAY,
}
CANCELLED: dict[str, Any] = {"cancel_at": NOW + 30 * DAY}
HOUR = timedelta(hours=1)


def said(room: Backroom, *, at: datetime | None = None) -> list[str]:
    """Let time come and what is due be found; gives what would be sent, as it is sent."""
    if at is not None:
        room.now = at
    room.sweep()
    texts = []
    for row in room.calls("sendMessage"):
        item = item_of(row)
        fresh = refreshed(room, item)
        if isinstance(fresh, bytes):
            texts.append(str(msgspec.json.decode(fresh)["text"]))
            room.sent(row)
    return texts


def refreshed(room: Backroom, item: Item) -> bytes | datetime | None:
    """Ask what delivery asks right before it sends."""
    refresh = room.routes.refreshes.get((item.occasion or "").partition(":")[0])
    return item.params if refresh is None else refresh(item)


def trial(room: Backroom, **fields: Any) -> Entitlement:
    room.subscribes(**(TRIAL | fields))
    room.sent()
    return room.right("sub_1")


def test_a_trial_is_announced_three_days_before_its_end_and_once(room: Backroom) -> None:
    row = trial(room)
    assert row.notice_at == NOW + 4 * DAY
    assert said(room, at=NOW + 4 * DAY - HOUR) == []
    (text,) = said(room, at=NOW + 4 * DAY)
    assert "trial is coming to its end" in text
    assert "(in 3 days)" in text
    assert "€9.00 per month" in text
    for _ in range(3):
        trial(room)
        assert said(room, at=room.now + HOUR) == []


def test_no_price_is_announced_where_another_one_is_billed_than_the_plans(room: Backroom) -> None:
    old: dict[str, Any] = {"price_ids": ("price_old",), "product_ids": ("prod_price_month",)}
    trial(room, **old)
    (text,) = said(room, at=NOW + 4 * DAY)
    assert "trial is coming to its end" in text
    assert "€9.00" not in text
    room.subscribes(**old)
    room.update("message", words_of_ann("/status"))
    assert "€9.00" not in room.texts()[-1]


def test_a_price_that_is_left_out_for_one_is_told_to_others(room: Backroom) -> None:
    told: list[str] = []
    for _ in range(2):  # before the reminder, and after it
        room.later(HOUR)
        room.subscribes()
        room.update("message", words_of_ann("/status"))
        assert "€9.00" in room.texts()[-1]
        trial(room, price_ids=("price_old",), product_ids=("prod_price_month",))
        told += said(room, at=NOW + 4 * DAY)
    (text,) = told
    assert "trial is coming to its end" in text
    assert "€9.00" not in text


def test_no_price_is_announced_where_a_coupon_makes_it_less(room: Backroom) -> None:
    trial(room, is_discounted=True)
    (text,) = said(room, at=NOW + 4 * DAY)
    assert "trial is coming to its end" in text
    assert "€9.00" not in text
    room.subscribes(is_discounted=True)
    room.update("message", words_of_ann("/status"))
    assert "€9.00" not in room.texts()[-1]
    room.later(HOUR)
    room.subscribes()
    room.update("message", words_of_ann("/status"))
    assert "€9.00" in room.texts()[-1]


def words_of_ann(text: str) -> dict[str, object]:
    ann = {"id": ANN, "is_bot": False, "first_name": "Ann"}
    chat = {"id": ANN, "type": "private"}
    return {"message_id": 1, "date": 1, "from": ann, "chat": chat, "text": text}


def test_nobody_is_reminded_of_a_trial_that_they_have_cancelled(room: Backroom) -> None:
    trial(room)
    room.subscribes(**TRIAL, cancel_at=NOW + 7 * DAY)
    texts = [text for day in range(3, 8) for text in said(room, at=NOW + day * DAY)]
    assert not [text for text in texts if "trial" in text]
    assert len([text for text in texts if "coming to its end" in text]) == 2


def test_a_cancellation_whose_event_was_lost_is_seen_before_the_reminder(room: Backroom) -> None:
    trial(room)
    known = room.stripe.subscriptions["sub_1"]
    room.stripe.subscriptions["sub_1"] = msgspec.structs.replace(known, cancel_at=NOW + 7 * DAY)
    assert not [text for text in said(room, at=NOW + 4 * DAY) if "trial" in text]


def test_a_date_that_moves_takes_its_reminder_along(room: Backroom) -> None:
    trial(room)
    later = NOW + 14 * DAY
    trial(room, trial_end=later, current_period_end=later)
    assert said(room, at=NOW + 4 * DAY) == []
    (text,) = said(room, at=later - 3 * DAY)
    assert "(in 3 days)" in text


def test_who_has_just_read_the_date_is_not_told_it_again(room: Backroom) -> None:
    row = trial(room, trial_end=NOW + 2 * DAY, current_period_end=NOW + 2 * DAY)
    assert row.notice_at is None
    assert said(room, at=NOW + DAY) == []


def test_a_server_that_was_down_says_what_is_true_when_it_is_back(room: Backroom) -> None:
    trial(room)
    (text,) = said(room, at=NOW + 6 * DAY)
    assert "tomorrow at 12:00" in text
    assert "in 3 days" not in text


def test_a_server_that_was_down_beyond_the_end_says_nothing(room: Backroom) -> None:
    trial(room)
    known = room.stripe.subscriptions["sub_1"]
    room.stripe.subscriptions["sub_1"] = msgspec.structs.replace(
        known, status="active", current_period_end=NOW + 37 * DAY
    )
    assert said(room, at=NOW + 8 * DAY) == []


def test_an_event_that_comes_before_the_search_does_not_swallow_what_is_overdue(
    room: Backroom,
) -> None:
    trial(room)
    room.now = NOW + 4 * DAY + HOUR
    trial(room)
    assert len(said(room)) == 1


def test_of_two_reminders_that_were_missed_only_the_last_is_said(room: Backroom) -> None:
    room.subscribes()
    room.subscribes(**CANCELLED)
    room.sent()
    (text,) = said(room, at=NOW + 29 * DAY + HOUR)
    assert "tomorrow at 12:00" in text
    assert said(room, at=room.now + HOUR) == []


def test_whoever_cancels_is_reminded_as_often_as_the_operator_wants(room: Backroom) -> None:
    operations.change_messages(room.integration.id, {"access_ends_days": "7, 1"}, "test")
    room.subscribes()
    room.subscribes(**CANCELLED)
    room.sent()
    told = [day for day in range(1, 30) if said(room, at=NOW + day * DAY)]
    assert told == [23, 29]


def test_whoever_comes_back_before_the_end_is_left_in_peace(room: Backroom) -> None:
    room.subscribes()
    room.subscribes(**CANCELLED)
    room.subscribes()
    room.sent()
    assert room.right("sub_1").notice_at is None


def test_who_keeps_every_door_by_another_right_is_not_told_that_one_ends(room: Backroom) -> None:
    room.pays()
    room.subscribes()
    room.sent()
    assert said(room, at=NOW + 27 * DAY) == []


def test_what_was_paid_once_and_ends_is_announced_with_the_way_to_stay(room: Backroom) -> None:
    room.pays()
    room.sent()
    assert room.right("pi_1").notice_at == NOW + 27 * DAY
    room.now = NOW + 27 * DAY
    room.sweep()
    (row,) = room.calls("sendMessage")
    params = msgspec.json.decode(row.params)
    assert "the new time counts from that day" in params["text"]
    assert params["reply_markup"]["inline_keyboard"][0][0]["callback_data"].startswith("plan:")


def test_monthly_renewals_need_no_word_and_yearly_ones_get_one(room: Backroom) -> None:
    room.subscribes()
    assert room.right("sub_1").notice_at is None
    room.monthly.interval = "year"
    room.monthly.save()
    room.stripe.prices["price_month"] = price(room.monthly)
    room.subscribes(current_period_end=NOW + 365 * DAY)
    room.sent()
    (text,) = said(room, at=NOW + 358 * DAY)
    assert "renews soon" in text
    assert "(in 7 days)" in text


def test_the_last_call_comes_a_day_before_the_grace_ends_with_the_bill(room: Backroom) -> None:
    room.subscribes()
    room.subscribes(status="past_due", invoice=bill())
    room.sent()
    room.now = NOW + 6 * DAY
    room.sweep()
    (row,) = room.calls("sendMessage")
    params = msgspec.json.decode(row.params)
    assert "still missing" in params["text"]
    assert [one[0].get("url") for one in params["reply_markup"]["inline_keyboard"]] == [
        "https://invoice.example.com/in_1",
        None,
    ]


def bill(**fields: object) -> InvoiceSnapshot:
    values: dict[str, object] = {
        "id": "in_1",
        "status": "open",
        "customer": "cus_1",
        "subscription": "sub_1",
        "subscription_metadata": {},
        "hosted_invoice_url": "https://invoice.example.com/in_1",
        "amount_due": 900,
        "amount_paid": 0,
        "currency": "eur",
        "attempt_count": 1,
        "created": NOW,
        "livemode": False,
    }
    return InvoiceSnapshot(**(values | fields))  # type: ignore[arg-type]  # as written above


# At a civil hour


def test_reminders_keep_to_the_hours_of_the_place(room: Backroom) -> None:
    Integration.objects.update(time_zone="America/New_York")
    room.integration.refresh_from_db()
    room.integration.save()  # caches learn of it
    early = NOW.replace(hour=6) + 7 * DAY  # one at night in New York
    row = trial(room, trial_end=early, current_period_end=early)
    assert row.notice_at == datetime(2027, 3, 5, 14, tzinfo=UTC)  # nine in the morning there


def test_what_is_found_at_night_waits_for_the_morning(room: Backroom) -> None:
    trial(room)
    night = (NOW + 4 * DAY).replace(hour=23)
    assert said(room, at=night) == []
    assert said(room, at=night + 9 * HOUR) == []
    (text,) = said(room, at=night + 10 * HOUR)
    assert "(in 2 days)" in text


def test_a_message_that_is_late_itself_waits_for_the_morning_too(room: Backroom) -> None:
    trial(room)
    room.now = NOW + 4 * DAY
    room.sweep()
    (row,) = room.calls("sendMessage")
    room.now = room.now.replace(hour=22)
    assert refreshed(room, item_of(row)) == (NOW + 5 * DAY).replace(hour=9)
    room.now = NOW + 5 * DAY
    fresh = refreshed(room, item_of(row))
    assert isinstance(fresh, bytes)
    assert "(in 2 days)" in msgspec.json.decode(fresh)["text"]


# Right before it is sent


def test_a_reminder_that_waited_is_not_sent_to_whoever_has_cancelled(room: Backroom) -> None:
    trial(room)
    room.now = NOW + 4 * DAY
    room.sweep()
    (row,) = room.calls("sendMessage")
    assert isinstance(refreshed(room, item_of(row)), bytes)
    room.subscribes(**TRIAL, cancel_at=NOW + 7 * DAY)
    assert refreshed(room, item_of(row)) is None


def test_a_reminder_that_waited_beyond_what_it_announces_is_not_sent(room: Backroom) -> None:
    trial(room)
    room.now = NOW + 4 * DAY
    room.sweep()
    (row,) = room.calls("sendMessage")
    room.now = NOW + 8 * DAY
    assert refreshed(room, item_of(row)) is None


def test_a_failure_that_waited_is_not_told_to_whoever_has_paid(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.subscribes(status="past_due")
    (row,) = room.calls("sendMessage")
    room.now = NOW + DAY
    fresh = refreshed(room, item_of(row))
    assert isinstance(fresh, bytes)
    assert "(in 6 days)" in msgspec.json.decode(fresh)["text"]
    room.subscribes()
    assert refreshed(room, item_of(row)) is None


def test_a_reminder_of_somebody_erased_is_not_sent(room: Backroom) -> None:
    trial(room)
    room.now = NOW + 4 * DAY
    room.sweep()
    (row,) = room.calls("sendMessage")
    item = item_of(row)
    Entitlement.objects.all().delete()
    assert refreshed(room, item) is None


def test_an_occasion_reads_as_it_is_written() -> None:
    occasion = Occasion(MessageKind.TRIAL_ENDS, 12, "20270301T120000", 3)
    assert parse(str(occasion)) == occasion
    assert parse("opened:sub_1") is None
    assert parse(None) is None
    assert len(str(Occasion(MessageKind.PAYMENT_ACTION_REQUIRED, 2**63 - 1, "2" * 15, 60))) < 128


# Switches


def test_a_kind_that_is_off_is_not_said_and_planned_again_when_it_is_on(room: Backroom) -> None:
    trial(room)
    room.now = NOW + DAY
    assert operations.change_messages(room.integration.id, {"trial_ends": False}, "test")
    room.run_jobs()
    assert room.right("sub_1").notice_at is None
    assert not operations.change_messages(room.integration.id, {"trial_ends": False}, "test")
    operations.change_messages(room.integration.id, {"trial_ends": True}, "test")
    room.run_jobs()
    assert room.right("sub_1").notice_at == NOW + 4 * DAY


def test_what_is_switched_on_late_is_not_said_of_the_past(room: Backroom) -> None:
    operations.change_messages(room.integration.id, {"trial_ends": False}, "test")
    trial(room)
    room.now = NOW + 5 * DAY
    operations.change_messages(room.integration.id, {"trial_ends": True}, "test")
    assert said(room) == []


def test_settings_are_applied_to_everybody_a_few_hundred_at_a_time(room: Backroom) -> None:
    for number in range(replanning.MOST_AT_ONCE + 3):
        customer = Customer(
            integration=room.integration, telegram_user_id=1000 + number, created_at=NOW
        )
        customer.save()
        Entitlement.objects.create(
            customer=customer,
            plan=room.once,
            kind="grant",
            external_id=f"grant:{number}",
            status="active",
            starts_at=NOW,
            period_end=NOW + 10 * DAY,
            holds=True,
            reason="granted",
            decided_at=NOW,
            created_at=NOW,
        )
    operations.change_messages(room.integration.id, {"access_ends_days": [2]}, "test")
    assert room.run_jobs() == ["replan", "replan"]
    assert set(Entitlement.objects.values_list("notice_at", flat=True)) == {NOW + 8 * DAY}


def test_another_time_zone_moves_what_is_planned(room: Backroom) -> None:
    early = NOW.replace(hour=6) + 7 * DAY
    trial(room, trial_end=early, current_period_end=early)
    update_integration(room.integration.id, {"time_zone": "Asia/Tokyo"}, "test")
    while InboxEvent.objects.filter(kind="replan", state="pending").exists():
        room.run_jobs()
    assert room.right("sub_1").notice_at == early - 3 * DAY  # three in the afternoon there


def test_an_operators_own_wording_is_used(room: Backroom) -> None:
    own = "{plan}: <b>{date}</b>, {price}!"
    texts.save_text(room.integration.id, "en", "remind.trial_ends", own, "test")
    trial(room)
    (text,) = said(room, at=NOW + 4 * DAY)
    assert text.startswith("price_month: <b>8 March 2027 (in 3 days)</b>, €9.00 per month!")


@pytest.mark.sqlite_only
def test_the_search_goes_by_an_index(room: Backroom) -> None:
    trial(room)
    rows = Entitlement.objects.filter(notice_at__lte=NOW).order_by("notice_at")[:100]
    assert "entitlement_notice_due" in rows.explain()


def test_a_bot_that_is_off_reminds_nobody(room: Backroom) -> None:
    trial(room)
    Integration.objects.update(active=False)
    room.integration.refresh_from_db()
    room.integration.save()
    assert said(room, at=NOW + 4 * DAY) == []


@pytest.mark.parametrize(
    ("column", "code"),
    [("blocked_at", "blocked_by_user"), ("deactivated_at", "user_deactivated")],
)
def test_who_can_not_be_reached_is_skipped_and_it_is_on_record(
    room: Backroom, column: str, code: str
) -> None:
    trial(room)
    Customer.objects.filter(telegram_user_id=ANN).update(**{column: NOW})
    assert said(room, at=NOW + 4 * DAY) == []
    row = OutboxItem.objects.get(occasion__startswith="due:trial_ends")
    assert (row.state, row.error_code) == ("skipped", code)


def claim(room: Backroom) -> Entitlement:
    """Keep Ann's place from before until ten days from now, as adoption does."""
    return Entitlement.objects.create(
        customer=room.ann,
        plan=room.monthly,
        kind="claim",
        external_id="claim:1",
        status="active",
        starts_at=NOW,
        period_end=NOW + 10 * DAY,
        ends_at=NOW + 10 * DAY,
        holds=True,
        reason="granted",
        decided_at=NOW,
        notice_at=NOW + 7 * DAY,
        created_at=NOW,
    )


def test_a_member_from_before_is_reminded_with_the_plans_that_keep_the_place(
    room: Backroom,
) -> None:
    claim(room)
    room.now = NOW + 7 * DAY
    room.sweep()
    (row,) = room.calls("sendMessage")
    params = msgspec.json.decode(row.params)
    assert "since before I kept the door" in params["text"]
    assert params["reply_markup"]["inline_keyboard"][0][0]["callback_data"].startswith("plan:")


def test_a_member_from_before_who_never_spoke_to_the_bot_is_not_written_to(
    room: Backroom,
) -> None:
    claim(room)
    Customer.objects.filter(telegram_user_id=ANN).update(started_at=None)
    assert said(room, at=NOW + 7 * DAY) == []


def test_whoever_has_subscribed_is_not_reminded_of_the_place_from_before(room: Backroom) -> None:
    claim(room)
    room.subscribes()
    room.sent()
    assert said(room, at=NOW + 7 * DAY) == []
