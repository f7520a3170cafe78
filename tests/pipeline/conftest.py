from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.pipeline.works import Works
    from velvetrope.store.models import Integration


@pytest.fixture
def integration(database: str) -> Iterator[Integration]:  # noqa: ARG001  its rows lie there
    from django.db import connection  # noqa: PLC0415  Django is set up by now

    from tests.pipeline.works import make_integration  # noqa: PLC0415  the same

    yield make_integration()
    connection.close()


@pytest.fixture
async def works(integration: Integration) -> AsyncIterator[Works]:
    """Give a pipeline beside a fresh database; it does not run yet."""
    from tests.pipeline.works import Works  # noqa: PLC0415  Django is set up by now

    place = Works(integration)
    yield place
    await place.close()
