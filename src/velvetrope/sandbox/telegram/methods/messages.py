"""Methods that write: messages, their changes, answers to pressed buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from velvetrope.sandbox.telegram import entities, markup, wire
from velvetrope.sandbox.telegram.errors import bad_request, forbidden
from velvetrope.sandbox.telegram.params import ChatId, Params
from velvetrope.sandbox.telegram.state import Bot, History, Note, Person, Room
from velvetrope.sandbox.telegram.world import CALLBACK_LIFETIME

if TYPE_CHECKING:
    from velvetrope.sandbox.telegram.methods.context import Context

_TEXT_LIMIT = 4096
_ANSWER_LIMIT = 200
#: Seconds after which a bot can't delete a message for both sides.
_DELETABLE = 48 * 3600
_ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}


class LinkPreview(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    is_disabled: bool | None = None
    url: str | None = None
    prefer_small_media: bool | None = None
    prefer_large_media: bool | None = None
    show_above_text: bool | None = None


class ReplyParameters(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    message_id: int
    chat_id: ChatId | None = None
    allow_sending_without_reply: bool | None = None
    quote: str | None = None


class Texted(Params):
    text: str
    parse_mode: str | None = None
    entities: list[wire.Entity] | None = None
    link_preview_options: LinkPreview | None = None
    disable_web_page_preview: bool | None = None
    reply_markup: dict[str, object] | None = None


class SendMessage(Texted, kw_only=True):
    chat_id: ChatId
    message_thread_id: int | None = None
    disable_notification: bool | None = None
    protect_content: bool | None = None
    allow_paid_broadcast: bool | None = None
    message_effect_id: str | None = None
    reply_parameters: ReplyParameters | None = None


class EditMessageText(Texted, kw_only=True):
    chat_id: ChatId
    message_id: int


class EditMessageReplyMarkup(Params):
    chat_id: ChatId
    message_id: int
    reply_markup: dict[str, object] | None = None


class DeleteMessage(Params):
    chat_id: ChatId
    message_id: int


class AnswerCallbackQuery(Params):
    callback_query_id: str
    text: str | None = None
    show_alert: bool = False
    url: str | None = None
    cache_time: int | None = None


class SendChatAction(Params):
    chat_id: ChatId
    action: str
    message_thread_id: int | None = None


class SetChatMenuButton(Params):
    chat_id: int | None = None
    menu_button: dict[str, object] | None = None


def _read_text(params: Texted) -> tuple[str, list[wire.Entity]]:
    if params.parse_mode is None or not params.parse_mode:
        text, found = params.text, list(params.entities or [])
    elif params.parse_mode.lower() == "html":
        text, found = entities.parse_html(params.text)
    elif params.parse_mode.lower() in {"markdown", "markdownv2"}:
        raise bad_request("sandbox: of the parse modes only HTML is simulated")
    else:
        raise bad_request("unsupported parse_mode")
    text, found = entities.trim(text, found)
    if not text:
        raise bad_request("message text is empty")
    if entities.utf16_length(text) > _TEXT_LIMIT:
        raise bad_request("message is too long")
    return text, entities.add_detected(text, found, commands=False)


def _place_for(context: Context, chat_id: ChatId) -> tuple[Person | Room, History]:
    """Find where the bot may write; ApiError says why it may not."""
    world, bot = context.world, context.bot
    if context.knobs.anyone_started and isinstance(chat_id, int) and chat_id > 0:
        if chat_id not in world.people and chat_id not in world.bots:
            world.add_person(Person(chat_id, f"Person {chat_id}"))
        bot.dialog(chat_id).started = True
    target = world.find_target(chat_id)
    if isinstance(target, Bot):
        raise forbidden("bot can't send messages to bots")
    if isinstance(target, Room):
        room = world.find_room(chat_id)
        require_inside(room, bot)
        if room.kind == "channel" and not room.member(bot.id).may("can_post_messages"):
            raise bad_request("need administrator rights in the channel chat")
        return room, room.history
    dialog = bot.dialogs.get(target.id)
    if target.deactivated:
        raise forbidden("user is deactivated")
    if dialog is not None and dialog.blocked:
        raise forbidden("bot was blocked by the user")
    reachable = dialog is not None and dialog.reachable_until > world.clock.time()
    if dialog is None or not (dialog.started or reachable):
        raise forbidden("bot can't initiate conversation with a user")
    return target, dialog.history


def require_inside(room: Room, bot: Bot) -> None:
    """Refuse with the vendor's words if the bot isn't in the chat."""
    if room.deleted:
        raise forbidden("the group chat was deleted")
    status = room.member(bot.id).status
    if status == "kicked":
        raise forbidden(f"bot was kicked from the {room.noun} chat")
    if status == "left":
        raise forbidden(f"bot is not a member of the {room.noun} chat")


def send_message(context: Context, params: SendMessage) -> wire.Message:
    world, bot = context.world, context.bot
    place, history = _place_for(context, params.chat_id)
    text, found = _read_text(params)
    keyboard = markup.read_keyboard(params.reply_markup, inline_only=False)
    if context.knobs.strict_pace:
        context.pace.spend_message(bot.id, place.id, group=isinstance(place, Room))
    owner = bot if isinstance(place, Person) else place
    owner.last_message_id += 1
    sender = place.id if isinstance(place, Room) and place.kind == "channel" else bot.id
    note = history.add(Note(owner.last_message_id, world.date, sender, text, found, keyboard))
    if isinstance(place, Person):
        bot.dialogs[place.id].typing_at = 0.0
    world.changes.append(place.id)
    return _show(context, note, place)


def _show(context: Context, note: Note, place: Person | Room) -> wire.Message:
    if isinstance(place, Person):
        return context.world.message_of(note, context.bot, place)
    return context.world.message_of(note, place)


def _find_own(context: Context, chat_id: ChatId, message_id: int) -> tuple[Person | Room, Note]:
    place, history = _place_for(context, chat_id)
    note = history.get(message_id)
    if note is None:
        raise bad_request("message to edit not found")
    own = place.id if isinstance(place, Room) and place.kind == "channel" else context.bot.id
    if note.sender != own or note.service is not None:
        raise bad_request("message can't be edited")
    return place, note


_SAME = (
    "message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)


def edit_message_text(context: Context, params: EditMessageText) -> wire.Message:
    place, note = _find_own(context, params.chat_id, params.message_id)
    text, found = _read_text(params)
    keyboard = markup.read_keyboard(params.reply_markup, inline_only=True)
    if (note.text, note.entities, note.keyboard) == (text, found, keyboard):
        raise bad_request(_SAME)
    note.text, note.entities, note.keyboard = text, found, keyboard
    note.edited = context.world.date
    context.world.changes.append(place.id)
    return _show(context, note, place)


def edit_message_reply_markup(context: Context, params: EditMessageReplyMarkup) -> wire.Message:
    place, note = _find_own(context, params.chat_id, params.message_id)
    keyboard = markup.read_keyboard(params.reply_markup, inline_only=True)
    if note.keyboard == keyboard:
        raise bad_request(_SAME)
    note.keyboard = keyboard
    context.world.changes.append(place.id)
    return _show(context, note, place)


def delete_message(context: Context, params: DeleteMessage) -> bool:
    world, bot = context.world, context.bot
    place, history = _place_for(context, params.chat_id)
    note = history.get(params.message_id)
    if note is None:
        raise bad_request("message to delete not found")
    if isinstance(place, Room) and not place.member(bot.id).may("can_delete_messages"):
        raise bad_request("message can't be deleted")
    if world.clock.time() - note.date > _DELETABLE:
        raise bad_request("message can't be deleted for everyone")
    del history[note.id]
    world.changes.append(place.id)
    return True


def answer_callback_query(context: Context, params: AnswerCallbackQuery) -> bool:
    world = context.world
    press = world.presses.get(params.callback_query_id)
    if (
        press is None
        or press.bot != context.bot.id
        or press.answered
        or world.clock.time() - press.date > CALLBACK_LIFETIME
    ):
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if params.text is not None and len(params.text) > _ANSWER_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    if params.url is not None and not params.url.startswith(
        (f"https://t.me/{context.bot.username}?start=", f"t.me/{context.bot.username}?start=")
    ):
        raise bad_request("URL_INVALID")
    press.text, press.alert, press.url = params.text, params.show_alert, params.url
    press.done.set()
    world.changes.append(press.person)
    return True


def send_chat_action(context: Context, params: SendChatAction) -> bool:
    place, _ = _place_for(context, params.chat_id)
    if params.action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    if isinstance(place, Person) and params.action == "typing":
        context.bot.dialogs[place.id].typing_at = context.world.clock.time()
        context.world.changes.append(place.id)
    return True


def set_chat_menu_button(context: Context, params: SetChatMenuButton) -> bool:
    kind = (params.menu_button or {"type": "default"}).get("type")
    if kind not in {"commands", "default"}:
        raise bad_request("sandbox: of the menu buttons only commands and default are simulated")
    if params.chat_id is not None:
        _place_for(context, params.chat_id)
    context.bot.menu_buttons[params.chat_id or 0] = {"type": kind}
    return True
