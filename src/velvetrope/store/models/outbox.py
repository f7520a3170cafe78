from __future__ import annotations

from django.db import models

from velvetrope.domain.states import ItemState, Priority
from velvetrope.store.models.columns import choices, id_field, one_of, state_field
from velvetrope.store.models.customer import Customer
from velvetrope.store.models.integration import Integration


class OutboxItem(models.Model):
    """One call to the Bot API to be made, inserted with the facts that it follows from."""

    id = id_field()
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE)
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.CASCADE)
    #: The Bot API's chat that pacing counts for: the person of a message, the chat of an action.
    chat_id = models.BigIntegerField()
    method = models.CharField(max_length=64)
    #: Parameters as JSON; a button's `invite:<chat pk>` becomes the chat's link when sent.
    params = models.BinaryField()
    priority = models.CharField(max_length=8, choices=choices(Priority))
    #: What this is said on the occasion of; the same occasion is sent once. Null: no such bound.
    occasion = models.CharField(max_length=128, null=True, blank=True)
    #: The inbox event that caused it; null for an operator's action.
    cause = models.BigIntegerField(null=True, blank=True)
    state = state_field(ItemState, ItemState.PENDING)
    #: The worker that has it in hand, where there are many.
    owner = models.BigIntegerField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Not before; null is at once.
    due_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=64, blank=True, default="")
    error = models.TextField(blank=True, default="")
    #: The sent message's id, where there is one.
    message_id = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "occasion"],
                condition=models.Q(occasion__isnull=False),
                name="outbox_item_once_per_occasion",
            ),
            one_of("state", ItemState, "outbox_item"),
            one_of("priority", Priority, "outbox_item"),
        ]
        indexes = [
            models.Index(
                fields=["integration", "id"],
                name="outbox_unfinished",
                condition=models.Q(
                    state__in=[
                        ItemState.PENDING.value,
                        ItemState.CLAIMED.value,
                        ItemState.SUSPENDED.value,
                    ]
                ),
            ),
            models.Index(
                fields=["priority", "due_at", "id"],
                name="outbox_pending",
                condition=models.Q(state=ItemState.PENDING.value),
            ),
            models.Index(
                fields=["integration", "finished_at"],
                name="outbox_sent",
                condition=models.Q(state=ItemState.SENT.value),
            ),
            models.Index(
                fields=["id"], name="outbox_dead", condition=models.Q(state=ItemState.DEAD.value)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.id}"
