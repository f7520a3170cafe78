"""The least that Django needs to know the models: for type checks and for making migrations."""

from __future__ import annotations

from velvetrope.gateways.clock import system_clock

SECRET_KEY = "only for tools that read the models, never for serving"  # noqa: S105  not a secret
VELVETROPE_CLOCK = system_clock
VELVETROPE_ENCRYPTION_KEYS = ["only for tools that read the models"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "velvetrope.store",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
