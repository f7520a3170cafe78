"""A Django project with dj-stripe's webhook view, on SQLite as durable as the product's.

Runs in an environment of its own: see requirements/benchmarks.txt.
"""

from __future__ import annotations

import os
from typing import Final
from uuid import UUID

SECRET_KEY = "tests-sign-with-this-0123456789-abcdefghijklmnop"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "djstripe"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.benchmarks.peers.djstripe_view.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DJSTRIPE_DATABASE", ":memory:"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        },
    }
}
#: Its tables are made at once: its migrations on SQLite take longer than the measurement.
MIGRATION_MODULES = {"djstripe": None}
STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = "sk_test_" + "x" * 24
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"

ENDPOINT: Final = UUID("7d4f3a52-5c1e-4f6e-9a90-3f8b2f0c1d11")
WEBHOOK: Final = f"/stripe/webhook/{ENDPOINT}/"
