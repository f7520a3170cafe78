"""Where a person should be and is, chat by chat, in one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from velvetrope.domain.door import DoorAction
from velvetrope.domain.states import CheckoutState, Presence
from velvetrope.store.neighbours import find_neighbours, is_open_to
from velvetrope.usecases.chronicle import BY_ADMIN, BY_BOT, BY_THEMSELVES
from velvetrope.usecases.explaining.rights import because_of
from velvetrope.usecases.explaining.story import Place, Tone
from velvetrope.usecases.explaining.terms import clause, listing, sentence
from velvetrope.usecases.membership import BANNED_BY_HAND
from velvetrope.usecases.wording.problems import explain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.store.models import Access, Chat, Checkout, Customer, Entitlement
    from velvetrope.usecases.explaining.terms import Terms

#: Problems of a place that say that the removal waits for an operator.
HELD: Final = frozenset({"removals_held", "brake"})
_UNDER_WAY: Final = (CheckoutState.OPEN.value, CheckoutState.PENDING.value)


@dataclass(frozen=True, slots=True)
class Move:
    """The last change of a person's place that is on record."""

    at: datetime
    #: Where they went, as `Presence` has it.
    to: str
    by: str
    who: str


@dataclass(frozen=True, slots=True)
class Known:
    """All that the sentence of one chat is made of."""

    terms: Terms
    customer: Customer
    chat: Chat
    access: Access | None
    #: The person's rights to plans that open the chat.
    rights: Sequence[Entitlement]
    #: Their payment pages for such plans, oldest first.
    checkouts: Sequence[Checkout]
    move: Move | None

    @property
    def should(self) -> bool:
        return any(row.holds for row in self.rights)

    @property
    def observed(self) -> str:
        return Presence.UNKNOWN.value if self.access is None else self.access.observed

    @property
    def problem(self) -> str:
        return "" if self.access is None else self.access.problem

    @property
    def is_elsewhere(self) -> bool:
        """Whether another bot opens the same chat for them."""
        found = find_neighbours(self.chat.integration_id, self.chat.telegram_id)
        return bool(found) and is_open_to(self.customer.telegram_user_id, found)

    def when(self, to: str) -> str:
        """Say when, if the last move that is on record led there."""
        return f" on {self.terms.moment(self.move.at)}" if self.move and self.move.to == to else ""


def place_of(known: Known) -> Place:
    """Put one chat into words."""
    if known.access is not None and known.access.requested_at is not None:
        seen, fix, tone = _at_the_door(known, known.access.requested_at)
    else:
        seen, fix, tone = SEEN[Presence(known.observed)](known)
    trouble = known.chat.problem
    if trouble:
        found = explain(trouble)
        fix = f"{found.what} {found.fix}"
        tone = Tone.BAD
    elif not fix and known.problem and known.problem not in HELD and tone is not Tone.GOOD:
        fix = explain(known.problem).fix
    return Place(
        chat_id=known.chat.id,
        telegram_id=known.chat.telegram_id,
        title=str(known.chat),
        should_be_in=known.should,
        observed=known.observed,
        sentence=sentence(f"{_should(known)}; {seen}"),
        fix=fix,
        tone=tone,
    )


def _should(known: Known) -> str:
    terms = known.terms
    holding = [because_of(row, terms) for row in known.rights if row.holds]
    if holding:
        return f"should be in, because {listing(holding)}"
    if known.rights:
        last = max(known.rights, key=lambda row: (row.decided_at, row.id))
        return f"should be out, because {because_of(last, terms)}"
    return f"should be out, because {_nothing(known)}"


def _nothing(known: Known) -> str:
    """Say that nothing was paid for, and how far the person got."""
    if not known.checkouts:
        return "nothing that opens this chat was ever paid for or given"
    page = known.checkouts[-1]
    plan, day = known.terms.plan(page.plan_id), known.terms.moment(page.created_at)
    if page.state == CheckoutState.PENDING:
        return f"the money for {plan} is on its way and has not come yet"
    if page.state == CheckoutState.FAILED:
        return f"the money for {plan} did not come"
    return f"the payment page for {plan} was opened on {day} and not paid"


# What is seen: each gives what to say after the semicolon, what to do about it, and how bad it is.

_Seen = tuple[str, str, Tone]


def _at_the_door(known: Known, since: datetime) -> _Seen:
    asked = f"asked to enter on {known.terms.moment(since)}"
    if known.should:
        if known.problem:
            why = clause(explain(known.problem).what)
            return f"{asked}, and could not be let in: {why}", "", Tone.BAD
        return f"{asked}, and is being let in", "", Tone.WARN
    if any(page.state in _UNDER_WAY and _is_open(page, known) for page in known.checkouts):
        return (
            f"outside: {asked}, and has begun to pay, so the request waits for the money",
            "",
            Tone.WARN,
        )
    return f"outside: {asked}, not yet paid", "", Tone.WARN


def _is_open(page: Checkout, known: Known) -> bool:
    return page.state == CheckoutState.PENDING or page.expires_at > known.terms.now


