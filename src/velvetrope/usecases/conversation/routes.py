"""Which updates and jobs the conversation handles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from velvetrope.domain.states import Source
from velvetrope.usecases.chat_moves import MovedChatHandler
from velvetrope.usecases.conversation.blocking import OwnMembershipHandler
from velvetrope.usecases.conversation.handler import ConversationHandler
from velvetrope.usecases.conversation.late_links import SEND_LINK, SendLinkHandler

if TYPE_CHECKING:
    from velvetrope.gateways.telegram.updates import Update
    from velvetrope.pipeline.routes import Handler
    from velvetrope.usecases.services import Services


def conversation_handlers(
    services: Services, *, own_standing: Handler[Update]
) -> dict[tuple[str, str], Handler[Any]]:
    """Give the handlers by (source, kind); `own_standing` follows the bot in other chats."""
    conversation = ConversationHandler(services)
    return {
        (Source.TELEGRAM.value, "message"): MovedChatHandler(conversation),
        (Source.TELEGRAM.value, "callback_query"): conversation,
        (Source.TELEGRAM.value, "my_chat_member"): OwnMembershipHandler(own_standing),
        (Source.JOB.value, SEND_LINK): SendLinkHandler(services),
    }
