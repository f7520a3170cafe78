"""An installation is moved from SQLite to PostgreSQL with everything it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps

from tests import postgres
from tests.databases import TEMPLATE, django_on
from tests.processes import Installation
from tests.store.rows import STORE, filled
from velvetrope.store.models import Integration, StripeAccount

if TYPE_CHECKING:
    from pathlib import Path


def everything() -> dict[str, list[dict[str, object]]]:
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_app_config(STORE).get_models()
        if model.__name__ not in {"Worker", "LaneLease"}
    }


def test_every_row_is_copied_and_what_is_not_empty_is_left_alone(
    migrated_file: Path, postgresql: Path, tmp_path: Path
) -> None:
    place = Installation(tmp_path, migrated_file)
    other = postgres.Template(postgresql, TEMPLATE)
    url = other.copy()
    try:
        with django_on(place.database_url):
            filled(apps)
            Integration.objects.update(name="NUL\x00here", policy={"words": ["\x00"]})
            before = everything()
        done = place.command("copy", "--to", url, "--json")
        assert done.code == 0, done.err
        assert done.json["tables"]["store_customer"] == 1
        with django_on(url):
            after = everything()
            assert StripeAccount.objects.create(name="new", from_environment=True).pk == 2
        # PostgreSQL keeps no NUL in a text.
        before["store.Integration"][0] |= {"name": "NUL\ufffdhere", "policy": {"words": ["\ufffd"]}}
        assert after == before
        again = place.command("copy", "--to", url)
        assert again.code == 1
        assert "in it already" in again.err
    finally:
        other.drop(url)
        place.close()
