"""What can be chosen: every treatment of a model but shams, and to keep the base; with joint draws of what each would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from crossgraft.analysis.questions.variance.posterior import Posterior
from crossgraft.core import Floats, Point, Treatment
from crossgraft.errors import DataError
from crossgraft.recommendation.asked import Asked

BASE = None  # the option that changes nothing
Choice = Treatment | None


@dataclass(frozen=True, eq=False)
class Options:
    """Draws of true changes in percentage points; the base comes first, and changes nothing in any draw."""

    asked: Asked
    rows: tuple[Choice, ...]
    improved: Floats  # (draws, options, improved targets)
    protected: Floats  # (draws, options, protected targets)
    missing: tuple[tuple[Point, ...], ...]  # of each option, the targets on which it was not measured

    @classmethod
    def of(cls, asked: Asked, posterior: Posterior) -> Options:
        places = [place for place, row in enumerate(posterior.rows) if row.model == asked.model]
        missing = [
            tuple(t for t in _once(asked) if not posterior.measured[place, _column(t, posterior)]) for place in places
        ]
        return cls(
            asked,
            (BASE, *(posterior.rows[place] for place in places)),
            _with_base(posterior.draws, places, [_column(target, posterior) for target in asked.improve]),
            _with_base(posterior.draws, places, [_column(target, posterior) for target in asked.protect]),
            ((), *missing),
        )

    def of_rows(self, places: Sequence[int]) -> Options:
        """Some of the options."""
        some = list(places)
        return Options(
            self.asked,
            tuple(self.rows[place] for place in some),
            self.improved[:, some],
            self.protected[:, some],
            tuple(self.missing[place] for place in some),
        )

    @cached_property
    def gains(self) -> Floats:
        """The mean change of the targets to improve: (draws, options)."""
        return np.asarray(self.improved.mean(axis=2))

    @cached_property
    def losses(self) -> Floats:
        """What the worst protected target loses beyond the tolerance, in each draw; below zero where none does: (draws, options)."""
        worst = self.protected.min(axis=2, initial=np.inf)
        return np.asarray(-worst - self.asked.question.tolerance)

    @cached_property
    def harms(self) -> npt.NDArray[np.bool_]:
        """Whether any protected target loses more than the tolerance: (draws, options)."""
        return np.asarray(self.losses > 0)


def name_of(row: Choice) -> str:
    return "keep the base" if row is None else row.label


def _once(asked: Asked) -> tuple[Point, ...]:
    return tuple(dict.fromkeys((*asked.improve, *asked.protect)))


def _column(target: Point, posterior: Posterior) -> int:
    if target not in posterior.columns:
        raise DataError(
            f"no change on {target} is in percentage points with known noise, so it can be neither improved nor protected"
        )
    return posterior.columns.index(target)


def _with_base(draws: Floats, rows: list[int], columns: list[int]) -> Floats:
    changes = draws[:, rows][:, :, columns]
    return np.concatenate([np.zeros((len(draws), 1, len(columns))), changes], axis=1)
