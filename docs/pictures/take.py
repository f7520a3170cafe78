"""Takes the README's pictures from a running demo: `make pictures`.

Plays a purchase on the phone in Debian's chromium, then signs in to the console.
"""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
PHONE_SIZE = {"width": 1280, "height": 860}
CONSOLE_SIZE = {"width": 1480, "height": 860}
START_SECONDS = 90


def main() -> None:
    with _demo() as said, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        _phone(browser, _found(r"The phone\s+(\S+)", said))
        name, password = re.findall(r"/admin/\s+(\S+) / (\S+)", said)[0]
        _console(browser, _found(r"The console\s+(\S+)", said), name, password)
        browser.close()


@contextlib.contextmanager
def _demo() -> Iterator[str]:
    """Run the demo on free ports; gives what it printed once it was ready."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "demo.out"
        ports = [part for name in ("", "phone-", "stripe-") for part in (f"--{name}port", "0")]
        command = [sys.executable, "-m", "velvetrope", "demo", "--folder", f"{folder}/data", *ports]
        with out.open("wb") as file:
            process = subprocess.Popen(command, stdout=file)
        try:
            deadline = time.monotonic() + START_SECONDS
            while "The metrics" not in (said := out.read_text()):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"The demo did not start:\n{said}")
                time.sleep(0.1)
            yield said
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _phone(browser: Browser, address: str) -> None:
    """Buy a month as a person would, and look at the channel's door opening."""
    page = browser.new_page(viewport=PHONE_SIZE, device_scale_factor=1.5)  # type: ignore[arg-type]  # a plain dict
    page.goto(address)
    page.locator(".chat", has_text="Velvet Rope Demo").first.click()
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator(".key").first.click()
    page.locator(".key", has_text=re.compile("Pay", re.IGNORECASE)).last.click()
    sheet = page.frame_locator("dialog.page iframe")
    sheet.get_by_label("E-mail").fill("olivia@example.com")
    sheet.get_by_label("Name").fill("Olivia Reed")
    sheet.get_by_role("button", name=re.compile("^(Pay|Subscribe|Start)")).click()
    expect(page.locator("dialog.page")).to_have_count(0)
    page.wait_for_timeout(1500)
    page.screenshot(path=HERE / "phone.png")
    page.close()


def _console(browser: Browser, address: str, name: str, password: str) -> None:
    page = browser.new_page(viewport=CONSOLE_SIZE, device_scale_factor=1.5)  # type: ignore[arg-type]  # a plain dict
    page.goto(address)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name=re.compile("(Log|Sign) in")).click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=HERE / "console.png")
    page.close()


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"The demo did not say {pattern!r}:\n{text}")
    return match[1]


if __name__ == "__main__":
    main()
