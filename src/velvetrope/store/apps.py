from __future__ import annotations

from django.apps import AppConfig


class StoreConfig(AppConfig):
    name = "velvetrope.store"
    label = "store"
    verbose_name = "Velvet Rope"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from velvetrope.store import revisions  # noqa: PLC0415  models exist only from here on

        revisions.connect()
