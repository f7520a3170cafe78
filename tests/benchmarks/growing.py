"""Times what grows with an installation, in its database and without a server; prints JSON.

Each figure is the best of a few tries, in milliseconds: what is measured is the work, not the
first reading of a file.
"""

from __future__ import annotations

import json
import os
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

_TRIES: Final = 3
_SECRETS: Final = 100
PAGES: Final = {
    "console overview": "/admin/",
    "list of integrations": "/admin/store/integration/",
    "list of customers": "/admin/store/customer/",
    "customers, page 50": "/admin/store/customer/?p=50",
    "search for a customer": "/admin/store/customer/?q=person77",
    "list of rights": "/admin/store/entitlement/",
    "list of places": "/admin/store/access/",
    "list of events": "/admin/store/inboxevent/",
    "removals": "/admin/removals/",
}


def main() -> None:
    from velvetrope import settings as product_settings  # noqa: PLC0415  Django is set up in here
    from velvetrope.web import django_config  # noqa: PLC0415  the same

    django_config.configure(product_settings.from_environment(os.environ))
    found: dict[str, float] = {}
    for group in (_passes(), _pages(), _look_ups()):
        found |= {name: _best(run) for name, run in group.items()}
    print(json.dumps(found))


def _best(run: Callable[[], object]) -> float:
    times = []
    for _ in range(_TRIES):
        started = perf_counter()
        run()
        times.append(perf_counter() - started)
    return min(times) * 1000


def _passes() -> dict[str, Callable[[], object]]:
    from django.utils import timezone  # noqa: PLC0415  after Django is set up

    from velvetrope.usecases import sweep, understanding, watching  # noqa: PLC0415  the same
    from velvetrope.usecases.adoption import counting  # noqa: PLC0415  the same
    from velvetrope.usecases.alert_dead import sweep_dead_letters  # noqa: PLC0415  the same
    from velvetrope.usecases.leaving.brake import sweep_brakes  # noqa: PLC0415  the same
    from velvetrope.usecases.reconciling import schedule  # noqa: PLC0415  the same
    from velvetrope.usecases.reminding import searching  # noqa: PLC0415  the same

    now = timezone.now()
    hourly = (partial(schedule.ask_for_events, listening_since=now), schedule.ask_for_open_doors)
    often = (
        sweep.sweep_due,
        sweep.sweep_waiting,
        sweep.sweep_prices,
        searching.sweep_notices,
        watching.list_due,
        counting.sweep_counts,
        sweep_dead_letters,
        sweep_brakes,
        understanding.sweep_unknowns,
    )
    return {
        "hourly pass": partial(_undone, hourly, now),
        "a share of the daily pass": partial(_undone, [schedule.ask_for_everything], now),
        "all searches by the clock": partial(_undone, often, now),
    }


def _undone(searches: Sequence[Callable[[datetime], object]], now: datetime) -> None:
    """Run searches and take back what they wrote, so that they find the same the next time."""
    from django.db import transaction  # noqa: PLC0415  after Django is set up

    for search in searches:
        with transaction.atomic():
            search(now)
            transaction.set_rollback(True)


def _pages() -> dict[str, Callable[[], object]]:
    from django.contrib.auth.models import User  # noqa: PLC0415  after Django is set up
    from django.test import Client  # noqa: PLC0415  the same

    user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    client = Client(headers={"host": "bench.example"}, raise_request_exception=True)
    client.force_login(user)

    def look(page: str) -> None:
        answer = client.get(page, secure=True)
        if answer.status_code != 200:
            raise AssertionError(f"{page} answered {answer.status_code}")

    return {name: partial(look, page) for name, page in PAGES.items()}


def _look_ups() -> dict[str, Callable[[], object]]:
    from tests.benchmarks.rows import secret_of  # noqa: PLC0415  after Django is set up
    from velvetrope.store.encryption import installation_keys  # noqa: PLC0415  the same
    from velvetrope.store.models import Integration  # noqa: PLC0415  the same
    from velvetrope.web.senders import find_integration  # noqa: PLC0415  the same

    count = Integration.objects.count()
    keys = [
        tuple(installation_keys().look_up_hashes(secret_of(number * 7919 % count)))
        for number in range(_SECRETS)
    ]

    def look_up() -> None:
        if None in [find_integration(key) for key in keys]:
            raise AssertionError("a secret is not known")

    return {f"look-up of {_SECRETS} secrets": look_up}


if __name__ == "__main__":
    main()
