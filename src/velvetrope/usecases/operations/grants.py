"""Access given by hand: left as a durable job in the customer's lane, like everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from velvetrope.domain.states import GIVEN
from velvetrope.pipeline import jobs
from velvetrope.store.clock import present
from velvetrope.store.ids import new_id
from velvetrope.store.models import Customer, Entitlement, Plan
from velvetrope.usecases.audit import record
from velvetrope.usecases.orders import GRANT, REVOKE, GrantOrder, RevokeOrder

if TYPE_CHECKING:
    from datetime import datetime

_NOTE_LENGTH = 255


class GrantRefusedError(Exception):
    """The grant makes no sense; the message says why and what to do."""


def grant(
    customer_id: int, plan_id: int, until: datetime | None, note: str, actor: str
) -> int:  # fmt: skip
    """Order that a customer holds a plan until then (None: for ever); gives the grant's id.

    Raises GrantRefusedError, and DoesNotExist for unknown ids.
    """
    with transaction.atomic():
        customer = Customer.objects.get(id=customer_id)
        plan = Plan.objects.get(id=plan_id)
        if plan.integration_id != customer.integration_id:
            raise GrantRefusedError("The plan belongs to another bot. Choose one of this bot's.")
        if until is not None and until <= present():
            raise GrantRefusedError("The end is in the past. Choose a later one, or none.")
        order = GrantOrder(
            grant_id=new_id(),
            integration_id=customer.integration_id,
            telegram_user_id=customer.telegram_user_id,
            plan_id=plan.id,
            until=until,
            note=note.strip()[:_NOTE_LENGTH],
        )
        _enqueue(GRANT, order, customer, f"grant:{order.grant_id}")
        record(
            actor,
            "grant.ordered",
            subject="customer",
            subject_id=customer.id,
            integration_id=customer.integration_id,
            after={
                "job": f"grant:{order.grant_id}",
                "plan": plan.id,
                "until": until.isoformat() if until else None,
                "note": order.note,
            },
        )
    return order.grant_id


def revoke(entitlement_id: int, note: str, actor: str) -> str:
    """Order the end of a grant or a claim; what was paid for ends in Stripe, not here.

    Gives the job's external id, by which its end can be looked up. Raises GrantRefusedError, and
    DoesNotExist for an unknown id.
    """
    with transaction.atomic():
        entitlement = Entitlement.objects.select_related("customer").get(id=entitlement_id)
        customer = entitlement.customer
        if entitlement.kind not in GIVEN:
            raise GrantRefusedError(
                "This was paid for. Cancel or refund it in Stripe, and access follows."
            )
        if not entitlement.holds:
            raise GrantRefusedError("It is over already.")
        order = RevokeOrder(
            entitlement_id=entitlement.id,
            integration_id=customer.integration_id,
            telegram_user_id=customer.telegram_user_id,
        )
        external_id = f"revoke:{entitlement.id}:{new_id()}"
        _enqueue(REVOKE, order, customer, external_id)
        record(
            actor,
            "grant.revoked",
            subject="customer",
            subject_id=customer.id,
            integration_id=customer.integration_id,
            before={"grant": entitlement.external_id, "plan": entitlement.plan_id},
            after={"job": external_id, "note": note.strip()[:_NOTE_LENGTH]},
        )
    return external_id


def _enqueue(
    kind: str, order: GrantOrder | RevokeOrder, customer: Customer, external_id: str
) -> None:
    jobs.enqueue(
        kind,
        order,
        account=customer.integration_id,
        lane=f"tg:{customer.integration_id}:{customer.telegram_user_id}",
        external_id=external_id,
    )
