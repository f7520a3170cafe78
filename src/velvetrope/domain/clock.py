"""What time it is, as a parameter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

#: Gives the present as an aware UTC time.
Clock = Callable[[], datetime]
