"""Django's own settings, made from ours: there is no settings module."""

from __future__ import annotations

import hashlib
import sys
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

import django
from django.conf import settings as django_settings

from velvetrope.gateways.clock import clock_of
from velvetrope.pipeline.database import READERS, WRITERS
from velvetrope.web.console.unfold import UNFOLD
from velvetrope.web.wsgi import THREADS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from velvetrope.database_url import Database
    from velvetrope.settings import Settings

PACKAGE: Final = Path(__file__).resolve().parent.parent
SESSION_SECONDS: Final = 12 * 3600
HSTS_SECONDS: Final = 365 * 24 * 3600
LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")

#: Connections that a process needs: one for each thread that uses the database, for its own, and
#: for the one that tells the others that it lives.
CONNECTIONS: Final = WRITERS + READERS + THREADS + 2

#: In the order in which templates are looked up: ours replace Unfold's, Unfold's Django's.
INSTALLED_APPS: Final = (
    "velvetrope.web.console",
    "velvetrope.store",
    "unfold.apps.BasicAppConfig",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
)

MIDDLEWARE: Final = (
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "velvetrope.web.headers.StrictHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)

CONTEXT_PROCESSORS: Final = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)


def configure(settings: Settings) -> None:
    """Set Django up, once per process.

    Raises `ValueError` for settings of development that lack their keys
    (`settings.with_development_keys` adds them).
    """
    if not (settings.secret_key and settings.encryption_keys):
        raise ValueError("settings without keys: call settings.with_development_keys first")
    # SQLite makes a file, but not the folder that it lies in; keys of development lie there too.
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    django_settings.configure(**django_values(settings))
    with _only_drivers_for(settings.database):
        django.setup(set_prefix=False)
    from velvetrope.web import checks  # noqa: PLC0415  registers with a Django that is set up

    checks.register()


@contextmanager
def _only_drivers_for(database: Database) -> Iterator[None]:
    """Leave PostgreSQL's driver out on SQLite: Unfold would load it for fields that nobody uses.

    It costs 130 ms and 10 MB. Whoever asks for the driver afterwards gets it.
    """
    if database.kind == "postgresql" or "psycopg" in sys.modules:
        yield
        return
    modules = cast("dict[str, object]", sys.modules)
    modules["psycopg"] = None
    try:
        yield
    finally:
        del modules["psycopg"]


def django_values(settings: Settings) -> dict[str, object]:
    """Give names and values of Django's settings; none is read from the environment."""
    return {
        "DEBUG": False,  # Django's error pages show local variables; the log has the trace
        "SECRET_KEY": settings.secret_key,
        "VELVETROPE": settings,
        "VELVETROPE_ENCRYPTION_KEYS": list(settings.encryption_keys),
        "VELVETROPE_CLOCK": clock_of(settings.clock_file),
        "INSTALLED_APPS": [*INSTALLED_APPS, *_apps_of(settings.database)],
        "MIDDLEWARE": list(MIDDLEWARE),
        "ROOT_URLCONF": "velvetrope.web.urls",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": list(CONTEXT_PROCESSORS)},
            }
        ],
        "UNFOLD": UNFOLD,
        "DATABASES": {"default": database_values(settings.database)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "LOGGING_CONFIG": None,  # velvetrope.logs has set it up
        **_languages(),
        **_sign_in(),
        **_strictness(settings),
        **_static_files(settings),
    }


def _apps_of(database: Database) -> tuple[str, ...]:
    """Give the application whose tables distribute the work, where many processes share it."""
    return ("procrastinate.contrib.django",) if database.path is None else ()


def database_values(database: Database) -> dict[str, object]:
    """Give Django's settings of one database."""
    if database.path is None:
        return _postgresql(dict(database.parameters), database.pool_size or CONNECTIONS)
    return {
        "ENGINE": "velvetrope.store.sqlite",
        "NAME": str(database.path.absolute()),
        "CONN_MAX_AGE": None,  # a thread keeps its connection: opening costs more than asking
        "ATOMIC_REQUESTS": False,  # use cases own transactions
    }


