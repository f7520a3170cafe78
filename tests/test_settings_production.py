from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.processes import ENCRYPTION_KEY, SECRET_KEY, Installation
from tests.test_settings import PRODUCTION
from velvetrope.database_url import Database
from velvetrope.settings import load
from velvetrope.web.checks import judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

HOST = "door.example.com"
#: As a proxy that ends TLS sends it.
BEHIND_PROXY = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(scope="module")
def production(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    place = Installation(
        tmp_path_factory.mktemp("production"),
        migrated_file,
        VELVETROPE_ENV="production",
        VELVETROPE_PUBLIC_URL=f"https://{HOST}",
        VELVETROPE_TRUSTED_PROXIES="127.0.0.1",
    )
    place.start()
    yield place
    place.close()


@pytest.fixture(scope="module")
def login(production: Installation) -> httpx.Response:
    return production.http.get("/admin/login/", headers=BEHIND_PROXY)


def test_cookies_travel_over_tls_and_belong_to_this_host_only(login: httpx.Response) -> None:
    assert login.status_code == 200
    cookies = login.headers.get_list("set-cookie")
    assert cookies
    for cookie in (one.strip() for one in cookies):
        assert cookie.startswith("__Host-velvetrope_")
        assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_browsers_are_told_what_to_refuse(login: httpx.Response) -> None:
    assert "max-age=31536000" in login.headers["strict-transport-security"]
    assert "default-src 'none'" in login.headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-eval';" in login.headers["content-security-policy"]
    assert login.headers["x-content-type-options"] == "nosniff"
    assert login.headers["x-frame-options"] == "DENY"
    assert login.headers["referrer-policy"] == "same-origin"
    assert "no-store" in login.headers["cache-control"]


def test_pages_for_another_host_are_refused(production: Installation) -> None:
    for host in ("evil.example.com", "127.0.0.1", f"{HOST}.evil.example.com"):
        answer = production.http.get("/admin/login/", headers={**BEHIND_PROXY, "Host": host})
        assert answer.status_code == 400
        assert "Traceback" not in answer.text


def test_static_files_are_kept_for_ever_and_nothing_else_is_served(
    production: Installation, login: httpx.Response
) -> None:
    files = set(re.findall(r'/static/[0-9a-f]+/[^"?]+', login.text))
    assert len(files) >= 3
    for file in files:
        answer = production.http.get(file, headers=BEHIND_PROXY)
        assert answer.status_code == 200, file
        assert "immutable" in answer.headers["cache-control"]
    folder = next(iter(files)).split("/")[2]
    for path in (f"/static/{folder}/", f"/static/{folder}/../../settings.py", "/static/x/a.css"):
        assert production.http.get(path, headers=BEHIND_PROXY).status_code == 404


def test_an_error_page_tells_nothing(production: Installation) -> None:
    answer = production.http.get("/admin/nowhere/", headers=BEHIND_PROXY, follow_redirects=True)
    assert "Traceback" not in answer.text
    assert "settings" not in answer.text.lower()


def test_the_clock_cannot_be_moved_and_the_sandbox_not_started(production: Installation) -> None:
    moved = production.command("check", env={"VELVETROPE_CLOCK_FILE": "clock"})
    assert moved.code == 2
    assert "VELVETROPE_CLOCK_FILE" in moved.err
    demo = production.command("demo", "--script")
    assert demo.code == 2
    assert demo.out == ""


def test_nothing_is_wrong_with_good_settings() -> None:
    assert list(judge(load(PRODUCTION), debug=False)) == []


@pytest.mark.parametrize(
    ("changes", "debug", "code"),
    [
        ({"public_url": "https://localhost"}, False, "velvetrope.E001"),
        ({"public_url": "http://door.example.com"}, False, "velvetrope.E002"),
        ({}, True, "velvetrope.E003"),
        ({"secret_key": ENCRYPTION_KEY}, False, "velvetrope.E004"),
        ({"unknown_names": ("VELVETROPE_X",)}, False, "velvetrope.W001"),
        ({"sentry_dsn": "https://key@sentry.example.com/1"}, False, "velvetrope.W002"),
        (
            {"database": Database("postgresql", None, "", {"dbname": "x"}, pool_size=2)},
            False,
            "velvetrope.W003",
        ),
    ],
)
def test_what_is_wrong_in_production_is_found(
    changes: dict[str, object], debug: bool, code: str
) -> None:
    settings = replace(load(PRODUCTION), **changes)  # type: ignore[arg-type]  # names and values above
    (message,) = judge(settings, debug=debug)
    assert message.id == code
    assert message.hint


def test_development_may_be_as_it_likes() -> None:
    settings = load({"VELVETROPE_ENV": "development", "VELVETROPE_SECRET_KEY": SECRET_KEY})
    assert list(judge(settings, debug=True)) == []
