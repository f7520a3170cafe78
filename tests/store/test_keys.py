from __future__ import annotations

from datetime import UTC, datetime

import pytest

from velvetrope.store.models import InboxEvent

KEYS = ["run", "run:", "run:1", "run:Z", "run:a", "run;", "runs"]


@pytest.mark.usefixtures("database")
def test_keys_are_compared_sign_by_sign_whatever_the_language_of_the_database() -> None:
    """Jobs that belong together are found by how their keys begin."""
    now = datetime(2026, 5, 1, tzinfo=UTC)
    for key in KEYS:
        InboxEvent.objects.create(
            source="job",
            account=1,
            external_id=key,
            kind="k",
            lane=key,
            payload=b"",
            received_at=now,
        )
    found = InboxEvent.objects.filter(external_id__gt="run:", external_id__lt="run;")
    assert {row.external_id for row in found} == {"run:1", "run:Z", "run:a"}
    inboxed = InboxEvent.objects.order_by("external_id").values_list("external_id", flat=True)
    assert list(inboxed) == sorted(KEYS)
