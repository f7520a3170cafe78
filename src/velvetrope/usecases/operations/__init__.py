"""What operators do by hand, from the console and the command line.

Synchronous, each in a transaction of its own, each leaving an audit entry that names the actor.
Whatever has to reach a vendor is left as a durable job for the server.
"""

from velvetrope.usecases.audit import plain, record
from velvetrope.usecases.operations.alerts import (
    AlertInWords,
    count_open_by_code,
    in_words,
    list_alerts,
    open_alerts,
)
from velvetrope.usecases.operations.chats import replace_chat
from velvetrope.usecases.operations.deadletters import (
    DeadLetter,
    Kind,
    Ref,
    Selection,
    count_dead,
    discard,
    list_dead,
    replay,
    select_refs,
)
from velvetrope.usecases.operations.dry_runs import find_dry_run, request_dry_run
from velvetrope.usecases.operations.grants import GrantRefusedError, grant, revoke
from velvetrope.usecases.operations.integrations import (
    resume_items,
    set_active,
    sync_plans,
    verify,
)
from velvetrope.usecases.operations.members import (
    OrderRefusedError,
    reinvite,
    sync,
    write_to,
)
from velvetrope.usecases.operations.messages import change_messages
from velvetrope.usecases.operations.operators import (
    NameTakenError,
    NoSuchOperatorError,
    create_operator,
    disable_operator,
    generate_password,
    reset_operator,
)
from velvetrope.usecases.operations.plans import PlanChoices, change_plan
from velvetrope.usecases.operations.policy import Effect, change_policy, foresee, policy_of
from velvetrope.usecases.operations.reconciling import (
    NothingToReconcileError,
    Run,
    backfill,
    rebuild,
    reconcile,
)
from velvetrope.usecases.operations.removals import (
    HeldChat,
    HeldPerson,
    confirm_removals,
    list_held_chats,
    recheck_held,
)
from velvetrope.usecases.operations.stripe_accounts import add_stripe_account, change_stripe_account

__all__ = [
    "AlertInWords",
    "DeadLetter",
    "Effect",
    "GrantRefusedError",
    "HeldChat",
    "HeldPerson",
    "Kind",
    "NameTakenError",
    "NoSuchOperatorError",
    "NothingToReconcileError",
    "OrderRefusedError",
    "PlanChoices",
    "Ref",
    "Run",
    "Selection",
    "add_stripe_account",
    "backfill",
    "change_messages",
    "change_plan",
    "change_policy",
    "change_stripe_account",
    "confirm_removals",
    "count_dead",
    "count_open_by_code",
    "create_operator",
    "disable_operator",
    "discard",
    "find_dry_run",
    "foresee",
    "generate_password",
    "grant",
    "in_words",
    "list_alerts",
    "list_dead",
    "list_held_chats",
    "open_alerts",
    "plain",
    "policy_of",
    "rebuild",
    "recheck_held",
    "reconcile",
    "record",
    "reinvite",
    "replace_chat",
    "replay",
    "request_dry_run",
    "reset_operator",
    "resume_items",
    "revoke",
    "select_refs",
    "set_active",
    "sync",
    "sync_plans",
    "verify",
    "write_to",
]
