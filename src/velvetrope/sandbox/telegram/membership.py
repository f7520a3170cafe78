"""Comings and goings: who is in a chat, who asks to enter, and which bots are told."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Literal

from velvetrope.sandbox.telegram import wire
from velvetrope.sandbox.telegram.state import (
    CHANNEL_RIGHTS,
    GROUP_RIGHTS,
    RIGHTS,
    Bot,
    JoinRequest,
    Link,
    Member,
    Note,
    Person,
    Room,
)
from velvetrope.sandbox.telegram.world import Movement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from velvetrope.sandbox.telegram.world import World

#: Seconds for which most updates are worth delivering.
DAY = 86_400.0
#: Seconds for which a join request lets the bot write to the person.
_REACHABLE = 300

Entry = Literal["joined", "requested", "already", "expired", "banned", "full"]


def describe_member(world: World, room: Room, user_id: int, member: Member) -> dict[str, object]:
    """Shape a membership as the Bot API's ChatMember."""
    shown: dict[str, object] = {"user": world.user_of(user_id), "status": member.status}
    if member.status == "creator":
        shown["is_anonymous"] = False
    elif member.status == "administrator":
        shown |= {"can_be_edited": False, "is_anonymous": False}
        shown |= {right: member.rights.get(right, False) for right in rights_of(room)}
    elif member.status == "restricted":
        shown |= {"is_member": member.inside, "until_date": member.until_date}
        shown |= dict.fromkeys(_RESTRICTIONS, False)
    elif member.status == "kicked":
        shown["until_date"] = member.until_date
    return shown


_RESTRICTIONS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)


def rights_of(room: Room) -> tuple[str, ...]:
    """List the rights that an administrator of this kind of chat can have."""
    return RIGHTS + (CHANNEL_RIGHTS if room.kind == "channel" else GROUP_RIGHTS)


def describe_link(world: World, link: Link) -> wire.InviteLink:
    """Shape a link as the Bot API's ChatInviteLink."""
    waiting = 0
    if link.creates_join_request:
        requests = world.rooms[link.chat_id].requests.values()
        waiting = sum(r.link == link.url and r.state == "pending" for r in requests)
    return wire.InviteLink(
        invite_link=link.url,
        creator=world.user_of(link.creator),
        creates_join_request=link.creates_join_request,
        is_primary=link.is_primary,
        is_revoked=link.is_revoked,
        name=link.name,
        expire_date=link.expire_date,
        member_limit=link.member_limit,
        pending_join_request_count=waiting or None,
    )


def new_link(world: World, room: Room, creator: int, **fields: object) -> Link:
    """Make a link to a chat; its address shows that it leads nowhere outside."""
    url = f"https://t.me/+SANDBOX{secrets.token_urlsafe(9)}"
    link = Link(url, room.id, creator, **fields)  # type: ignore[arg-type]  # the caller's own fields
    room.links[url] = link
    world.links[url] = link
    return link


def administrators(world: World, room: Room) -> Iterator[tuple[Bot, Member]]:
    """Go through the bots that administer a chat."""
    for bot in world.bots.values():
        member = room.members.get(bot.id)
        if member is not None and member.status == "administrator":
            yield bot, member


def set_member(
    world: World,
    room: Room,
    user_id: int,
    member: Member,
    *,
    actor: int,
    link: Link | None = None,
    via_request: bool = False,
) -> None:
    """Change a membership and tell the bots that may know."""
    old = room.member(user_id)
    was_told = {bot.id for bot, _ in administrators(world, room)}
    room.members[user_id] = member
    world.changes.append(user_id if user_id in world.people else room.id)
    if not member.is_in:
        for other in room.links.values():
            other.joined.discard(user_id)
    elif link is not None:
        link.joined.add(user_id)
    if old == member:
        return
    world.movements.append(
        Movement(
            time=world.clock.time(),
            chat=room.id,
            user=user_id,
            actor=actor,
            was=old.status,
            now=member.status,
            was_in=old.is_in,
            is_in=member.is_in,
        )
    )
    change = wire.ChatMemberUpdated(
        chat=room.to_wire(),
        from_=world.user_of(actor),
        date=world.date,
        old_chat_member=describe_member(world, room, user_id, old),
        new_chat_member=describe_member(world, room, user_id, member),
        invite_link=describe_link(world, link) if link else None,
        via_join_request=via_request or None,
    )
    changed_bot = world.bots.get(user_id)
    if changed_bot is not None:
        queue = f"my_chat_member:{room.id}"
        world.updates.push(changed_bot, "my_chat_member", queue, change, DAY)
    for bot, _ in administrators(world, room):
        if bot.id in was_told and bot.id != user_id:
            world.updates.push(bot, "chat_member", f"member:{user_id}", change, DAY)
    if room.kind != "channel" and old.is_in != member.is_in:
        _announce(world, room, user_id, came=member.is_in)


