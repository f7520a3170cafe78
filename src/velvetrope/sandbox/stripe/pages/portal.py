"""The portal page: subscriptions, the card on file and the invoices of one customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.billing import methods, subscriptions

from . import choices
from .html import Html, fill, join, when
from .layout import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj

    from .language import Language

CARDS = ("good", "declines_later", "needs_action", "declined", "delayed")

_PAGE = """<main class="portal">
<header>{back}<p class="shop">{shop}</p><h1>{title}</h1><p class="note">{who}</p></header>
{notice}
<section class="card"><h2>{subscriptions_title}</h2>{subscriptions}</section>
{card}
{invoices}
</main>"""
_BACK = '<a class="back" href="{address}">← {words}</a>'
_NOTICE = '<p class="{kind}" role="status">{words}</p>'
_SUBSCRIPTION = """<article class="subscription">
<div class="row"><h3>{name}</h3><span class="badge {tone}">{status}</span></div>
<p class="price">{price}</p><p class="note">{when}</p>{actions}</article>"""
_KEEP = """<form method="post" action="/portal/{session}/subscriptions/{id}">
<button class="button" name="cancel" value="undo">{keep}</button></form>"""
_CANCEL = """<details><summary>{title}</summary>
<form class="actions" method="post" action="/portal/{session}/subscriptions/{id}">{buttons}</form>
<p class="note">{hint}</p></details>"""
_CANCEL_BUTTON = '<button class="button {tone}" name="cancel" value="{how}">{words}</button>'
_CARD = """<section class="card"><h2>{title}</h2><p class="onfile">{current}</p>
<details{open}><summary>{change_title}</summary>
<form method="post" action="/portal/{session}/card">{choices}
<button class="button">{change}</button></form></details></section>"""
_INVOICES = """<section class="card"><h2>{title}</h2>{rows}</section>"""
_INVOICE = """<li><a href="{address}">{number}</a><span class="note">{date}</span>
<span class="nowrap">{amount}</span><span class="badge {tone}">{status}</span>
<span class="act">{pay}</span></li>"""
_PAY = """<form method="post" action="/portal/{session}/invoices/{id}">
<button class="button small">{pay}</button></form>"""

_TONES = {
    "active": "good",
    "trialing": "good",
    "paid": "good",
    "past_due": "bad",
    "unpaid": "bad",
    "open": "bad",
    "incomplete": "warn",
    "paused": "warn",
}


def show(
    account: Account, session: Obj, language: Language, notice: tuple[str, str] | None = None
) -> Response:
    """Show a portal session; `notice` is the kind of message and its text's key."""
    customer = account.get("customer", session["customer"])
    features = account.get("billing_portal.configuration", session["configuration"])["features"]
    rows = [
        _subscription(account, session, subscription, features, language)
        for subscription in reversed(account.all("subscription"))
        if subscription["customer"] == customer["id"]
    ]
    kind, key = notice or ("notice", "changed")
    title = language.text("portal_title")
    body = fill(
        _PAGE,
        back=when(
            session["return_url"],
            fill(_BACK, address=session["return_url"] or "", words=language.text("back")),
        ),
        shop=account.name,
        title=title,
        who=customer["email"] or customer["name"] or customer["id"],
        notice=when(notice, fill(_NOTICE, kind=kind, words=language.text(key))),
        subscriptions_title=language.text("subscriptions"),
        subscriptions=join(rows)
        or fill('<p class="note">{words}</p>', words=language.text("no_subscriptions")),
        card=when(
            features["payment_method_update"]["enabled"],
            _card(account, session, customer, language, is_open=key == "card_declined"),
        ),
        invoices=when(
            features["invoice_history"]["enabled"],
            _invoices(account, session, customer, language),
        ),
    )
    return page(language, f"{title} · {account.name}", body, 402 if kind == "problem" else 200)


def _subscription(
    account: Account, session: Obj, subscription: Obj, features: Obj, language: Language
) -> Html:
    items = subscription["items"]["data"]
    names = [account.get("product", item["price"]["product"])["name"] for item in items]
    status = subscription["status"]
    return fill(
        _SUBSCRIPTION,
        name=", ".join(names),
        tone=_TONES.get(status, "quiet"),
        status=language.status("status", status),
        price=" + ".join(language.price(item["price"], item["quantity"]) for item in items),
        when=_when(subscription, language),
        actions=_actions(session, subscription, features, language),
    )


def _when(subscription: Obj, language: Language) -> str:
    if subscription["ended_at"]:
        return language.text("ended_on", date=language.date(subscription["ended_at"]))
    if subscription["cancel_at"]:
        return language.text("ends_on", date=language.date(subscription["cancel_at"]))
    if subscription["status"] == "trialing":
        return language.text("trial_ends", date=language.date(subscription["trial_end"]))
    date = language.date(subscriptions.period_end(subscription))
    return language.text("renews_on", date=date)


def _actions(session: Obj, subscription: Obj, features: Obj, language: Language) -> Html:
    cancel = features["subscription_cancel"]
    if subscription["status"] in subscriptions.OVER or not cancel["enabled"]:
        return Html("")
    if subscription["cancel_at"]:
        return fill(_KEEP, session=session["id"], id=subscription["id"], keep=language.text("keep"))
    ways = ("at_period_end", "cancel_at", "now") if cancel["mode"] == "at_period_end" else ("now",)
    buttons = [
        fill(
            _CANCEL_BUTTON,
            tone="danger" if how == "now" else "quiet",
            how=how,
            words=language.text(f"cancel_{how}"),
        )
        for how in ways
    ]
    return fill(
        _CANCEL,
        title=language.text("cancel"),
        session=session["id"],
        id=subscription["id"],
        buttons=join(buttons),
        hint=language.text("cancel_hint") if len(ways) > 1 else "",
    )


def _card(
    account: Account, session: Obj, customer: Obj, language: Language, *, is_open: bool
) -> Html:
    method = methods.usual(account, customer)
    current = language.text("no_card")
    if method is not None:
        name = "SEPA" if method["type"] == "sepa_debit" else "Visa"
        current = f"{name} •••• {method[method['type']]['last4']}"
    return fill(
        _CARD,
        title=language.text("card"),
        current=current,
        open=Html(" open") if is_open else Html(""),
        change_title=language.text("change_card_title"),
        session=session["id"],
        choices=choices.cards(language, CARDS, account.settings, "good"),
        change=language.text("change_card"),
    )


def _invoices(account: Account, session: Obj, customer: Obj, language: Language) -> Html:
    rows = [
        fill(
            _INVOICE,
            address=f"/invoice/{invoice['id']}",
            number=invoice["number"] or language.text("draft_number"),
            date=language.date(invoice["created"]),
            amount=language.money(invoice["total"], invoice["currency"]),
            tone=_TONES.get(invoice["status"], "quiet"),
            status=language.status("invoice", invoice["status"]),
            pay=when(
                invoice["status"] == "open",
                fill(
                    _PAY,
                    session=session["id"],
                    id=invoice["id"],
                    pay=language.text("pay_invoice"),
                ),
            ),
        )
        for invoice in reversed(account.all("invoice"))
        if invoice["customer"] == customer["id"]
    ]
    shown = (
        fill('<ul class="invoices">{rows}</ul>', rows=join(rows))
        if rows
        else fill('<p class="note">{words}</p>', words=language.text("no_invoices"))
    )
    return fill(_INVOICES, title=language.text("invoices"), rows=shown)
