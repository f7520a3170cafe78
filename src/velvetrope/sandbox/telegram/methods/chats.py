"""Methods that look at chats and their members, and let people out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.telegram import membership
from velvetrope.sandbox.telegram.errors import bad_request
from velvetrope.sandbox.telegram.methods.messages import require_inside
from velvetrope.sandbox.telegram.params import ChatId, Params
from velvetrope.sandbox.telegram.state import Bot, Member, Person, Room

if TYPE_CHECKING:
    from velvetrope.sandbox.telegram.methods.context import Context

#: A ban shorter than this many seconds, or longer than so many, is for ever.
_SHORTEST_BAN = 30
_LONGEST_BAN = 366 * 86_400
_NO_GIFTS = (
    "unlimited_gifts",
    "limited_gifts",
    "unique_gifts",
    "premium_subscription",
    "gifts_from_channels",
)


class OfChat(Params):
    chat_id: ChatId


class GetChatAdministrators(OfChat):
    return_bots: bool = False


class OfMember(OfChat):
    user_id: int


class BanChatMember(OfMember):
    until_date: int | None = None
    revoke_messages: bool | None = None


class UnbanChatMember(OfMember):
    only_if_banned: bool = False


def find_room_of_bot(context: Context, chat_id: ChatId) -> Room:
    """Find a chat that the bot is in; ApiError says why it can't be used."""
    room = context.world.find_room(chat_id)
    require_inside(room, context.bot)
    return room


def get_chat(context: Context, params: OfChat) -> dict[str, object]:
    world, bot = context.world, context.bot
    target = world.find_target(params.chat_id)
    shown: dict[str, object] = {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(_NO_GIFTS, False),
    }
    if isinstance(target, Room):
        room = find_room_of_bot(context, params.chat_id)
        shown |= {"id": room.id, "type": room.kind, "title": room.title}
        if room.username is not None:
            shown["username"] = room.username
        primary = [link for link in room.links.values() if link.is_primary and not link.is_revoked]
        if primary and room.member(bot.id).may("can_invite_users"):
            shown["invite_link"] = primary[0].url
        return shown
    if isinstance(target, Bot) or target.id not in bot.dialogs:
        raise bad_request("chat not found")
    shown |= {"id": target.id, "type": "private", "first_name": target.first_name}
    if target.username is not None:
        shown["username"] = target.username
    return shown


def get_chat_member(context: Context, params: OfMember) -> dict[str, object]:
    world = context.world
    room = find_room_of_bot(context, params.chat_id)
    if params.user_id <= 0:
        raise bad_request("invalid user_id specified")
    itself = params.user_id == context.bot.id
    if (
        room.kind == "channel"
        and room.member(context.bot.id).status != "administrator"
        and not itself
    ):
        raise bad_request("member list is inaccessible")
    if params.user_id not in world.people and params.user_id not in world.bots:
        raise bad_request("PARTICIPANT_ID_INVALID")
    membership.is_banned(world, room, params.user_id)
    return membership.describe_member(world, room, params.user_id, room.member(params.user_id))


def get_chat_administrators(
    context: Context, params: GetChatAdministrators
) -> list[dict[str, object]]:
    world = context.world
    room = find_room_of_bot(context, params.chat_id)
    if room.kind == "channel" and room.member(context.bot.id).status != "administrator":
        raise bad_request("member list is inaccessible")
    return [
        membership.describe_member(world, room, user_id, member)
        for user_id, member in room.members.items()
        if member.status in {"creator", "administrator"}
        and (params.return_bots or user_id not in world.bots or user_id == context.bot.id)
    ]


def get_chat_member_count(context: Context, params: OfChat) -> int:
    room = find_room_of_bot(context, params.chat_id)
    return sum(member.is_in for member in room.members.values())


def ban_chat_member(context: Context, params: BanChatMember) -> bool:
    world, bot = context.world, context.bot
    room = _room_to_restrict(context, params)
    ahead = (params.until_date or 0) - world.clock.time()
    until = params.until_date or 0
    if not _SHORTEST_BAN <= ahead <= _LONGEST_BAN:
        until = 0
    membership.set_member(
        world, room, params.user_id, Member("kicked", until_date=until), actor=bot.id
    )
    request = room.requests.get(params.user_id)
    if request is not None and request.state == "pending":
        membership.close_request(
            world, room, world.person(params.user_id), "declined", actor=bot.id
        )
    return True


def unban_chat_member(context: Context, params: UnbanChatMember) -> bool:
    world = context.world
    room = _room_to_restrict(context, params)
    if room.kind == "group":
        raise bad_request("method is available for supergroup and channel chats only")
    banned = membership.is_banned(world, room, params.user_id)
    if banned or not params.only_if_banned:
        left = Member("left")
        if room.member(params.user_id) != left:
            membership.set_member(world, room, params.user_id, left, actor=context.bot.id)
    return True


def _room_to_restrict(context: Context, params: OfMember) -> Room:
    world, bot = context.world, context.bot
    if isinstance(world.find_target(params.chat_id), Person):
        raise bad_request("can't ban members in private chats")
    room = find_room_of_bot(context, params.chat_id)
    if not room.member(bot.id).may("can_restrict_members"):
        raise bad_request("not enough rights to restrict/unrestrict chat member")
    if params.user_id == bot.id:
        raise bad_request("can't restrict self")
    if params.user_id not in world.people and params.user_id not in world.bots:
        raise bad_request("PARTICIPANT_ID_INVALID")
    status = room.member(params.user_id).status
    if status == "creator":
        raise bad_request("can't remove chat owner")
    if status == "administrator":
        raise bad_request("user is an administrator of the chat")
    return room


def leave_chat(context: Context, params: OfChat) -> bool:
    if isinstance(context.world.find_target(params.chat_id), Person):
        raise bad_request("chat member status can't be changed in private chats")
    room = find_room_of_bot(context, params.chat_id)
    membership.leave(context.world, room, context.bot.id)
    return True
