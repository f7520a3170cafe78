"""Fixtures that every test may take.

Django is set up once per process on a temporary file, before test modules import the models.
`database` gives each test that asks a freshly migrated file, which threads may share; `sandbox`,
`installation` and `server` run the real parts in processes of their own.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import postgres
from tests.browser import open_browser
from tests.databases import (
    ONLY,
    POSTGRESQL,
    SQLITE,
    TEMPLATE,
    django_on,
    empty,
    migrated_server,
    own_name,
)
from tests.processes import ENCRYPTION_KEY, SECRET_KEY, Installation, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from velvetrope.settings import Settings

_FOLDER = pytest.StashKey[Path]()
_OWNER = pytest.StashKey[int]()
_SETTINGS = pytest.StashKey["Settings"]()
#: Folders whose tests run on both databases.
_ON_BOTH = ("pipeline", "store")
_SAYS = ("sandbox", "installation", "server")


def pytest_configure(config: pytest.Config) -> None:
    from velvetrope import settings as product_settings  # noqa: PLC0415  only where tests run
    from velvetrope.web import django_config  # noqa: PLC0415  the same

    worker = getattr(config, "workerinput", None)
    config.stash[_OWNER] = os.getppid() if worker else os.getpid()
    postgres.shared_folder()
    folder = Path(tempfile.mkdtemp(prefix="velvetrope-tests-"))
    config.stash[_FOLDER] = folder
    config.stash[_SETTINGS] = product_settings.load(
        {
            "VELVETROPE_ENV": "development",
            "VELVETROPE_DATABASE_URL": f"sqlite:///{folder}/current.sqlite3",
            "VELVETROPE_SECRET_KEY": SECRET_KEY,
            "VELVETROPE_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        }
    )
    django_config.configure(config.stash[_SETTINGS])


def pytest_unconfigure(config: pytest.Config) -> None:
    if _FOLDER in config.stash:
        shutil.rmtree(config.stash[_FOLDER], ignore_errors=True)
    if config.stash.get(_OWNER, 0) == os.getpid():
        postgres.forget_shared()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Put what the processes said beside a failure."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()  # type: ignore[attr-defined]  # pluggy's Result
    if report.when == "call" and report.failed:
        for name in _SAYS:
            part = getattr(item, "funcargs", {}).get(name)
            if isinstance(part, Sandbox | Installation):
                report.sections.append((f"log of {name}", part.log_text()[-20_000:]))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the stories: they wait longest, and what runs beside them needs the processor."""
    items.sort(key=lambda item: "proof" not in item.path.parts)


@pytest.fixture(scope="session")
def settings(pytestconfig: pytest.Config) -> Settings:
    """Give the settings that this process runs with: development, no vendor reachable."""
    return pytestconfig.stash[_SETTINGS]


@pytest.fixture(scope="session")
def migrated_file(pytestconfig: pytest.Config) -> Path:
    """Give a migrated SQLite file without rows, to be copied and never opened."""
    from django.core.management import call_command  # noqa: PLC0415  Django is set up by now
    from django.db import connection  # noqa: PLC0415  the same

    folder = pytestconfig.stash[_FOLDER]
    call_command("migrate", verbosity=0)
    connection.close()
    file = folder / "migrated.sqlite3"
    source, target = sqlite3.connect(folder / "current.sqlite3"), sqlite3.connect(file)
    with source, target:
        source.backup(target)
    source.close()
    target.close()
    return file


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run on both databases what can differ between them (docs/decisions/0032)."""
    given = [one.args[0] for one in metafunc.definition.iter_markers("parametrize")]
    if "engine" in metafunc.fixturenames and "engine" not in given:
        marked = metafunc.definition.get_closest_marker
        both = marked("both_databases") or metafunc.definition.path.parent.name in _ON_BOTH
        engines = [SQLITE, POSTGRESQL] if both else [SQLITE]
        if only := os.environ.get(ONLY):
            engines = [only]
        if marked("sqlite_only"):
            engines = [one for one in engines if one == SQLITE]
        if marked("postgresql_only"):
            engines = [one for one in engines if one == POSTGRESQL]
        metafunc.parametrize("engine", engines, indirect=True, scope="session")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """Name the database that a test runs on."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgresql(pytestconfig: pytest.Config) -> Path:
    """Give the folder of a PostgreSQL server, with a migrated database to copy."""
    return migrated_server(pytestconfig.stash[_OWNER])


@pytest.fixture(scope="session")
def migrated(engine: str, request: pytest.FixtureRequest) -> Path | postgres.Template:
    """Give a migrated database without rows, of the kind that the test runs on, to be copied."""
    if engine == POSTGRESQL:
        return postgres.Template(request.getfixturevalue("postgresql"), TEMPLATE)
    file: Path = request.getfixturevalue("migrated_file")
    return file


@pytest.fixture(scope="session")
def own_database(postgresql: Path) -> Iterator[str]:
    """Give this process's own database on PostgreSQL."""
    yield postgres.create(postgresql, own_name(), TEMPLATE)
    postgres.drop(postgresql, own_name())


@pytest.fixture
def database(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give this test a migrated database of its own, by its URL, for all threads that it starts.

    Threads close their connections before the test ends; this thread's is closed here.
    """
    if engine == POSTGRESQL:
        url: str = request.getfixturevalue("own_database")
        empty(url)
    else:
        file = tmp_path / "database.sqlite3"
        shutil.copy(request.getfixturevalue("migrated_file"), file)
        url = f"sqlite:///{file}"
    with django_on(url):
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Run a browser for the tests of one module; it belongs to tests that aren't coroutines."""
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Run a Telegram and a Stripe for the tests of one module; each test makes its own bots."""
    with Sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def installation(
    sandbox: Sandbox, migrated: Path | postgres.Template, tmp_path: Path
) -> Iterator[Installation]:
    """Give an installation beside the sandbox; its server does not run yet."""
    place = Installation(tmp_path, migrated, sandbox)
    yield place
    place.close()


@pytest.fixture
def server(installation: Installation) -> Installation:
    """Give an installation whose server runs."""
    installation.start()
    return installation
