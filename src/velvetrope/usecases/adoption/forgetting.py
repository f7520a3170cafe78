"""Lists that nobody decided about are not kept: they are people's ids without a use."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from velvetrope.domain.states import AdoptionState
from velvetrope.store.models import Adoption, AdoptionRow

if TYPE_CHECKING:
    from datetime import datetime

#: How long a list waits for an operator's word.
KEPT: Final = timedelta(days=7)
UNDECIDED: Final = (AdoptionState.LOOKING.value, AdoptionState.READY.value)


def sweep_lists(now: datetime) -> int:
    """Forget a list that has waited too long, one at a time; gives 0, since it can wait."""
    old = Adoption.objects.filter(state__in=UNDECIDED, created_at__lt=now - KEPT).first()
    if old is not None:
        with transaction.atomic():
            AdoptionRow.objects.filter(adoption=old).delete()
            old.delete()
    return 0
