"""A second opinion on every request that the product sends.

`check_bot_api_request` asks aiogram's method models, `check_stripe_request` the parameter types of
the official SDK; both know more methods and parameters than the product uses, so a simulator's
leniency cannot hide a wrong one. `check_calls_of` puts all that a sandbox was asked before them.
Each raises `WrongRequestError` that says what is wrong where.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import types
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final, Literal, NotRequired, Union, get_args, get_origin
from typing import get_type_hints as resolve

import aiogram.methods
import pydantic
from aiogram.methods.base import TelegramMethod
from aiogram.types.base import TelegramObject
from stripe import RequestOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.processes import Sandbox


UNAUTHORIZED: Final = 401


class WrongRequestError(AssertionError):
    """A request that the real service would refuse or misread."""


def check_calls_of(sandbox: Sandbox) -> int:
    """Check every request that the sandbox's two simulators got; gives how many there were.

    Requests that were cut off by a fault, or for a revoked token, before they were read are left
    out.
    """
    checked = 0
    for call in _calls(sandbox.telegram):
        if call["params"] or not (call.get("fault") or call["status"] == UNAUTHORIZED):
            check_bot_api_request(call["method"], call["params"])
            checked += 1
    for call in _calls(sandbox.stripe):
        if call["params"] or not call.get("fault"):
            check_stripe_request(call["method"], call["path"], call["params"])
            checked += 1
    return checked


def _calls(control: httpx.Client) -> Iterator[Mapping[str, Any]]:
    after = 0
    while True:
        page = control.get("/control/calls", params={"after": after, "limit": 1000}).json()
        yield from page["calls"]
        if not page["calls"] or page["calls"][-1]["number"] >= page["last"]:
            return
        after = page["calls"][-1]["number"]


# --- Bot API ---------------------------------------------------------------------------------

#: Limits that the models do not state (facts: «Webhooks», «Letting people in and out», «Manners»).
_LONGEST: Final = {
    ("createChatInviteLink", "name"): 32,
    ("setMyDescription", "description"): 512,
    ("setMyShortDescription", "short_description"): 120,
    ("answerCallbackQuery", "text"): 200,
    ("setWebhook", "secret_token"): 256,
}
_TEXT_METHODS: Final = frozenset({"sendMessage", "editMessageText"})
_TAGS: Final = frozenset(
    [
        "a",
        "b",
        "blockquote",
        "code",
        "del",
        "em",
        "i",
        "ins",
        "pre",
        "s",
        "span",
        "strike",
        "strong",
        "tg-emoji",
        "tg-spoiler",
        "tg-time",
        "u",
    ]
)


def check_bot_api_request(method: str, params: Mapping[str, Any]) -> None:
    """Check one call of the Bot API: `params` as the JSON body or as parsed from a query."""
    model = _bot_api_methods().get(method)
    if model is None:
        raise WrongRequestError(f"the Bot API has no method {method}")
    try:
        call = model.model_validate(dict(params))
    except pydantic.ValidationError as error:
        raise WrongRequestError(f"{method}: {error}") from None
    for where, unknown in _extras(call, method):
        raise WrongRequestError(f"{where} has no member {unknown}")
    written = call.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
    if json.dumps(written, sort_keys=True) != json.dumps(params, sort_keys=True):
        raise WrongRequestError(f"{method}: {dict(params)} would be read as {written}")
    _check_limits(method, params)


@cache
def _bot_api_methods() -> dict[str, type[TelegramMethod[Any]]]:
    found = (getattr(aiogram.methods, name) for name in aiogram.methods.__all__)
    return {
        kind.__api_method__: kind
        for kind in found
        if isinstance(kind, type)
        and issubclass(kind, TelegramMethod)
        and kind is not TelegramMethod
    }


def _extras(value: object, where: str) -> Iterator[tuple[str, str]]:
    """Find members that no model declares: the models themselves let them pass."""
    if isinstance(value, TelegramMethod | TelegramObject):
        yield from ((where, name) for name in value.model_extra or ())
        for name in value.model_fields_set:
            yield from _extras(getattr(value, name, None), f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _extras(item, f"{where}[{index}]")


def _check_limits(method: str, params: Mapping[str, Any]) -> None:
    for (of_method, name), longest in _LONGEST.items():
        if of_method == method and len(params.get(name) or "") > longest:
            raise WrongRequestError(f"{method}.{name} is longer than {longest}")
    if method in _TEXT_METHODS:
        _check_text(method, params)
    if method == "createChatInviteLink" and params.get("member_limit") is not None:
        _forbid(params.get("creates_join_request"), "member_limit excludes creates_join_request")
    if method == "setWebhook":
        _check_webhook(params)
    for row in (params.get("reply_markup") or {}).get("inline_keyboard", ()):
        for button in row:
            _check_button(button)


def _check_webhook(params: Mapping[str, Any]) -> None:
    url, secret = params["url"], params.get("secret_token") or "x"
    local = re.match(r"http://(?:127\.0\.0\.1|localhost|\[::1\])[:/]", url)  # the sandbox's
    _forbid(url and not url.startswith("https://") and not local, "a webhook is an https address")
    _forbid(url and not params.get("allowed_updates"), "the updates set before would be kept")
    _forbid(not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret), "the secret_token is malformed")
    _forbid(not 1 <= params.get("max_connections", 40) <= 100, "max_connections is out of range")


def _forbid(wrong: object, why: str) -> None:
    if wrong:
        raise WrongRequestError(why)


def _check_button(button: Mapping[str, Any]) -> None:
    actions = sorted(set(button) - {"text", "style", "icon_custom_emoji_id"})
    if not button.get("text") or len(actions) != 1:
        raise WrongRequestError(f"a button has a text and exactly one action, not {actions}")
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
        raise WrongRequestError("callback_data is not of 1-64 bytes")
    if "url" in button and not re.match(r"(?:https?|tg)://[^\s]+$", button["url"]):
        raise WrongRequestError(f"a button's url is no address: {button['url'][:40]}")


def _check_text(method: str, params: Mapping[str, Any]) -> None:
    text = params["text"]
    if params.get("parse_mode") == "HTML":
        text = _Html.plain(method, text)
    if not 1 <= len(text.strip()) <= 4096:
        raise WrongRequestError(f"{method}.text has {len(text)} characters after parsing")


class _Html(HTMLParser):
    """Reads HTML as Telegram does: known tags, properly nested, everything else escaped."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []

    @classmethod
    def plain(cls, method: str, html: str) -> str:
        parser = cls()
        if re.search(r"<(?![a-z/])|&(?!(?:lt|gt|amp|quot|#[0-9]+|#x[0-9a-fA-F]+);)", html):
            raise WrongRequestError(f"{method}: unescaped < or & in {html[:80]!r}")
        parser.feed(html)
        parser.close()
        if parser.wrong or parser.open:
            raise WrongRequestError(
                f"{method}: tags {parser.wrong or parser.open} in {html[:80]!r}"
            )
        return "".join(parser.text)

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag not in _TAGS:
            self.wrong.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


