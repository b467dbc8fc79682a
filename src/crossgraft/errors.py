"""What can go wrong, as a tree: the command line turns each branch into one sentence and an exit code.

CrossgraftError
├── SpecError       the spec says something that cannot be: unknown key, wrong type, unknown name
├── DataError       a file the spec points at is missing, broken, or does not hold what it should
│   └── MissingInputs   files that the spec names are not there, all of them at once
├── StoreError      the output folder cannot be used: newer format, no such study or record
├── MissingExtra    an optional dependency is needed; says which extra to install
└── JobFailed       one job of a study ended without a result; the others go on
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


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


class MissingInputs(DataError):
    """Files or folders that the spec names are not there; one sentence for one, else a list."""

    def __init__(self, missing: Sequence[str]) -> None:
        lines = "".join(f"\n  {one}" for one in missing)
        super().__init__(missing[0] if len(missing) == 1 else f"{len(missing)} inputs of the study are missing:{lines}")
        self.missing = tuple(missing)


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
    if near := nearest(name, names):
        return f"; did you mean {near!r}?"
    return f"; known: {', '.join(names)}" if names else ""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely stands for."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)), None)


def shown(value: object, most: int = 100) -> str:
    """A value as a sentence quotes it: on one line, with its control characters visible, and not too long.

    >>> shown("word " * 100, most=12)
    "'word word…'"
    """
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number of thousands of digits"
    except RecursionError:
        return "something nested too deep to show"
    return text if len(text) <= most else f"{text[: most - 2]}…{text[-1]}"
