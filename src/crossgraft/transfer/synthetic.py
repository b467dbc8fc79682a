"""Grids of which the truth is known: to see what a method finds that is there, and what it finds that is not.

Nothing is trained. A share of the items is fragile: the base answers them at random, and so does every adapter, anew. That alone
makes a grid in which nothing transfers look alive, because all adapters are compared with the same base. Effects are planted
on top, as probabilities of the fragile items, so that the true change of every cell is known exactly.

>>> grid = SyntheticGrid(models=2, tasks=2, languages=2, items=50)
>>> matrix, truth = grid.matrix(seed=1), grid.truth(seed=1)
>>> matrix.change.shape, float(abs(truth).max())
((8, 4), 0.0)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from crossgraft.core import Floats, Point, Treatment
from crossgraft.errors import SpecError
from crossgraft.metrics import METRICS
from crossgraft.transfer.changes import Measured, Place, change_cells
from crossgraft.transfer.matrix import TransferMatrix

_LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")


@dataclass(frozen=True)
class SyntheticGrid:
    """Every model × source × target, every source a target too. Effects are standard deviations in percentage points.

    ``on_source`` and ``same_task`` are means: what training on a point adds to itself, and to its task elsewhere. ``seed`` moves
    all targets of a training run; ``parallel`` is the correlation of an item's noise between the languages of its task.
    """

    models: int = 3
    tasks: int = 4
    languages: int = 5
    seeds: int = 3
    items: int = 400
    base: float = 0.5  # share right
    fragile: float = 0.25  # share of the items that are answered at random
    parallel: float = 0.3
    on_source: float = 0.0
    same_task: float = 0.0
    source: float = 0.0
    source_task: float = 0.0
    source_language: float = 0.0
    target: float = 0.0
    target_task: float = 0.0
    target_language: float = 0.0
    task_pair: float = 0.0
    language_pair: float = 0.0
    model: float = 0.0
    model_source: float = 0.0
    model_target: float = 0.0
    cell: float = 0.0
    seed: float = 0.0

    def __post_init__(self) -> None:
        for name in ("models", "tasks", "languages", "seeds", "items"):
            if getattr(self, name) < 1:
                raise SpecError(f"expected at least 1 of {name}; got {getattr(self, name)}", (name,))
        for name in ("base", "fragile", "parallel"):
            if not 0 <= getattr(self, name) <= 1:
                raise SpecError(f"expected a share from 0 to 1 for {name}; got {getattr(self, name)}", (name,))
        if self.languages > len(_LANGUAGES):
            raise SpecError(f"expected at most {len(_LANGUAGES)} languages; got {self.languages}", ("languages",))

    @property
    def points(self) -> tuple[Point, ...]:
        languages = _LANGUAGES[: self.languages]
        return tuple(Point(f"task{n}", language) for n, language in product(range(self.tasks), languages))

    def rows(self, model: int) -> tuple[Treatment, ...]:
        return tuple(Treatment(f"model{model}", str(point), "trained", point) for point in self.points)

    def truth(self, seed: int) -> Floats:
        """The planted change of every cell: (models × sources, targets), in percentage points."""
        m, t, k = self.models, self.tasks, self.languages
        rng = np.random.default_rng([seed, 0])
        shape = (m, t, k, t, k)  # model, task and language of the source, task and language of the target

        def effect(spread: float, *axes: int) -> Floats:
            return rng.normal(0, spread, [size if axis in axes else 1 for axis, size in enumerate(shape)])

        found = np.zeros(shape)
        found = found + effect(self.model, 0) + effect(self.source_task, 1) + effect(self.source_language, 2)
        found = found + effect(self.source, 1, 2) + effect(self.target_task, 3) + effect(self.target_language, 4)
        found = found + effect(self.target, 3, 4) + effect(self.task_pair, 1, 3) + effect(self.language_pair, 2, 4)
        found = found + effect(self.model_source, 0, 1, 2) + effect(self.model_target, 0, 3, 4)
        found = found + effect(self.cell, 0, 1, 2, 3, 4)
        same_task = np.eye(t)[None, :, None, :, None]
        same_point = same_task * np.eye(k)[None, None, :, None, :]
        found = found + self.same_task * (same_task - same_point) + self.on_source * same_point
        most = 50 * self.fragile
        return np.clip(found.reshape(m * t * k, t * k), -most, most)

    def matrix(self, seed: int) -> TransferMatrix:
        """Outcomes drawn from the truth, item by item, as a study would have measured them."""
        rows = tuple(row for model in range(self.models) for row in self.rows(model))
        return TransferMatrix(rows, self.points, change_cells(self.measured(seed)))

    def measured(self, seed: int) -> dict[Place, Measured]:
        """The same, seed by seed."""
        measured: dict[Place, Measured] = {}
        for model, truth in enumerate(np.split(self.truth(seed), self.models)):
            measured.update(self._measured(model, truth, np.random.default_rng([seed, 1, model])))
        return measured

    def _measured(self, model: int, truth: Floats, rng: np.random.Generator) -> Iterator[tuple[Place, Measured]]:
        metric = METRICS.get("accuracy")
        items = [tuple(f"task{task}-{n}" for n in range(self.items)) for task in range(self.tasks)]
        fragile = rng.uniform(size=(self.tasks, 1, self.items)) < self.fragile
        known = rng.uniform(size=(self.tasks, 1, self.items)) < self.base
        base = np.where(fragile, self._noise(rng) < 0, known)  # (tasks, languages, items)
        control = [_statistics(base[place][None]) for place in np.ndindex(base.shape[:2])]
        for row, changes in zip(self.rows(model), truth, strict=True):
            shift = changes.reshape(self.tasks, self.languages, 1)
            runs = np.stack([np.where(fragile, self._run(shift, rng), known) for _ in range(self.seeds)])
            for number, (task, language) in enumerate(np.ndindex(base.shape[:2])):
                yield (
                    (row, self.points[number]),
                    Measured(
                        metric,
                        tuple(range(1, self.seeds + 1)),
                        _statistics(runs[:, task, language]),
                        np.broadcast_to(control[number], (self.seeds, self.items, 2)),
                        items[task],
                    ),
                )

    def _run(self, shift: Floats, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        """One training run on the fragile items: right with a probability that has the change in it."""
        moved = (shift + rng.normal(0, self.seed)) / 100 / max(self.fragile, 1e-12)
        return np.asarray(self._noise(rng) < ndtri(np.clip(0.5 + moved, 1e-9, 1 - 1e-9)))

    def _noise(self, rng: np.random.Generator) -> Floats:
        """Standard normal, correlated between the languages of a task: (tasks, languages, items)"""
        shape = (self.tasks, self.languages, self.items)
        common = rng.standard_normal((self.tasks, 1, self.items), dtype=np.float32)
        own = rng.standard_normal(shape, dtype=np.float32)
        return np.asarray(np.sqrt(self.parallel) * common + np.sqrt(1 - self.parallel) * own)


def _statistics(right: npt.NDArray[np.bool_]) -> Floats:
    """Of a mean: what was right, and that it counts."""
    return np.stack([right, np.ones_like(right)], axis=-1).astype(np.float64)
