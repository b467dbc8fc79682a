"""Grids of another make than ``crossgraft.transfer.synthetic``, with which they share no code: what one simulator takes for granted, two need not.

An item has a difficulty that all languages share, a language and a passage add to it, and each model has an own view of each
item. An answer is right where ability exceeds all that. A treatment moves the ability, and keeps most of the model's own view:
what it answers anew is the noise of a change, correlated between the languages of an item, between the items of a passage, and,
because all treatments are compared with the same base, between all changes of a target. Everything in the latent scale is
normal, so that the expected score of any cell is Φ(ability/spread), and effects can be planted in percentage points exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from crossgraft.analysis.external.scores import ScoreRow, matrix_of_scores
from crossgraft.core import Floats, Point, Treatment
from crossgraft.metrics import METRICS
from crossgraft.transfer.changes import Measured, Place, change_cells
from crossgraft.transfer.matrix import TransferMatrix

LANGUAGES = ("sw", "fi", "ta", "tr", "el", "vi", "ka", "eu")
_LOWEST, _HIGHEST = 0.03, 0.97  # scores that a cell can truly have


@dataclass(frozen=True)
class Effects:
    """Standard deviations of true changes, in percentage points; ``same_task`` and ``on_source`` are means.

    ``same_task_spread`` is what pairs of one task vary by beyond others. ``cell`` has Student's distribution with ``tail``
    degrees of freedom, scaled to this standard deviation, so that a few cells stand far out.
    """

    source: float = 0.0
    target: float = 0.0
    task_pair: float = 0.0
    pair: float = 0.0  # of a source and a target, in all models
    model_source: float = 0.0
    model_target: float = 0.0
    cell: float = 0.0
    tail: float = 3.0
    same_task: float = 0.0
    same_task_spread: float = 0.0
    on_source: float = 0.0


@dataclass(frozen=True)
class Planted:
    """What is there to be found, in percentage points, in all models; a treatment that ruins loses on four targets of five."""

    donor: float = 0.0  # of the first source, everywhere but on itself
    target: float = 0.0  # of the last target, under every source
    same_task: float = 0.0  # of the second source, on its task in other languages
    ruinous: int = 0  # how many sources ruin, from the last
    ruin: float = -15.0


@dataclass(frozen=True)
class Truth:
    """True changes in percentage points: of every cell, of every pair of source and target in models of the kind, of a task on itself elsewhere.

    ``variances`` are what factors of a mixed model planted off the source, in squared percentage points, "cell" the rest of them.
    """

    cells: Mapping[Place, float]
    over_models: Mapping[tuple[Point, Point], float]
    same_task: float
    variances: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Drawn:
    matrix: TransferMatrix
    truth: Truth
    measured: Mapping[Place, Measured] = field(default_factory=dict)  # seed by seed


@dataclass(frozen=True)
class OtherGrid:
    """Every model × source × target, with what makes real grids unlike tidy ones."""

    models: int = 2
    tasks: int = 4
    languages: int = 3
    sources: int = 6
    seeds: int = 3
    items: int = 150
    uneven: float = 1.0  # tasks have up to so many times more or fewer items
    lacking: float = 0.0  # share of its task's items that a language has not
    missing: float = 0.0  # share of the cells that were not measured
    passage: int = 1  # items of a passage
    declared: bool = True  # whether the study says which items share one
    graded: float = 0.0  # 0: outcomes are 0 or 1; else how softly a score rises from 0 to 1
    difficulty: float = 1.0  # standard deviations, in units of a model's own view of an item
    kept: float = 0.9  # correlation of that view after training with that before
    alike: float = 0.3  # of what is answered anew, the share that all treatments of a model answer alike
    parallel: float = 0.5  # share of a view that all languages have in common
    clustered: float = 0.5  # share of a view that the items of a passage have in common
    seed: float = 0.5  # what a training run moves all targets by, percentage points
    seed_cell: float = 0.5  # what it moves single ones by
    effects: Effects = field(default_factory=Effects)
    planted: Planted = field(default_factory=Planted)

    @cached_property
    def points(self) -> tuple[Point, ...]:
        return tuple(Point(f"skill{task}", code) for task in range(self.tasks) for code in LANGUAGES[: self.languages])

    @cached_property
    def source_places(self) -> list[int]:
        """Sources spread over tasks, with languages that change: places among the points."""
        size = self.languages
        order = [task * size + (task + turn) % size for turn in range(size) for task in range(self.tasks)]
        return order[: self.sources]

    def row(self, model: int, source: int) -> Treatment:
        point = self.points[self.source_places[source]]
        return Treatment(f"lm{model}", str(point), "trained", point)

    @property
    def variances(self) -> dict[str, float]:
        """Nothing where something is planted besides: then effects are not of the factors alone."""
        if self.planted != Planted():
            return {}
        effects = self.effects
        near = (self.languages - 1) / (len(self.points) - 1)  # of the cells off the source, those on its task
        return {
            "source": effects.source**2,
            "target": effects.target**2,
            "task pair": effects.task_pair**2,
            "model × source": effects.model_source**2,
            "model × target": effects.model_target**2,
            "source × target": effects.pair**2 + near * effects.same_task_spread**2,
            "cell": effects.cell**2,
        }

    def draw(self, seed: int) -> Drawn:
        """A grid as a study would have measured it, and what is true of it."""
        rng = np.random.default_rng([20, seed])
        base = rng.uniform(0.4, 0.75, (self.models, len(self.points)))
        common, own = self._true_changes(rng)
        after = np.clip(base[:, None] + own / 100, _LOWEST, _HIGHEST)  # (models, sources, targets)
        measured = dict(self._outcomes(base, after, rng))
        rows = tuple(self.row(m, s) for m in range(self.models) for s in range(self.sources))
        true = 100 * (after - base[:, None])
        cells = {
            (self.row(m, s), point): float(true[m, s, t])
            for m in range(self.models)
            for s in range(self.sources)
            for t, point in enumerate(self.points)
        }
        sources = [self.points[place] for place in self.source_places]
        pairs = {
            (one, point): float(common[s, t]) for s, one in enumerate(sources) for t, point in enumerate(self.points)
        }
        truth = Truth({place: cells[place] for place in measured}, pairs, self.effects.same_task, self.variances)
        return Drawn(TransferMatrix(rows, self.points, change_cells(measured)), truth, measured)

    def _true_changes(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """In percentage points: in models of the kind (sources, targets), and in each model (models, sources, targets)."""
        sizes, effects = (self.models, self.sources, len(self.points)), self.effects
        from_task = np.array([place // self.languages for place in self.source_places])
        to_task = np.arange(len(self.points)) // self.languages
        same_task = from_task[:, None] == to_task
        itself = np.array(self.source_places)[:, None] == np.arange(len(self.points))

        common = rng.normal(0, effects.source, (sizes[1], 1)) + rng.normal(0, effects.target, sizes[2])
        common = common + rng.normal(0, effects.task_pair, (self.tasks, self.tasks))[from_task[:, None], to_task]
        common = common + rng.normal(0, effects.pair, sizes[1:])
        common = common + np.where(same_task, rng.normal(effects.same_task, effects.same_task_spread, sizes[1:]), 0)
        common = np.where(itself, common + effects.on_source - effects.same_task, common)
        common = common + self._planted(same_task & ~itself, itself, rng)

        scale = effects.cell * np.sqrt((effects.tail - 2) / effects.tail) if effects.tail > 2 else effects.cell
        own = common + scale * rng.standard_t(effects.tail, sizes)
        own = own + rng.normal(0, effects.model_source, (*sizes[:2], 1))
        own = own + rng.normal(0, effects.model_target, (sizes[0], 1, sizes[2]))
        return common, own

    def _planted(self, near: npt.NDArray[np.bool_], itself: npt.NDArray[np.bool_], rng: np.random.Generator) -> Floats:
        found = np.zeros(near.shape)
        found[0] += np.where(itself[0], 0, self.planted.donor)
        found[:, -1] += self.planted.target
        found[1] += np.where(near[1], self.planted.same_task, 0)
        for place in range(self.sources - self.planted.ruinous, self.sources):
            found[place] += np.where(rng.uniform(size=near.shape[1]) < 0.8, self.planted.ruin, 0)
        return found

    def _outcomes(self, base: Floats, after: Floats, rng: np.random.Generator) -> Iterator[tuple[Place, Measured]]:
        metric = METRICS.get("f1" if self.graded else "accuracy")
        measured = rng.uniform(size=(self.models, self.sources, len(self.points))) >= self.missing
        shape = (self.models, self.sources, self.seeds)
        moved = rng.normal(0, self.seed, (*shape, 1)) + rng.normal(0, self.seed_cell, (*shape, len(self.points)))
        scores = np.clip(after[:, :, None] + moved / 100, _LOWEST, _HIGHEST)  # (models, sources, seeds, targets)
        for task in range(self.tasks):
            count = max(10, round(self.items * self.uneven ** rng.uniform(-1, 1)))
            passages = np.arange(count) // self.passage
            places = range(task * self.languages, (task + 1) * self.languages)
            hard = self.difficulty * self._views(rng, (), passages)  # (languages, items)
            before = self._views(rng, (self.models,), passages)
            shared = self._views(rng, (self.models,), passages)[:, None, None]
            alone = self._views(rng, shape, passages)
            anew = np.sqrt(self.alike) * shared + np.sqrt(1 - self.alike) * alone
            later = self.kept * before[:, None, None] + np.sqrt(1 - self.kept**2) * anew
            control = self._answers(base[:, places], before - hard)
            treated = self._answers(scores[..., places], later - hard)
            names = np.array([f"{task}.{number}" for number in range(count)])
            for number, place in enumerate(places):
                there = rng.uniform(size=count) >= self.lacking
                items, groups = tuple(names[there].tolist()), tuple(map(str, passages[there].tolist()))
                for model, source in np.ndindex(shape[:2]):
                    if measured[model, source, place]:
                        yield (
                            (self.row(model, source), self.points[place]),
                            Measured(
                                metric,
                                tuple(range(self.seeds)),
                                _counted(treated[model, source, :, number][:, there]),
                                np.repeat(_counted(control[model, number, there])[None], self.seeds, axis=0),
                                items,
                                groups if self.passage > 1 and self.declared else (),
                            ),
                        )

    def _views(self, rng: np.random.Generator, lead: tuple[int, ...], passages: npt.NDArray[np.integer]) -> Floats:
        """Standard normal (…, languages, items), correlated between languages and within passages."""

        def drawn(count: int) -> Floats:
            common = rng.standard_normal((*lead, 1, count))
            own = rng.standard_normal((*lead, self.languages, count))
            return np.asarray(np.sqrt(self.parallel) * common + np.sqrt(1 - self.parallel) * own)

        clustered = self.clustered if self.passage > 1 else 0.0
        found = np.sqrt(1 - clustered) * drawn(len(passages))
        return found + np.sqrt(clustered) * drawn(passages[-1] + 1)[..., passages] if clustered else found

    def _answers(self, score: Floats, views: Floats) -> Floats:
        """Outcomes of views (…, languages, items) whose expected value is the score (…, languages)."""
        spread = np.sqrt(1 + self.difficulty**2 + self.graded**2)
        latent = spread * ndtri(score)[..., None] + views
        return np.asarray(ndtr(latent / self.graded) if self.graded else (latent > 0).astype(float))


def _counted(values: Floats) -> Floats:
    """Rows (value, 1) of items that all count."""
    return np.stack([values, np.ones_like(values)], axis=-1)


def as_scores(drawn: Drawn) -> Drawn:
    """The same grid as a table of scores would tell it: a line per seed, with the number of items."""
    rows = [
        ScoreRow(
            0,
            row.model,
            _source(row),
            target,
            cell.control,
            cell.control + change / 100,
            seed=seed,
            items=cell.change.n,
        )
        for (row, target), cell in drawn.matrix.cells.items()
        for seed, change in zip(cell.seeds, cell.seed_changes, strict=True)
    ]
    return Drawn(matrix_of_scores(rows), drawn.truth)


def _source(row: Treatment) -> Point:
    assert row.source is not None
    return row.source
