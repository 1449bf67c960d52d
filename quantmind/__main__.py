"""`python -m quantmind`: the command, for who starts it by an interpreter."""

from __future__ import annotations

import sys

from quantmind.cli import main

sys.exit(main())
