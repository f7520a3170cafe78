from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.telegram.place import Place
from tests.sandbox.telegram.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.processes import Sandbox


@pytest.fixture
def place(sandbox: Sandbox) -> Iterator[Place]:
    yield Place(sandbox.telegram)
    sandbox.telegram.post("/control/faults", json={"reset": True})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running
