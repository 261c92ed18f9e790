"""`python -m adstudio` is the command line."""

from __future__ import annotations

import sys

from adstudio.cli import main

if __name__ == "__main__":
    sys.exit(main())
