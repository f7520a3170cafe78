"""Where the data live, as the environment says it: a SQLite file, or a PostgreSQL server."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from velvetrope.environment import Reader

NAME: Final = "VELVETROPE_DATABASE_URL"
DEFAULT: Final = "sqlite:///data/velvetrope.sqlite3"

_WHOLE: Final = "Write it as postgresql://user:password@host:5432/database."
_ESCAPED: Final = "A sign like @ : / ? # or % in a password is written as %40, %3A, …"
_POOL_SIZE: Final = "pool_size"
_LARGEST_POOL: Final = 200
#: What the product says itself, or what would make a connection something else.
_NOT_TAKEN: Final = frozenset({"client_encoding", "replication", "service", "servicefile"})


@dataclass(frozen=True, slots=True)
class Database:
    """Where the data live."""

    kind: Literal["sqlite", "postgresql"]
    #: The SQLite file; None for PostgreSQL.
    path: Path | None
    #: The whole address, which may hold a password.
    url: str = field(repr=False)
    #: For PostgreSQL, the connection's parameters by the names of its client library.
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Connections to PostgreSQL that one process may have; None: one for each of its threads.
    pool_size: int | None = None

    @property
    def place(self) -> str:
        """Where that is, for people and without secrets."""
        if self.path is not None:
            return str(self.path.absolute())
        host = self.parameters.get("host", "the local socket")
        return f"PostgreSQL database {self.parameters.get('dbname', '')} at {host}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret of the address, as it is and as it is written."""
        found = [self.parameters.get(name, "") for name in ("password", "sslpassword")]
        return tuple({text for one in found for text in (one, quote(one, safe="")) if text})


def read_database(read: Reader) -> Database:
    """Judge the address; what is wrong is gathered by the reader."""
    url = read.text(NAME) or DEFAULT
    try:
        parts = urlsplit(url)
        scheme, host, path = parts.scheme, parts.hostname, parts.path
    except ValueError:
        scheme, host, path = url.partition(":")[0], None, ""
    if scheme in {"postgresql", "postgres"}:
        return _postgresql(read, url)
    if scheme != "sqlite" or host or len(path) < len("/d") or path.endswith("/"):
        read.problem(
            NAME,
            "this is not the address of a database",
            f"Use {DEFAULT} (three slashes: from this folder; four: from the root), "
            "or postgresql://user:password@host:5432/database.",
        )
        return Database("sqlite", Path(DEFAULT.removeprefix("sqlite:///")), DEFAULT)
    return Database("sqlite", Path(path[1:]), url)


def _postgresql(read: Reader, url: str) -> Database:
    """Take an address apart as PostgreSQL's own client library does; never shows what it holds."""
    from psycopg import ProgrammingError, conninfo  # noqa: PLC0415  only who uses it pays for it

    own, pool_size = _without_pool_size(read, url)
    parameters: dict[str, str] = {}
    with suppress(ProgrammingError, UnicodeError):
        parameters = {name: str(text) for name, text in conninfo.conninfo_to_dict(own).items()}
    if not (parameters and _is_whole(parameters)):
        read.problem(NAME, "this is not a whole PostgreSQL address", f"{_WHOLE} {_ESCAPED}")
    elif not parameters.get("dbname"):
        read.problem(NAME, "it names no database of the PostgreSQL server", _WHOLE)
    for name in sorted(_NOT_TAKEN & parameters.keys()):
        read.problem(NAME, f"«{name}» cannot be chosen here", "Leave it out.")
    return Database("postgresql", None, url, parameters, pool_size)


def _is_whole(parameters: Mapping[str, str]) -> bool:
    """Find what the library would stumble over only when it connects; several hosts are fine."""
    ports = parameters.get("port", "").split(",")
    numbers = all(not port or (port.isascii() and port.isdigit()) for port in ports)
    # An `@` of the password, written as it is, ends up in the host.
    return numbers and "@" not in parameters.get("host", "")


def _without_pool_size(read: Reader, url: str) -> tuple[str, int | None]:
    """Take out the one option that is the product's own and not the client library's."""
    address, _, query = url.partition("?")
    options = [one for one in query.split("&") if one]
    sizes = [one.partition("=")[2] for one in options if one.partition("=")[0] == _POOL_SIZE]
    others = [one for one in options if one.partition("=")[0] != _POOL_SIZE]
    own = f"{address}?{'&'.join(others)}" if others else address
    if not sizes:
        return own, None
    if sizes[-1].isascii() and sizes[-1].isdigit() and 0 < int(sizes[-1][:4]) <= _LARGEST_POOL:
        return own, int(sizes[-1][:4])
    remedy = f"Use 1 to {_LARGEST_POOL}, or leave it out."
    read.problem(NAME, f"{_POOL_SIZE} is no number of connections", remedy)
    return own, None
