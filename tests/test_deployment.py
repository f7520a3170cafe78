"""The files that a deployment is made of agree with each other and with the product."""

from __future__ import annotations

import ipaddress
import json
import re
import shlex
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import pytest

from tests.composed import COMPOSE, PRODUCT, ROOT, SERVICES, environment
from tests.test_settings import PRODUCTION
from velvetrope.cli.commands import COMMANDS
from velvetrope.cli.grammar import build_parser
from velvetrope.settings import load

if TYPE_CHECKING:
    from pathlib import Path

UNITS = sorted((ROOT / "deploy").glob("*.service"))
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def parsed(words: list[str]) -> Any:
    return build_parser(COMMANDS).parse_args(words)


def example(name: str) -> dict[str, str]:
    lines = (ROOT / "deploy" / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]", line))


def test_two_web_processes_and_two_workers_are_run() -> None:
    roles = [parsed(SERVICES[name]["command"]).role for name in PRODUCT if name != "migrate"]
    assert sorted(roles) == ["web", "web", "worker", "worker"]
    assert parsed(SERVICES["migrate"]["command"]).command == "migrate"


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert "privileged" not in service
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    assert "latest" not in service["image"]


def test_only_the_proxy_is_reached_from_outside_and_only_the_product_reaches_the_database() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert {name for name in SERVICES if "back" in SERVICES[name]["networks"]} == {
        *PRODUCT,
        "postgres",
    }


def test_the_proxy_is_trusted_and_nobody_else() -> None:
    address = SERVICES["proxy"]["networks"]["front"]["ipv4_address"]
    (net,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert ipaddress.ip_address(address) in ipaddress.ip_network(net["subnet"])
    for name in PRODUCT:
        said = environment(name, {"POSTGRES_PASSWORD": "x"})
        assert said["VELVETROPE_TRUSTED_PROXIES"] == address


def test_the_proxy_speaks_to_every_web_process() -> None:
    web = [name for name in PRODUCT if "web" in SERVICES[name]["command"]]
    upstreams = SERVICES["proxy"]["environment"]["WEB"]
    assert upstreams == " ".join(f"{name}:8000" for name in web)
    assert "{$WEB:" + upstreams + "}" in (ROOT / "deploy" / "Caddyfile").read_text()


@pytest.mark.parametrize(
    "file", ["compose.env.example", "velvetrope.env.example"], ids=lambda name: name
)
def test_the_example_of_an_environment_filled_in_is_one_that_serves(file: str) -> None:
    names = {**example(file), "POSTGRES_PASSWORD": "some"}
    values = {name: value or PRODUCTION.get(name, "") for name, value in names.items()}
    said = environment("web-1", values) if file.startswith("compose") else {}
    settings = load({**values, **said})
    assert settings.production
    assert settings.unknown_names == ()
    assert (settings.database.path is None) == file.startswith("compose")


def unit(file: Path) -> dict[str, list[str]]:
    """Give a unit's settings by section and name; a name may come several times."""
    found: dict[str, list[str]] = {}
    for line in file.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("file", UNITS, ids=lambda file: str(file.name))
def test_a_unit_runs_a_command_that_exists(file: Path) -> None:
    settings = unit(file)
    for line in (*settings["ExecStart"], *settings.get("ExecStartPre", ())):
        program, *words = shlex.split(line.replace("%i", "8001"))
        assert program == "/opt/velvetrope/.venv/bin/velvetrope"
        parsed(words)


def test_units_are_locked_up_alike() -> None:
    differ = {"Description", "After", "Wants", "PartOf", "ExecStart", "ExecStartPre", "WantedBy"}
    first, *others = (
        {name: values for name, values in unit(file).items() if name not in differ}
        for file in UNITS
    )
    assert len(first) > 30
    assert all(other == first for other in others)


def test_units_and_services_are_given_the_time_that_a_stop_takes() -> None:
    assert all(unit(file)["TimeoutStopSec"] == ["15"] for file in UNITS)
    assert all(SERVICES[name]["stop_grace_period"] == "15s" for name in PRODUCT)


def test_the_image_is_built_from_what_docker_is_let_see() -> None:
    let = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert sorted(copied) == sorted(let)
    assert all((ROOT / source).exists() for source in copied)
    for secret in (".env", "velvetrope.env", "data/velvetrope.sqlite3", ".git/config"):
        assert not any(fnmatch(secret, pattern) for pattern in let)


def test_the_image_runs_what_the_command_line_knows_as_nobody_in_particular() -> None:
    said = dict(re.findall(r"^(ENTRYPOINT|CMD|USER|WORKDIR) (.+)$", DOCKERFILE, re.MULTILINE))
    assert json.loads(said["ENTRYPOINT"]) == ["velvetrope"]
    options = parsed(json.loads(said["CMD"]))
    assert (options.host, options.port, options.role) == ("0.0.0.0", 8000, "all")  # noqa: S104
    assert said["USER"] == "10001:10001"
    # Where the default address of the database leads.
    assert f"{said['WORKDIR']}/data" in DOCKERFILE


def test_every_package_of_the_image_is_locked_by_hash() -> None:
    installs = re.findall(r"install (?:[^&]|\n)+", DOCKERFILE)
    of_packages = [line for line in installs if "requirements/" in line]
    assert len(of_packages) == 2
    assert all("--require-hashes" in line for line in of_packages)
    assert all("--no-deps" in line for line in installs if "dist/" in line)
