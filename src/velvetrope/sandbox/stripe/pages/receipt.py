"""The page that shows a customer what was received for a one-time payment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .html import fill
from .layout import message, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj

    from .language import Language

_PAGE = """<main class="narrow"><section class="card">
<p class="shop">{shop}</p><div class="row"><h1>{title}</h1>
<span class="badge good">{status}</span></div>
<p class="note">{date}</p>
<dl class="totals"><div class="total"><dt>{paid}</dt><dd>{amount}</dd></div></dl>
</section></main>"""


def show(account: Account, charge: Obj, language: Language) -> Response:
    if charge["receipt_url"] is None:  # nothing was received
        return message(language, "missing", status=404)
    title = language.text("receipt_title")
    body = fill(
        _PAGE,
        shop=account.name,
        title=title,
        status=language.status("invoice", "paid"),
        date=language.date(charge["created"]),
        paid=language.text("receipt_paid"),
        amount=language.money(charge["amount"], charge["currency"]),
    )
    return page(language, f"{title} · {account.name}", body)
