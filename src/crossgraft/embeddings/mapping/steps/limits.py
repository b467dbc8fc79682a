"""One sentence for a parameter of a method that cannot be."""

from __future__ import annotations

from crossgraft.errors import SpecError


def at_least(minimum: float, **settings: float) -> None:
    """Every setting, by its name, is no smaller than the minimum.

    >>> at_least(1, rounds=3, candidates=1)
    """
    for name, value in settings.items():
        if not value >= minimum:  # also for NaN
            raise SpecError(f"expected {name} of at least {minimum}; got {value!r}", (name,))