# --- Stripe ----------------------------------------------------------------------------------

#: Requests and the SDK's types of their parameters; `*` is an id.
_STRIPE: Final = {
    "GET /v1/account": "AccountRetrieveCurrentParams",
    "GET /v1/prices/*": "PriceRetrieveParams",
    "GET /v1/prices": "PriceListParams",
    "GET /v1/products/*": "ProductRetrieveParams",
    "GET /v1/subscriptions/*": "SubscriptionRetrieveParams",
    "GET /v1/subscriptions": "SubscriptionListParams",
    "GET /v1/checkout/sessions/*": "checkout.SessionRetrieveParams",
    "GET /v1/checkout/sessions": "checkout.SessionListParams",
    "POST /v1/checkout/sessions": "checkout.SessionCreateParams",
    "POST /v1/checkout/sessions/*/expire": "checkout.SessionExpireParams",
    "GET /v1/payment_intents/*": "PaymentIntentRetrieveParams",
    "GET /v1/payment_intents": "PaymentIntentListParams",
    "GET /v1/balance_transactions/*": "BalanceTransactionRetrieveParams",
    "GET /v1/refunds": "RefundListParams",
    "GET /v1/refunds/*": "RefundRetrieveParams",
    "GET /v1/disputes": "DisputeListParams",
    "GET /v1/disputes/*": "DisputeRetrieveParams",
    "GET /v1/charges": "ChargeListParams",
    "GET /v1/charges/*": "ChargeRetrieveParams",
    "GET /v1/invoices": "InvoiceListParams",
    "GET /v1/invoices/*": "InvoiceRetrieveParams",
    "GET /v1/invoice_payments": "InvoicePaymentListParams",
    "GET /v1/customers/*": "CustomerRetrieveParams",
    "GET /v1/customers": "CustomerListParams",
    "POST /v1/customers": "CustomerCreateParams",
    "POST /v1/billing_portal/sessions": "billing_portal.SessionCreateParams",
    "GET /v1/events": "EventListParams",
    "GET /v1/events/*": "EventRetrieveParams",
    "GET /v1/webhook_endpoints": "WebhookEndpointListParams",
}
_SCALARS: Final = {
    "int": re.compile(r"-?[0-9]+"),
    "bool": re.compile(r"true|false"),
    "float": re.compile(r"-?[0-9]+(?:\.[0-9]+)?"),
    "Decimal": re.compile(r"-?[0-9]+(?:\.[0-9]+)?"),
}


