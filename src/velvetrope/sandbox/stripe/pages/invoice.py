"""The page of one invoice, where an open one is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import choices
from .html import fill, join, when
from .layout import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj

    from .language import Language

CARDS = ("good", "declined", "delayed")

_PAGE = """<main class="narrow"><section class="card">
<p class="shop">{shop}</p><div class="row"><h1>{title}</h1>
<span class="badge {tone}">{status}</span></div>
<p class="note">{date}</p>{problem}
<ul class="lines">{lines}</ul>
<dl class="totals"><div class="total"><dt>{due}</dt><dd>{amount}</dd></div></dl>
{form}</section></main>"""
_LINE = '<li><span>{name}</span><span class="nowrap">{amount}</span></li>'
_FORM = """<form method="post" action="/invoice/{id}">{choices}
<button class="button">{pay}</button></form>"""


def show(
    account: Account, invoice: Obj, language: Language, problem: str | None = None
) -> Response:
    """Show an invoice; `problem` is the key of what went wrong."""
    title = language.text("invoice_title", number=invoice["number"] or "")
    amount = language.money(invoice["amount_remaining"], invoice["currency"])
    lines = [
        fill(
            _LINE,
            name=line["description"],
            amount=language.money(line["amount"], line["currency"]),
        )
        for line in invoice["lines"]["data"]
    ]
    body = fill(
        _PAGE,
        shop=account.name,
        title=title,
        tone={"paid": "good", "open": "bad"}.get(invoice["status"], "quiet"),
        status=language.status("invoice", invoice["status"]),
        date=language.date(invoice["created"]),
        problem=when(
            problem,
            fill(
                '<p class="problem" role="alert">{words}</p>',
                words=language.text(problem or "changed"),
            ),
        ),
        lines=join(lines),
        due=language.text("due_today"),
        amount=amount,
        form=when(
            invoice["status"] == "open",
            fill(
                _FORM,
                id=invoice["id"],
                choices=choices.cards(language, CARDS, account.settings, "good"),
                pay=language.text("pay", amount=amount),
            ),
        ),
    )
    return page(language, f"{title} · {account.name}", body, 402 if problem else 200)
