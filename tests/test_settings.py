from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.processes import ENCRYPTION_KEY, SECRET_KEY, STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET
from velvetrope import settings as product_settings
from velvetrope.settings import NAMES, SettingsError, from_environment, load

if TYPE_CHECKING:
    from collections.abc import Iterator

PRODUCTION = {
    "VELVETROPE_ENV": "production",
    "VELVETROPE_PUBLIC_URL": "https://door.example.com",
    "VELVETROPE_SECRET_KEY": SECRET_KEY,
    "VELVETROPE_ENCRYPTION_KEYS": ENCRYPTION_KEY,
    "VELVETROPE_STRIPE_API_KEY": STRIPE_API_KEY,
    "VELVETROPE_STRIPE_WEBHOOK_SECRETS": STRIPE_WEBHOOK_SECRET,
}


def problems_of(env: dict[str, str]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(env)
    return {problem.name: f"{problem.what}. {problem.remedy}" for problem in caught.value.problems}


def test_production_needs_its_address_and_its_secrets_and_names_all_at_once() -> None:
    assert problems_of({}).keys() == {
        "VELVETROPE_PUBLIC_URL",
        "VELVETROPE_SECRET_KEY",
        "VELVETROPE_ENCRYPTION_KEYS",
        "VELVETROPE_STRIPE_API_KEY",
        "VELVETROPE_STRIPE_WEBHOOK_SECRETS",
    }


def test_every_problem_has_a_remedy_that_is_a_sentence() -> None:
    with pytest.raises(SettingsError) as caught:
        load(dict.fromkeys(NAMES, "?"))
    found = caught.value.problems
    assert {problem.name for problem in found} >= set(NAMES) - {"VELVETROPE_CLOCK_FILE"}
    assert all(problem.remedy[0].isupper() and problem.what for problem in found)


def test_a_complete_production_environment_is_accepted() -> None:
    settings = load(PRODUCTION)
    assert settings.production
    assert settings.log_format == "json"
    assert settings.database.path == Path("data/velvetrope.sqlite3")
    assert settings.telegram_api_url == "https://api.telegram.org"
    assert settings.stripe_api_url == "https://api.stripe.com"
    assert settings.public_host == "door.example.com"


def test_without_a_word_the_environment_is_production() -> None:
    assert load({**PRODUCTION, "VELVETROPE_ENV": ""}).production


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://door.example.com", "not https"),
        ("https://localhost", "this machine"),
        ("https://127.0.0.1:8443", "this machine"),
        ("https://10.0.0.7", "this machine"),
        ("https://door.internal", "this machine"),
        ("https://door.example.com/shop", "has a path"),
        ("https://user:secret-pass@door.example.com", "name and password"),
        ("door.example.com", "whole address"),
    ],
)
def test_production_refuses_addresses_that_vendors_cannot_reach(url: str, said: str) -> None:
    found = problems_of({**PRODUCTION, "VELVETROPE_PUBLIC_URL": url})
    assert found.keys() == {"VELVETROPE_PUBLIC_URL"}
    assert said in found["VELVETROPE_PUBLIC_URL"]
    assert "secret-pass" not in str(found)


def test_the_clock_can_be_moved_in_development_only() -> None:
    found = problems_of({**PRODUCTION, "VELVETROPE_CLOCK_FILE": "clock"})
    assert found.keys() == {"VELVETROPE_CLOCK_FILE"}
    development = load({"VELVETROPE_ENV": "development", "VELVETROPE_CLOCK_FILE": "clock"})
    assert development.clock_file == Path("clock")


@pytest.mark.parametrize(
    "key", ["short", "changeme-changeme-changeme-changeme-changeme", "a" * 64, "abababab" * 8]
)
def test_keys_that_can_be_guessed_are_refused(key: str) -> None:
    found = problems_of(
        {**PRODUCTION, "VELVETROPE_SECRET_KEY": key, "VELVETROPE_ENCRYPTION_KEYS": key}
    )
    assert found.keys() == {"VELVETROPE_SECRET_KEY", "VELVETROPE_ENCRYPTION_KEYS"}


