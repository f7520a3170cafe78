"""Which plan a subscription is for, by what is billed now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from velvetrope.gateways.stripe import metadata as tags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from velvetrope.gateways.stripe.snapshots import SubscriptionSnapshot
    from velvetrope.store.catalogue import IntegrationView, PlanView


@dataclass(frozen=True, slots=True)
class Match:
    """The plan of a subscription; `price_id` is what is billed, empty if nothing is."""

    plan: PlanView | None
    price_id: str
    #: Whether the integration knows what is billed; otherwise the plan is what it was before.
    is_known: bool


def match_plan(view: IntegrationView, seen: SubscriptionSnapshot, before: PlanView | None) -> Match:
    """Find the plan that a subscription is for; `before` is the one that it was for so far.

    A price that is sold here says it; else a plan for the same product, which is the same thing for
    another price. Of anything else nobody knows what it opens: it stays as it was.
    """
    bought = plan_of_tag(view, seen.metadata)
    usual = [plan for plan in (before, bought) if plan is not None]
    for price_id in seen.price_ids:
        if (plan := view.plan_by_price(price_id)) is not None:
            return Match(plan, price_id, is_known=True)
    priced = zip(seen.price_ids, seen.product_ids, strict=True)
    for price_id, product_id in priced:
        if (plan := _of_product(view, product_id, usual)) is not None:
            return Match(plan, price_id, is_known=True)
    return Match(next(iter(usual), None), next(iter(seen.price_ids), ""), is_known=False)


def plan_of_tag(view: IntegrationView, metadata: Mapping[str, str]) -> PlanView | None:
    """Find the plan that the metadata of an object names."""
    tag = tags.parse(metadata)
    return None if tag is None or tag.plan is None else view.plan_by_price(tag.plan)


def _of_product(
    view: IntegrationView, product_id: str, usual: Sequence[PlanView]
) -> PlanView | None:
    """Choose among the plans of a product: first one that the person has or had."""
    plans = [plan for plan in view.plans if product_id and plan.product_id == product_id]
    return next((plan for plan in usual if plan in plans), None) or next(iter(plans), None)
