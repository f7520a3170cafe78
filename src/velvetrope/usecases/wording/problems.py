"""What each problem means to an operator, and how it is mended, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

RIGHTS: Final = "«Invite users via link» and «Ban users»"
_RIGHTS: Final = {
    "can_invite_users": "«Invite users via link»",
    "can_restrict_members": "«Ban users»",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One problem in words; `details` is what the code's data adds, such as a chat's title."""

    code: str
    what: str
    fix: str
    details: str = ""


#: Code → what is wrong, how to mend it. Words in braces come from the problem's data.
PROBLEMS: Final[Mapping[str, tuple[str, str]]] = {
    # the bot
    "bot_unauthorized": (
        "Telegram does not accept the bot's token any more.",
        (
            "Open @BotFather, choose the bot, «API Token», copy it, and put it into «Bot token» on "
            "the integration's page, or run velvetrope bots set-token. What waits goes out then."
        ),
    ),
    "bot_not_found": (
        "Telegram does not know a bot with this token.",
        (
            "Copy the whole token from @BotFather again and put it into «Bot token» on the "
            "integration's page, or run velvetrope bots set-token."
        ),
    ),
    "token_of_another_bot": (
        "The token belongs to another bot than before.",
        "Give the token of the same bot, or add the other bot as an integration of its own.",
    ),
    "conflict": (
        "Another program receives this bot's updates by polling.",
        "Stop the other program (or give it a bot of its own), then verify again.",
    ),
    "webhook_elsewhere": (
        "The bot's updates are sent to another address: {url}.",
        (
            "Nothing was changed, in case another installation of yours has this bot: then stop it "
            "and press «Verify and register the webhook» here. Else somebody has your token: "
            "revoke it in @BotFather and put the new one in."
        ),
    ),
    "webhook_secret_missing": (
        "The integration has no webhook secret.",
        "Press «Rotate webhook secret» on its page, which makes a new one.",
    ),
    "webhook_missing": (
        "Telegram does not know where to send the bot's updates.",
        "Register the webhook again.",
    ),
    "webhook_failing": (
        "Telegram cannot deliver updates: {message}.",
        "Check that VELVETROPE_PUBLIC_URL is reachable from the internet over https.",
    ),
    "updates_pending": (
        "Many updates wait at Telegram to be delivered: {number}.",
        (
            "Nothing to do if the number falls. Else look whether the server is overloaded, and "
            "whether a proxy in front of it slows it down."
        ),
    ),
    "webhook_refused": (
        "Telegram refused the webhook's address.",
        (
            "VELVETROPE_PUBLIC_URL must be https, with a valid certificate, on port 443, 80, 88 or "
            "8443."
        ),
    ),
    "bot_inactive": (
        "The integration is disabled, so its bot does not speak.",
        "Enable the integration: what waits goes out then.",
    ),
    "integration_gone": ("The integration does not exist any more.", "It can be discarded."),
    "too_many_requests": (
        "Telegram asks for a pause.",
        "Nothing to do: the work goes on when the pause is over.",
    ),
    "telegram_unavailable": (
        "Telegram does not answer.",
        "Nothing to do: it is tried again. Check the server's connection if it lasts.",
    ),
    "telegram_timeout": (
        "Telegram did not answer in time.",
        "Nothing to do: it is tried again. Check the server's connection if it lasts.",
    ),
    # chats
    "bot_not_in_chat": (
        "The bot is not in the chat.",
        (
            f"Add the bot to the chat as an administrator with {RIGHTS}: it goes on by itself. If "
            "the chat was deleted, make a new one and give its id on the chat's page, or run "
            "velvetrope bots replace-chat."
        ),
    ),
    "chat_not_found": (
        "Telegram does not know the chat, or the bot has never been in it.",
        "Check the id, and add the bot to the chat as an administrator; then verify again.",
    ),
    "bot_not_admin": (
        "The bot is in the chat, but not as an administrator.",
        f"Make the bot an administrator with {RIGHTS}, then verify again.",
    ),
    "missing_rights": (
        "The bot lacks rights in the chat: {rights}.",
        (
            f"Open the chat's administrators, choose the bot and switch {RIGHTS} on: it goes on by "
            "itself."
        ),
    ),
    "chat_not_channel": (
        "The chat is a basic group, which cannot be guarded.",
        (
            "Turn it into a supergroup (make its history visible to new members), add its new id "
            "here, and verify again."
        ),
    ),
    "chat_migrated": (
        "The group became a supergroup and has a new id: {migrate_to_chat_id}.",
        "Both ids are listed here: take the old one out of the integration.",
    ),
    "bad_request": (
        "Telegram refused a request that the product should not have made.",
        "See the error below and report it; the integration is not at fault.",
    ),
    "forbidden": (
        "Telegram does not allow the bot to do this.",
        "Check that the bot is an administrator of the chat, then verify again.",
    ),
    "removals_held": (
        "Many members of {chat} are to leave at once: {gone} of {known} have left, the rest waits.",
        (
            "Look at the list under «Removals» (or velvetrope removals list). Confirm it if it "
            "is right. If it is not, mend the cause in Stripe: who pays again leaves the list."
        ),
    ),
    "target_is_admin": (
        "The person is an administrator of the chat, and bots cannot remove those.",
        "Take the person's administrator rights away in Telegram if they should leave.",
    ),
    "chat_unknown": (
        "The chat has been taken out of the integration since.",
        "Nothing to do: it can be discarded.",
    ),
    # people
    "blocked_by_user": (
        "The person blocks the bot.",
        "Nothing to do: they are written to again once they unblock it.",
    ),
    "user_deactivated": ("The person's Telegram account is gone.", "Nothing to do."),
    "cannot_initiate": (
        "The person has never pressed /start.",
        "Nothing to do: bots may not write first.",
    ),
    "too_many_chats": (
        "The person is in too many Telegram chats.",
        "They were told to leave one and to ask to enter again.",
    ),
    "request_missing": (
        "The request to enter was withdrawn or answered by somebody else.",
        "Nothing to do: the person can ask to enter again.",
    ),
    "already_participant": ("The person is inside already.", "Nothing to do."),
    "not_modified": ("The message says so already.", "Nothing to do."),
    "query_expired": (
        "The press of a button was answered too late.",
        "Nothing to do: the person can press it again.",
    ),
    "nothing_to_manage": (
        "The person has nothing at Stripe to manage.",
        "Nothing to do: it can be discarded.",
    ),
    "plan_not_for_sale": (
        "The plan is not for sale.",
        "Put it on sale, or unarchive its price in Stripe, if people should buy it.",
    ),
    "no_news": (
        "The person had heard it before the database was rebuilt.",
        "Nothing to do: it is on record so that it isn't said again.",
    ),
    # Stripe
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
    # people who pay
    "pays_unreachable": (
        "A customer's Telegram account is deleted, and their subscription goes on being paid.",
        (
            "They keep their place. Ask them by the e-mail address that Stripe has, or cancel the "
            "subscription in Stripe; nothing is cancelled by itself."
        ),
    ),
    # operators
    "alerts_unheard": (
        "The bot could not write to the person who hears of alerts.",
        "Let them press Start in the bot, or name somebody else on the integration's page.",
    ),
    "dead_letters": (
        "Some work failed for good and waits for you.",
        "Open «Dead letters»: mend the cause that is named there, then replay or discard them.",
    ),
    # the product itself
    "database_busy": (
        "The database was busy with somebody else's work for too long.",
        "Replay it; look for another program that holds the database file if it happens often.",
    ),
    "database_unavailable": (
        "The database could not be written.",
        "Check the disk's free space and the file's permissions, then replay.",
    ),
    "unexpected": (
        "Something happened that the product was not made for.",
        "See the trace, report it, and replay after an update.",
    ),
    "secret_unreadable": (
        "A stored secret cannot be read with the present encryption keys.",
        (
            "Put the key that it was written with back into VELVETROPE_ENCRYPTION_KEYS, behind the "
            "first."
        ),
    ),
}

