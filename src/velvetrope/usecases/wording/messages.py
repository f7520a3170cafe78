"""Everything that the product says to a person, one function for each thing."""

from velvetrope.usecases.wording.door import (
    access_ended,
    access_restored,
    entry,
    let_in,
    request_declined,
    too_many_chats,
)
from velvetrope.usecases.wording.language import language_of, words_for, words_for_stranger
from velvetrope.usecases.wording.offers import (
    checkout_delayed,
    checkout_link,
    checkout_unreachable,
    nothing_for_sale,
    plan_not_sold,
    plans,
    sales_paused,
    start,
)
from velvetrope.usecases.wording.outgoing import Button, Html, OutgoingMessage
from velvetrope.usecases.wording.pages import (
    help_page,
    language_chosen,
    language_picker,
    outdated_button,
    paysupport,
    privacy,
    terms,
    unknown_command,
    unknown_text,
)
from velvetrope.usecases.wording.payments import (
    nothing_to_manage,
    payment_did_not_come,
    payment_failed,
    payment_pending,
    payment_received,
    portal_delayed,
    portal_link,
    portal_unreachable,
)
from velvetrope.usecases.wording.standings import already_yours, status
from velvetrope.usecases.wording.words import Words

__all__ = [
    "Button",
    "Html",
    "OutgoingMessage",
    "Words",
    "access_ended",
    "access_restored",
    "already_yours",
    "checkout_delayed",
    "checkout_link",
    "checkout_unreachable",
    "entry",
    "help_page",
    "language_chosen",
    "language_of",
    "language_picker",
    "let_in",
    "nothing_for_sale",
    "nothing_to_manage",
    "outdated_button",
    "payment_did_not_come",
    "payment_failed",
    "payment_pending",
    "payment_received",
    "paysupport",
    "plan_not_sold",
    "plans",
    "portal_delayed",
    "portal_link",
    "portal_unreachable",
    "privacy",
    "request_declined",
    "sales_paused",
    "start",
    "status",
    "terms",
    "too_many_chats",
    "unknown_command",
    "unknown_text",
    "words_for",
    "words_for_stranger",
]
