from __future__ import annotations

from django.db import models

from velvetrope.domain.states import Presence
from velvetrope.store.models.columns import id_field, one_of, state_field
from velvetrope.store.models.customer import Customer
from velvetrope.store.models.integration import Chat


class Access(models.Model):
    """One customer and one chat: what should be against what was seen."""

    id = id_field()
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    chat = models.ForeignKey(Chat, on_delete=models.CASCADE)
    #: Whether some entitlement opens the chat.
    desired = models.BooleanField(default=False)
    desired_at = models.DateTimeField(null=True, blank=True)
    observed = state_field(Presence, Presence.UNKNOWN)
    observed_at = models.DateTimeField(null=True, blank=True)
    #: When the person asked to enter; null once that was answered.
    requested_at = models.DateTimeField(null=True, blank=True)
    #: When the product let the person in; null for members from before, whom it leaves alone.
    let_in_at = models.DateTimeField(null=True, blank=True)
    #: When the product took the person out last.
    removed_at = models.DateTimeField(null=True, blank=True)
    #: When Telegram was last asked where the person is.
    checked_at = models.DateTimeField(null=True, blank=True)
    #: What has been asked of Telegram and not been confirmed: `approve`, `remove` … or empty.
    action = models.CharField(max_length=16, blank=True, default="")
    #: Why the last action can't succeed, recorded once; empty otherwise.
    problem = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        verbose_name_plural = "access"
        constraints = [
            models.UniqueConstraint(fields=["customer", "chat"], name="access_once"),
            one_of("observed", Presence, "access"),
        ]
        indexes = [
            models.Index(fields=["chat", "checked_at"], name="access_by_check"),
            models.Index(
                fields=["chat"],
                name="access_to_remove",
                condition=models.Q(desired=False, observed=Presence.INSIDE.value),
            ),
            models.Index(
                fields=["chat", "removed_at"],
                name="access_removed",
                condition=models.Q(removed_at__isnull=False),
            ),
            models.Index(
                fields=["chat", "requested_at"],
                name="access_at_the_door",
                condition=models.Q(requested_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"access {self.customer_id}/{self.chat_id}"