def test_an_api_far_away_must_be_spoken_to_over_tls_and_one_beside_need_not() -> None:
    name = "VELVETROPE_TELEGRAM_API_URL"
    assert problems_of({**PRODUCTION, name: "http://bots.example.com"}).keys() == {name}
    assert load({**PRODUCTION, name: "http://127.0.0.1:8081/"}).telegram_api_url.endswith(":8081")


def test_several_keys_secrets_and_networks_may_be_given() -> None:
    settings = load(
        {
            **PRODUCTION,
            "VELVETROPE_ENCRYPTION_KEYS": f"{ENCRYPTION_KEY}-new, {ENCRYPTION_KEY}",
            "VELVETROPE_STRIPE_WEBHOOK_SECRETS": "whsec_oldoldold\nwhsec_newnewnew",
            "VELVETROPE_ALLOWED_TELEGRAM_IPS": "149.154.160.0/20, 91.108.4.0/22",
            "VELVETROPE_TRUSTED_PROXIES": "::1 10.0.0.1",
        }
    )
    assert settings.encryption_keys == (f"{ENCRYPTION_KEY}-new", ENCRYPTION_KEY)
    assert len(settings.stripe_webhook_secrets) == 2
    assert [str(one) for one in settings.allowed_telegram_ips] == [
        "149.154.160.0/20",
        "91.108.4.0/22",
    ]
    assert [str(one) for one in settings.trusted_proxies] == ["::1/128", "10.0.0.1/32"]


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "mysql://x/y", "file.db", "sqlite://h/x"]
)
def test_what_is_no_database_is_refused(url: str) -> None:
    assert problems_of({**PRODUCTION, "VELVETROPE_DATABASE_URL": url}).keys() == {
        "VELVETROPE_DATABASE_URL"
    }


def test_sqlite_addresses_are_relative_with_three_slashes_and_absolute_with_four() -> None:
    name = "VELVETROPE_DATABASE_URL"
    assert load({**PRODUCTION, name: "sqlite:///here/x.db"}).database.path == Path("here/x.db")
    assert load({**PRODUCTION, name: "sqlite:////srv/x.db"}).database.path == Path("/srv/x.db")


POSTGRESQL = "postgresql://me:hunter2%40secret@db:6432/vr?sslmode=verify-full&pool_size=12"


def test_postgresql_is_taken_apart_as_its_client_library_does() -> None:
    database = load({**PRODUCTION, "VELVETROPE_DATABASE_URL": POSTGRESQL}).database
    assert database.kind == "postgresql"
    assert database.path is None
    assert database.pool_size == 12
    assert dict(database.parameters) == {
        "user": "me",
        "password": "hunter2@secret",
        "host": "db",
        "port": "6432",
        "dbname": "vr",
        "sslmode": "verify-full",
    }
    assert database.place == "PostgreSQL database vr at db"


def test_a_local_socket_needs_no_host() -> None:
    env = {**PRODUCTION, "VELVETROPE_DATABASE_URL": "postgresql:///vr?host=/run/postgresql"}
    assert load(env).database.place == "PostgreSQL database vr at /run/postgresql"


def test_a_password_of_the_database_is_a_secret_however_it_is_written() -> None:
    settings = load({**PRODUCTION, "VELVETROPE_DATABASE_URL": POSTGRESQL})
    assert {"hunter2@secret", "hunter2%40secret"} <= set(settings.secrets)
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("postgresql://", "whole PostgreSQL address"),
        ("postgresql://db", "names no database"),
        ("postgresql://me:hunter2@secret@db/vr", "whole PostgreSQL address"),
        ("postgresql://me:hunter2secret@db:port/vr", "whole PostgreSQL address"),
        ("postgresql://db/vr?sslmood=require", "whole PostgreSQL address"),
        ("postgresql://[::1/vr", "whole PostgreSQL address"),
        ("postgresql://db/vr?pool_size=many", "pool_size is no number"),
        ("postgresql://db/vr?pool_size=0", "pool_size is no number"),
        ("postgresql://db/vr?client_encoding=latin1", "«client_encoding» cannot be chosen"),
    ],
)
def test_an_address_of_postgresql_that_cannot_be_used_is_refused(url: str, what: str) -> None:
    (problem,) = problems_of({**PRODUCTION, "VELVETROPE_DATABASE_URL": url}).values()
    assert what in problem
    assert "hunter2" not in problem


