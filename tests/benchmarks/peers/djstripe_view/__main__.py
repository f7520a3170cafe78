"""Makes the database and the endpoint, then becomes gunicorn on the port that is given."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django
from django.apps import apps
from django.core.management import call_command

from tests.benchmarks.peers.djstripe_view import settings
from tests.benchmarks.stripe_events import SECRET


def _create(name: str, **fields: object) -> object:
    """Make a row of dj-stripe's, whose types this checkout doesn't have."""
    models = {model.__name__: model for model in apps.get_app_config("djstripe").get_models()}
    return models[name]._default_manager.create(**fields)


def _prepare() -> None:
    django.setup()
    call_command("migrate", verbosity=0, run_syncdb=True)
    account = _create(
        "Account",
        id="acct_bench",
        livemode=False,
        stripe_data={"id": "acct_bench", "object": "account"},
    )
    _create(
        "APIKey",
        id="sk_bench",
        livemode=False,
        type="secret",
        secret=settings.STRIPE_TEST_SECRET_KEY,
        djstripe_owner_account=account,
    )
    _create(
        "WebhookEndpoint",
        id="we_bench",
        livemode=False,
        djstripe_uuid=settings.ENDPOINT,
        djstripe_owner_account=account,
        djstripe_validation_method="verify_signature",
        secret=SECRET,
        status="enabled",
        url=f"https://bench.example{settings.WEBHOOK}",
        enabled_events=["*"],
    )


def _become_gunicorn(port: str) -> None:
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
    # Two cores: two processes, with threads so that connections are kept open.
    command += ["--workers", "2", "--worker-class", "gthread", "--threads", "8"]
    command += ["--keep-alive", "60", "--log-level", "warning"]
    os.execv(sys.executable, [*command, "django.core.wsgi:get_wsgi_application()"])  # noqa: S606  on purpose


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = settings.__name__
    if not Path(os.environ["DJSTRIPE_DATABASE"]).exists():
        _prepare()
    _become_gunicorn(sys.argv[1])