_PLACEHOLDER: Final = re.compile(r"(?P<lead>:? )\{(?P<name>[a-z_]+)\}")

_UNKNOWN = (
    "Something that this version has no words for.",
    "See the details and the log; then verify again.",
)


def explain(problem: object, titles: Mapping[int, str] | None = None) -> Explanation:
    """Put a stored problem, `{"code": …, "data": {…}}`, or a bare code into words.

    `titles` names chats by their Telegram ids.
    """
    code, data = _parts(problem)
    what, fix = PROBLEMS.get(code, _UNKNOWN)
    values = {name: _value(name, value) for name, value in data.items() if value is not None}
    rest = {name: value for name, value in data.items() if f"{{{name}}}" not in what + fix}
    details = ", ".join(_detail(name, value, titles or {}) for name, value in rest.items())
    return Explanation(code, _filled(what, values), _filled(fix, values), details)


def explain_all(problems: object) -> list[Explanation]:
    return [explain(one) for one in problems] if isinstance(problems, list) else []


def _parts(problem: object) -> tuple[str, dict[str, object]]:
    if isinstance(problem, str):
        return problem, {}
    if not isinstance(problem, Mapping):
        return "unknown", {}
    data = problem.get("data")
    return str(problem.get("code", "unknown")), dict(data) if isinstance(data, Mapping) else {}


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Fill placeholders in; one without a value goes, with the colon or space before it."""
    return _PLACEHOLDER.sub(
        lambda found: found["lead"] + values[found["name"]] if found["name"] in values else "", text
    )


def _value(name: str, value: object) -> str:
    """Name rights as Telegram's apps do; anything else is shown as it is."""
    if name != "rights":
        return str(value)
    return ", ".join(_RIGHTS.get(one.strip(), one.strip()) for one in str(value).split(","))


def _detail(name: str, value: object, titles: Mapping[int, str]) -> str:
    title = titles.get(value) if isinstance(value, int) else None
    return f"{name}: {title} ({value})" if title else f"{name}: {value}"
