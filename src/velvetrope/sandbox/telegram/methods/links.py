"""Methods about the way in: invite links and join requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from velvetrope.sandbox.telegram import membership
from velvetrope.sandbox.telegram.errors import bad_request
from velvetrope.sandbox.telegram.methods.chats import OfChat, OfMember, find_room_of_bot
from velvetrope.sandbox.telegram.params import ChatId  # noqa: TC001  msgspec reads it at run time

if TYPE_CHECKING:
    from velvetrope.sandbox.telegram import wire
    from velvetrope.sandbox.telegram.methods.context import Context
    from velvetrope.sandbox.telegram.state import Link, Room

_NAME_LIMIT = 32
_MOST_MEMBERS = 99_999


class LinkFields(OfChat):
    name: str | None = None
    expire_date: int | None = None
    member_limit: int | None = None
    creates_join_request: bool = False


class EditChatInviteLink(LinkFields, kw_only=True):
    invite_link: str


class RevokeChatInviteLink(OfChat, kw_only=True):
    invite_link: str


def _room_to_invite(context: Context, chat_id: ChatId) -> Room:
    room = find_room_of_bot(context, chat_id)
    if not room.member(context.bot.id).may("can_invite_users"):
        raise bad_request("not enough rights to manage chat invite link")
    return room


def _check(context: Context, room: Room, params: LinkFields) -> None:
    if params.name is not None and len(params.name) > _NAME_LIMIT:
        raise bad_request("invite link name is too long")
    if params.creates_join_request and room.kind == "group":
        raise bad_request("method is available for supergroup and channel chats only")
    if params.creates_join_request and params.member_limit:
        raise bad_request(
            "member limit can't be specified for links requiring administrator approval"
        )
    if params.member_limit is not None and not 0 <= params.member_limit <= _MOST_MEMBERS:
        raise bad_request("USAGE_LIMIT_INVALID")
    if params.expire_date and params.expire_date <= context.world.clock.time():
        raise bad_request("EXPIRE_DATE_INVALID")


def create_chat_invite_link(context: Context, params: LinkFields) -> wire.InviteLink:
    room = _room_to_invite(context, params.chat_id)
    _check(context, room, params)
    link = membership.new_link(
        context.world,
        room,
        context.bot.id,
        name=params.name or None,
        expire_date=params.expire_date or None,
        member_limit=params.member_limit or None,
        creates_join_request=params.creates_join_request,
    )
    return membership.describe_link(context.world, link)


def _own_link(context: Context, room: Room, url: str) -> Link:
    link = room.links.get(url)
    if link is None:
        raise bad_request("INVITE_HASH_EXPIRED")
    if link.creator != context.bot.id:
        raise bad_request("not enough rights to manage chat invite link")
    return link


def edit_chat_invite_link(context: Context, params: EditChatInviteLink) -> wire.InviteLink:
    room = _room_to_invite(context, params.chat_id)
    link = _own_link(context, room, params.invite_link)
    _check(context, room, params)
    if link.is_revoked:
        raise bad_request("INVITE_HASH_EXPIRED")
    link.name = params.name or None
    link.expire_date = params.expire_date or None
    link.member_limit = params.member_limit or None
    link.creates_join_request = params.creates_join_request
    return membership.describe_link(context.world, link)


def revoke_chat_invite_link(context: Context, params: RevokeChatInviteLink) -> wire.InviteLink:
    room = _room_to_invite(context, params.chat_id)
    link = _own_link(context, room, params.invite_link)
    link.is_revoked = True
    return membership.describe_link(context.world, link)


def export_chat_invite_link(context: Context, params: OfChat) -> str:
    room = _room_to_invite(context, params.chat_id)
    for link in room.links.values():
        if link.is_primary and link.creator == context.bot.id:
            link.is_revoked = True
    return membership.new_link(context.world, room, context.bot.id, is_primary=True).url


def approve_chat_join_request(context: Context, params: OfMember) -> bool:
    return _close(context, params, "approved")


def decline_chat_join_request(context: Context, params: OfMember) -> bool:
    return _close(context, params, "declined")


def _close(context: Context, params: OfMember, state: Literal["approved", "declined"]) -> bool:
    world = context.world
    room = find_room_of_bot(context, params.chat_id)
    if not room.member(context.bot.id).may("can_invite_users"):
        raise bad_request("not enough rights to manage chat join requests")
    person = world.people.get(params.user_id)
    if person is None:
        raise bad_request("user not found")
    if room.member(person.id).is_in:
        raise bad_request("USER_ALREADY_PARTICIPANT")
    request = room.requests.get(person.id)
    if request is None or request.state != "pending":
        raise bad_request("HIDE_REQUESTER_MISSING")
    if state == "approved" and person.too_many_chats:
        raise bad_request("USER_CHANNELS_TOO_MUCH")
    if state == "approved" and person.deactivated:
        raise bad_request("INPUT_USER_DEACTIVATED")
    membership.close_request(world, room, person, state, actor=context.bot.id)
    return True
