from __future__ import annotations

from django.db import models

from velvetrope.domain.states import Dispute, EntitlementKind, Refund
from velvetrope.store.models.columns import id_field, one_of, state_field
from velvetrope.store.models.customer import Customer
from velvetrope.store.models.integration import Plan


class Entitlement(models.Model):
    """A right to a plan: what was last seen of its ground, and what follows from it."""

    id = id_field()
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT)
    kind = state_field(EntitlementKind, EntitlementKind.SUBSCRIPTION)
    #: `sub_…`, `pi_…` (or `cs_…` for a session that cost nothing), `grant:<id>`, `claim:<id>`.
    external_id = models.CharField(max_length=255, unique=True)

    #: Who pays for it at Stripe (`cus_…`): somebody else than the customer's own, or nobody known.
    stripe_customer_id = models.CharField(max_length=255, blank=True, default="")

    #: Stripe's word, as it is: the enumeration is open.
    status = models.CharField(max_length=32)
    #: What a subscription is billed for now, which may be another price than the plan's.
    price_id = models.CharField(max_length=255, blank=True, default="")
    starts_at = models.DateTimeField()
    #: End of the paid period, of the one-time duration or of the grant; null is for ever.
    period_end = models.DateTimeField(null=True, blank=True)
    #: When it is going to end or has ended; null while it renews.
    ends_at = models.DateTimeField(null=True, blank=True)
    trial_end = models.DateTimeField(null=True, blank=True)
    #: First failure of the payment that is due; null while nothing is.
    past_due_since = models.DateTimeField(null=True, blank=True)
    #: The invoice that `refund` and `dispute` speak of: a newer one starts them anew.
    invoice_id = models.CharField(max_length=255, blank=True, default="")
    collection_paused = models.BooleanField(default=False)
    #: A coupon is at work: what the price says is not what is paid.
    is_discounted = models.BooleanField(default=False, db_default=False)
    refund = state_field(Refund, Refund.NONE)
    #: In minor units: how much went back of what that invoice, or the one payment, brought.
    amount_refunded = models.BigIntegerField(default=0)
    dispute = state_field(Dispute, Dispute.NONE)

    #: The decision of domain/access.py at `decided_at`, with the code of its reason.
    holds = models.BooleanField()
    reason = models.CharField(max_length=32)
    decided_at = models.DateTimeField()
    #: When time alone can change the decision; null when it can't.
    recheck_at = models.DateTimeField(null=True, blank=True)
    #: When time alone gives a reason to write to the customer; null when nothing is to be said.
    notice_at = models.DateTimeField(null=True, blank=True)
    #: When it opened its chats first; null while it never did.
    opened_at = models.DateTimeField(null=True, blank=True)
    #: When Stripe was last asked; null for grants.
    synced_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            one_of("kind", EntitlementKind, "entitlement"),
            one_of("refund", Refund, "entitlement"),
            one_of("dispute", Dispute, "entitlement"),
        ]
        indexes = [
            models.Index(
                fields=["starts_at"],
                name="entitlement_by_start",
                condition=models.Q(kind=EntitlementKind.SUBSCRIPTION.value),
            ),
            models.Index(
                fields=["stripe_customer_id"],
                name="entitlement_by_payer",
                condition=~models.Q(stripe_customer_id=""),
            ),
            models.Index(
                fields=["recheck_at"],
                name="entitlement_due",
                condition=models.Q(recheck_at__isnull=False),
            ),
            models.Index(
                fields=["notice_at"],
                name="entitlement_notice_due",
                condition=models.Q(notice_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.external_id
