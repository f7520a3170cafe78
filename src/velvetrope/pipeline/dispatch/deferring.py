"""Deferring jobs of Procrastinate in the transaction of the calling thread.

By the function that its own client calls, in one round trip and with the database's own errors.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from velvetrope.pipeline.dialect.postgresql import execute

if TYPE_CHECKING:
    from collections.abc import Iterable

QUEUE: Final = "velvetrope"
#: The task that takes lanes up.
TAKE: Final = "velvetrope.take"
#: Lanes of one job: so many workers share what came in together.
LANES: Final = 32

_DEFER: Final = """
    SELECT procrastinate_defer_jobs_v1(array_agg(
        ROW(%s, %s, 0, NULL, NULL, job.args, NULL)::procrastinate_job_to_defer_v1))
    FROM unnest(%s::jsonb[]) AS job (args)
"""


def defer(lanes: Iterable[str]) -> None:
    """Have workers take lanes up, by one job for up to 32 of them."""
    ordered = sorted(set(lanes))
    jobs = [json.dumps({"lanes": ordered[at : at + LANES]}) for at in range(0, len(ordered), LANES)]
    if jobs:
        execute(_DEFER, [QUEUE, TAKE, jobs])
