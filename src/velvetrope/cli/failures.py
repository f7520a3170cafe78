"""How commands fail: one line with what, where and the remedy, and an exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes; docs/commands.md tells them to other programs."""

    DONE = 0
    #: It was understood and tried, and did not come about.
    FAILED = 1
    #: The command line or the settings are wrong; nothing was tried.
    USAGE = 2


class CommandError(Exception):
    """A command that cannot do what it was asked to; `where` names the thing that is wrong."""

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", code: Exit = Exit.FAILED
    ) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        self.code = code
        super().__init__(what, where, remedy)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{_sentence(self.what)} {_sentence(self.remedy)}".rstrip()


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?", "…", ")")) else f"{text}."
