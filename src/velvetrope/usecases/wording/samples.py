"""An example of every message, in an integration's own words, for whoever decides about it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from velvetrope.domain.access import Reason
from velvetrope.domain.messages import RULES, MessageKind
from velvetrope.domain.states import ChatKind, Interval
from velvetrope.store.catalogue import ChatView, PlanView
from velvetrope.usecases.wording import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from velvetrope.usecases.wording.outgoing import OutgoingMessage
    from velvetrope.usecases.wording.words import Words

    #: What an example speaks of: the words, a plan, its chats, and a day some days from now.
    Sample = Callable[[Words, PlanView, tuple[ChatView, ...], datetime], OutgoingMessage]

#: Stands for an address at Stripe.
_PAGE: Final = "https://stripe.com"


def sample(words: Words, kind: MessageKind) -> OutgoingMessage:
    """Give what a customer would read now; of a plan that is made up if there is none."""
    view = words.view
    plan = next(iter(view.plans_for_sale or view.plans), None) or _PLAN
    chats = view.chats_of(plan)[:1] or view.chats[:1] or (_CHAT,)
    days = words.view.messages.days_of(kind) or RULES[kind].days or (7,)
    return _SAMPLES[kind](words, plan, chats, words.now + timedelta(days=days[0]))


_CHAT: Final = ChatView(0, 0, "", ChatKind.CHANNEL, "", "")
_PLAN: Final = PlanView(
    id=0,
    price_id="",
    product_id="",
    name="",
    currency="eur",
    unit_amount=900,
    interval=Interval.MONTH,
    interval_count=1,
    trial_days=None,
    allow_promotion_codes=False,
    duration_days=None,
    for_sale=True,
    chat_ids=(),
)
_SAMPLES: Final[Mapping[MessageKind, Sample]] = {
    MessageKind.PAYMENT_RECEIVED: lambda words, plan, chats, _: messages.payment_received(
        words, plan, chats, receipt_url=_PAGE
    ),
    MessageKind.PAYMENT_PENDING: lambda words, plan, _c, _: messages.payment_pending(words, plan),
    MessageKind.PAYMENT_LOST: lambda words, plan, _c, _: messages.payment_did_not_come(words, plan),
    MessageKind.WELCOME: lambda words, _p, chats, _: messages.let_in(words, chats[0]),
    MessageKind.ACCESS_GRANTED: lambda words, plan, chats, _: messages.access_granted(
        words, plan, chats
    ),
    MessageKind.PLACE_KEPT: lambda words, _p, chats, at: messages.place_kept(words, chats, at),
    MessageKind.ACCESS_RESTORED: lambda words, plan, chats, _: messages.access_restored(
        words, plan, chats
    ),
    MessageKind.PLAN_CHANGED: lambda words, plan, _c, _: messages.plan_changed(words, plan, ()),
    MessageKind.TRIAL_ENDS: lambda words, plan, _c, at: messages.trial_ends(words, plan, at),
    MessageKind.RENEWS_ON: lambda words, plan, _c, at: messages.renews_on(words, plan, at),
    MessageKind.RENEWED: lambda words, plan, _c, _: messages.renewed(
        words, plan, words.now + timedelta(days=30), _PAGE
    ),
    MessageKind.PAYMENT_FAILED: lambda words, plan, _c, _: messages.payment_failed(
        words, plan, words.now + words.view.policy.grace, _PAGE
    ),
    MessageKind.PAYMENT_ACTION_REQUIRED: lambda words, plan, _c, _: (
        messages.payment_action_required(words, plan, words.now + words.view.policy.grace, _PAGE)
    ),
    MessageKind.GRACE_ENDS: lambda words, plan, _c, at: messages.grace_ends(words, plan, at, _PAGE),
    MessageKind.PAYMENT_RECOVERED: lambda words, plan, _c, _: messages.payment_recovered(
        words, plan, _PAGE
    ),
    MessageKind.ACCESS_ENDS: lambda words, plan, chats, at: messages.access_ends(
        words, plan, chats, at, cancelled=True
    ),
    MessageKind.ACCESS_ENDED: lambda words, plan, chats, _: messages.access_ended(
        words, (plan,), chats, Reason.LAPSED.value
    ),
    MessageKind.REFUND: lambda words, plan, _c, _: messages.refunded(
        words,
        plan,
        words.money((plan.unit_amount or 900) // 3, plan.currency or "eur"),
        whole=False,
        stays=True,
    ),
    MessageKind.DISPUTE: lambda words, plan, _c, _: messages.dispute_opened(
        words, plan, stays=True
    ),
}