def _announce(world: World, room: Room, user_id: int, *, came: bool) -> None:
    """Leave the service message that groups show when somebody comes or goes."""
    room.last_message_id += 1
    service = "joined" if came else "left"
    note = room.history.add(
        Note(room.last_message_id, world.date, user_id, "", [], service=service)
    )
    message = world.message_of(note, room)
    if came:
        message.new_chat_members = [world.user_of(user_id)]
    else:
        message.left_chat_member = world.user_of(user_id)
    tell_room(world, room, "message", message)


def tell_room(world: World, room: Room, kind: str, message: wire.Message) -> None:
    """Send a message of a chat to the bots in it, save the one that wrote it."""
    author = message.from_.id if message.from_ else None
    for bot_id, member in room.members.items():
        bot = world.bots.get(bot_id)
        if bot is not None and member.is_in and bot_id != author:
            world.updates.push(bot, kind, f"message:{room.id}", message, DAY)


def enter_by(world: World, person: Person, link: Link) -> Entry:
    """Let a person follow an invite link: they join, or ask to, or are turned away."""
    room = world.rooms[link.chat_id]
    expired = link.expire_date is not None and link.expire_date <= world.clock.time()
    if link.is_revoked or expired or room.deleted:
        return "expired"
    person.opened[room.id] = link.url
    world.changes.append(person.id)
    if is_banned(world, room, person.id):
        return "banned"
    if room.member(person.id).is_in:
        return "already"
    if link.creates_join_request:
        _request(world, person, room, link)
        return "requested"
    if link.member_limit is not None and len(link.joined) >= link.member_limit:
        return "full"
    set_member(world, room, person.id, Member("member"), actor=person.id, link=link)
    return "joined"


def is_banned(world: World, room: Room, user_id: int) -> bool:
    """Tell whether a ban holds; one whose time is over is lifted."""
    member = room.members.get(user_id)
    if member is None or member.status != "kicked":
        return False
    if member.until_date and member.until_date <= world.clock.time():
        room.members[user_id] = Member("left")
        return False
    return True


def _request(world: World, person: Person, room: Room, link: Link) -> None:
    waiting = room.requests.get(person.id)
    if waiting is not None and waiting.state == "pending":
        return
    room.requests[person.id] = JoinRequest(person.id, world.date, link.url)
    request = wire.ChatJoinRequest(
        chat=room.to_wire(),
        from_=person.to_wire(),
        user_chat_id=person.id,
        date=world.date,
        invite_link=describe_link(world, link),
    )
    for bot, member in administrators(world, room):
        if member.may("can_invite_users"):
            bot.dialog(person.id).reachable_until = world.clock.time() + _REACHABLE
            world.updates.push(bot, "chat_join_request", f"member:{person.id}", request, DAY)


def close_request(
    world: World, room: Room, person: Person, state: Literal["approved", "declined"], actor: int
) -> None:
    """Approve or decline a waiting request; KeyError if none waits."""
    request = room.requests[person.id]
    if request.state != "pending":
        raise KeyError(person.id)
    request.state = state
    for bot, _ in administrators(world, room):
        bot.dialog(person.id).reachable_until = 0.0
    world.changes.append(person.id)
    if state == "approved":
        link = world.links.get(request.link or "")
        set_member(
            world, room, person.id, Member("member"), actor=actor, link=link, via_request=True
        )


def leave(world: World, room: Room, user_id: int) -> None:
    """Let a member go of their own will."""
    if room.member(user_id).is_in:
        set_member(world, room, user_id, Member("left"), actor=user_id)
