"""The Checkout page: what is bought, and the form that pays for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.billing.checkout import asks_for_card
from velvetrope.sandbox.stripe.resources.discounts import SANDBOX_CODE

from . import choices
from .html import Html, fill, join, when
from .layout import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj

    from .language import Language

CARDS = ("good", "declined", "delayed", "delayed_fails")

_PAGE = """<main class="checkout">
<section class="summary" aria-label="{shop}">
{back}
<p class="shop">{shop}</p>
<h1>{heading}</h1>
<p class="amount">{amount}</p>
{terms}
{description}
<ul class="lines">{lines}</ul>
{promotion}
<dl class="totals">{totals}</dl>
</section>
<section class="card" aria-label="{pay_with}">
<form method="post" action="/checkout/{session}/pay">
<h2>{pay_with}</h2>
{problem}
<label for="email">{email_label}</label>
<input id="email" name="email" type="email" value="{email}" autocomplete="email" required>
<label for="name">{name_label}</label>
<input id="name" name="name" type="text" value="{name}" autocomplete="name"
 required maxlength="150">
{choices}
<button class="button" type="submit">{pay}</button>
<p class="note">{note}</p>
</form>
</section>
</main>"""

_BACK = '<a class="back" href="{address}">← {words}</a>'
_LINE = '<li><span>{name}{count}</span><span class="nowrap">{price}</span></li>'
_TOTAL = '<div class="{kind}"><dt>{label}</dt><dd>{amount}</dd></div>'
_TERMS = '<p class="terms">{words}</p>'
_PROBLEM = '<p class="problem" role="alert">{words}</p>'
_CODE_FORM = """<details class="code"{open}><summary>{title}</summary>
<form method="post" action="/checkout/{session}/code">
{problem}
<label for="code">{label}</label>
<div class="row"><input id="code" name="code" type="text" autocapitalize="characters"
 autocomplete="off" required maxlength="40"><button class="button quiet">{apply}</button></div>
<p class="note">{hint}</p></form></details>"""
_CODE_USED = """<form class="row used" method="post" action="/checkout/{session}/code">
<span class="badge good">{code}</span>
<button class="link" name="remove" value="1">{remove}</button></form>"""


#: A visitor of the sandbox has nothing to type; a real page asks for it.
_EMAIL = "person@example.com"


def show(
    account: Account,
    session: Obj,
    language: Language,
    *,
    problem: str | None = None,
    code_problem: bool = False,
    entered: dict[str, str] | None = None,
) -> Response:
    """Show an open session; `problem` is the key of what went wrong."""
    rows = account.line_items[session["id"]]
    main = next((row for row in rows if row["price"]["recurring"]), rows[0])
    product = account.get("product", main["price"]["product"])
    recurring = main["price"]["recurring"]
    customer = account.find("customer", session["customer"])
    given = entered or {}
    heading = language.text("subscribe" if recurring else "buy", name=product["name"])
    body = fill(
        _PAGE,
        session=session["id"],
        shop=account.name,
        back=when(
            session["cancel_url"],
            fill(_BACK, address=session["cancel_url"] or "", words=language.text("back")),
        ),
        heading=heading,
        amount=language.price(main["price"], main["quantity"]),
        terms=_terms(account, session, main, language),
        description=when(
            product["description"], fill('<p class="about">{d}</p>', d=product["description"])
        ),
        lines=join([_line(row, language) for row in rows]),
        promotion=_promotion(account, session, language, problem=code_problem),
        totals=_totals(account, session, language),
        pay_with=language.text("pay_with"),
        problem=when(problem, fill(_PROBLEM, words=language.text(problem or "changed"))),
        email_label=language.text("email"),
        email=given.get("email")
        or (customer or {}).get("email")
        or session["customer_email"]
        or _EMAIL,
        name_label=language.text("name"),
        name=given.get("name") or (customer or {}).get("name") or "",
        choices=when(
            asks_for_card(session),
            choices.cards(language, CARDS, account.settings, given.get("card", "good")),
        ),
        pay=_button(account, session, language),
        note=_renewal(rows, language),
    )
    return page(language, f"{heading} · {account.name}", body, 402 if problem else 200)


def _renewal(rows: list[Obj], language: Language) -> str:
    prices = [
        language.price(row["price"], row["quantity"]) for row in rows if row["price"]["recurring"]
    ]
    return language.text("renews_note", price=" + ".join(prices)) if prices else ""


def _line(row: Obj, language: Language) -> Html:
    count = fill(" × {n}", n=row["quantity"]) if row["quantity"] > 1 else Html("")
    price = language.money(row["price"]["unit_amount"] * row["quantity"], row["currency"])
    return fill(_LINE, name=row["description"], count=count, price=price)


def _terms(account: Account, session: Obj, main: Obj, language: Language) -> Html:
    data = account.drafts[session["id"]].subscription_data
    price = language.price(main["price"], main["quantity"])
    if "trial_period_days" in data:
        span = language.span(data["trial_period_days"], "day")
        return fill(_TERMS, words=language.text("trial", span=span, price=price))
    if "trial_end" in data:
        date = language.date(data["trial_end"])
        return fill(_TERMS, words=language.text("trial_until", date=date, price=price))
    return Html("")


def _totals(account: Account, session: Obj, language: Language) -> Html:
    currency = session["currency"]
    rows = []
    off = session["total_details"]["amount_discount"]
    if off:
        code = account.find("promotion_code", account.drafts[session["id"]].promotion_code)
        subtotal = language.money(session["amount_subtotal"], currency)
        rows.append(fill(_TOTAL, kind="", label=language.text("subtotal"), amount=subtotal))
        label = language.text("discount", code=code["code"] if code else "")
        rows.append(fill(_TOTAL, kind="", label=label, amount=language.money(-off, currency)))
    total = language.money(session["amount_total"], currency)
    rows.append(fill(_TOTAL, kind="total", label=language.text("due_today"), amount=total))
    return join(rows)


def _promotion(account: Account, session: Obj, language: Language, *, problem: bool) -> Html:
    if not session["allow_promotion_codes"]:
        return Html("")
    code = account.find("promotion_code", account.drafts[session["id"]].promotion_code)
    if code is not None:
        return fill(
            _CODE_USED,
            session=session["id"],
            code=code["code"],
            remove=language.text("remove"),
        )
    return fill(
        _CODE_FORM,
        session=session["id"],
        open=Html(" open") if problem else Html(""),
        title=language.text("have_code"),
        problem=when(problem, fill(_PROBLEM, words=language.text("bad_code"))),
        label=language.text("code"),
        apply=language.text("apply"),
        hint=language.text("code_hint", code=SANDBOX_CODE),
    )


def _button(account: Account, session: Obj, language: Language) -> str:
    if session["amount_total"]:
        amount = language.money(session["amount_total"], session["currency"])
        return language.text("pay", amount=amount)
    data = account.drafts[session["id"]].subscription_data
    trial = "trial_period_days" in data or "trial_end" in data
    return language.text("start_trial" if trial else "confirm")
