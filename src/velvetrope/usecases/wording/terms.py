"""The terms in short, and what happens if …, as the integration's policy has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.states import Interval
from velvetrope.usecases.wording import parts
from velvetrope.usecases.wording.outgoing import Html, OutgoingMessage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from velvetrope.domain.policy import Policy
    from velvetrope.store.catalogue import PlanView
    from velvetrope.usecases.wording.words import Words

#: What a refund does, by whether a full one and a partial one end access.
_REFUNDS = {
    (True, False): "terms.refund.full",
    (True, True): "terms.refund.any",
    (False, True): "terms.refund.partial",
    (False, False): "terms.stays",
}
_INQUIRY = "terms.dispute.inquiry"
#: What a dispute does, by whether it suspends access and whether it ends access once it is lost.
_DISPUTES = {
    (True, True): "terms.dispute.suspends_and_ends",
    (True, False): "terms.dispute.suspends",
    (False, True): "terms.dispute.ends",
    (False, False): "terms.stays",
}


def terms(words: Words) -> OutgoingMessage:
    return words.once("terms", lambda: _terms(words))


def _terms(words: Words) -> OutgoingMessage:
    view = words.view
    recurring = any(plan.interval is not Interval.ONE_TIME for plan in view.plans)
    contact = view.support_contact
    return OutgoingMessage(
        parts.paragraphs(
            words.text("terms.title"),
            parts.lines(
                words.text("terms.payment"),
                words.text("terms.renewal") if recurring else "",
                words.text("terms.person"),
            ),
            words.text("terms.what_if"),
            *(
                parts.lines(words.text(f"terms.{what}.question"), answer)
                for what, answer in _answers(words, recurring=recurring)
            ),
            words.text("terms.whole", url=view.terms_url) if view.terms_url else "",
            words.text("contact", contact=contact) if contact else "",
        )
    )


def _answers(words: Words, *, recurring: bool) -> Iterator[tuple[str, Html]]:
    """Give what the policy answers to each question that can arise with these plans."""
    policy = words.view.policy
    if recurring:
        yield "card", _card(words, policy)
        yield "cancel", words.text("terms.cancel.answer")
    if once := [plan for plan in words.view.plans if plan.interval is Interval.ONE_TIME]:
        yield "once", _once(words, once)
    yield "refund", words.text(_REFUNDS[policy.refund_ends, policy.partial_refund_ends])
    yield "dispute", _dispute(words, policy)
    if recurring:
        stays = "stays" if policy.collection_pause_keeps else "closes"
        yield "paused", words.text(f"terms.paused.{stays}")


def _card(words: Words, policy: Policy) -> Html:
    if policy.grace_days > 0:
        return words.count("terms.card.grace", policy.grace_days)
    return words.text("terms.card.no_grace")


def _once(words: Words, plans: Sequence[PlanView]) -> Html:
    durations = {plan.duration_days for plan in plans}
    if len(durations) > 1:
        return words.text("terms.once.varies")
    (days,) = durations
    if days is None:
        return words.text("terms.once.forever")
    return words.count("terms.once.days", days)


def _dispute(words: Words, policy: Policy) -> Html:
    answer = words.text(_DISPUTES[policy.dispute_suspends, policy.dispute_lost_ends])
    if not policy.dispute_warning_suspends:
        return answer
    return Html(f"{answer} {words.text(_INQUIRY)}")
