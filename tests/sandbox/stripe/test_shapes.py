"""Every object that the sandbox makes is one that the official SDK's classes describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import stripe
from stripe import billing_portal, checkout

from tests.sandbox.stripe.shapes import problems
from tests.sandbox.stripe.shop import DAY

if TYPE_CHECKING:
    from tests.sandbox.stripe.shop import Shop

KINDS: dict[str, Any] = {
    "account": stripe.Account,
    "balance_transaction": stripe.BalanceTransaction,
    "billing_portal.configuration": billing_portal.Configuration,
    "billing_portal.session": billing_portal.Session,
    "charge": stripe.Charge,
    "checkout.session": checkout.Session,
    "coupon": stripe.Coupon,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "invoice": stripe.Invoice,
    "invoice_payment": stripe.InvoicePayment,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "price": stripe.Price,
    "product": stripe.Product,
    "promotion_code": stripe.PromotionCode,
    "refund": stripe.Refund,
    "subscription": stripe.Subscription,
    "webhook_endpoint": stripe.WebhookEndpoint,
}

#: Every list that the API offers.
LISTS = (
    "products",
    "prices",
    "coupons",
    "promotion_codes",
    "customers",
    "payment_methods",
    "checkout/sessions",
    "subscriptions?status=all",
    "invoices",
    "invoice_payments",
    "payment_intents",
    "charges",
    "charges?expand[0]=data.failure_balance_transaction",
    "refunds",
    "disputes",
    "billing_portal/configurations",
    "webhook_endpoints",
)


def live(shop: Shop) -> None:
    """Let everything happen that makes an object or changes one."""
    shop.post(
        "webhook_endpoints", **{"url": "http://127.0.0.1:9/", "enabled_events[0]": "payout.paid"}
    )
    paid = shop.pay(shop.checkout(allow_promotion_codes="true"), promotion_code="SANDBOX20")
    trial = shop.subscribe(**{"subscription_data[trial_period_days]": "5"})
    shop.control(f"customers/{paid['customer']}/card", card="declines_later")
    invoiced = shop.pay(shop.checkout(shop.once, **{"invoice_creation[enabled]": "true"}))
    late = shop.pay(shop.checkout(shop.once), card="delayed")
    shop.pay(shop.checkout(shop.once), card="delayed_fails")
    shop.subscribe("needs_action")
    shop.checkout()
    shop.advance(35 * DAY)
    shop.control(f"payments/{invoiced['payment_intent']}/refund", outcome="failed")
    shop.control(f"payments/{late['payment_intent']}/refund", amount=100)
    shop.control(f"payments/{late['payment_intent']}/dispute")
    shop.control(f"subscriptions/{trial['id']}", pause=True)
    shop.control(f"subscriptions/{paid['subscription']}", pause_collection="void")
    shop.post("billing_portal/sessions", customer=paid["customer"], return_url="https://x.example")


def test_objects_and_events_have_the_members_and_types_of_the_sdk(shop: Shop) -> None:
    live(shop)
    wrong: set[str] = set()
    events = shop.events()
    for event in events:
        seen = {name: event[name] for name in event.keys() - {"number", "account", "at", "data"}}
        wrong |= set(problems({**seen, "data": {"object": {}}}, stripe.Event, event["type"]))
        obj = event["data"]["object"]
        wrong |= set(problems(obj, KINDS[obj["object"]], obj["object"]))
    for path in LISTS:
        rows = shop.get(f"{path}{'&' if '?' in path else '?'}limit=100")["data"]
        assert rows, path
        for row in rows:
            wrong |= set(problems(row, KINDS[row["object"]], path))
    wrong |= set(problems(shop.get("account"), stripe.Account, "account"))
    assert not wrong
    assert len({event["type"] for event in events}) > 30


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("prices/{price}?expand[0]=product", ("product", "name")),
        ("subscriptions/{sub}?expand[0]=customer", ("customer", "email")),
        ("subscriptions/{sub}?expand[0]=latest_invoice.payments", ("latest_invoice", "payments")),
        ("checkout/sessions/{cs}?expand[0]=line_items", ("line_items", "data")),
        ("checkout/sessions/{cs}?expand[0]=subscription", ("subscription", "status")),
    ],
)
def test_what_can_be_expanded_is(shop: Shop, path: str, place: tuple[str, str]) -> None:
    session = shop.pay(shop.checkout())
    names = {"price": shop.monthly, "sub": session["subscription"], "cs": session["id"]}
    found = shop.get(path.format(**names))
    assert found[place[0]][place[1]]


def test_lists_expand_their_rows(shop: Shop) -> None:
    rows = shop.get("prices", **{"expand[]": "data.product"})["data"]
    assert {row["product"]["name"] for row in rows} == {"The Back Room"}


def test_what_cannot_be_expanded_is_refused(shop: Shop) -> None:
    answer = shop.call("GET", f"prices/{shop.monthly}", **{"expand[]": "nonsense"})
    assert answer.status_code == 400
    assert "cannot be expanded" in answer.json()["error"]["message"]


def test_the_period_is_the_items_and_an_invoice_names_its_subscription(shop: Shop) -> None:
    subscription = shop.subscribe(**{"subscription_data[metadata][who]": "5"})
    assert "current_period_end" not in subscription
    item = subscription["items"]["data"][0]
    assert item["current_period_end"] > item["current_period_start"]
    invoice = shop.get(f"invoices/{subscription['latest_invoice']}")
    assert "subscription" not in invoice
    assert "payment_intent" not in invoice
    assert invoice["parent"]["subscription_details"]["subscription"] == subscription["id"]
    assert invoice["parent"]["subscription_details"]["metadata"] == {"who": "5"}
    line = invoice["lines"]["data"][0]
    assert line["pricing"]["price_details"]["price"] == shop.monthly
