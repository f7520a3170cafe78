"""When each alert is over; every code that opens one is here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOK: Final = "when a look at the bot finds it right, within minutes"
_ACCOUNT: Final = "when a look at the account finds it right, within minutes"
_PRICE: Final = "when Stripe says that it is sold again, or it is off sale here"
_ENDPOINT: Final = "when the hourly look at Stripe's endpoints finds it right"

#: Code → what ends it. None of them is closed by hand.
ENDINGS: Final[Mapping[str, str]] = {
    "bot_unauthorized": _LOOK,
    "bot_not_found": _LOOK,
    "token_of_another_bot": _LOOK,
    "conflict": _LOOK,
    "webhook_elsewhere": _LOOK,
    "webhook_missing": _LOOK,
    "webhook_failing": "when deliveries come through, or no update waits",
    "webhook_refused": _LOOK,
    "webhook_secret_missing": _LOOK,
    "updates_pending": "when fewer than a thousand wait",
    "bot_not_in_chat": _LOOK,
    "missing_rights": _LOOK,
    "chat_not_channel": _LOOK,
    "chat_migrated": _LOOK,
    "removals_held": "when an operator has let them go on, or nobody is to leave any more",
    "price_archived": _PRICE,
    "product_archived": _PRICE,
    "price_not_found": _PRICE,
    "price_unsupported": _PRICE,
    "price_unknown": "when a plan sells it, or nobody subscribes to it any more",
    "subscription_status_unknown": "when no subscription is in that state any more",
    "stripe_key_invalid": _ACCOUNT,
    "stripe_key_missing": _ACCOUNT,
    "stripe_permission": _ACCOUNT,
    "stripe_wrong_mode": _ACCOUNT,
    "stripe_account_differs": _ACCOUNT,
    "stripe_silent": "when an event of Stripe's comes by itself",
    "stripe_events_missed": "when events come by themselves and none had to be fetched",
    "stripe_webhook_missing": _ENDPOINT,
    "stripe_webhook_elsewhere": _ENDPOINT,
    "stripe_webhook_disabled": _ENDPOINT,
    "stripe_webhook_types": _ENDPOINT,
    "stripe_webhook_version": _ENDPOINT,
    "pays_unreachable": "when the subscription ends or is cancelled, or the person is back",
    "alerts_unheard": "when a message comes through, or somebody else is named",
    "dead_letters": "when none is left: all were replayed or discarded",
    "unexpected": "when the next look finds nothing",
}