def _inside(known: Known) -> _Seen:
    access = known.access
    let_in = None if access is None else access.let_in_at
    if known.should:
        return f"is in{_how_in(known)}", "", Tone.GOOD
    if access is None or let_in is None:
        return (
            "is inside, and left alone because the bot did not let them in",
            "If they should leave, remove them in Telegram.",
            Tone.WARN,
        )
    if known.is_elsewhere:
        return "is inside, and stays, because another bot lets them into this chat", "", Tone.GOOD
    return _to_leave(access)


def _to_leave(access: Access) -> _Seen:
    if access.problem in HELD:
        return (
            "still inside, because removals of this chat wait for you",
            "Look at who is to leave under «Removals» (velvetrope removals list), and decide.",
            Tone.BAD,
        )
    if access.problem:
        why = clause(explain(access.problem).what)
        return f"still inside, because they could not be taken out: {why}", "", Tone.BAD
    if access.action == DoorAction.REMOVE:
        return (
            "still inside: they are taken out as soon as Stripe and Telegram were asked again",
            "",
            Tone.WARN,
        )
    return "still inside: they are about to be taken out", "", Tone.WARN


def _how_in(known: Known) -> str:
    """Say who let them in, and when."""
    access, move = known.access, known.move
    if move is not None and move.to == Presence.INSIDE and move.by in _LET_IN:
        by = _LET_IN[move.by].format(who=move.who)
        return f", {by} on {known.terms.moment(move.at)}"
    if access is not None and access.let_in_at is not None:
        since = known.terms.moment(access.let_in_at)
        if move is not None and move.to == Presence.INSIDE:
            return f", seen inside and looked after by the bot since {since}"
        return f", let in by the bot on {since}"
    return ", though the bot did not let them in: they were in before, or came another way"


_LET_IN: Final = {
    BY_BOT: "let in by the bot",
    BY_ADMIN: "let in by {who}, an administrator of the chat,",
    BY_THEMSELVES: "having come in by themselves",
}


def _keeper(known: Known) -> _Seen:
    del known
    return (
        "is the owner or an administrator there, whom the bot neither lets in nor takes out",
        "",
        Tone.GOOD,
    )


def _banned(known: Known) -> _Seen:
    by = ""
    if known.move is not None and known.move.to == Presence.BANNED and known.move.by == BY_ADMIN:
        by = f" by {known.move.who}, an administrator,"
    banned = f"was banned there{by}{known.when(Presence.BANNED.value)}"
    if not known.should:
        return banned, "", Tone.PLAIN
    if known.problem and known.problem != BANNED_BY_HAND:
        why = clause(explain(known.problem).what)
        return f"{banned}, and the ban could not be lifted: {why}", "", Tone.BAD
    if not known.problem and known.access is not None and known.access.action == DoorAction.UNBAN:
        return f"{banned}, and the ban is being lifted", "", Tone.WARN
    return banned, "«Invite again» lifts the ban and sends a new way in.", Tone.BAD


def _outside(known: Known) -> _Seen:
    if known.should:
        return _not_in_yet(known)
    if (access := known.access) is not None and access.removed_at is not None:
        return f"is out, taken out by the bot on {known.terms.moment(access.removed_at)}", "", _OFF
    move = known.move
    if move is not None and move.to == Presence.OUTSIDE and move.by == BY_THEMSELVES:
        return f"is out, having left by themselves on {known.terms.moment(move.at)}", "", _OFF
    if move is not None and move.to == Presence.OUTSIDE and move.by == BY_ADMIN:
        return f"is out, taken out by {move.who} on {known.terms.moment(move.at)}", "", _OFF
    return "is out", "", _OFF


_OFF: Final = Tone.PLAIN


def _not_in_yet(known: Known) -> _Seen:
    """Say what keeps a person outside who may come in: the answer to «why am I not in?»."""
    move = known.move
    if move is not None and move.to == Presence.OUTSIDE and move.by == BY_THEMSELVES:
        text = f"is out, having left by themselves on {known.terms.moment(move.at)}"
    elif move is not None and move.to == Presence.OUTSIDE and move.by == BY_ADMIN:
        text = f"is out, taken out by {move.who} on {known.terms.moment(move.at)}"
    else:
        text = "is still outside: they have not asked to enter"
    if known.customer.blocked_at is not None:
        return text, "They block the bot: ask them to unblock it, then invite them again.", Tone.BAD
    fix = "The bot has sent them the way in; «Invite again» sends a new one."
    return text, fix, Tone.WARN


def _unknown(known: Known) -> _Seen:
    if known.should:
        return _not_in_yet(known)
    return "was never seen there", "", _OFF


def _requested(known: Known) -> _Seen:
    """Say it of a request that was answered meanwhile, whose end nobody has told yet."""
    return _outside(known)


SEEN: Final = {
    Presence.UNKNOWN: _unknown,
    Presence.REQUESTED: _requested,
    Presence.INSIDE: _inside,
    Presence.OUTSIDE: _outside,
    Presence.BANNED: _banned,
    Presence.KEEPER: _keeper,
}
