"""What can go wrong, as a tree: the command line turns each branch into one sentence and an exit code.

CrossgraftError
├── SpecError       the spec says something that cannot be: unknown key, wrong type, unknown name
├── DataError       a file the spec points at is missing, broken, or does not hold what it should
├── StoreError      the output folder cannot be used: newer format, no such study or record
├── MissingExtra    an optional dependency is needed; says which extra to install
└── JobFailed       one job of a study ended without a result; the others go on
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CrossgraftError(Exception):
    """Base of all errors that are meant for the reader, not for a debugger."""


class SpecError(CrossgraftError):
    """The spec says something that cannot be. ``key`` is the path of the offending key."""

    def __init__(self, message: str, key: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.key = key


class DataError(CrossgraftError):
    """A file is missing, broken, or does not hold what the spec says it holds."""


class StoreError(CrossgraftError):
    """The output folder cannot be read or written as asked."""


class MissingExtra(CrossgraftError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra {extra!r}: pip install 'crossgraft[{extra}]'")


class JobFailed(CrossgraftError):
    """One job ended without a result.

    ``deterministic`` failures (divergence, bad data) would fail again, so they are repeated
    only when asked for; all others are tried again by the next run. After a ``doubtful`` one the
    records that the job has made are set aside and made anew.
    """

    def __init__(self, message: str, *, deterministic: bool = False, doubtful: bool = False) -> None:
        super().__init__(message)
        self.deterministic = deterministic
        self.doubtful = doubtful


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A clause that names the nearest known name, or all of them when none is near.

    >>> did_you_mean("procustes", ["procrustes", "cca"])
    "; did you mean 'procrustes'?"
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    if not names:
        return ""
    return f"; known: {', '.join(names)}"
