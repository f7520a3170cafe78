"""What the product imports and no setting has a part in: loaded once, for many forks."""

from __future__ import annotations

import gc
from importlib import import_module

for _module in (
    "aiohttp",
    "argon2",
    "babel.dates",
    "babel.numbers",
    "cryptography.fernet",
    "django.contrib.admin",
    "django.contrib.auth.hashers",
    "django.contrib.postgres.forms",
    "django.core.management",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.template.context_processors",
    "httptools",
    "procrastinate",
    "psycopg_pool",
    "stripe",
    "structlog",
    "unfold",
    "uvicorn",
    "uvloop",
    "velvetrope.cli.main",
    "velvetrope.cli.opening",
    "velvetrope.gateways.stripe.gateway",
    "velvetrope.gateways.telegram.bot",
    "velvetrope.sandbox.server",
    "whitenoise.middleware",
):
    import_module(_module)

gc.freeze()  # or the first collection in each fork would copy all these pages
