from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "velvetrope"


def imported_by(file: Path) -> set[str]:
    """Give the top-level names of the modules that a file imports, for types or for running."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_imports_point_towards_the_domain() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", sorted((SOURCE / "domain").rglob("*.py")), ids=lambda f: f.stem)
def test_the_domain_needs_the_standard_library_only(file: Path) -> None:
    foreign = {
        name
        for name in imported_by(file)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not name.startswith("velvetrope.domain")
    }
    assert not foreign


def test_the_help_imports_neither_django_nor_a_vendor() -> None:
    heavy = {"django", "stripe", "aiohttp", "msgspec", "structlog", "uvicorn"}
    code = (
        "import sys\n"
        "from velvetrope.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print(sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_every_module_of_the_use_cases_can_be_imported_first() -> None:
    """A circle of imports would hold only as long as nobody changes their order."""
    files = sorted((SOURCE / "usecases").rglob("*.py"))
    names = [".".join(file.relative_to(SOURCE.parent).with_suffix("").parts) for file in files]
    code = (
        "import importlib, os, sys\n"
        "import aiohttp, babel, django, stripe\n"
        "django.setup()\n"
        "import velvetrope.store.models\n"
        "for name in sys.argv[1:]:\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        try:\n"
        "            importlib.import_module(name)\n"
        "        except ImportError as error:\n"
        "            print(f'{name}: {error}', flush=True)\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *(name.removesuffix(".__init__") for name in names)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "velvetrope.store.typing_settings"},
    )
    assert done.stdout == ""


def test_on_sqlite_nothing_of_postgresql_is_loaded(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from velvetrope import settings\n"
        "from velvetrope.web import django_config\n"
        "django_config.configure(settings.from_environment(os.environ))\n"
        "from velvetrope import bootstrap\n"
        "bootstrap.build(settings.from_environment(os.environ))\n"
        "print(sorted({'psycopg', 'psycopg_pool', 'procrastinate'} & set(sys.modules)))\n"
        "import psycopg\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "VELVETROPE_ENV": "development"},
    )
    assert done.stdout.strip() == "[]"
