"""The reconciler: what should be (entitlements) against what is (seen at Telegram)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from velvetrope.domain.access import chats_open
from velvetrope.domain.door import CLOSING, DoorAction, Place, plan_action, wanted_action
from velvetrope.domain.states import CheckoutState, Presence, Priority
from velvetrope.store.models import Access
from velvetrope.store.neighbours import find_neighbours, is_bought_by, is_open_to
from velvetrope.usecases.leaving.orders import HELD, defer_removal
from velvetrope.usecases.telling import tell
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import ChatView, IntegrationView, PlanView
    from velvetrope.store.models import Checkout, Customer

#: The occasion of the message that explains a refusal: when it is through, the door is answered.
EXPLANATION = "door:"

#: Who needs no invitation.
INSIDE = frozenset({Presence.INSIDE.value, Presence.KEEPER.value})

#: Invitations that one message holds.
DOORS_AT_ONCE = 2

#: Why a door action can fail for good though it may work another time: all tries were in vain, or
#: the person has to leave some other chat first.
PASSING_TROUBLE = frozenset(
    {"telegram_unavailable", "telegram_timeout", "unexpected", "too_many_chats"}
)
#: Why a removal isn't tried again by itself: Telegram refused it for good, the call waits for what
#: an operator has to mend, or for an operator's word.
LASTING_TROUBLE = frozenset(
    {
        "target_is_admin",
        "bad_request",
        "forbidden",
        "missing_rights",
        "bot_not_in_chat",
        "chat_not_found",
        "bot_unauthorized",
        "bot_not_found",
        "bot_inactive",
        "conflict",
        "user_deactivated",
        HELD,
    }
)

#: Why a ban is not lifted though the person holds a right.
BANNED_BY_HAND = "banned_by_hand"

#: What each action asks of the Bot API; `explain` is a message.
METHODS = {
    DoorAction.APPROVE: "approveChatJoinRequest",
    DoorAction.DECLINE: "declineChatJoinRequest",
    DoorAction.UNBAN: "unbanChatMember",
    DoorAction.REMOVE: "unbanChatMember",
}


def reconcile(work: Work, customer: Customer) -> None:
    """Plan what is missing for one customer in every chat; may run at any time, any number."""
    view = work.integration(customer.integration_id)
    opened = chats_opened(work, view, customer)
    bought = chats_being_bought(work, view, customer)
    known = {access.chat_id: access for access in work.accesses(customer)}
    for chat in view.chats:
        access = known.get(chat.id)
        desired = chat.id in opened
        if access is None:
            if not desired:
                continue
            access = new_access(customer, chat)
        _reconcile_chat(work, view, customer, chat, access, desired=desired, bought=bought)


def chats_opened(work: Work, view: IntegrationView, customer: Customer) -> frozenset[int]:
    """Give the chats that some entitlement opens."""
    rows = work.entitlements(customer)
    return chats_open((row.holds, opened_by(view, row.plan_id)) for row in rows)


def chats_being_bought(work: Work, view: IntegrationView, customer: Customer) -> frozenset[int]:
    """Give the chats of plans whose Checkout Session can still be, or is being, paid."""
    rows = checkouts_under_way(work, customer)
    return frozenset(chat_id for row in rows for chat_id in opened_by(view, row.plan_id))


def checkouts_under_way(work: Work, customer: Customer) -> list[Checkout]:
    """Give the sessions that can still be paid, or whose money is on its way."""
    return [
        row
        for row in work.checkouts(customer)
        if row.state == CheckoutState.PENDING.value
        or (row.state == CheckoutState.OPEN.value and row.expires_at > work.now)
    ]


def opened_by(view: IntegrationView, plan_id: int) -> tuple[int, ...]:
    plan = view.plan(plan_id)
    return () if plan is None else plan.chat_ids


def doors(work: Work, customer: Customer, chats: Iterable[ChatView]) -> tuple[ChatView, ...]:
    """Give the next of these chats to enter: those that the person neither is in nor waits for.

    Only a few at once, since Telegram's apps refuse too many joins in a row; the welcome to each
    chat offers the next ones.
    """
    settled = {
        access.chat_id
        for access in work.accesses(customer)
        if access.observed in INSIDE or access.requested_at is not None
    }
    return tuple(chat for chat in chats if chat.id not in settled)[:DOORS_AT_ONCE]


def forget_passing_trouble(work: Work, customer: Customer) -> None:
    """Let what Telegram could not do for a while be asked for again."""
    for access in work.accesses(customer):
        is_removal = access.action == DoorAction.REMOVE.value
        lasts = access.problem in LASTING_TROUBLE
        if access.problem in PASSING_TROUBLE or (is_removal and not lasts):
            access.action, access.problem = "", ""
            work.save(access)


def access_to(work: Work, customer: Customer, chat: ChatView) -> Access:
    """Give what is known of a customer and a chat; a row that is not stored yet if it is news."""
    return find_access(work, customer, chat.id) or new_access(customer, chat)


def respect_ban(access: Access) -> None:
    """Let a ban stand that somebody has spoken by hand, until the person is invited again.

    The product bans nobody. A right that begins later lifts the ban, as it lifts older ones.
    """
    access.action, access.problem = DoorAction.UNBAN.value, BANNED_BY_HAND


def new_access(customer: Customer, chat: ChatView) -> Access:
    return Access(customer_id=customer.id, chat_id=chat.id)


def _reconcile_chat(
    work: Work,
    view: IntegrationView,
    customer: Customer,
    chat: ChatView,
    access: Access,
    *,
    desired: bool,
    bought: frozenset[int],
) -> None:
    changed = access.desired != desired
    if changed:
        access.desired, access.desired_at, access.problem = desired, work.now, ""
    place = Place(
        desired=desired,
        observed=Presence(access.observed),
        requested=access.requested_at is not None,
        let_in=access.let_in_at is not None,
        buying=chat.id in bought,
        asked=DoorAction(access.action) if access.action else None,
        refused=bool(access.problem),
    )
    if wanted_action(place) in CLOSING:  # rare, so it is looked up only here
        place = replace(place, elsewhere=_is_elsewhere(work, view, customer, chat, place))
    action = plan_action(place)
    if action is DoorAction.EXPLAIN and customer.blocked_at is not None:
        action = DoorAction.DECLINE  # no word reaches them
    if action is not None:
        access.action = action.value
        _ask(work, view, customer, chat, access, action)
    elif access.action and wanted_action(place) is None:
        # What was asked for has been overtaken, and so is why it could not be done.
        access.action, access.problem, changed = "", "", True
    if changed or action is not None:
        work.save(access)


def _is_elsewhere(
    work: Work, view: IntegrationView, customer: Customer, chat: ChatView, place: Place
) -> bool:
    """Tell whether another bot opens the same Telegram chat, or is about to for who waits."""
    person, neighbours = customer.telegram_user_id, find_neighbours(view.id, chat.telegram_id)
    if not neighbours:
        return False
    work.settle()  # those of the same transaction count
    is_open = is_open_to(person, neighbours)
    return is_open or (place.requested and is_bought_by(person, neighbours, work.now))


def _ask(
    work: Work,
    view: IntegrationView,
    customer: Customer,
    chat: ChatView,
    access: Access,
    action: DoorAction,
) -> None:
    if action is DoorAction.EXPLAIN:
        words = words_for(customer, view, work.now)
        tell(
            work,
            view,
            customer,
            messages.request_declined(words, chat, _plans_for(view, chat)),
            occasion=f"{EXPLANATION}{access.id}:{work.now:%Y%m%dT%H%M%S%f}",
        )
        return
    if action is DoorAction.REMOVE:
        defer_removal(work, view, customer, chat)
        return
    params: dict[str, object] = {"chat_id": chat.telegram_id, "user_id": customer.telegram_user_id}
    if action is DoorAction.UNBAN:
        params["only_if_banned"] = True
    work.send(
        integration_id=view.id,
        method=METHODS[action],
        params=params,
        chat_id=chat.telegram_id,
        customer=customer,
        priority=Priority.GRANT.value,
    )


def _plans_for(view: IntegrationView, chat: ChatView) -> tuple[PlanView, ...]:
    return tuple(plan for plan in view.plans_for_sale if chat.id in plan.chat_ids)


def find_access(work: Work, customer: Customer, chat_id: int) -> Access | None:
    return next((one for one in work.accesses(customer) if one.chat_id == chat_id), None)
