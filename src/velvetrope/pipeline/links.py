"""Links that are known only when a message is sent: `invite:<chat pk>` in a URL button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
import structlog

from velvetrope.domain.errors import NeedsOperator, Permanent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from velvetrope.pipeline.events import Item

log = structlog.get_logger()

#: Gives the join-request link of a chat by the row's id, making one if there is none.
InviteLinks: TypeAlias = "Callable[[int], Awaitable[str]]"

_PREFIX: Final = "invite:"
#: The data of the conversation's own button «get in».
_ASK_AGAIN: Final = "enter"
_MARK: Final = b'"invite:'

_decode_shallow = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


async def params_to_send(item: Item, invite_links: InviteLinks) -> dict[str, Any]:
    """Give an item's parameters, with the links of chats put in; raises RetryLater of the links.

    A chat whose link can't be had for now is no reason to keep the message back: the button then
    asks the bot for the door again.
    """
    if _MARK not in item.params:
        return dict(_decode_shallow(item.params))
    params: dict[str, Any] = msgspec.json.decode(item.params)
    markup = params.get("reply_markup")
    rows = markup.get("inline_keyboard", ()) if isinstance(markup, dict) else ()
    for button in (button for row in rows for button in row):
        url = button.get("url", "")
        if url.startswith(_PREFIX):
            try:
                button["url"] = await invite_links(int(url.removeprefix(_PREFIX)))
            except (NeedsOperator, Permanent) as error:
                log.warning("invite_link_missing", item_id=item.id, code=error.code)
                del button["url"]
                button["callback_data"] = _ASK_AGAIN
    return params
