from __future__ import annotations

import ast
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
