"""A worker process of ``processes``: reads its errand from stdin, draws jobs from the store, tells events on stdout.

``python -m crossgraft.runs.executors._child``. A line ``stop`` on stdin ends it after the target at hand; the end of
stdin, which comes too when the watching process is killed, ends it at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from crossgraft.runs.executors._wire import campaign_of, lines_of


def main() -> int:
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is not for the watching process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the watching process decides
    signal.signal(signal.SIGTERM, _interrupt)
    errand, stopping = sys.stdin.readline(), threading.Event()
    threading.Thread(target=_listen, args=(stopping,), daemon=True).start()
    try:
        for line in lines_of(lambda: campaign_of(errand, stopping)):
            lines.write(line + "\n")
            lines.flush()
    except KeyboardInterrupt:
        return 0
    return 0


def _listen(stopping: threading.Event) -> None:
    for line in sys.stdin:
        if line.strip() == "stop":
            stopping.set()
    os.kill(os.getpid(), signal.SIGTERM)


def _interrupt(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
