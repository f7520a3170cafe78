from __future__ import annotations

from django.db import models

from velvetrope.domain.states import EventOutcome, EventState, Source
from velvetrope.store.models.columns import choices, id_field, one_of, state_field


class InboxEvent(models.Model):
    """A verified update or event, or a job, stored before it is acknowledged.

    The row is the truth: wake-ups may be lost, rows may not.
    """

    id = id_field()
    source = models.CharField(max_length=16, choices=choices(Source))
    #: Integration id for Telegram and jobs, Stripe account id for Stripe.
    account = models.BigIntegerField()
    #: `update_id`, `evt_…`, or a job's own key: the same one is stored once.
    external_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=64)
    lane = models.CharField(max_length=255)
    #: The raw bytes: not every text that JSON allows fits into a database's text.
    payload = models.BinaryField()
    state = state_field(EventState, EventState.PENDING)
    #: The worker that has it in hand, where there are many.
    owner = models.BigIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=choices(EventOutcome), blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Not before; null is at once.
    due_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=64, blank=True, default="")
    #: What went wrong, with its trace, free of secrets.
    error = models.TextField(blank=True, default="")
    received_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "event"
        permissions = [("view_payload", "Can see what people and vendors wrote")]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "account", "external_id"], name="inbox_event_once"
            ),
            one_of("source", Source, "inbox_event"),
            one_of("state", EventState, "inbox_event"),
        ]
        indexes = [
            models.Index(
                fields=["lane", "id"],
                name="inbox_unfinished",
                condition=models.Q(state__in=[EventState.PENDING.value, EventState.CLAIMED.value]),
            ),
            models.Index(
                fields=["due_at", "id"],
                name="inbox_pending",
                condition=models.Q(state=EventState.PENDING.value),
            ),
            models.Index(
                fields=["id"],
                name="inbox_dead",
                condition=models.Q(state=EventState.DEAD.value),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.kind} {self.external_id}"


class Lane(models.Model):
    """A lane that is held back: its first event failed and waits for its next try.

    A lane that runs freely has no row.
    """

    key = models.CharField(max_length=255, primary_key=True)
    retry_at = models.DateTimeField(db_index=True)
    attempts = models.PositiveSmallIntegerField()
    error_code = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return self.key
