"""Takes secrets out of texts that are about to be logged, stored or shown."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN: Final = "[hidden]"

#: A known value shorter than this would hide innocent words.
_SHORTEST_KNOWN: Final = 8

#: Forms that are secret wherever they stand: bot tokens (the bot's id in front of the colon is
#: none), Stripe's keys, signing and client secrets, bearer tokens, passwords in addresses.
_FORMS: Final = re.compile(
    r"""
      (?P<bot> (?<!\d) \d{6,12}: ) [A-Za-z0-9_-]{30,64}
    | (?P<key> (?:sk|rk)_(?:test|live)_ ) [A-Za-z0-9_]{4,}
    | (?P<signing> whsec_ ) [A-Za-z0-9+/=_-]{4,}
    | (?P<client> _secret_ ) [A-Za-z0-9]{16,}
    | (?P<bearer> [Bb]earer[ ] ) [A-Za-z0-9._~+/=-]{8,}
    | (?P<address> :// ) [^\s/@"']* : [^\s/@"']+ (?=@)
    """,
    re.VERBOSE,
)


class Scrubber:
    """Hides every form of secret, and the values that are known to be secret."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        texts = {text for text in known if len(text) >= _SHORTEST_KNOWN}
        # In JSON, and as Python shows it, the same text may look different.
        texts |= {json.dumps(text)[1:-1] for text in texts} | {repr(text)[1:-1] for text in texts}
        parts = [re.escape(text) for text in sorted(texts, key=len, reverse=True)]
        self._known = re.compile("|".join(parts)) if parts else None

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        return _FORMS.sub(_hide, text)

    def __repr__(self) -> str:
        return "Scrubber(…)"


def _hide(match: re.Match[str]) -> str:
    """Keep the part in front, which tells what was hidden."""
    return f"{match[match.lastgroup or 0]}{HIDDEN}"


_by_form = Scrubber()


def scrub(text: str) -> str:
    """Hide what looks like a secret: for traces that are stored, and messages of foreign code."""
    return _by_form(text)
