"""The database backend `velvetrope.store.postgresql`: connections that notice when they are lost.

Texts go in whole, whatever people wrote (`texts`). What an address leaves open is chosen so that
no thread waits for ever: for a server that is gone without a word, for a lock that is not freed.
"""

from __future__ import annotations

import os
import socket
from functools import partial
from typing import Any, Final

from django.db.backends.postgresql import base, operations
from django.db.backends.postgresql.operations import get_json_dumps
from psycopg.types.json import Jsonb

from velvetrope.store.postgresql.texts import json_text, with_whole_texts

#: Parameters of a connection that an address may replace.
DEFAULTS: Final = {
    "connect_timeout": "3",
    # A server that is cut off is noticed within half a minute; the system's own is two hours.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
#: Settings of a session that an address may replace with its `options`.
SESSION: Final = {
    "timezone": "UTC",
    "lock_timeout": "5s",
    # A process that stands still within a transaction must not hold the others up for good.
    "idle_in_transaction_session_timeout": "6s",
}


class DatabaseOperations(operations.DatabaseOperations):
    def adapt_json_value(self, value: Any, encoder: Any) -> Any:
        return Jsonb(value, dumps=partial(json_text, dumps=get_json_dumps(encoder)))


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
    #: Of any length, as on SQLite: a longer name of a vendor's is no reason to fail an event. What
    #: people type is measured by the forms.
    data_types = {**base.DatabaseWrapper.data_types, "CharField": "varchar"}

    def get_connection_params(self) -> dict[str, Any]:
        given: dict[str, Any] = super().get_connection_params()
        session = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
        return {
            **DEFAULTS,
            "application_name": f"velvetrope {os.getpid()}@{socket.gethostname()}"[:63],
            **given,
            "options": f"{session} {given.get('options', '')}".rstrip(),
            "context": with_whole_texts(given["context"]),
        }
