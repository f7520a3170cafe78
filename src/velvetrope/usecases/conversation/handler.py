"""The conversation in a private chat: what people write and the buttons that they press."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import EventOutcome, Priority
from velvetrope.domain.validation import LANGUAGES, find_language
from velvetrope.gateways.telegram.updates import decode_update
from velvetrope.usecases.adoption.claiming import CLAIM, claim, fetch_claim
from velvetrope.usecases.conversation.acquaintance import greet
from velvetrope.usecases.conversation.answering import answer
from velvetrope.usecases.conversation.late_links import (
    count_earlier,
    needs_another,
    send_another,
    send_later,
)
from velvetrope.usecases.conversation.links import Asked, Found, Refusal, say_link, try_link
from velvetrope.usecases.conversation.requests import Request, Wish, read_request
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.models import Customer
    from velvetrope.usecases.observing import Seen
    from velvetrope.usecases.services import Services
    from velvetrope.usecases.wording.outgoing import OutgoingMessage
    from velvetrope.usecases.wording.words import Words

#: Telegram forgets a button's query by then, and the person has stopped looking at it.
QUERY_LIFE: Final = timedelta(minutes=2)
_PLAN_ID = re.compile(r"[0-9]{1,18}")
#: An album comes as many messages; one answer is enough.
_SILENCE_WINDOW: Final = 60


@dataclass(frozen=True, slots=True)
class Heard:
    """One request, with what Stripe said if it was about a link."""

    request: Request
    asked: Asked | None = None
    link: Found | Refusal | None = None
    #: How often the same link was ordered, and came or not, a moment ago.
    earlier: int = 0
    #: Where the person is, if they opened the link for members from before.
    seen: Sequence[Seen] = ()


class ConversationHandler:
    """Answers one person's message or button."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Heard | None:
        request = read_request(decode_update(event.payload))
        if request is None:
            return None
        key = (event.account, request.user.id)
        if request.wish is Wish.START and request.argument == CLAIM:
            return Heard(request, seen=await fetch_claim(self._services, key, event))
        asked = _asked(request)
        if asked is None:
            return Heard(request)
        link = await try_link(self._services, key, asked, event)
        earlier = 0
        if isinstance(link, Refusal):
            earlier = await self._services.db.read(lambda: count_earlier(key, asked, event))
        return Heard(request, asked, link, earlier)

    def subjects(self, event: Event, facts: Heard | None) -> Sequence[CustomerKey]:
        return [] if facts is None else [(event.account, facts.request.user.id)]

    def apply(self, event: Event, facts: Heard | None, work: Work) -> str | None:
        if facts is None:
            return EventOutcome.IGNORED.value
        view = work.integration(event.account)
        request = _addressed(facts.request, view.bot_username)
        customer = greet(work, (event.account, request.user.id), request)
        if request.wish is Wish.LANGUAGE and request.argument in LANGUAGES:
            customer.chosen_language = request.argument
            work.save(customer)
        words = words_for(customer, view, work.now)
        if request.callback_id is not None and work.now - event.received_at < QUERY_LIFE:
            _answer_button(work, words, customer, request)
        if facts.asked is None or facts.link is None:
            claimed = claim(work, words, customer, facts.seen) if facts.seen else None
            said = claimed or answer(work, words, customer, request)
            _reply(work, words, customer, request, said)
        elif isinstance(facts.link, Refusal):
            send_later(
                work,
                words,
                customer,
                facts.asked,
                event,
                passing=facts.link.passing,
                earlier=facts.earlier,
            )
        else:
            message = say_link(work, words, customer, facts.asked, facts.link)
            if message is None and needs_another(work, customer, facts.asked):
                send_another(work, customer, facts.asked, event)
            if message is not None:
                _reply(work, words, customer, request, message)
        return None


def _asked(request: Request) -> Asked | None:
    language = find_language(request.user.language_code) or ""
    if request.wish is Wish.PORTAL:
        return Asked(None, language)
    if request.wish is Wish.PLAN and _PLAN_ID.fullmatch(request.argument):
        return Asked(int(request.argument), language)
    return None


def _addressed(request: Request, bot_username: str) -> Request:
    """Take a command that names another bot for one that this bot doesn't know."""
    if not request.addressee or request.addressee.lower() == bot_username.lower():
        return request
    return replace(request, wish=Wish.UNKNOWN_COMMAND, argument="")


def _answer_button(work: Work, words: Words, customer: Customer, request: Request) -> None:
    """End the button's waiting sign; nothing more is said unless the button leads nowhere."""
    params: dict[str, object] = {"callback_query_id": request.callback_id}
    if request.wish is Wish.OUTDATED:
        params["text"] = messages.outdated_button(words)
    work.send(
        integration_id=words.view.id,
        method="answerCallbackQuery",
        params=params,
        chat_id=customer.telegram_user_id,
        priority=Priority.ANSWER.value,
    )


def _reply(
    work: Work, words: Words, customer: Customer, request: Request, message: OutgoingMessage
) -> None:
    """Send the answer; a chosen language changes the message with the choice instead."""
    user_id = customer.telegram_user_id
    method, params = "sendMessage", message.params(user_id)
    if (
        request.wish is Wish.LANGUAGE
        and request.argument in LANGUAGES
        and request.message_id is not None
    ):
        method, params = "editMessageText", message.edit_params(user_id, request.message_id)
    occasion = None
    if request.wish is Wish.SILENT:
        occasion = f"silent:{user_id}:{int(work.now.timestamp()) // _SILENCE_WINDOW}"
    work.send(
        integration_id=words.view.id,
        method=method,
        params=params,
        chat_id=user_id,
        customer=customer,
        priority=Priority.ANSWER.value,
        occasion=occasion,
    )
