"""One fault to be planted: it breaks one rule of safety."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in the words of the source as it stands; `file` is below `src/velvetrope`.

    `before` occurs in it once.
    """

    #: The rule that it breaks.
    rule: str
    file: str
    before: str
    after: str
    #: What should find out, below `tests`.
    tests: tuple[str, ...]
    #: Whether the random stories are to find it too, with fewer or more of them.
    stories: int = 0
