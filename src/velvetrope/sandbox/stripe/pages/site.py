"""The hosted pages' addresses and what their forms do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from velvetrope.sandbox.stripe import forms
from velvetrope.sandbox.stripe.billing import checkout as paying
from velvetrope.sandbox.stripe.billing import invoices, methods
from velvetrope.sandbox.stripe.control.money import cancel
from velvetrope.sandbox.stripe.errors import ApiError
from velvetrope.sandbox.stripe.hidden import CardConduct

from . import checkout, invoice, portal, receipt
from .discounts import drop_code, use_code
from .language import Language, choose
from .layout import message

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj
    from velvetrope.sandbox.stripe.simulator import Simulator

    Page = Callable[[Account, Obj, Language, Request, dict[str, str]], Response]

_FILES = {"sandbox.css": "text/css", "sandbox.svg": "image/svg+xml"}
_SEE_OTHER = 303


def routes(simulator: Simulator) -> list[Route]:
    """Make the pages' routes."""
    table: tuple[tuple[str, str, str, Page], ...] = (
        ("GET", "checkout/{id}", "checkout.session", _checkout),
        ("POST", "checkout/{id}/pay", "checkout.session", _pay),
        ("POST", "checkout/{id}/code", "checkout.session", _code),
        ("GET", "portal/{id}", "billing_portal.session", _portal),
        ("POST", "portal/{id}/subscriptions/{part}", "billing_portal.session", _cancel),
        ("POST", "portal/{id}/card", "billing_portal.session", _change_card),
        ("POST", "portal/{id}/invoices/{part}", "billing_portal.session", _pay_from_portal),
        ("GET", "invoice/{id}", "invoice", _invoice),
        ("POST", "invoice/{id}", "invoice", _pay_invoice),
        ("GET", "receipt/{id}", "charge", _receipt),
    )
    return [
        *(_route(simulator, *row) for row in table),
        Route("/assets/{name}", _asset, methods=["GET"]),
    ]


def _route(simulator: Simulator, method: str, path: str, kind: str, handler: Page) -> Route:
    async def answer(request: Request) -> Response:
        simulator.catch_up()
        simulator.world.public_url = str(request.base_url).rstrip("/")
        ident = request.path_params["id"]
        account = simulator.world.owner_of(ident)
        obj = account.find(kind, ident) if account else None
        wanted = (obj or {}).get("locale")
        language = choose(wanted, request.headers.get("accept-language", ""))
        if account is None or obj is None:
            return message(language, "missing", status=404)
        try:
            form = forms.decode(await request.body())
            texts = {name: text for name, text in form.items() if isinstance(text, str)}
            return handler(account, obj, language, request, texts)
        except ApiError:
            return message(language, "missing", status=404)

    return Route(f"/{path}", answer, methods=[method])


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _FILES:
        return Response(status_code=404)
    return FileResponse(Path(__file__).with_name(name), media_type=_FILES[name])


def _checkout(
    account: Account, session: Obj, language: Language, _r: Request, _f: dict[str, str]
) -> Response:
    return _closed(session, language) or checkout.show(account, session, language)


def _closed(session: Obj, language: Language) -> Response | None:
    """Say why a session can't be paid, if it can't."""
    if session["status"] == "open":
        return None
    done = session["status"] == "complete"
    address = session["success_url"] if done else session["cancel_url"]
    address = (address or "").replace("{CHECKOUT_SESSION_ID}", session["id"])
    return message(language, "done" if done else "expired", address or None, status=410)


def _pay(
    account: Account, session: Obj, language: Language, _r: Request, form: dict[str, str]
) -> Response:
    closed = _closed(session, language)
    if closed is not None:
        return closed
    email, card = form.get("email", "").strip(), form.get("card", "good")
    if "@" not in email or card not in checkout.CARDS:
        return checkout.show(account, session, language, problem="bad_email", entered=form)
    try:
        name = form.get("name", "").strip() or email
        paying.complete(account, session, CardConduct(card), email=email, name=name)
    except ApiError:
        return checkout.show(account, session, language, problem="card_declined", entered=form)
    address = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
    return RedirectResponse(address, _SEE_OTHER)


def _code(
    account: Account, session: Obj, language: Language, _r: Request, form: dict[str, str]
) -> Response:
    closed = _closed(session, language)
    if closed is not None:
        return closed
    try:
        if "remove" in form:
            drop_code(account, session)
        else:
            use_code(account, session, form.get("code", ""))
    except ApiError:
        return checkout.show(account, session, language, code_problem=True)
    return RedirectResponse(f"/checkout/{session['id']}", _SEE_OTHER)


def _portal(
    account: Account, session: Obj, language: Language, _r: Request, _f: dict[str, str]
) -> Response:
    return portal.show(account, session, language)


def _own(account: Account, session: Obj, kind: str, request: Request) -> Obj:
    obj = account.get(kind, request.path_params["part"])
    if obj["customer"] != session["customer"]:
        raise ApiError("That belongs to somebody else.")
    return obj


def _cancel(
    account: Account, session: Obj, language: Language, request: Request, form: dict[str, str]
) -> Response:
    subscription = _own(account, session, "subscription", request)
    try:
        cancel(account, subscription, form.get("cancel", ""))
    except ValueError:
        return message(language, "missing", status=400)
    return RedirectResponse(f"/portal/{session['id']}", _SEE_OTHER)


def _change_card(
    account: Account, session: Obj, language: Language, _r: Request, form: dict[str, str]
) -> Response:
    card = form.get("card", "good")
    if card == CardConduct.DECLINED.value or card not in portal.CARDS:
        return portal.show(account, session, language, ("problem", "card_declined"))
    customer = account.get("customer", session["customer"])
    method = methods.create(account, CardConduct(card), customer["email"], customer["name"])
    methods.make_default(account, method, customer)
    return portal.show(account, session, language, ("notice", "changed"))


def _pay_from_portal(
    account: Account, session: Obj, language: Language, request: Request, _f: dict[str, str]
) -> Response:
    due = _own(account, session, "invoice", request)
    if due["status"] == "open" and invoices.collect(account, due, present=True) == "failed":
        return portal.show(account, session, language, ("problem", "card_declined"))
    return portal.show(account, session, language, ("notice", "changed"))


def _invoice(
    account: Account, due: Obj, language: Language, _r: Request, _f: dict[str, str]
) -> Response:
    return invoice.show(account, due, language)


def _pay_invoice(
    account: Account, due: Obj, language: Language, _r: Request, form: dict[str, str]
) -> Response:
    card = form.get("card", "good")
    if due["status"] != "open" or card not in invoice.CARDS:
        return invoice.show(account, due, language)
    customer = account.get("customer", due["customer"])
    method = methods.create(account, CardConduct(card), customer["email"], customer["name"])
    if invoices.collect(account, due, method, present=True) == "failed":
        return invoice.show(account, due, language, "card_declined")
    methods.make_default(account, method, customer)
    return invoice.show(account, due, language)


def _receipt(
    account: Account, charge: Obj, language: Language, _r: Request, _f: dict[str, str]
) -> Response:
    return receipt.show(account, charge, language)