def check_stripe_request(method: str, path: str, params: Mapping[str, Any]) -> None:
    """Check one request to Stripe.

    `params` is a form's fields as they are on the wire (`line_items[0][price]`) or nested data.
    """
    verb = method.upper()
    name = next((_STRIPE[rule] for rule in _STRIPE if _matches(rule, f"{verb} {path}")), None)
    if name is None:
        raise WrongRequestError(f"the product is not known to ask {verb} {path}")
    package, _, leaf = f"stripe.params.{name}".rpartition(".")
    kind = getattr(importlib.import_module(package), leaf)
    nested = _nested(params) if any("[" in key for key in params) else dict(params)
    _check_members(nested, kind, f"{verb} {path}")


def _matches(rule: str, request: str) -> bool:
    pattern = re.escape(rule).replace(r"\*", "[^/?#]+")
    return re.fullmatch(pattern, request) is not None


def _nested(form: Mapping[str, Any]) -> dict[str, Any]:
    """Turn `a[b][0]=c` into `{"a": {"b": {"0": c}}}`."""
    tree: dict[str, Any] = {}
    for field, value in form.items():
        first, *rest = field.replace("]", "").split("[")
        place, steps = tree, [first, *rest]
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1]] = value
    return tree


@cache
def _members(kind: Any) -> dict[str, tuple[Any, bool]]:
    """Give the members of a TypedDict of the SDK: their types, and whether they are required."""
    options = RequestOptions.__annotations__
    own = {name: hint for name, hint in kind.__annotations__.items() if name not in options}
    # The hints are strings inside of NotRequired, and those of RequestOptions cannot be resolved:
    # a class that holds only the others can.
    holder = type("Holder", (), {"__annotations__": own})
    hints = resolve(holder, globalns=vars(sys.modules[kind.__module__]), include_extras=True)
    return {
        name: (get_args(hint)[0], False) if get_origin(hint) is NotRequired else (hint, True)
        for name, hint in hints.items()
    }


def _check_members(value: Mapping[str, Any], kind: Any, where: str) -> None:
    members = _members(kind)
    for name in value:
        if name not in members:
            raise WrongRequestError(f"{where} has no parameter {name}")
    for name, (hint, required) in members.items():
        if name in value:
            _check_value(value[name], hint, f"{where} {name}")
        elif required:
            raise WrongRequestError(f"{where} needs {name}")


def _check_value(value: Any, hint: Any, where: str) -> None:
    kinds = list(_flat(hint))
    words = [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    if isinstance(value, Mapping | list | tuple):
        _check_container(value, kinds, where)
        return
    text = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else str(value)
    if text in words:
        return
    if words and str in kinds:  # the SDK leaves its enumerations open; requests shall not
        raise WrongRequestError(f"{where} is none of {words}: {text}")
    if str in kinds and text:
        return
    names = [getattr(kind, "__name__", "") for kind in kinds]
    if not any(name in _SCALARS and _SCALARS[name].fullmatch(text or "") for name in names):
        raise WrongRequestError(f"{where} is not {hint}: {text!r}")


def _check_container(value: Any, kinds: list[Any], where: str) -> None:
    for kind in kinds:
        if get_origin(kind) is list:
            items = list(value.values()) if isinstance(value, Mapping) else list(value)
            for index, item in enumerate(items):
                _check_value(item, get_args(kind)[0], f"{where}[{index}]")
            return
        if isinstance(value, Mapping) and hasattr(kind, "__required_keys__"):
            _check_members(value, kind, where)
            return
        if isinstance(value, Mapping) and get_origin(kind) is dict:
            _check_metadata(value, where)
            return
    raise WrongRequestError(f"{where} is neither a list nor an object")


def _check_metadata(value: Mapping[str, Any], where: str) -> None:
    for key, text in value.items():
        if not isinstance(text, str) or len(key) > 40 or len(text) > 500:
            raise WrongRequestError(f"{where}: metadata {key} is too long or no text")
    if len(value) > 50:
        raise WrongRequestError(f"{where}: more than 50 keys of metadata")


def _flat(hint: Any) -> Iterator[Any]:
    if get_origin(hint) in {Union, types.UnionType}:
        for part in get_args(hint):
            yield from _flat(part)
    else:
        yield hint
