"""An integration and what its operator configures: chats, plans, texts."""

from __future__ import annotations

from django.db import models

from velvetrope.domain.states import ChatKind, Interval, Registration
from velvetrope.store.encryption import EncryptedField
from velvetrope.store.models.columns import choices, one_of, state_field
from velvetrope.store.models.stripe_account import StripeAccount

LANGUAGES = [("en", "English"), ("uk", "Українська"), ("ru", "Русский")]


class Integration(models.Model):
    """One bot with its chats, plans, texts and policy."""

    name = models.CharField(max_length=64, unique=True)
    #: An inactive integration acknowledges updates, counts them and does nothing.
    active = models.BooleanField(default=True)
    language = models.CharField(max_length=2, choices=LANGUAGES, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    stripe_account = models.ForeignKey(StripeAccount, on_delete=models.PROTECT)

    token = EncryptedField()
    bot_id = models.BigIntegerField(unique=True)
    bot_username = models.CharField(max_length=64, blank=True, default="")
    webhook_secret = EncryptedField()
    #: Keyed hash of the webhook secret: a leaked database doesn't reveal it, one indexed read
    #: finds it.
    webhook_secret_hash = models.CharField(max_length=64, unique=True)

    registration = state_field(Registration, Registration.PENDING)
    #: What an operator has to mend: a list of `{"code": …, "data": {…}}`.
    problems = models.JSONField(default=list, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    #: Telegram's `retry_after` for this bot, kept over restarts.
    paused_until = models.DateTimeField(null=True, blank=True)

    #: Differences from the default policy of domain/policy.py.
    policy = models.JSONField(default=dict, blank=True)
    #: Differences from the default reminders: when what is said, and what is not.
    reminders = models.JSONField(default=dict, blank=True)
    #: Telegram id of the person or chat whom this bot tells of alerts; null tells nobody.
    alerts_to = models.BigIntegerField(null=True, blank=True)
    #: When everything was last held against Stripe and Telegram.
    reconciled_at = models.DateTimeField(null=True, blank=True)
    #: Until when members from before may claim their place by the link; null: it leads to plans.
    claim_until = models.DateTimeField(null=True, blank=True)
    terms_url = models.URLField(max_length=512, blank=True, default="")
    privacy_url = models.URLField(max_length=512, blank=True, default="")
    #: Where a customer asks about payments: shown by /paysupport.
    support_contact = models.CharField(max_length=128, blank=True, default="")

    #: Grows with every change of the integration, its chats, plans or texts: caches compare it.
    revision = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            one_of("registration", Registration, "integration"),
            models.CheckConstraint(
                name="integration_language_known",
                condition=models.Q(language__in=[code for code, _ in LANGUAGES]),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Chat(models.Model):
    """A channel or supergroup that an integration opens."""

    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="chats")
    telegram_id = models.BigIntegerField()
    title = models.CharField(max_length=255, blank=True, default="")
    kind = state_field(ChatKind, ChatKind.UNKNOWN)
    #: A code and plain data of what an operator has to mend; while set, calls to the chat wait.
    problem = models.JSONField(null=True, blank=True)
    invite_link = models.CharField(max_length=255, blank=True, default="")
    invite_link_at = models.DateTimeField(null=True, blank=True)
    #: Since when removals wait for an operator, because there were too many; null while they run.
    brake_at = models.DateTimeField(null=True, blank=True)
    #: When an operator let them go on: removals are counted from here.
    brake_released_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    #: How many members Telegram counts, bots and administrators included; null while unknown.
    member_count = models.PositiveIntegerField(null=True, blank=True)
    counted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "telegram_id"], name="chat_once_per_integration"
            ),
            one_of("kind", ChatKind, "chat"),
        ]

    def __str__(self) -> str:
        return self.title or str(self.telegram_id)


class Plan(models.Model):
    """A Stripe price that an integration sells; what Stripe says of it is a copy with an age."""

    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="plans")
    stripe_price_id = models.CharField(max_length=255)
    chats = models.ManyToManyField(Chat, through="PlanChat", related_name="plans")
    position = models.PositiveSmallIntegerField(default=0)
    #: The operator's switch; `sellable` is Stripe's.
    on_sale = models.BooleanField(default=True)

    allow_promotion_codes = models.BooleanField(default=False)
    trial_days = models.PositiveSmallIntegerField(null=True, blank=True)
    #: How long a one-time payment opens the chats; null is for ever.
    duration_days = models.PositiveIntegerField(null=True, blank=True)

    #: False as soon as Stripe says that the price or its product is archived.
    sellable = models.BooleanField(default=False)
    product_id = models.CharField(max_length=255, blank=True, default="")
    product_name = models.CharField(max_length=255, blank=True, default="")
    currency = models.CharField(max_length=3, blank=True, default="")
    #: In minor units; null for a price that has no fixed amount.
    unit_amount = models.BigIntegerField(null=True, blank=True)
    interval = models.CharField(max_length=16, choices=choices(Interval), blank=True, default="")
    interval_count = models.PositiveSmallIntegerField(default=1)
    #: A code and plain data of what an operator has to mend; null when all is well.
    problem = models.JSONField(null=True, blank=True)
    synced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "stripe_price_id"], name="plan_once_per_integration"
            ),
            models.CheckConstraint(
                name="plan_interval_known",
                condition=models.Q(interval__in=["", *(state.value for state in Interval)]),
            ),
        ]
        indexes = [models.Index(fields=["stripe_price_id"], name="plan_by_price")]

    def __str__(self) -> str:
        return self.product_name or self.stripe_price_id


class PlanChat(models.Model):
    """A chat that a plan opens."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE)
    chat = models.ForeignKey(Chat, on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "chat"], name="plan_chat_once")]

    def __str__(self) -> str:
        return f"{self.plan_id} opens {self.chat_id}"


class TextOverride(models.Model):
    """An operator's own wording of one text in one language."""

    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=2, choices=LANGUAGES)
    key = models.CharField(max_length=64)
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "language", "key"], name="text_override_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.language})"
