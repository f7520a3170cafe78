"""What people write may hold the character NUL, which PostgreSQL keeps in no text.

SQLite does, and a vendor's JSON may have it anywhere: an event must not fail for a name with it.
So it becomes the sign for what can't be shown, on its way into the database.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from psycopg.adapt import AdaptersMap
from psycopg.types.string import StrBinaryDumper, StrDumper

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.abc import Buffer

_NUL: Final = "\x00"
_SHOWN: Final = "\ufffd"
#: NUL in JSON as Python writes it.
_ESCAPED: Final = "\\u0000"


class _Text(StrDumper):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace(_NUL, _SHOWN) if _NUL in obj else obj)


class _BinaryText(StrBinaryDumper):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace(_NUL, _SHOWN) if _NUL in obj else obj)


@lru_cache(maxsize=4)
def with_whole_texts(adapters: AdaptersMap) -> AdaptersMap:
    """Give adapters that differ from those in how texts go out."""
    own = AdaptersMap(adapters)
    own.register_dumper(str, _BinaryText)
    own.register_dumper(str, _Text)  # the last one is preferred, as it is by default
    return own


def json_text(value: object, dumps: Callable[[Any], str] = json.dumps) -> str:
    """Give JSON that `jsonb` takes."""
    text = dumps(value)
    return dumps(_shown(value)) if _ESCAPED in text else text


def _shown(value: object) -> object:
    match value:
        case str():
            return value.replace(_NUL, _SHOWN)
        case dict():
            return {_shown(name): _shown(one) for name, one in value.items()}
        case list() | tuple():
            return [_shown(one) for one in value]
        case _:
            return value
