"""The answers that need nothing but what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import CheckoutState
from velvetrope.domain.validation import LANGUAGES
from velvetrope.store.models import Integration
from velvetrope.usecases import alert_hearers
from velvetrope.usecases.checkout import BACK
from velvetrope.usecases.conversation import holdings
from velvetrope.usecases.conversation.requests import Request, Wish
from velvetrope.usecases.wording import alarms, messages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from velvetrope.pipeline.work import Work
    from velvetrope.store.models import Customer
    from velvetrope.usecases.wording.outgoing import OutgoingMessage
    from velvetrope.usecases.wording.words import Words


#: What is said without looking at the person.
_PAGES: Final[Mapping[Wish, Callable[[Words], OutgoingMessage]]] = {
    Wish.PLANS: messages.plans,
    Wish.HELP: messages.help_page,
    Wish.TERMS: messages.terms,
    Wish.PRIVACY: messages.privacy,
    Wish.PAYSUPPORT: messages.paysupport,
    Wish.UNKNOWN_COMMAND: messages.unknown_command,
    Wish.OUTDATED: messages.plans,
}


def answer(work: Work, words: Words, customer: Customer, request: Request) -> OutgoingMessage:
    """Say what a person asked for."""
    match request.wish:
        case Wish.START:
            return _start(work, words, customer, request)
        case Wish.STATUS:
            return holdings.status(work, words, customer)
        case Wish.LANGUAGE:
            return _language(work, words, customer, request)
        case Wish.ENTER:
            doors = holdings.doors(work, words.view, customer)
            return messages.entry(words, doors, holds=holdings.holds_anything(work, customer))
        case Wish.ALERTS:
            return _alerts(work, words, customer, request)
        case _:
            return _PAGES.get(request.wish, messages.unknown_text)(words)


def _start(work: Work, words: Words, customer: Customer, request: Request) -> OutgoingMessage:
    """Greet; somebody who holds or awaits something hears how that stands."""
    known = holdings.holds_anything(work, customer) or holdings.pending(work, words.view, customer)
    if request.argument == BACK:
        if known:
            return holdings.status(work, words, customer)
        if _may_have_paid(work, customer):
            return messages.back_from_payment(words)
    if known:
        return messages.welcome_back(
            words, customer.first_name, holdings.status(work, words, customer)
        )
    return messages.start(words, customer.first_name)


def _may_have_paid(work: Work, customer: Customer) -> bool:
    """Tell whether a payment is possible of which Stripe has not told yet."""
    return any(
        row.state == CheckoutState.OPEN.value and row.expires_at > work.now
        for row in work.checkouts(customer)
    )


def _alerts(work: Work, words: Words, customer: Customer, request: Request) -> OutgoingMessage:
    """Let the bot tell an operator of alerts who shows a code of the console."""
    if not alert_hearers.looks_like_code(request.argument):
        return messages.unknown_command(words)
    row = Integration.objects.get(id=words.view.id)
    if not alert_hearers.is_code_of(row, request.argument, work.now):
        return alarms.link_expired()
    person = customer.telegram_user_id
    alert_hearers.hear(row.id, person, f"telegram:{person}", work.now)
    return alarms.linked(row.name)


def _language(work: Work, words: Words, customer: Customer, request: Request) -> OutgoingMessage:
    """Ask for a language, or confirm the chosen one and go on in it."""
    if request.argument not in LANGUAGES:
        return messages.language_picker(words)
    if holdings.holds_anything(work, customer):
        return messages.language_chosen(words, holdings.status(work, words, customer))
    return messages.language_chosen(words, messages.plans(words))
