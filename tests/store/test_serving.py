from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from velvetrope.store.models import Worker
from velvetrope.store.serving import AlreadyServedError, serve_alone


@pytest.mark.usefixtures("database")
def test_one_at_a_time_does_the_work() -> None:
    first = serve_alone()
    with pytest.raises(AlreadyServedError):
        serve_alone()
    first.close()
    serve_alone().close()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True, scope="session")
@pytest.mark.usefixtures("database")
def test_nobody_does_it_beside_workers() -> None:
    now = datetime.now(UTC)
    row = Worker.objects.create(name="77@host", version="1", started_at=now, seen_at=now)
    with pytest.raises(AlreadyServedError, match="process 77 serves"):
        serve_alone()
    Worker.objects.filter(pk=row.pk).update(seen_at=now - timedelta(minutes=1))  # it died
    serve_alone().close()
