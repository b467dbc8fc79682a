"""How often each test of faults repeats: a few times by default, as often as ``FAULTS`` says for ``make faults``."""

from __future__ import annotations

import os

ROUNDS = int(os.environ.get("FAULTS", "2"))
