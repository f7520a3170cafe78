"""An installation with one bot, its server and the far end, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

from tests.benchmarks.path.updates import SECRET

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Place:
    def __init__(self, folder: Path, *, profile: str | None = None) -> None:
        self._folder = folder
        self._profile = profile
        self._processes: list[subprocess.Popen[str]] = []
        self.port = 0
        self.pid = 0
        self.start_seconds = 0.0
        self._far_end_port = 0

    def __enter__(self) -> Self:
        far_end = self._spawn([sys.executable, "-m", "tests.benchmarks.path.far_end"], {})
        assert far_end.stdout is not None
        self._far_end_port = int(far_end.stdout.readline())
        env = {
            "VELVETROPE_ENV": "development",
            "VELVETROPE_DATABASE_URL": f"sqlite:///{self._folder}/bench.sqlite3",
            "VELVETROPE_TELEGRAM_API_URL": f"http://127.0.0.1:{self._far_end_port}",
            "VELVETROPE_STRIPE_API_URL": f"http://127.0.0.1:{self._far_end_port}",
            "VELVETROPE_PUBLIC_URL": "http://127.0.0.1:8000",
            "VELVETROPE_LOG_FORMAT": "json",
        }
        command = [str(Path(sys.executable).with_name("velvetrope"))]
        subprocess.run([*command, "migrate"], env={**os.environ, **env}, check=True, stdout=-3)
        _add_bot(env)
        started = time.monotonic()
        server = self._spawn([*command, "serve", "--port", "0", "--json"], env)
        assert server.stdout is not None
        ready: dict[str, Any] = json.loads(server.stdout.readline())
        self.start_seconds = time.monotonic() - started
        self.port, self.pid = int(ready["url"].rpartition(":")[2]), ready["pid"]
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def log(self) -> list[tuple[int, float]]:
        """Give who was written to, and when, since the last time."""
        with urlopen(f"http://127.0.0.1:{self._far_end_port}/log") as answer:
            return [(chat, at) for chat, at in json.load(answer)]

    def cpu_seconds(self) -> float:
        """Give what the server's process has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> float:
        """Give the server's resident memory in MiB."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE / 2**20

    def quiet(self, seconds: float = 30.0) -> None:
        """Wait until the server has nothing in hand."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
                lines = answer.read().decode().splitlines()
            wanted = ("velvetrope_events_in_hand ", "velvetrope_items_in_hand ")
            if all(line.endswith(" 0.0") for line in lines if line.startswith(wanted)):
                return
            time.sleep(0.05)
        raise AssertionError("the server did not come to rest")

    def _spawn(self, command: list[str], env: dict[str, str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
        )
        self._processes.append(process)
        return process


def _add_bot(env: dict[str, str]) -> None:
    """Write the rows of a bot that is registered, without asking anybody."""
    from velvetrope import settings as product_settings  # noqa: PLC0415  Django is set up in here
    from velvetrope.web import django_config  # noqa: PLC0415  the same

    django_config.configure(product_settings.from_environment(env))

    from django.db import connection  # noqa: PLC0415  after Django is set up
    from django.utils import timezone  # noqa: PLC0415  after Django is set up

    from velvetrope.store import models  # noqa: PLC0415  the same
    from velvetrope.store.encryption import Secret, installation_keys  # noqa: PLC0415  the same

    account = models.StripeAccount.objects.create(
        name="Bench", api_key=Secret("sk_test_" + "x" * 24)
    )
    integration = models.Integration.objects.create(
        name="Bench",
        stripe_account=account,
        token=Secret("123456789:" + "A" * 35),
        bot_id=123456789,
        bot_username="bench_bot",
        webhook_secret=Secret(SECRET),
        webhook_secret_hash=installation_keys().look_up_hash(SECRET),
        registration="registered",
        terms_url="https://example.com/terms",
    )
    chat = models.Chat.objects.create(
        integration=integration, telegram_id=-1001234567890, title="The channel", kind="channel"
    )
    for position, (name, amount, interval) in enumerate(
        [("Monthly", 500, "month"), ("Yearly", 5000, "year"), ("For ever", 9900, "one_time")]
    ):
        plan = models.Plan.objects.create(
            integration=integration,
            stripe_price_id=f"price_bench{position}",
            position=position,
            sellable=True,
            product_id=f"prod_bench{position}",
            product_name=name,
            currency="eur",
            unit_amount=amount,
            interval=interval,
            synced_at=timezone.now(),
        )
        models.PlanChat.objects.create(plan=plan, chat=chat)
    connection.close()