def _postgresql(parameters: dict[str, str], pool_size: int) -> dict[str, object]:
    return {
        "ENGINE": "velvetrope.store.postgresql",
        "NAME": parameters.pop("dbname"),
        "OPTIONS": {**parameters, "pool": _pool(pool_size), "prepare_threshold": 5},
        "CONN_MAX_AGE": 0,  # a request gives its connection back to the pool
        "CONN_HEALTH_CHECKS": True,  # the server may have been started again meanwhile
        "ATOMIC_REQUESTS": False,  # use cases own transactions
    }


def _pool(size: int) -> dict[str, object]:
    """Give a connection to each thread that uses the database, opened when it is asked for."""
    return {
        "min_size": 0,
        "max_size": size,
        # Whoever waits longer is told that there is no database now.
        "timeout": 3.0,
        # After this a new attempt begins with the next that asks, instead of ever longer pauses.
        "reconnect_timeout": 2.0,
        "num_workers": 1,
    }


def _languages() -> dict[str, object]:
    return {
        # The console is English for now, whatever the browser prefers.
        "LANGUAGE_CODE": "en",
        "LANGUAGES": [("en", "English"), ("uk", "Українська"), ("ru", "Русский")],
        "LOCALE_PATHS": [PACKAGE / "locale"],
        "USE_I18N": True,
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
    }


def _sign_in() -> dict[str, object]:
    validation = "django.contrib.auth.password_validation"
    return {
        "LOGIN_URL": "admin:login",
        "LOGIN_REDIRECT_URL": "admin:index",
        "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"{validation}.UserAttributeSimilarityValidator"},
            {"NAME": f"{validation}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
            {"NAME": f"{validation}.CommonPasswordValidator"},
            {"NAME": f"{validation}.NumericPasswordValidator"},
        ],
    }


def _strictness(settings: Settings) -> dict[str, object]:
    """Give what depends on the place: hosts, and cookies that travel over TLS only."""
    production = settings.production
    public = urlsplit(settings.public_url)
    # `__Host-` makes browsers refuse a cookie that this very host didn't set over TLS.
    prefix = "__Host-" if production else ""
    return {
        "ALLOWED_HOSTS": [settings.public_host, *(() if production else LOOPBACK_HOSTS)],
        "CSRF_TRUSTED_ORIGINS": [f"{public.scheme}://{public.netloc}"],
        "CSRF_COOKIE_NAME": f"{prefix}velvetrope_csrf",
        "CSRF_COOKIE_SECURE": production,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_NAME": f"{prefix}velvetrope_session",
        "SESSION_COOKIE_SECURE": production,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_AGE": SESSION_SECONDS,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
        "SECURE_HSTS_SECONDS": HSTS_SECONDS if production else 0,
        # Sending people on to TLS is the proxy's work: its ports cannot be known here.
        "SECURE_SSL_REDIRECT": False,
        "X_FRAME_OPTIONS": "DENY",
    }


def _static_files(settings: Settings) -> dict[str, object]:
    """Serve the console's files out of their packages: nothing has to be collected.

    Their address changes with what they hold, so browsers may keep them for ever.
    """
    return {
        "STATIC_URL": f"/static/{static_revision()}/",
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_AUTOREFRESH": False,
        "WHITENOISE_ALLOW_ALL_ORIGINS": False,
        "WHITENOISE_MAX_AGE": 60 if settings.production else 0,
        "WHITENOISE_IMMUTABLE_FILE_TEST": _always if settings.production else _never,
    }


def static_revision() -> str:
    """Give what changes whenever a static file may have changed."""
    digest = hashlib.sha256()
    for package in ("velvetrope", "django", "django-unfold"):
        digest.update(version(package).encode())
    for file in sorted((PACKAGE / "web" / "console" / "static").rglob("*.*")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _always(_path: str, _url: str) -> bool:
    return True


def _never(_path: str, _url: str) -> bool:
    return False
