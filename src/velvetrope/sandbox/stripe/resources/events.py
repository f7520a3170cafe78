"""Events and webhook endpoints through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from velvetrope.sandbox.stripe import errors
from velvetrope.sandbox.stripe.call import Call, apply
from velvetrope.sandbox.stripe.shapes import Obj, new_id

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account

_MOST_TYPES = 20


def retrieve_event(call: Call) -> Obj:
    event = call.own("event")
    if call.account.is_forgotten(event):
        raise errors.resource_missing("event", call.id, "id")
    return event


def list_events(call: Call) -> Obj:
    params = call.params
    if "type" in params and "types" in params:
        raise errors.parameters_exclusive("type", "types")
    types = params.get("types", [])
    if len(types) > _MOST_TYPES:
        raise errors.invalid(f"You may specify at most {_MOST_TYPES} types.", "types")
    rows = call.account.events()
    if types:
        rows = [row for row in rows if row["type"] in types]
    wanted = params.get("type")
    if wanted is not None:
        rows = [row for row in rows if matches(row["type"], wanted)]
    if "delivery_success" in params:
        done = params["delivery_success"]
        rows = [row for row in rows if (row["pending_webhooks"] == 0) is done]
    return call.page(rows)


def matches(kind: str, wanted: str) -> bool:
    """Tell whether an event type falls under `wanted`, which may end in `*`."""
    return kind.startswith(wanted[:-1]) if wanted.endswith("*") else kind == wanted


def create_endpoint(call: Call) -> Obj:
    """Make an endpoint; the secret is shown this once."""
    params = call.params
    endpoint = new_endpoint(
        call.account,
        params["url"],
        enabled_events=params["enabled_events"],
        api_version=params.get("api_version"),
        description=params.get("description") or None,
        metadata=params.get("metadata") or None,
    )
    return {**endpoint, "secret": call.account.secrets[endpoint["id"]][0].text}


def new_endpoint(
    account: Account,
    url: str,
    *,
    enabled_events: list[str],
    api_version: str | None = None,
    description: str | None = None,
    metadata: Obj | None = None,
    secret: str | None = None,
) -> Obj:
    """Make a webhook endpoint with `secret`, or a fresh one."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise errors.ApiError(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param="url",
        )
    endpoint = account.add(
        {
            "id": new_id("we"),
            "object": "webhook_endpoint",
            "api_version": api_version,
            "application": None,
            "created": account.now(),
            "description": description,
            "enabled_events": enabled_events,
            "livemode": False,
            "metadata": dict(metadata or {}),
            "status": "enabled",
            "url": url,
        }
    )
    account.set_secret(endpoint["id"], secret or new_id("whsec", 32))
    return endpoint


def retrieve_endpoint(call: Call) -> Obj:
    return call.own("webhook_endpoint")


def list_endpoints(call: Call) -> Obj:
    return call.page(call.account.all("webhook_endpoint"))


def update_endpoint(call: Call) -> Obj:
    endpoint = call.own("webhook_endpoint")
    apply(endpoint, call.params, "description", "enabled_events", "url")
    if "disabled" in call.params:
        endpoint["status"] = "disabled" if call.params["disabled"] else "enabled"
    return endpoint


def delete_endpoint(call: Call) -> Obj:
    return call.account.remove(call.own("webhook_endpoint"))
