from __future__ import annotations

from django.db import models

from velvetrope.store.encryption import EncryptedField


class StripeAccount(models.Model):
    """One Stripe account whose prices are sold. The account of the environment has no key here."""

    name = models.CharField(max_length=64, unique=True)
    #: `acct_…`, known once the key has been tried.
    stripe_id = models.CharField(max_length=64, null=True, blank=True, unique=True)
    #: The key and the signing secrets come from the environment, not from this row.
    from_environment = models.BooleanField(default=False)
    api_key = EncryptedField(null=True, blank=True)
    #: One a line, so that both are honoured while a secret is rolled.
    webhook_secrets = EncryptedField(null=True, blank=True)
    livemode = models.BooleanField(null=True, blank=True)
    #: A code and plain data of what an operator has to mend; null when all is well.
    problem = models.JSONField(null=True, blank=True)
    #: All events that Stripe made before this moment have been fetched, or came by themselves.
    events_until = models.DateTimeField(null=True, blank=True)
    #: When Stripe made the newest event that came by itself, or would have.
    heard_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["from_environment"],
                condition=models.Q(from_environment=True),
                name="stripe_account_one_from_environment",
            ),
            models.CheckConstraint(
                name="stripe_account_has_key",
                condition=models.Q(from_environment=True) | models.Q(api_key__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name
