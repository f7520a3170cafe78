"""Rights overlap freely: a door closes with the last of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

DELETED = "customer.subscription.deleted"


@pytest.mark.parametrize(("first", "second"), [("sub_1", "sub_2"), ("sub_2", "sub_1")])
def test_any_one_of_several_rights_keeps_the_door_open(
    room: Backroom, first: str, second: str
) -> None:
    room.subscribes("sub_1")
    room.subscribes("sub_2")
    room.enters()
    room.subscribes(first, kind=DELETED, status="canceled")
    room.run_jobs()
    assert room.access().desired
    assert room.methods().count("unbanChatMember") == 0
    room.subscribes(second, kind=DELETED, status="canceled")
    room.run_jobs()
    assert not room.access().desired
    assert room.methods().count("unbanChatMember") == 1
