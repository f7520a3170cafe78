"""What happens to subscriptions and payments by themselves as the sandbox's time goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.stripe.shop import DAY, Json

if TYPE_CHECKING:
    from tests.sandbox.stripe.shop import Shop

MONTH = 32 * DAY


def status(shop: Shop, subscription: Json) -> str:
    found: str = shop.get(f"subscriptions/{subscription['id']}")["status"]
    return found


def test_a_paid_session_makes_a_customer_a_subscription_and_a_paid_invoice(shop: Shop) -> None:
    session = shop.checkout(
        client_reference_id="5",
        **{"metadata[on]": "session", "subscription_data[metadata][on]": "subscription"},
    )
    assert (session["status"], session["subscription"], session["customer"]) == ("open", None, None)
    shop.events()
    paid = shop.pay(session)
    assert (paid["status"], paid["payment_status"], paid["url"]) == ("complete", "paid", None)
    subscription = shop.get(f"subscriptions/{paid['subscription']}")
    assert subscription["metadata"] == {"on": "subscription"}
    assert shop.get(f"invoices/{paid['invoice']}")["status"] == "paid"
    types = shop.types()
    assert types[-1] == "checkout.session.completed"
    assert {"customer.created", "customer.subscription.created", "invoice.paid"} <= set(types)


def test_metadata_of_a_one_time_session_does_not_flow_to_the_payment(shop: Shop) -> None:
    bare = shop.pay(shop.checkout(shop.once, **{"metadata[a]": "1"}))
    named = shop.pay(shop.checkout(shop.once, **{"payment_intent_data[metadata][b]": "2"}))
    assert shop.get(f"payment_intents/{bare['payment_intent']}")["metadata"] == {}
    assert shop.get(f"payment_intents/{named['payment_intent']}")["metadata"] == {"b": "2"}
    assert (bare["customer"], bare["invoice"]) == (None, None)
    found = shop.get("checkout/sessions", payment_intent=named["payment_intent"])["data"]
    assert [row["id"] for row in found] == [named["id"]]


def test_a_declined_card_leaves_the_session_open(shop: Shop) -> None:
    session = shop.checkout()
    answer = shop.http.post(f"/control/checkouts/{session['id']}/pay", json={"card": "declined"})
    assert answer.status_code == 402
    assert shop.get(f"checkout/sessions/{session['id']}")["status"] == "open"
    assert "payment_intent.payment_failed" in shop.types()
    assert shop.pay(session)["payment_status"] == "paid"


def test_a_renewal_drafts_for_an_hour_and_is_paid(shop: Shop) -> None:
    subscription = shop.subscribe()
    end = subscription["items"]["data"][0]["current_period_end"]
    shop.events()
    shop.advance(end - shop.http.get("/control/clock").json()["now"] + 60)
    renewed = shop.get(f"subscriptions/{subscription['id']}")
    assert renewed["status"] == "active"
    assert renewed["items"]["data"][0]["current_period_start"] == end
    assert shop.get(f"invoices/{renewed['latest_invoice']}")["status"] == "draft"
    assert shop.types() == ["invoice.created", "customer.subscription.updated"]
    shop.advance(3600)
    assert shop.get(f"invoices/{renewed['latest_invoice']}")["status"] == "paid"
    assert shop.types()[-2:] == ["invoice.paid", "invoice.payment_succeeded"]


def test_events_carry_the_moment_at_which_they_were_due(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.events()
    shop.advance(3 * MONTH)
    moments = [event["created"] for event in shop.events()]
    assert moments == sorted(moments)
    assert len(set(moments)) >= 6
    assert subscription["items"]["data"][0]["current_period_end"] in moments


@pytest.mark.parametrize(
    ("setting", "ends"), [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")]
)
def test_failed_renewals_are_tried_again_and_then_end_as_set(
    shop: Shop, setting: str, ends: str
) -> None:
    shop.control("settings", account=shop.key, after_retries=setting, retry_days=[1, 2])
    subscription = shop.subscribe()
    shop.control(f"customers/{subscription['customer']}/card", card="declines_later")
    shop.advance(MONTH)
    assert status(shop, subscription) == "past_due"
    shop.advance(6 * DAY)
    found = shop.get(f"subscriptions/{subscription['id']}")
    assert found["status"] == ends
    if ends == "canceled":
        assert found["cancellation_details"]["reason"] == "payment_failed"
        assert shop.types()[-1] == "customer.subscription.deleted"
    assert shop.get(f"invoices/{found['latest_invoice']}")["attempt_count"] == 3


def test_a_better_card_brings_an_overdue_subscription_back(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.control(f"customers/{subscription['customer']}/card", card="declines_later")
    shop.advance(MONTH)
    invoice = shop.get(f"subscriptions/{subscription['id']}")["latest_invoice"]
    refused = shop.call("POST", f"invoices/{invoice}/pay")
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "card_declined")
    shop.control(f"customers/{subscription['customer']}/card", card="good")
    assert shop.post(f"invoices/{invoice}/pay")["status"] == "paid"
    assert status(shop, subscription) == "active"


def test_a_trial_is_announced_and_then_billed(shop: Shop) -> None:
    session = shop.checkout(**{"subscription_data[trial_period_days]": "7"})
    assert session["amount_total"] == 0
    paid = shop.pay(session)
    assert paid["payment_status"] == "no_payment_required"
    subscription = shop.get(f"subscriptions/{paid['subscription']}")
    assert subscription["status"] == "trialing"
    shop.events()
    shop.advance(5 * DAY)
    assert shop.types() == ["customer.subscription.trial_will_end"]
    shop.advance(3 * DAY)
    assert status(shop, subscription) == "active"
    latest = shop.get(f"subscriptions/{subscription['id']}")["latest_invoice"]
    assert shop.get(f"invoices/{latest}")["amount_paid"] == 990


@pytest.mark.parametrize(
    ("change", "flag"),
    [({"cancel_at_period_end": "true"}, True), ({"cancel_at": "max_period_end"}, False)],
)
def test_a_planned_end_comes_either_way_it_was_planned(
    shop: Shop, change: dict[str, Any], flag: bool
) -> None:
    subscription = shop.subscribe()
    planned = shop.post(f"subscriptions/{subscription['id']}", **change)
    end = planned["items"]["data"][0]["current_period_end"]
    assert (planned["status"], planned["cancel_at_period_end"]) == ("active", flag)
    assert planned["cancel_at"] == end
    shop.advance(MONTH)
    ended = shop.get(f"subscriptions/{subscription['id']}")
    assert (ended["status"], ended["ended_at"]) == ("canceled", end)
    assert shop.types()[-1] == "customer.subscription.deleted"


def test_a_planned_end_can_be_taken_back(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.post(f"subscriptions/{subscription['id']}", cancel_at_period_end="true")
    kept = shop.post(f"subscriptions/{subscription['id']}", cancel_at_period_end="false")
    assert (kept["cancel_at"], kept["canceled_at"]) == (None, None)
    shop.advance(MONTH)
    assert status(shop, subscription) == "active"


def test_a_pause_of_collection_keeps_the_status_and_ends_when_it_should(shop: Shop) -> None:
    subscription = shop.subscribe()
    resumes = int(shop.http.get("/control/clock").json()["now"]) + 40 * DAY
    form = {"pause_collection[behavior]": "void", "pause_collection[resumes_at]": str(resumes)}
    paused = shop.post(f"subscriptions/{subscription['id']}", **form)
    assert paused["status"] == "active"
    shop.advance(MONTH)
    renewed = shop.get(f"subscriptions/{subscription['id']}")
    assert shop.get(f"invoices/{renewed['latest_invoice']}")["status"] == "void"
    shop.advance(10 * DAY)
    assert shop.get(f"subscriptions/{subscription['id']}")["pause_collection"] is None


def test_a_paused_subscription_waits_until_it_is_resumed(shop: Shop) -> None:
    subscription = shop.subscribe()
    path = f"subscriptions/{subscription['id']}"
    assert shop.post(f"{path}/pause")["status"] == "paused"
    invoices = len(shop.get("invoices")["data"])
    shop.advance(2 * MONTH)
    assert len(shop.get("invoices")["data"]) == invoices
    assert shop.post(f"{path}/resume")["status"] == "active"
    assert {"customer.subscription.paused", "customer.subscription.resumed"} <= set(shop.types())


def test_a_change_of_price_is_settled_on_the_next_invoice(shop: Shop) -> None:
    subscription = shop.subscribe()
    price = {"product": shop.product, "currency": "eur", "unit_amount": "1990"}
    dearer = shop.post("prices", **price, **{"recurring[interval]": "month"})
    item = subscription["items"]["data"][0]["id"]
    form = {"items[0][id]": item, "items[0][price]": dearer["id"]}
    changed = shop.post(f"subscriptions/{subscription['id']}", **form)
    assert changed["items"]["data"][0]["price"]["id"] == dearer["id"]
    shop.advance(MONTH)
    latest = shop.get(f"subscriptions/{subscription['id']}")["latest_invoice"]
    amounts = [line["amount"] for line in shop.get(f"invoices/{latest}")["lines"]["data"]]
    assert amounts == [-990, 1990, 1990]


def test_a_delayed_payment_completes_unpaid_and_arrives_later(shop: Shop) -> None:
    paid = shop.pay(shop.checkout(shop.once), card="delayed")
    assert (paid["status"], paid["payment_status"]) == ("complete", "unpaid")
    shop.events()
    shop.advance(4 * DAY)
    assert shop.types()[-1] == "checkout.session.async_payment_succeeded"
    assert shop.get(f"checkout/sessions/{paid['id']}")["payment_status"] == "paid"


def test_a_delayed_subscription_is_incomplete_until_the_money_comes_or_bounces(shop: Shop) -> None:
    good = shop.subscribe("delayed")
    bad = shop.subscribe("delayed_fails")
    assert (good["status"], bad["status"]) == ("incomplete", "incomplete")
    shop.advance(4 * DAY)
    assert (status(shop, good), status(shop, bad)) == ("active", "incomplete_expired")
    assert "checkout.session.async_payment_failed" in shop.types()


def test_a_session_expires_when_nobody_pays(shop: Shop) -> None:
    session = shop.checkout()
    shop.advance(25 * 3600)
    found = shop.get(f"checkout/sessions/{session['id']}")
    assert (found["status"], found["url"]) == ("expired", None)
    assert shop.types() == ["checkout.session.expired"]
    answer = shop.http.post(f"/control/checkouts/{session['id']}/pay", json={})
    assert answer.status_code == 400


def test_refunds_add_up_and_a_failed_one_is_undone(shop: Shop) -> None:
    intent = shop.pay(shop.checkout(shop.once))["payment_intent"]
    part = shop.post("refunds", payment_intent=intent, amount="900")
    assert part["status"] == "succeeded"
    charge = shop.get("charges", payment_intent=intent)["data"][0]
    assert (charge["amount_refunded"], charge["refunded"]) == (900, False)
    shop.events()
    rest = shop.control(f"payments/{intent}/refund", outcome="failed")
    assert rest["status"] == "failed"
    charge = shop.get(f"charges/{charge['id']}")
    assert (charge["amount_refunded"], charge["refunded"]) == (900, False)
    types = shop.types()
    assert types[0] == "refund.created"
    assert types[-1] == "refund.failed"
    too_much = shop.call("POST", "refunds", payment_intent=intent, amount="99999")
    assert too_much.status_code == 400


@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ("needs_response", "won"),
        ("needs_response", "lost"),
        ("warning_needs_response", "warning_closed"),
    ],
)
def test_a_dispute_is_opened_and_closed(shop: Shop, opened: str, closed: str) -> None:
    intent = shop.pay(shop.checkout(shop.once))["payment_intent"]
    shop.events()
    dispute = shop.control(f"payments/{intent}/dispute", status=opened)
    assert shop.get("disputes", payment_intent=intent)["data"][0]["status"] == opened
    shop.control(f"disputes/{dispute['id']}", status=closed)
    types = shop.types()
    assert "charge.dispute.created" in types
    assert types[-1] == "charge.dispute.closed"
    assert ("charge.dispute.funds_reinstated" in types) == (closed == "won")


def test_a_deleted_customer_takes_its_subscriptions_along(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.events()
    assert shop.call("DELETE", f"customers/{subscription['customer']}").json()["deleted"]
    assert status(shop, subscription) == "canceled"
    assert shop.types() == ["customer.subscription.deleted", "customer.deleted"]
    assert shop.get(f"customers/{subscription['customer']}")["deleted"]


def test_an_archived_price_is_not_sold_and_keeps_its_subscribers(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.events()
    shop.control(f"prices/{shop.monthly}", active=False)
    event = shop.events()[0]
    assert (event["type"], event["data"]["previous_attributes"]) == (
        "price.updated",
        {"active": True},
    )
    form = {"line_items[0][price]": shop.monthly, "line_items[0][quantity]": "1"}
    form |= {"mode": "subscription", "success_url": "https://shop.example/"}
    assert shop.call("POST", "checkout/sessions", **form).status_code == 400
    assert status(shop, subscription) == "active"


def test_the_state_is_the_whole_truth_of_an_account(shop: Shop) -> None:
    subscription = shop.subscribe(**{"subscription_data[metadata][who]": "5"})
    state = shop.http.get("/control/state", params={"account": shop.id}).json()
    assert [(row["id"], row["metadata"]) for row in state["subscriptions"]] == [
        (subscription["id"], {"who": "5"})
    ]
    assert {"payments", "refunds", "disputes", "sessions", "invoices"} <= state.keys()
    assert shop.key not in str(state)


def test_a_card_that_wants_a_confirmation_leaves_the_renewal_open(shop: Shop) -> None:
    subscription = shop.subscribe("needs_action")
    assert subscription["status"] == "active"
    shop.events()
    shop.advance(MONTH)
    types = shop.types()
    assert {"invoice.payment_action_required", "payment_intent.requires_action"} <= set(types)
    found = shop.get(f"subscriptions/{subscription['id']}")
    assert found["status"] == "past_due"
    invoice = shop.get(f"invoices/{found['latest_invoice']}")
    page = shop.http.post(f"/invoice/{invoice['id']}", data={"card": "good"})
    assert page.status_code == 200
    assert status(shop, subscription) == "active"


@pytest.mark.parametrize(
    ("behavior", "ends"),
    [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")],
)
def test_a_trial_without_a_card_ends_as_it_was_set(shop: Shop, behavior: str, ends: str) -> None:
    data = "subscription_data[trial_settings][end_behavior][missing_payment_method]"
    form = {"subscription_data[trial_period_days]": "2", data: behavior}
    subscription = shop.subscribe(payment_method_collection="if_required", **form)
    assert (subscription["status"], subscription["default_payment_method"]) == ("trialing", None)
    shop.advance(2 * DAY + 7200)
    assert status(shop, subscription) == ends


def test_a_dearer_price_can_be_billed_at_once(shop: Shop) -> None:
    subscription = shop.subscribe()
    price = {"product": shop.product, "currency": "eur", "unit_amount": "1990"}
    dearer = shop.post("prices", **price, **{"recurring[interval]": "month"})
    item = subscription["items"]["data"][0]["id"]
    form = {"items[0][id]": item, "items[0][price]": dearer["id"]}
    form["proration_behavior"] = "always_invoice"
    changed = shop.post(f"subscriptions/{subscription['id']}", **form)
    invoice = shop.get(f"invoices/{changed['latest_invoice']}")
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 1000)
    assert invoice["billing_reason"] == "subscription_update"
