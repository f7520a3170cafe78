"""What problems with bots, chats and people mean to an operator, and how they are mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_RIGHTS: Final = "«Invite users via link» and «Ban users»"

#: As `PROBLEMS`, which holds these as well.
TELEGRAM: Final[Mapping[str, tuple[str, str]]] = {
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
            f"Add the bot to the chat as an administrator with {_RIGHTS}: it goes on by itself. If "
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
        f"Make the bot an administrator with {_RIGHTS}, then verify again.",
    ),
    "missing_rights": (
        "The bot lacks rights in the chat: {rights}.",
        (
            f"Open the chat's administrators, choose the bot and switch {_RIGHTS} on: it goes on "
            "by itself."
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
    "banned_by_hand": (
        "An administrator of the chat has banned the person.",
        "Press «Invite again» on the person's page if they should come back.",
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
}
