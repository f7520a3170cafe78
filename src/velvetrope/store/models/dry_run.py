from __future__ import annotations

from django.db import models

from velvetrope.store.models.columns import id_field
from velvetrope.store.models.integration import Integration


class DryRun(models.Model):
    """What a look at everybody of an integration would change, as it was found at the time."""

    id = id_field()
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE)
    #: `operator:<name>`.
    asked_by = models.CharField(max_length=160)
    asked_at = models.DateTimeField()
    #: Null while it goes on.
    finished_at = models.DateTimeField(null=True, blank=True)
    #: Customers up to this row's id have been looked at.
    cursor = models.BigIntegerField(default=0)
    looked_at = models.PositiveIntegerField(default=0)
    #: The first changes that were found, as records of usecases/rehearsing.
    changes = models.JSONField(default=list, blank=True)
    #: All that were found: their number by effect, and by effect and chat.
    counts = models.JSONField(default=dict, blank=True)
    #: Why it ended early; empty otherwise.
    error_code = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["integration", "-id"], name="dry_run_by_integration")]

    def __str__(self) -> str:
        return f"dry run {self.id}"
