"""What each axis of a recipe does: treatments that differ in nothing else are compared.

A level of an axis is compared with the first level of the spec, over all sets of treatments that have both (same
model, source and other axes). The base cancels: both sides subtract the same answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from crossgraft.analysis import cells as select
from crossgraft.analysis.first.floor import can_show_harm
from crossgraft.analysis.intervals.draws import Draws, Estimate
from crossgraft.analysis.questions.effects.regimes import harmed
from crossgraft.core import Point, Regime, Scalar, Treatment
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix

_OUTCOMES: dict[str, tuple[Regime, ...]] = {
    "gain on the source": ("MT-ML",),
    "same task, other languages": select.SAME_TASK,
    "other tasks": select.OTHER_TASKS,
}
HARMED = "cells elsewhere that lose 1 pp or more (% of cells)"  # of those whose base is above chance

Levels = tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True)
class AxisEffect:
    """A level (or, for an interaction, one of each of two axes) against the first level.

    The interaction is how much larger the effect of the first axis is at the second one's level than at its
    reference.
    """

    model: str
    levels: Levels
    references: Levels
    outcome: str
    estimate: Estimate
    sets: int  # treatments, times the seeds of each, that are compared with their counterparts

    @property
    def axis(self) -> str:
        return " × ".join(name for name, _ in self.levels)


@dataclass(frozen=True)
class LevelMean:
    """The mean changes of all treatments at a level, or at a level of each of two axes."""

    model: str
    levels: Levels
    means: dict[str, Estimate | None]  # by outcome; none where no cell has it


def axis_effects(matrix: TransferMatrix, draws: Draws) -> tuple[AxisEffect, ...]:
    """Main effects of all axes, then interactions of any two, for each model and for all of them together."""
    return tuple(
        effect for model, rows, axes in _compared(matrix) for effect in _effects(model, rows, axes, matrix, draws)
    )


def level_means(matrix: TransferMatrix, draws: Draws) -> Iterator[LevelMean]:
    """Of every level of each axis, then of every two levels of two axes. The noise of the base is in all of them."""
    for model, rows, axes in _compared(matrix):
        for levels in product(*([(name, level) for level in values] for name, values in axes.items())):
            at_level = {row for row in rows if set(levels) <= set(row.recipe)}
            cells = [cell for cell in draws.cells if cell.row in at_level]
            means = {name: draws.mean(select.in_regimes(cells, *regimes)) for name, regimes in _OUTCOMES.items()}
            yield LevelMean(model, levels, means)


def _compared(matrix: TransferMatrix) -> Iterator[tuple[str, list[Treatment], dict[str, list[Scalar]]]]:
    """Every axis by itself, then any two, with the treatments of each model, and of all models together."""
    rows = [row for row in matrix.rows if row.recipe and not row.is_sham]
    models = list(dict.fromkeys(row.model for row in rows))
    groups = [(model, [row for row in rows if row.model == model]) for model in models]
    if len(models) > 1:
        groups.append(("all models", rows))
    for model, group in groups:
        axes = _axes(group)
        for count in (1, 2):
            for names in combinations(axes, count):
                yield model, group, {name: axes[name] for name in names}


def _axes(rows: Sequence[Treatment]) -> dict[str, list[Scalar]]:
    """Every axis with its levels, in the order of the spec; a setting with one level is not an axis."""
    axes: dict[str, list[Scalar]] = {}
    for row in rows:
        for name, value in row.recipe:
            if value not in axes.setdefault(name, []):
                axes[name].append(value)
    return {name: levels for name, levels in axes.items() if len(levels) > 1}


def _effects(
    model: str, rows: Sequence[Treatment], axes: dict[str, list[Scalar]], matrix: TransferMatrix, draws: Draws
) -> Iterator[AxisEffect]:
    references = tuple((name, levels[0]) for name, levels in axes.items())
    for levels in _combined(axes):
        sets = list(_matched(rows, levels, references))
        for outcome, regimes in {**_OUTCOMES, HARMED: select.OFF_SOURCE}.items():
            compared = [found for one in sets if (found := _shared(one, regimes, matrix))]
            if outcome == HARMED:
                compared = [seen for one in compared if (seen := _that_can_show_harm(one))]
            if not compared:
                continue
            weighted = [(cell, weight / len(compared)) for one in compared for cell, weight in one]
            estimate = draws.share(weighted, harmed) if outcome == HARMED else draws.contrast(weighted)
            yield AxisEffect(model, levels, references, outcome, estimate, len(compared))


def _combined(axes: dict[str, list[Scalar]]) -> Iterator[Levels]:
    """Every level but the first; of two axes every combination of them."""
    found: list[Levels] = [()]
    for name, levels in axes.items():
        found = [(*before, (name, level)) for before in found for level in levels[1:]]
    yield from found


def _matched(rows: Sequence[Treatment], levels: Levels, references: Levels) -> Iterator[list[tuple[Treatment, float]]]:
    """Treatments at the levels with their counterparts, and the sign each has in the contrast."""
    present = set(rows)
    for row in rows:
        if not set(levels) <= set(row.recipe):
            continue
        signed = [(row, 1.0)]
        for (name, _), (_, first) in zip(levels, references, strict=True):
            signed += [(_with(treatment, name, first), -sign) for treatment, sign in signed]
        if all(treatment in present for treatment, _ in signed):
            yield signed


def _with(row: Treatment, name: str, value: Scalar) -> Treatment:
    recipe = tuple((key, value if key == name else old) for key, old in row.recipe)
    return Treatment(row.model, row.name, row.kind, row.source, recipe)


def _shared(
    signed: Sequence[tuple[Treatment, float]], regimes: Sequence[Regime], matrix: TransferMatrix
) -> list[tuple[ChangeCell, float]]:
    """The cells of the contrast, on the targets that all its treatments have; their mean is taken."""

    def cell(row: Treatment, target: Point) -> ChangeCell | None:
        change_cell = matrix.cells.get((row, target))
        return (
            change_cell
            if change_cell is not None and change_cell.unit == "pp" and change_cell.regime in regimes
            else None
        )

    targets = [target for target in matrix.columns if all(cell(row, target) for row, _ in signed)]
    return [(found, sign / len(targets)) for target in targets for row, sign in signed if (found := cell(row, target))]


def _that_can_show_harm(weighted: Sequence[tuple[ChangeCell, float]]) -> list[tuple[ChangeCell, float]]:
    """The cells on targets above chance, with the weights of a mean over fewer targets: both sides have the same base."""
    seen = [(cell, weight) for cell, weight in weighted if can_show_harm(cell)]
    return [(cell, weight * len(weighted) / len(seen)) for cell, weight in seen]
