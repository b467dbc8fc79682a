"""A worker process of ``processes``: reads its errand from stdin, draws jobs from the store, tells events on stdout.

``python -m crossgraft.runs.executors._child``. A line ``stop`` on stdin ends it after the target at hand; the end of
stdin, which comes too when the watching process is killed, ends it at once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from crossgraft.errors import CrossgraftError
from crossgraft.runs.campaign import Campaign, title
from crossgraft.runs.executors._wire import line_of
from crossgraft.runs.settings import Settings
from crossgraft.runs.store import Store
from crossgraft.spec import parse_study
from crossgraft.study import Progress

_OFTEN = 0.2  # seconds between two lines on the progress of a job


def main() -> int:
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is not for the watching process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the watching process decides
    signal.signal(signal.SIGTERM, _interrupt)
    errand = json.loads(sys.stdin.readline())
    try:
        _work(errand, lines)
    except KeyboardInterrupt:
        return 0
    except CrossgraftError as error:
        _tell(lines, {"end": "error", "kind": type(error).__name__, "message": str(error)})
        return 2
    return 0


def _work(errand: dict[str, Any], lines: TextIO) -> None:
    study = parse_study(errand["spec"], folder=Path(errand["folder"]), overrides=errand["overrides"])
    store = Store(errand["out"])
    settings = Settings(**{**errand["settings"], "only": tuple(errand["settings"]["only"])})
    campaign = Campaign(study, store, settings)
    campaign.manifest = store.study(title(study))  # its inputs have just been read and checked
    threading.Thread(target=_listen, args=(campaign.stopping,), daemon=True).start()
    told = 0.0
    for event in campaign:
        if not isinstance(event, Progress) or time.monotonic() - told > _OFTEN:
            _tell(lines, line_of(event))
            told = time.monotonic()
    summary = campaign.summary
    ended = {name: getattr(summary, name) for name in ("elsewhere", "out_of_budget", "out_of_time")}
    _tell(lines, {"end": "summary", **ended})


def _listen(stopping: threading.Event) -> None:
    for line in sys.stdin:
        if line.strip() == "stop":
            stopping.set()
    os.kill(os.getpid(), signal.SIGTERM)


def _tell(lines: TextIO, line: str | dict[str, Any]) -> None:
    lines.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
    lines.flush()


def _interrupt(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
