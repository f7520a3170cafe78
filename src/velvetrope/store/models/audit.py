from __future__ import annotations

from django.db import models

from velvetrope.store.models.columns import id_field


class AuditEntry(models.Model):
    """Who did what to which row, with the plain values before and after; secrets never."""

    id = id_field()
    at = models.DateTimeField()
    #: `operator:<name>`, `command line`, `product`.
    actor = models.CharField(max_length=160)
    action = models.CharField(max_length=64)
    integration_id = models.BigIntegerField(null=True, blank=True)
    subject = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=255)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    #: The inbox event that caused it; null for an operator's action.
    cause = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["integration_id", "id"], name="audit_by_integration"),
            models.Index(fields=["subject", "subject_id"], name="audit_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject} {self.subject_id}"
