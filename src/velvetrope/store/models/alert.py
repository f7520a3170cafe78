from __future__ import annotations

from django.db import models

from velvetrope.store.models.columns import id_field
from velvetrope.store.models.integration import Integration
from velvetrope.store.models.stripe_account import StripeAccount


class Alert(models.Model):
    """Something that an operator has to know or mend: opened once, closed when it is over."""

    id = id_field()
    #: As in the console's explanations of problems.
    code = models.CharField(max_length=64)
    integration = models.ForeignKey(Integration, null=True, blank=True, on_delete=models.CASCADE)
    stripe_account = models.ForeignKey(
        StripeAccount, null=True, blank=True, on_delete=models.CASCADE
    )
    #: What in particular it is about, such as `chat:12`; empty for the whole.
    subject = models.CharField(max_length=64, blank=True, default="")
    #: The same while it is the same trouble: one open alert each.
    key = models.CharField(max_length=192)
    #: Plain values for the explanation; neither secrets nor people.
    data = models.JSONField(default=dict, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    #: When operators were written to; null while they were not.
    told_at = models.DateTimeField(null=True, blank=True)
    #: When those who had been told heard that it is over.
    end_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(closed_at__isnull=True),
                name="alert_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["integration", "-id"], name="alert_by_integration"),
            models.Index(
                fields=["id"], name="alert_open", condition=models.Q(closed_at__isnull=True)
            ),
            models.Index(
                fields=["id"],
                name="alert_end_to_tell",
                condition=models.Q(
                    closed_at__isnull=False, told_at__isnull=False, end_told_at__isnull=True
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.key
