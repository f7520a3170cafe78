"""What is said to members from before, and what an operator may post for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.usecases.wording import parts
from velvetrope.usecases.wording.outgoing import OutgoingMessage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.store.catalogue import ChatView
    from velvetrope.usecases.wording.words import Words


def place_kept(
    words: Words, chats: Sequence[ChatView], until: datetime, doors: Sequence[ChatView] = ()
) -> OutgoingMessage:
    """Tell a member from before how long they stay without paying, and how they stay for good.

    `doors` are those of the chats in which they are not.
    """
    for_sale = words.view.plans_for_sale
    how = words.count("entry.how", len(doors)) if doors else ""
    return OutgoingMessage(
        parts.paragraphs(
            words.text("adoption.kept", chats=words.chat_names(chats)),
            words.text("adoption.until", date=words.date(until)),
            words.text("adoption.subscribe") if for_sale else "",
            parts.describe_plans(words, for_sale) if for_sale else "",
            how,
        ),
        parts.rows(parts.enter_buttons(words, doors), parts.plan_buttons(words, for_sale)),
    )


def claim_post(words: Words, link: str, until: datetime) -> str:
    """Give the text that an operator posts in the chat, without any markup."""
    return words.plain("post.claim", date=words.day(until), url=link)
