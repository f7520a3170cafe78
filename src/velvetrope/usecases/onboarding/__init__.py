"""An operator's integration: created, examined at Telegram and Stripe, registered."""

from velvetrope.usecases.onboarding.creating import (
    NewIntegration,
    create_integration,
    rotate_webhook_secret,
    update_integration,
)
from velvetrope.usecases.onboarding.examining import (
    ChatFinding,
    Examination,
    PriceFinding,
    Problem,
    examine,
    examine_bot,
)
from velvetrope.usecases.onboarding.jobs import (
    CHECK,
    REGISTER,
    SYNC_PLANS,
    defer_check,
    request_check,
    request_plan_sync,
    request_registration,
)

__all__ = [
    "CHECK",
    "REGISTER",
    "SYNC_PLANS",
    "ChatFinding",
    "Examination",
    "NewIntegration",
    "PriceFinding",
    "Problem",
    "create_integration",
    "defer_check",
    "examine",
    "examine_bot",
    "request_check",
    "request_plan_sync",
    "request_registration",
    "rotate_webhook_secret",
    "update_integration",
]
