"""``report --watch``: when to write the report anew. There is no server: the page is a file to reload."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crossgraft.analysis.findings import Findings

_PAUSE = 2.0  # seconds between two looks
_SHARE = 5.0  # it waits this many times as long as the last report took


def changes(out: Path, pause: float = _PAUSE) -> Iterator[None]:
    """Once now and once after each change of the store; a look opens no file. It never ends by itself."""
    from crossgraft.runs.storage.store import Store

    store, seen = Store(out), None
    while True:
        now, began = store.trace(), time.monotonic()
        if now != seen:
            seen = now
            yield
            sys.stdout.flush()  # a log that somebody follows shows it, too
        time.sleep(max(pause, _SHARE * (time.monotonic() - began)))


def progress(findings: Findings) -> str:
    """When, and how many cells of the study have a number."""
    cells = findings.matrix.cells
    lacking = {(gap.row.row, gap.target) for gap in findings.matrix.gaps} - set(cells)
    return f"{time.strftime('%H:%M:%S')}  {len(cells)} of {len(cells) + len(lacking)} cells"
