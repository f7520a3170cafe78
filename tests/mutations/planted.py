"""All faults that are planted."""

from __future__ import annotations

from typing import Final

from tests.mutations.doors import DOORS
from tests.mutations.edges import EDGES
from tests.mutations.leaving import LEAVING
from tests.mutations.money import MONEY

FAULTS: Final = (*LEAVING, *DOORS, *MONEY, *EDGES)
