from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.usecases.backroom import Backroom


@pytest.fixture
def room(database: str) -> Iterator[Backroom]:  # noqa: ARG001  its rows lie there
    from django.db import connection  # noqa: PLC0415  Django is set up by now

    from tests.usecases.backroom import Backroom  # noqa: PLC0415  the same

    yield Backroom()
    connection.close()
