"""What time alone brings about: each is a durable job in the lane of whom it concerns."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from velvetrope.domain.door import DoorAction
from velvetrope.domain.states import Presence, Source
from velvetrope.store.models import (
    Access,
    Alert,
    Checkout,
    Entitlement,
    InboxEvent,
    Integration,
    StripeAccount,
)
from velvetrope.store.unfinished import unsettled_checkouts
from velvetrope.usecases.billing.rechecks import request_recheck
from velvetrope.usecases.checkout import SESSION_LIFE
from velvetrope.usecases.lanes import WHOM, Whom
from velvetrope.usecases.membership import LASTING_TROUBLE, PASSING_TROUBLE
from velvetrope.usecases.onboarding.jobs import (
    SYNC_PLANS,
    external_id_of,
    request_plan_sync,
)
from velvetrope.usecases.reviving import OF_TOKENS, OF_WHOLE_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

#: How many customers one transaction takes; the next one goes on.
MOST_AT_ONCE = 100
#: A look that came to nothing is taken again after this long.
AGAIN_AFTER = timedelta(hours=1)
#: How often somebody is looked at who waits for others: for late money, or at the door.
PATIENCE = timedelta(hours=6)
#: Events are a little late, too.
LEEWAY = timedelta(minutes=15)
#: How old the copy of a price may become.
PRICE_AGE = timedelta(hours=6)


def sweep_due(now: datetime) -> int:
    """Ask for a fresh look at every customer whose rights time may have changed.

    Gives how many rights that were. They are due again after a while, whatever becomes of the
    look, so that what can't be looked at keeps nobody else waiting.
    """
    with transaction.atomic():
        due = list(
            Entitlement.objects.filter(recheck_at__lte=now)
            .order_by("recheck_at")
            .values_list("id", *WHOM)[:MOST_AT_ONCE]
        )
        _ask({Whom(*row[1:]) for row in due}, f"{now:%Y%m%dT%H%M%S%f}")
        ids = [row[0] for row in due]
        Entitlement.objects.filter(id__in=ids).update(recheck_at=now + AGAIN_AFTER)
    return len(due)


def sweep_waiting(now: datetime) -> int:
    """Ask for a look at those who wait at a door, or for the end of a purchase, for too long.

    And at those for whom Telegram could not do what it was asked for, or who should have left long
    ago. Gives how many are asked for now that were not before.
    """
    at_the_door = Access.objects.filter(requested_at__isnull=False)
    undecided = at_the_door.filter(
        desired=False, requested_at__lt=now - SESSION_LIFE, action__in=("", DoorAction.EXPLAIN)
    )
    purchases = unsettled_checkouts().filter(expires_at__lt=now - LEEWAY)
    left_outside = at_the_door.filter(desired=True, problem__in=PASSING_TROUBLE)
    # What waits behind a trouble of the bot or the chat goes on when that is mended.
    useless = Alert.objects.filter(code__in=OF_TOKENS, closed_at=None, integration__isnull=False)
    left_inside = Access.objects.filter(
        desired=False,
        observed=Presence.INSIDE,
        let_in_at__isnull=False,
        desired_at__lt=now - AGAIN_AFTER,
        chat__problem__isnull=True,
        chat__integration__active=True,
    ).exclude(problem__in=LASTING_TROUBLE)
    left_inside = left_inside.exclude(chat__integration__in=useless.values("integration"))
    with transaction.atomic():
        patient = _some(undecided) | _some(purchases)
        asked = _ask(patient, f"waiting:{_slot(now, PATIENCE)}")
        hasty = _some(left_outside) | _some(left_inside)
        return asked + _ask(hasty, f"again:{_slot(now, AGAIN_AFTER)}")


def sweep_prices(now: datetime) -> int:
    """Ask for fresh copies of prices that are older than they may be."""
    old = Q(plans__synced_at__lt=now - PRICE_AGE) | Q(plans__synced_at=None)
    cause = f"age:{_slot(now, PRICE_AGE)}"
    found = (
        Integration.objects.filter(old, ~_asked(SYNC_PLANS, cause), active=True)
        .exclude(plans=None)
        .values_list("id", flat=True)
        .distinct()
    )
    with transaction.atomic():
        asked = list(found[:MOST_AT_ONCE])
        for integration_id in asked:
            request_plan_sync(integration_id, cause=cause)
    return len(asked)


def _some(rows: QuerySet[Access] | QuerySet[Checkout]) -> set[Whom]:
    """Give some of whom the rows are about, other ones each time: none may block the rest."""
    return {Whom(*row) for row in rows.order_by("?").values_list(*WHOM)[:MOST_AT_ONCE]}


def _ask(whom: Iterable[Whom], occasion: str) -> int:
    mute = _mute_accounts()
    # Every look at those of a mute account would be a dead letter.
    heard = (one for one in whom if not (one.stripe_customer_id and one.account_id in mute))
    return sum(request_recheck(one, occasion) for one in heard)


def _mute_accounts() -> set[int]:
    """Find the Stripe accounts whose key is known to open nothing."""
    rows = StripeAccount.objects.filter(problem__isnull=False).values_list("id", "problem")
    return {key for key, problem in rows if problem and problem["code"] in OF_WHOLE_KEYS}


def _slot(now: datetime, length: timedelta) -> int:
    return int(now.timestamp() // length.total_seconds())


def _asked(kind: str, cause: str) -> Exists:
    """Tell the integrations of which this was asked already."""
    external_id = external_id_of(kind, cause)
    return Exists(
        InboxEvent.objects.filter(
            source=Source.JOB, account=OuterRef("id"), external_id=external_id
        )
    )
