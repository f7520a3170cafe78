"""Members from before, listed by an operator: looked for at Telegram first, adopted afterwards."""

from __future__ import annotations

from django.db import models

from velvetrope.domain.states import AdoptionState
from velvetrope.store.models.columns import id_field, one_of, state_field
from velvetrope.store.models.integration import Integration, Plan


class Adoption(models.Model):
    """One list of people, what they are to get, and how far it has come."""

    id = id_field()
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE)
    #: What those get whose line names no plan of its own.
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE)
    #: Rows' ids of the chats in which they are looked for.
    chats = models.JSONField(default=list)
    #: The end for those whose line has no day of its own; null where nobody needs it.
    until = models.DateTimeField(null=True, blank=True)
    #: Friends of the owner: what they get has no end, and nobody asks them to pay.
    comp = models.BooleanField(default=False)
    #: Tells the same list with the same terms from another one.
    digest = models.CharField(max_length=64)
    #: Lines that were left out because something was wrong with them.
    skipped = models.PositiveIntegerField(default=0)
    state = state_field(AdoptionState, AdoptionState.LOOKING)
    #: What was found and what became of it: numbers by name. Kept when the list is forgotten.
    numbers = models.JSONField(default=dict, blank=True)
    actor = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [one_of("state", AdoptionState, "adoption")]
        indexes = [models.Index(fields=["integration", "-id"], name="adoption_by_integration")]

    def __str__(self) -> str:
        return f"adoption {self.pk}"


class AdoptionRow(models.Model):
    """One person of a list; forgotten with the list when it is through."""

    id = id_field()
    adoption = models.ForeignKey(Adoption, on_delete=models.CASCADE, related_name="rows")
    telegram_user_id = models.BigIntegerField()
    #: Null: the list's own.
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.CASCADE)
    #: Null: the list's own, or no end.
    until = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=255, blank=True, default="")
    #: Where Telegram saw the person, in one word: see domain/adoption.py; empty: not asked yet.
    place = models.CharField(max_length=16, blank=True, default="")
    #: Whether a job was made of it.
    ordered = models.BooleanField(default=False)
    #: What became of it; empty while nothing has.
    outcome = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["adoption", "telegram_user_id"], name="adoption_row_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["adoption"], name="adoption_to_look", condition=models.Q(place="")
            ),
            models.Index(
                fields=["adoption"], name="adoption_to_order", condition=models.Q(ordered=False)
            ),
            models.Index(
                fields=["adoption"], name="adoption_to_finish", condition=models.Q(outcome="")
            ),
        ]

    def __str__(self) -> str:
        return f"adoption row {self.pk}"
