"""Two web and two worker processes over a PostgreSQL of their own, behind a proxy."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg

from tests.faults.fleet import Fleet
from tests.faults.relay import Relay
from tests.postgres import Server
from tests.processes import free_port

if TYPE_CHECKING:
    from tests.processes import Sandbox

WEB = ("web-1", "web-2")
WORKERS = ("worker-1", "worker-2")
_NAME = "postgres"  # the database that every server has


class SharedFleet(Fleet):
    """The processes reach the database over `road`, the tests by a way of their own."""

    database_name = "postgresql"

    def __init__(self, folder: Path, migrated: Path, sandbox: Sandbox) -> None:
        # Its user is an ordinary one, who may not enter the folders of the tests.
        self._place = Path(tempfile.mkdtemp(prefix="velvetrope-faults-"))
        self._place.chmod(0o755)
        self.server_of_data = Server(self._place / "postgresql", durable=True, port=free_port())
        self.server_of_data.make()
        self.server_of_data.start()
        self.road = Relay(self.server_of_data.port)
        ports = {name: free_port() for name in (*WEB, *WORKERS)}
        self.proxy = Relay(*(ports[name] for name in WEB))
        there = self.server_of_data.address(_NAME)
        super().__init__(
            folder,
            migrated,
            sandbox,
            VELVETROPE_DATABASE_URL=there.replace(
                str(self.server_of_data.port), str(self.road.port)
            ),
            VELVETROPE_PUBLIC_URL=self.proxy.url,
        )
        self.database_url = there
        self.url = self.proxy.url
        self.http.close()
        self.http = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        self.parts = {
            name: self._part(name, name.partition("-")[0], port) for name, port in ports.items()
        }
        done = self.command("migrate")
        assert done.code == 0, done.err

    def tell_database(self, statement: str) -> None:
        """Do what the database's administrator may do."""
        with psycopg.connect(self.server_of_data.address(_NAME), autocommit=True) as admin:
            admin.execute(statement.encode())

    def close(self) -> None:
        super().close()
        self.proxy.close()
        self.road.close()
        self.server_of_data.stop()
        shutil.rmtree(self._place, ignore_errors=True)
