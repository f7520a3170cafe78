from __future__ import annotations

import subprocess
import sys

from tests.processes import child_environment

PROGRAM = """
from velvetrope.sandbox.clock import SandboxClock
from velvetrope.sandbox.stripe.app import create_app
create_app(SandboxClock())
"""


def test_the_simulated_stripe_cannot_be_made_in_production() -> None:
    env = child_environment(VELVETROPE_ENV="production")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "NotInProduction" in done.stderr
