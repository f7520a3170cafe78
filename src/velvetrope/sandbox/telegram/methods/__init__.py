"""The methods of the Bot API that the product uses, each with its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from velvetrope.sandbox.telegram.methods import chats, links, messages, setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from velvetrope.sandbox.telegram.methods.context import Context
    from velvetrope.sandbox.telegram.params import Params


class Method(NamedTuple):
    name: str
    params: type[Params]
    #: Any: each method takes its own kind of parameters, which `params` names.
    run: Callable[[Context, Any], object]


_METHODS = (
    Method("getMe", setup.NoParams, setup.get_me),
    Method("setWebhook", setup.SetWebhook, setup.set_webhook),
    Method("deleteWebhook", setup.DeleteWebhook, setup.delete_webhook),
    Method("getWebhookInfo", setup.NoParams, setup.get_webhook_info),
    Method("getUpdates", setup.GetUpdates, setup.get_updates),
    Method("setMyCommands", setup.SetMyCommands, setup.set_my_commands),
    Method("getMyCommands", setup.CommandsAt, setup.get_my_commands),
    Method("deleteMyCommands", setup.CommandsAt, setup.delete_my_commands),
    Method("setMyDescription", setup.SetMyDescription, setup.set_my_description),
    Method("getMyDescription", setup.InLanguage, setup.get_my_description),
    Method("setMyShortDescription", setup.SetMyShortDescription, setup.set_my_short_description),
    Method("getMyShortDescription", setup.InLanguage, setup.get_my_short_description),
    Method("getChat", chats.OfChat, chats.get_chat),
    Method("getChatMember", chats.OfMember, chats.get_chat_member),
    Method("getChatAdministrators", chats.GetChatAdministrators, chats.get_chat_administrators),
    Method("getChatMemberCount", chats.OfChat, chats.get_chat_member_count),
    Method("banChatMember", chats.BanChatMember, chats.ban_chat_member),
    Method("unbanChatMember", chats.UnbanChatMember, chats.unban_chat_member),
    Method("leaveChat", chats.OfChat, chats.leave_chat),
    Method("createChatInviteLink", links.LinkFields, links.create_chat_invite_link),
    Method("editChatInviteLink", links.EditChatInviteLink, links.edit_chat_invite_link),
    Method("revokeChatInviteLink", links.RevokeChatInviteLink, links.revoke_chat_invite_link),
    Method("exportChatInviteLink", chats.OfChat, links.export_chat_invite_link),
    Method("approveChatJoinRequest", chats.OfMember, links.approve_chat_join_request),
    Method("declineChatJoinRequest", chats.OfMember, links.decline_chat_join_request),
    Method("sendMessage", messages.SendMessage, messages.send_message),
    Method("editMessageText", messages.EditMessageText, messages.edit_message_text),
    Method(
        "editMessageReplyMarkup",
        messages.EditMessageReplyMarkup,
        messages.edit_message_reply_markup,
    ),
    Method("deleteMessage", messages.DeleteMessage, messages.delete_message),
    Method("answerCallbackQuery", messages.AnswerCallbackQuery, messages.answer_callback_query),
    Method("sendChatAction", messages.SendChatAction, messages.send_chat_action),
    Method("setChatMenuButton", messages.SetChatMenuButton, messages.set_chat_menu_button),
)

#: By lower-case name: the vendor doesn't tell cases apart.
METHODS = {method.name.lower(): method for method in _METHODS}
