"""A bot, its rights and its prices, as Telegram and Stripe see them now. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError
from velvetrope.domain.states import ChatKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.domain.errors import Plain
    from velvetrope.gateways.stripe.gateway import StripeGateway
    from velvetrope.gateways.stripe.snapshots import PriceSnapshot
    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.gateways.telegram.records import BotUser

#: The least that has to be delivered; a webhook without them is set again.
NEEDED_UPDATES = frozenset(
    {"message", "callback_query", "my_chat_member", "chat_member", "chat_join_request"}
)
#: Updates that wait at Telegram: more than these are more than a burst.
MOST_WAITING = 1000
#: How long ago a failed delivery says something of the present.
RECENT = timedelta(hours=1)
#: What the bot must be allowed to do in a chat that it guards.
RIGHTS = ("can_invite_users", "can_restrict_members")


@dataclass(frozen=True, slots=True)
class Problem:
    """What an operator has to mend: a stable code and plain data for its words."""

    code: str
    data: dict[str, Plain]

    def as_json(self) -> dict[str, object]:
        return {"code": self.code, "data": self.data}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFinding:
    """One chat as it is now; `moved_to` is its new id after an upgrade to a supergroup."""

    telegram_id: int
    title: str = ""
    kind: ChatKind = ChatKind.UNKNOWN
    problem: Problem | None = None
    moved_to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFinding:
    """Where a bot's updates go; `is_ours` tells whether they come here as they should."""

    is_ours: bool = False
    problems: tuple[Problem, ...] = ()
    #: Nobody gets them, or not all of them: setting it again takes them from nobody.
    is_free: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFinding:
    price_id: str
    snapshot: PriceSnapshot | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All that was found; `bot` is None if its token doesn't work."""

    bot: BotUser | None
    chats: tuple[ChatFinding, ...]
    prices: tuple[PriceFinding, ...]
    #: Of the bot or the Stripe account as a whole.
    general: tuple[Problem, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        of_chats = [chat.problem for chat in self.chats]
        of_prices = [price.problem for price in self.prices]
        return (*self.general, *(one for one in (*of_chats, *of_prices) if one is not None))


async def examine_bot(
    bot: BotApi, chat_ids: Sequence[int], *, bot_id: int | None = None
) -> Examination:
    """Look at Telegram's side; raises RetryLater only, since all else is a finding.

    `bot_id` is whose the token was, if that is known.
    """
    general: list[Problem] = []
    user = None
    try:
        user = await bot.get_me()
    except (Permanent, NeedsOperator) as error:
        general.append(_problem(error))
    if user is not None and bot_id not in {None, user.id}:
        general.append(Problem("token_of_another_bot", {"bot": user.username}))
        user = None
    chats = [] if user is None else [await _examine_chat(bot, user.id, one) for one in chat_ids]
    return Examination(bot=user, chats=tuple(chats), prices=(), general=tuple(general))


async def examine_webhook(bot: BotApi, url: str, now: datetime) -> WebhookFinding:
    """Look where the bot's updates go; raises RetryLater only, since all else is a finding."""
    try:
        info = await bot.get_webhook_info()
    except (Permanent, NeedsOperator) as error:
        return WebhookFinding(problems=(_problem(error),))
    if not info.url:
        return WebhookFinding(problems=(Problem("webhook_missing", {}),), is_free=True)
    if info.url != url:
        # Only the host: the rest of a stranger's address may be a secret of theirs.
        elsewhere: dict[str, Plain] = {"url": urlsplit(info.url).netloc.rpartition("@")[2]}
        return WebhookFinding(problems=(Problem("webhook_elsewhere", elsewhere),))
    found: list[Problem] = []
    failed_at = datetime.fromtimestamp(info.last_error_date or 0, UTC)
    if info.pending_update_count and now - failed_at < RECENT:
        found.append(Problem("webhook_failing", {"message": info.last_error_message or ""}))
    if info.pending_update_count >= MOST_WAITING:
        found.append(Problem("updates_pending", {"number": info.pending_update_count}))
    incomplete = not NEEDED_UPDATES.issubset(info.allowed_updates)
    return WebhookFinding(is_ours=True, problems=tuple(found), is_free=incomplete)


async def examine_prices(
    found: Examination, stripe: StripeGateway, price_ids: Sequence[str]
) -> Examination:
    """Look at Stripe's side, too; raises RetryLater, and NeedsOperator if the key is the fault."""
    prices = [await examine_price(stripe, price_id) for price_id in price_ids]
    return replace(found, prices=tuple(prices))


async def examine(
    bot: BotApi, stripe: StripeGateway, chat_ids: Sequence[int], price_ids: Sequence[str]
) -> Examination:
    """Look at everything; raises RetryLater only, since all else is a finding."""
    found = await examine_bot(bot, chat_ids)
    try:
        return await examine_prices(found, stripe, price_ids)
    except NeedsOperator as error:
        return replace(found, general=(*found.general, _problem(error)))


async def examine_price(stripe: StripeGateway, price_id: str) -> PriceFinding:
    """Look at one price; raises RetryLater, and NeedsOperator if the account's key is the fault."""
    try:
        snapshot = await stripe.fetch_price(price_id)
    except Permanent as error:
        code = "price_not_found" if error.code == "stripe_not_found" else error.code
        return PriceFinding(price_id=price_id, problem=Problem(code, {"price": price_id}))
    problem = None
    if not (snapshot.active and snapshot.product_active):
        code = "price_archived" if snapshot.product_active else "product_archived"
        problem = Problem(code, {"price": price_id, "product": snapshot.product_name})
    return PriceFinding(price_id=price_id, snapshot=snapshot, problem=problem)


async def _examine_chat(bot: BotApi, bot_id: int, telegram_id: int) -> ChatFinding:
    try:
        info = await bot.get_chat(telegram_id)
    except RetryLater as error:
        moved_to = error.data.get("migrate_to_chat_id")
        if not isinstance(moved_to, int):
            raise
        found = await _examine_chat(bot, bot_id, moved_to)
        return ChatFinding(
            telegram_id=telegram_id,
            title=found.title,
            kind=found.kind,
            problem=found.problem,
            moved_to=moved_to,
        )
    except (Permanent, NeedsOperator) as error:
        code = "bot_not_in_chat" if error.code == "chat_not_found" else error.code
        return ChatFinding(telegram_id=telegram_id, problem=Problem(code, {"chat": telegram_id}))
    kind = ChatKind(info.type) if info.type in set(ChatKind) else ChatKind.UNKNOWN
    title = info.title or ""
    problem = None
    if kind not in {ChatKind.CHANNEL, ChatKind.SUPERGROUP}:
        problem = Problem("chat_not_channel", {"chat": telegram_id, "title": title})
    else:
        problem = await _missing_rights(bot, bot_id, telegram_id, title)
    return ChatFinding(telegram_id=telegram_id, title=title, kind=kind, problem=problem)


async def _missing_rights(bot: BotApi, bot_id: int, telegram_id: int, title: str) -> Problem | None:
    where: dict[str, Plain] = {"chat": telegram_id, "title": title}
    try:
        own = await bot.get_chat_member(telegram_id, bot_id)
    except (Permanent, NeedsOperator):
        return Problem("bot_not_in_chat", where)
    if not own.is_inside:
        return Problem("bot_not_in_chat", where)
    missing = [right for right in RIGHTS if own.status != "creator" and not getattr(own, right)]
    if missing:
        return Problem("missing_rights", where | {"rights": ", ".join(missing)})
    return None


def _problem(error: VelvetError) -> Problem:
    return Problem(error.code, {key: value for key, value in error.data.items() if value})
