"""`python -m velvetrope` is the same as `velvetrope`."""

from __future__ import annotations

import sys

from velvetrope.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