def test_names_that_mean_nothing_are_remembered_for_the_check() -> None:
    settings = load({**PRODUCTION, "VELVETROPE_ALLOWED_TELEGRAM_IP": "1.2.3.4"})
    assert settings.unknown_names == ("VELVETROPE_ALLOWED_TELEGRAM_IP",)


def test_a_misspelt_name_is_told_beside_the_setting_that_is_missing() -> None:
    env = {name: text for name, text in PRODUCTION.items() if name != "VELVETROPE_SECRET_KEY"}
    told = problems_of({**env, "VELVETROPE_SECRETKEY": "hunter2secret", "VELVETROPE_0": "x"})
    assert told.keys() == {"VELVETROPE_SECRET_KEY", "VELVETROPE_SECRETKEY", "VELVETROPE_0"}
    assert told["VELVETROPE_SECRETKEY"].endswith("Did you mean VELVETROPE_SECRET_KEY?")
    assert "hunter2secret" not in str(told)


def secret_environments() -> Iterator[tuple[str, str]]:
    yield "VELVETROPE_SECRET_KEY", "topsecret-changeme"
    yield "VELVETROPE_ENCRYPTION_KEYS", "topsecret-example"
    yield "VELVETROPE_STRIPE_API_KEY", "topsecret_sk_test"
    yield "VELVETROPE_STRIPE_WEBHOOK_SECRETS", "topsecret_whsec"
    yield "VELVETROPE_METRICS_TOKEN", "topsecret 1"
    yield "VELVETROPE_SENTRY_DSN", "topsecret://"
    yield "VELVETROPE_PUBLIC_URL", "https://me:topsecret@door.example.com"
    yield "VELVETROPE_DATABASE_URL", "mysql://me:topsecret@db/x"


@pytest.mark.parametrize(("name", "value"), list(secret_environments()))
def test_a_malformed_secret_is_named_and_never_echoed(name: str, value: str) -> None:
    found = problems_of({**PRODUCTION, name: value})
    assert found.keys() == {name}
    assert "topsecret" not in str(found)


def test_the_settings_show_no_secret() -> None:
    settings = load({**PRODUCTION, "VELVETROPE_METRICS_TOKEN": "metrics-token-0123456789"})
    assert len(settings.secrets) == 5
    for shown in (repr(settings), str(settings), repr(settings.database)):
        assert not any(secret in shown for secret in settings.secrets)


def test_development_makes_its_keys_once_for_its_owner_only(tmp_path: Path) -> None:
    env = {
        "VELVETROPE_ENV": "development",
        "VELVETROPE_DATABASE_URL": f"sqlite:///{tmp_path}/data/x.db",
    }
    first, second = from_environment(env), from_environment(env)
    assert first.secret_key == second.secret_key
    assert first.encryption_keys == second.encryption_keys
    files = sorted((tmp_path / "data").iterdir())
    assert [file.name for file in files] == ["encryption.key", "secret.key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_keys_that_are_given_are_never_written_down(tmp_path: Path) -> None:
    env = {**PRODUCTION, "VELVETROPE_DATABASE_URL": f"sqlite:///{tmp_path}/data/x.db"}
    from_environment(env)
    from_environment({**env, "VELVETROPE_ENV": "development"})
    assert list(tmp_path.iterdir()) == []


def test_production_generates_nothing_even_if_asked(tmp_path: Path) -> None:
    settings = load({**PRODUCTION, "VELVETROPE_DATABASE_URL": f"sqlite:///{tmp_path}/x.db"})
    bare = replace(settings, secret_key="", encryption_keys=())
    assert product_settings.with_development_keys(bare) == bare
    assert list(tmp_path.iterdir()) == []
