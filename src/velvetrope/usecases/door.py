"""What Telegram tells of the doors: requests, members, the bot's own standing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.states import CheckoutState, EventOutcome, Presence
from velvetrope.gateways.telegram.updates import (
    ChatInviteLink,
    ChatMemberUpdated,
    Update,
    User,
    decode_update,
)
from velvetrope.store.neighbours import find_neighbours, is_link_of
from velvetrope.usecases import chronicle, membership
from velvetrope.usecases.conversation.acquaintance import describe
from velvetrope.usecases.leaving import goodbye
from velvetrope.usecases.observing import presence_of
from velvetrope.usecases.onboarding import defer_check
from velvetrope.usecases.telling import tell
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.catalogue import ChatView, IntegrationView
    from velvetrope.store.models import Access, Customer


def meet(work: Work, key: CustomerKey, user: User) -> Customer:
    """Give the customer of a person, made on the first meeting."""
    known = work.customer(key)
    if known is not None:
        return known
    return work.new_customer(key, **describe(user))


class JoinRequestHandler:
    """A person asks to enter: approved if they hold access, else told how to get it."""

    async def prepare(self, event: Event) -> Update:
        return decode_update(event.payload)

    def subjects(self, event: Event, facts: Update) -> Sequence[CustomerKey]:
        request = facts.chat_join_request
        return [] if request is None else [(event.account, request.from_.id)]

    def apply(self, event: Event, facts: Update, work: Work) -> str | None:
        request = facts.chat_join_request
        view = work.integration(event.account)
        chat = None if request is None else view.chat_by_telegram_id(request.chat.id)
        if request is None or chat is None:
            return EventOutcome.IGNORED.value
        known = work.customer((event.account, request.from_.id))
        if _is_anothers(work, view, chat, known, request.invite_link):
            return EventOutcome.IGNORED.value
        customer = meet(work, (event.account, request.from_.id), request.from_)
        access = membership.access_to(work, customer, chat)
        access.requested_at = event.received_at
        access.observed, access.observed_at = Presence.REQUESTED.value, work.now
        access.action, access.problem = "", ""
        work.save(access)
        membership.reconcile(work, customer)
        if not access.action:
            _tell_that_it_waits(work, view, customer, chat, access)
        return None


def _is_anothers(
    work: Work,
    view: IntegrationView,
    chat: ChatView,
    known: Customer | None,
    link: ChatInviteLink | None,
) -> bool:
    """Leave a request to the bot whose link was used; Telegram tells all bots of the chat of it."""
    if known is not None and chat.id in membership.chats_opened(work, view, known):
        return False
    neighbours = find_neighbours(view.id, chat.telegram_id) if link is not None else {}
    return link is not None and bool(neighbours) and is_link_of(neighbours, link.invite_link)


def _tell_that_it_waits(
    work: Work, view: IntegrationView, customer: Customer, chat: ChatView, access: Access
) -> None:
    """Show somebody who has begun to pay where to go on: the request waits for the money."""
    bought = membership.checkouts_under_way(work, customer)
    row = next((one for one in bought if chat.id in membership.opened_by(view, one.plan_id)), None)
    plan = None if row is None else view.plan(row.plan_id)
    if row is None or plan is None:
        return
    words = words_for(customer, view, work.now)
    url = row.url if row.state == CheckoutState.OPEN.value else ""
    message = messages.request_waits(words, chat, plan, url)
    occasion = f"waits:{access.id}:{access.requested_at:%Y%m%dT%H%M%S%f}"
    tell(work, view, customer, message, occasion=occasion)


class MemberHandler:
    """Somebody's standing in a chat changed: what was observed follows, and the door with it."""

    async def prepare(self, event: Event) -> Update:
        return decode_update(event.payload)

    def subjects(self, event: Event, facts: Update) -> Sequence[CustomerKey]:
        change = facts.chat_member
        return [] if change is None else [(event.account, change.new_chat_member.user.id)]

    def apply(self, event: Event, facts: Update, work: Work) -> str | None:
        change = facts.chat_member
        view = work.integration(event.account)
        chat = None if change is None else view.chat_by_telegram_id(change.chat.id)
        if change is None or chat is None or change.new_chat_member.user.is_bot:
            return EventOutcome.IGNORED.value
        key = (event.account, change.new_chat_member.user.id)
        presence = presence_of(change.new_chat_member)
        customer = work.customer(key)
        if customer is None:
            # A stranger among the members is not a customer; a keeper is none either.
            return EventOutcome.IGNORED.value
        access = membership.access_to(work, customer, chat)
        let_in_at = access.let_in_at
        _observe(access, presence, work, change, view.bot_id)
        work.remark = _by_whom(change, view.bot_id)
        work.save(access)
        membership.reconcile(work, customer)
        if presence is not Presence.INSIDE and change.from_.id == view.bot_id:
            goodbye.follow_removal(work, view, customer, chat, let_in_at)
        elif presence is not Presence.INSIDE:
            goodbye.hurry(customer)
        return None


def _observe(
    access: Access, presence: Presence, work: Work, change: ChatMemberUpdated, bot_id: int
) -> None:
    """Write what was seen; who was let in by the bot is the product's to look after."""
    access.observed, access.observed_at = presence.value, work.now
    access.action, access.problem = "", ""
    if presence in {Presence.INSIDE, Presence.KEEPER}:
        access.requested_at = None
        if change.via_join_request and (change.from_.id == bot_id or access.desired):
            access.let_in_at = access.let_in_at or work.now
    elif presence is Presence.OUTSIDE:
        access.let_in_at = None
    elif presence is Presence.BANNED and access.desired and change.from_.id != bot_id:
        membership.respect_ban(access)


def _by_whom(change: ChatMemberUpdated, bot_id: int) -> Mapping[str, str]:
    """Tell for the record who moved the person."""
    if change.from_.id == bot_id:
        return {"by": chronicle.BY_BOT}
    if change.from_.id == change.new_chat_member.user.id:
        return {"by": chronicle.BY_THEMSELVES}
    name = change.from_.first_name or change.from_.username or ""
    return {"by": chronicle.BY_ADMIN, "who": f"{name} ({change.from_.id})".strip()}


class OwnStandingHandler:
    """The bot was added, promoted, demoted or removed: everything about its chats is verified."""

    async def prepare(self, event: Event) -> Update:
        return decode_update(event.payload)

    def subjects(self, event: Event, facts: Update) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return []

    def apply(self, event: Event, facts: Update, work: Work) -> str | None:
        change = facts.my_chat_member
        view = work.integration(event.account)
        if change is None or view.chat_by_telegram_id(change.chat.id) is None:
            return EventOutcome.IGNORED.value
        defer_check(work, view.id, cause=str(event.id))
        return None
