"""The three kinds of failure that the rest of the product tells apart.

Whoever talks to a vendor translates what went wrong into one of them; the pipeline alone decides
when something is tried again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    #: What an error may carry: plain values that are safe to store and to show.
    Plain = str | int | float | bool | None


class VelvetError(Exception):
    """A failure with a stable `code` and plain `data`; never a secret or a person's words."""

    def __init__(self, code: str, **data: Plain) -> None:
        self.code = code
        self.data: Mapping[str, Plain] = data
        super().__init__(code, data)

    def __str__(self) -> str:
        details = ", ".join(f"{name}={value!r}" for name, value in self.data.items())
        return f"{self.code} ({details})" if details else self.code


class RetryLater(VelvetError):  # noqa: N818  the three kinds read as instructions
    """Passing trouble: the same call may work later, not before `retry_after` seconds if given."""

    def __init__(self, code: str, retry_after: float | None = None, **data: Plain) -> None:
        self.retry_after = retry_after
        super().__init__(code, **data)


class Permanent(VelvetError):  # noqa: N818  the three kinds read as instructions
    """The same call will never work."""


class NeedsOperator(VelvetError):  # noqa: N818  the three kinds read as instructions
    """The call works again once an operator has mended what `code` names."""
