"""The command line's entry point: errors become one sentence and an exit code, signals an orderly end.

It imports next to nothing itself, so that an interruption while the rest is imported ends in order too.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

_LATER = 0.02  # seconds until an interrupted import is looked at again


class _Signals:
    """The first SIGINT or SIGTERM is an exception, so that claims are released; a second ends the process at once."""

    def __init__(self) -> None:
        self.received = 0
        self.leaving = False
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as it is for jobs in the background of a script
                try:
                    signal.signal(number, self._receive)
                except ValueError:  # not in the main thread: whoever started us handles signals
                    return

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received or self.leaving:
            os._exit(128 + (self.received or number))
        self.received = number
        self._interrupt(number, frame)

    def _interrupt(self, _number: int, frame: FrameType | None) -> None:
        """Not within an import: there some libraries take an exception for a module that is not installed, and go on."""
        if self.leaving:
            return
        if _is_importing(frame) and hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, self._interrupt)
            signal.setitimer(signal.ITIMER_REAL, _LATER)
            return
        raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def main() -> NoReturn:
    """The entry point of the process, which ends with it."""
    signals = _Signals()
    try:
        from crossgraft.cli.group import outcome

        code = outcome()
    except BaseException as error:
        signals.leaving = True
        if not signals.received and not isinstance(error, KeyboardInterrupt):
            raise
        number = signals.received or signal.SIGINT  # whatever an interrupted import or library made of it
        what = "interrupted" if number == signal.SIGINT else "terminated"
        print(f"\n{what}; what was computed is kept, run the same command to go on", file=sys.stderr)  # noqa: T201
        code = 128 + number
        if signals.received:  # nothing is left to do, and tidying up the interpreter takes its time
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    signals.leaving = True
    sys.exit(code)
