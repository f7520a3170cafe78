"""What the product asks Stripe to make, and the parameters that say so at the pinned version."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from stripe.params import CustomerCreateParams
    from stripe.params.checkout import SessionCreateParams

#: Languages of Checkout and of the portal among ours; the rest follow the browser's.
_LOCALES: Final = frozenset({"en", "ru"})


class CustomerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A customer to be made; `language` is the person's, for Stripe's own mails."""

    metadata: dict[str, str]
    name: str | None = None
    language: str | None = None


class CheckoutRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A Checkout Session for one price.

    `metadata` is put on the session and on what it makes: the subscription, or the payment and
    its invoice. `expires_at` is 30 minutes to 24 hours away; `trial_days` is for subscriptions.
    """

    price_id: str
    mode: Literal["subscription", "payment"]
    customer: str
    client_reference_id: str
    metadata: dict[str, str]
    success_url: str
    cancel_url: str
    locale: str = "auto"
    allow_promotion_codes: bool = False
    trial_days: int | None = None
    expires_at: datetime | None = None
    with_invoice: bool = False


def locale_for(language: str | None) -> Literal["auto", "en", "ru"]:
    """Choose the language of Stripe's pages; Checkout does not speak Ukrainian."""
    return language if language in _LOCALES else "auto"  # type: ignore[return-value]  # by the set


def customer_params(request: CustomerRequest) -> CustomerCreateParams:
    params: CustomerCreateParams = {"metadata": request.metadata}
    if request.name:
        params["name"] = request.name
    if request.language:
        params["preferred_locales"] = [request.language]
    return params


def checkout_params(request: CheckoutRequest) -> SessionCreateParams:
    """Write the request; metadata does not flow from a session, so it is written to each place."""
    params: SessionCreateParams = {
        "mode": request.mode,
        "line_items": [{"price": request.price_id, "quantity": 1}],
        "customer": request.customer,
        "client_reference_id": request.client_reference_id,
        "metadata": request.metadata,
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "locale": locale_for(request.locale),
    }
    if request.allow_promotion_codes:
        params["allow_promotion_codes"] = True
    if request.expires_at is not None:
        params["expires_at"] = int(request.expires_at.timestamp())
    if request.mode == "subscription":
        params["subscription_data"] = {"metadata": request.metadata}
        if request.trial_days:
            params["subscription_data"]["trial_period_days"] = request.trial_days
        return params
    params["payment_intent_data"] = {"metadata": request.metadata}
    if request.with_invoice:
        params["invoice_creation"] = {
            "enabled": True,
            "invoice_data": {"metadata": request.metadata},
        }
    return params
