"""Billing portal sessions and configurations."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe import errors
from velvetrope.sandbox.stripe.call import Call, apply
from velvetrope.sandbox.stripe.shapes import Obj, new_id

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account

_FEATURES: Obj = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": []},
        "enabled": True,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_pause": {
        "duration": {"interval_options": [], "type": "indefinite"},
        "enabled": False,
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": [],
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}


def default_configuration(account: Account) -> Obj:
    """Give the account's default configuration; made on first use."""
    for configuration in account.all("billing_portal.configuration"):
        if configuration["is_default"]:
            return configuration
    return _configuration(account, {"features": {}}, is_default=True)


def _configuration(account: Account, params: Obj, *, is_default: bool = False) -> Obj:
    features = deepcopy(_FEATURES)
    for name, given in params["features"].items():
        features[name] |= given
    return account.add(
        {
            "id": new_id("bpc"),
            "object": "billing_portal.configuration",
            "active": True,
            "application": None,
            "business_profile": {
                "headline": None,
                "privacy_policy_url": None,
                "terms_of_service_url": None,
            }
            | params.get("business_profile", {}),
            "created": account.now(),
            "default_return_url": params.get("default_return_url") or None,
            "features": features,
            "is_default": is_default,
            "livemode": False,
            "login_page": {"enabled": False, "url": None},
            "metadata": dict(params.get("metadata") or {}),
            "name": params.get("name") or None,
            "updated": account.now(),
        }
    )


def create_configuration(call: Call) -> Obj:
    return _configuration(call.account, call.params)


def retrieve_configuration(call: Call) -> Obj:
    return call.own("billing_portal.configuration")


def update_configuration(call: Call) -> Obj:
    configuration = call.own("billing_portal.configuration")
    apply(configuration, call.params, "active", "default_return_url", "name")
    for name, given in call.params.get("features", {}).items():
        configuration["features"][name] |= given
    configuration["updated"] = call.account.now()
    return configuration


def list_configurations(call: Call) -> Obj:
    default_configuration(call.account)
    return call.filtered("billing_portal.configuration", "active", "is_default")


def create_session(call: Call) -> Obj:
    """Open the portal for a customer."""
    params, account = call.params, call.account
    if "customer" not in params:
        raise errors.parameter_missing("customer")
    customer = account.get("customer", params["customer"], "customer")
    if "configuration" in params:
        kind = "billing_portal.configuration"
        configuration = account.get(kind, params["configuration"], "configuration")
    else:
        configuration = default_configuration(account)
    ident = new_id("bps")
    session = account.add(
        {
            "id": ident,
            "object": "billing_portal.session",
            "configuration": configuration["id"],
            "created": account.now(),
            "customer": customer["id"],
            "customer_account": None,
            "flow": _flow(account, params.get("flow_data")),
            "livemode": False,
            "locale": params.get("locale"),
            "on_behalf_of": None,
            "return_url": params.get("return_url") or configuration["default_return_url"],
            "url": f"{call.base_url}/portal/{ident}",
        }
    )
    account.emit("billing_portal.session.created", session)
    return session


def _flow(account: Account, given: Obj | None) -> Obj | None:
    if given is None:
        return None
    wanted = given.get("subscription_cancel", {}).get("subscription")
    if wanted is not None:
        account.get("subscription", wanted, "flow_data[subscription_cancel][subscription]")
    empty = dict.fromkeys(
        (
            "customer_update",
            "subscription_cancel",
            "subscription_pause",
            "subscription_update",
            "subscription_update_confirm",
        )
    )
    after: Obj = {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"}
    return {**empty, **given, "after_completion": after | given.get("after_completion", {})}
