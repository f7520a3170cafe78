"""Opening and closing the link by which members from before claim their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from velvetrope.domain.adoption import plans_for
from velvetrope.domain.validation import LANGUAGES, Invalid
from velvetrope.store.catalogue import load_views
from velvetrope.store.clock import present
from velvetrope.store.models import Integration
from velvetrope.usecases.adoption.claiming import claim_link
from velvetrope.usecases.adoption.counting import request_count
from velvetrope.usecases.adoption.numbers import ChatNumbers, brake_of, count_chats
from velvetrope.usecases.audit import record
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class ChatClaim:
    """What the link means for one chat."""

    numbers: ChatNumbers
    #: Whether members can keep their place in it: some plan on sale opens nothing else.
    covered: bool
    #: How many may leave at once, with all from before claimed, before an operator is asked.
    brake: int


def set_claim_deadline(integration_id: int, until: datetime | None, actor: str) -> bool:
    """Let members from before claim their place until then; None closes the link.

    Whoever has claimed keeps the day they were told; who opens the link again gets a later one.
    False if it was so already. Raises Invalid, and DoesNotExist for an unknown id.
    """
    if until is not None and until <= present():
        raise Invalid("day_over", "until", "", "This is over. Choose a day to come.")
    with transaction.atomic():
        row = Integration.objects.select_for_update().get(id=integration_id)
        before = row.claim_until
        if before == until:
            return False
        row.claim_until = until
        row.save(update_fields=["claim_until"])
        record(
            actor,
            "claims.opened" if until else "claims.closed",
            subject="integration",
            subject_id=row.pk,
            integration_id=row.pk,
            before={"until": before.isoformat() if before else None},
            after={"until": until.isoformat() if until else None},
        )
        request_count(row.pk)
    return True


def count_members(integration_id: int) -> str:
    """Have Telegram asked how many members the chats have; gives the job's external id."""
    with transaction.atomic():
        return request_count(integration_id)


def preview_claims(integration: Integration) -> Sequence[ChatClaim]:
    """Tell whom the link concerns, chat by chat, whether it is open or not."""
    view = load_views([integration.pk])[integration.pk]
    everywhere = {chat.id for chat in view.chats}
    open_ = {
        chat_id for plan in plans_for(everywhere, view.plans_for_sale) for chat_id in plan.chat_ids
    }
    return [
        ChatClaim(one, one.chat.pk in open_, brake_of(integration, one, one.from_before or 0))
        for one in count_chats(integration.pk)
    ]


def claim_posts(integration: Integration, until: datetime) -> Mapping[str, str]:
    """Give a text to be posted in the chats, by language."""
    view = load_views([integration.pk])[integration.pk]
    link = claim_link(integration.bot_username)
    now = present()
    return {
        language: messages.claim_post(Words(view, language, now), link, until)
        for language in LANGUAGES
    }
