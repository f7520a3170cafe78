"""What problems with Stripe mean to an operator, and how they are mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: As `PROBLEMS`, which holds these as well.
STRIPE: Final[Mapping[str, tuple[str, str]]] = {
    "price_unknown": (
        "A subscription is billed for a price that this bot does not sell: {price}.",
        (
            "Its access stays as it was. Add the price on the integration's page, or move the "
            "subscription to one of the bot's prices in Stripe."
        ),
    ),
    "subscription_status_unknown": (
        "A subscription is in a state that this version does not know: {status}.",
        "Its access stays as it was. Look at it in Stripe, and update the product.",
    ),
    "stripe_key_invalid": (
        "Stripe does not accept the API key.",
        "Create a secret or restricted key in Stripe, Developers, API keys, and put it in.",
    ),
    "stripe_permission": (
        "The Stripe key may not do what is needed.",
        "Give the restricted key the permissions that the guide lists, or use a secret key.",
    ),
    "stripe_not_found": (
        "Stripe does not know what was asked for.",
        "Check that it belongs to this account and mode (test or live).",
    ),
    "stripe_invalid_request": (
        "Stripe refused a request.",
        "Check the plan's price in Stripe; the event can be replayed once it is mended.",
    ),
    "stripe_key_missing": (
        "There is no API key for the Stripe account.",
        "Set VELVETROPE_STRIPE_API_KEY and restart, or put a key into the account here.",
    ),
    "stripe_account_differs": (
        "The API key is of another Stripe account than before.",
        (
            "Nobody was removed. Put a key of the former account back, or add the other one as a "
            "Stripe account of its own and let the integrations sell from it."
        ),
    ),
    "stripe_portal_not_configured": (
        "Stripe's customer portal has no settings yet, so people cannot manage their payments.",
        "Open Stripe, Settings, Billing, Customer portal, and save its settings once.",
    ),
    "stripe_wrong_mode": (
        "The key and the object are of different modes (test and live).",
        "Use the key and the prices of one mode.",
    ),
    "answer_overtaken": (
        "Stripe's answer was older than what was known when it came.",
        "Nothing to do: Stripe is asked again.",
    ),
    "stripe_unavailable": (
        "Stripe does not answer.",
        "Nothing to do: it is tried again. See Stripe's status page if it lasts.",
    ),
    "stripe_timeout": (
        "Stripe did not answer in time.",
        "Nothing to do: it is tried again. See Stripe's status page if it lasts.",
    ),
    "stripe_rate_limited": (
        "Stripe asks for fewer requests.",
        "Nothing to do: it is tried again, more slowly.",
    ),
    "price_not_found": (
        "Stripe has no price {price} in this account.",
        "Check the id, the account and the mode (test or live); add the right price.",
    ),
    "price_archived": (
        "The price {price} is archived in Stripe, so it is not sold any more.",
        "Unarchive the price, or take it off sale and add another one. Present members stay.",
    ),
    "product_archived": (
        "The product of the price {price} is archived in Stripe, so it is not sold any more.",
        "Unarchive the product, or add a price of another one. Present members stay.",
    ),
    "price_unsupported": (
        "The price {price} has no fixed amount.",
        "Use a price with one fixed amount, paid once or per period.",
    ),
    "no_plans": ("There is nothing to sell.", "Add a price id (price_…) below."),
    "no_chats": ("There is nothing to open.", "Add the id of a channel or supergroup below."),
    # what reconciliation found
    "stripe_silent": (
        "Stripe has not sent an event for {hours} hours, although people subscribe.",
        (
            "Open Stripe, Developers, Webhooks: is there an endpoint for this server, is it "
            "enabled, and do its deliveries fail? Is the key of the same account? What was missed "
            "is fetched every hour."
        ),
    ),
    "stripe_events_missed": (
        "Events of Stripe's never came by themselves and had to be fetched: {events}.",
        (
            "Open Stripe, Developers, Webhooks, and see why deliveries to this server fail. "
            "Nothing is lost meanwhile: what is missed is fetched every hour, only late."
        ),
    ),
    "stripe_webhook_missing": (
        "Stripe has no webhook endpoint for this server.",
        (
            "Open Stripe, Developers, Webhooks, add the endpoint {url} with the events that the "
            "guide lists, and put its signing secret in."
        ),
    ),
    "stripe_webhook_elsewhere": (
        "Stripe's webhook endpoint leads to another address: {other}.",
        (
            "Change the endpoint's address in Stripe to {url}, or VELVETROPE_PUBLIC_URL here if "
            "the other one is right."
        ),
    ),
    "stripe_webhook_disabled": (
        "Stripe's webhook endpoint for this server is disabled.",
        (
            "Open Stripe, Developers, Webhooks, choose {url}, mend what its deliveries failed of, "
            "and enable it."
        ),
    ),
    "stripe_webhook_types": (
        "Stripe's webhook endpoint leaves out events that are needed: {types}.",
        "Open Stripe, Developers, Webhooks, choose the endpoint, and add these events.",
    ),
    "stripe_webhook_version": (
        "Stripe's webhook endpoint sends events of API version {version}, not {wanted}.",
        (
            "Nothing is lost: every event is looked up again. To be sure of it, add an endpoint "
            "with version {wanted}, put its signing secret in, and remove the old one."
        ),
    ),
}
