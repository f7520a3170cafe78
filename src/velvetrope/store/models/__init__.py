"""The tables; one module per aggregate."""

from velvetrope.store.models.access import Access
from velvetrope.store.models.adoption import Adoption, AdoptionRow
from velvetrope.store.models.alert import Alert
from velvetrope.store.models.audit import AuditEntry
from velvetrope.store.models.checkout import Checkout
from velvetrope.store.models.customer import Customer
from velvetrope.store.models.dry_run import DryRun
from velvetrope.store.models.entitlement import Entitlement
from velvetrope.store.models.inbox import InboxEvent, Lane
from velvetrope.store.models.integration import Chat, Integration, Plan, PlanChat, TextOverride
from velvetrope.store.models.outbox import OutboxItem
from velvetrope.store.models.stripe_account import StripeAccount
from velvetrope.store.models.worker import LaneLease, Worker

__all__ = [
    "Access",
    "Adoption",
    "AdoptionRow",
    "Alert",
    "AuditEntry",
    "Chat",
    "Checkout",
    "Customer",
    "DryRun",
    "Entitlement",
    "InboxEvent",
    "Integration",
    "Lane",
    "LaneLease",
    "OutboxItem",
    "Plan",
    "PlanChat",
    "StripeAccount",
    "TextOverride",
    "Worker",
]
