from __future__ import annotations

from itertools import pairwise

import pytest
from croniter import croniter  # type: ignore[import-untyped]  # it has no types

from velvetrope.pipeline.shared.crontab import crontab


@pytest.mark.parametrize("seconds", [1, 10, 20, 60, 300, 600, 3600, 7200, 86_400])
def test_a_crontab_comes_round_so_often(seconds: int) -> None:
    times = croniter(crontab(seconds), 1_800_000_000.0)
    ticks = [times.get_next(float) for _ in range(50)]
    assert {after - before for before, after in pairwise(ticks)} == {seconds}


@pytest.mark.parametrize("seconds", [0.5, 0, 7, 90, 5000, 100_000])
def test_what_goes_into_no_unit_evenly_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match=str(seconds)):
        crontab(seconds)
