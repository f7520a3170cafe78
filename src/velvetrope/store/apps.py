from __future__ import annotations

from django.apps import AppConfig


class StoreConfig(AppConfig):
    name = "velvetrope.store"
    label = "store"
    verbose_name = "Velvet Rope"
    default_auto_field = "django.db.models.BigAutoField"
