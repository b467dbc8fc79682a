"""A against B: every difference with its interval, and which of them are significant, as one family of tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from crossgraft.analysis.comparison.base import base_difference
from crossgraft.analysis.comparison.differences import Drawn
from crossgraft.analysis.comparison.matching import Matched, Pair, Side, bases, match
from crossgraft.analysis.comparison.training import Known, is_tested
from crossgraft.analysis.first.signals import LEVEL
from crossgraft.analysis.intervals.estimate import Estimate
from crossgraft.analysis.intervals.extremes import Named, named
from crossgraft.analysis.questions.effects.regimes import ALL_MODELS
from crossgraft.core import REGIME_WORDS, Floats
from crossgraft.stats.cells.change import Change
from crossgraft.stats.multiplicity import benjamini_hochberg

_MEAN, _SINGLE = 4.0, 1.0  # weights: a mean over many cells is what a comparison is made for


@dataclass(frozen=True, eq=False)
class CellDifference:
    """B less A of one cell. ``named`` is how it is told where it is picked out; ``adjusted`` is its p among all tests."""

    pair: Pair
    estimate: Estimate
    named: Named
    training: Known = (None, None)  # the noise of training runs in A and in B
    adjusted: float = 1.0

    @property
    def tested(self) -> bool:
        return is_tested(self.estimate)

    @property
    def significant(self) -> bool:
        return self.adjusted <= LEVEL


@dataclass(frozen=True, eq=False)
class BaseDifference:
    """B less A of the base's score on one target."""

    pair: Pair
    change: Change
    adjusted: float = 1.0

    @property
    def significant(self) -> bool:
        return self.adjusted <= LEVEL


@dataclass(frozen=True)
class MeanDifference:
    """The mean over the cells of a model in one regime that both have: in A, in B, and B less A."""

    model: str
    regime: str
    words: str
    a: Estimate
    b: Estimate
    estimate: Estimate
    cells: int
    measured_anew: int  # cells that do not rest on the same records
    adjusted: float = 1.0

    @property
    def tested(self) -> bool:
        return self.measured_anew > 0 and is_tested(self.estimate)

    @property
    def significant(self) -> bool:
        return self.adjusted <= LEVEL


@dataclass(frozen=True)
class Comparison:
    """All that is told of A and B. Cells that rest on the same records in both cannot differ; they are only counted."""

    a: Side
    b: Side
    matched: Matched
    cells: tuple[CellDifference, ...]
    bases: tuple[BaseDifference, ...]
    means: tuple[MeanDifference, ...]

    @property
    def tests(self) -> int:
        return len(self.bases) + sum(cell.tested for cell in self.cells) + sum(mean.tested for mean in self.means)


def compare(a: Side, b: Side) -> Comparison:
    """Every difference of cells, base scores and means by regime, tested together at a false discovery rate of 5 %."""
    matched = match(a, b)
    pairs = matched.pairs
    drawn = Drawn.of(pairs)
    anew = [place for place, pair in enumerate(pairs) if not pair.unchanged]
    cells = _cells([(pairs[place], drawn.single(place), drawn.training[place]) for place in anew])
    changed = [
        BaseDifference(pair, base_difference(pair)) for pair in bases(pairs) if not _same_base(pair, matched, a, b)
    ]
    return Comparison(a, b, matched, *_tested(cells, changed, list(_means(pairs, drawn))))


def _cells(entries: Sequence[tuple[Pair, Estimate, Known]]) -> list[CellDifference]:
    """With the values by which they are named: those that are tested among themselves."""
    estimates = [estimate for _, estimate, _ in entries]
    names = {tested: iter(_named([one for one in estimates if is_tested(one) is tested])) for tested in (True, False)}
    return [
        CellDifference(pair, estimate, next(names[is_tested(estimate)]), known) for pair, estimate, known in entries
    ]


def _named(estimates: Sequence[Estimate]) -> tuple[Named, ...]:
    errors, dfs = [one.error for one in estimates], [one.df for one in estimates]
    measured = all(one.items for one in estimates)  # else errors are bounds
    return named([one.mean for one in estimates], errors, dfs, shrunk=measured)


def _same_base(pair: Pair, matched: Matched, a: Side, b: Side) -> bool:
    """Whether the base's record is the same in both."""
    if not (a.recorded and b.recorded) or pair.a.control_ids != pair.b.control_ids or matched.renamed:
        return False
    return np.array_equal(pair.a.control_statistics, pair.b.control_statistics)


def _means(pairs: Sequence[Pair], drawn: Drawn) -> Iterator[MeanDifference]:
    """Each model's, then those of all models; without sources, one mean a task."""
    usable = [place for place, pair in enumerate(pairs) if pair.a.unit == "pp" and not pair.a.row.is_sham]
    models = list(dict.fromkeys(pairs[place].a.row.model for place in usable))
    for model in [*models, *([ALL_MODELS] if len(models) > 1 else [])]:
        chosen = [place for place in usable if model in (pairs[place].a.row.model, ALL_MODELS)]
        for regime, words, places in _groups(pairs, chosen):
            anew = [place for place in places if not pairs[place].unchanged]
            estimate = drawn.mean(anew, len(places))
            yield MeanDifference(
                model, regime, words, drawn.side(places, 0), drawn.side(places, 1), estimate, len(places), len(anew)
            )


def _groups(pairs: Sequence[Pair], places: Sequence[int]) -> Iterator[tuple[str, str, list[int]]]:
    groups: dict[tuple[str, str], list[int]] = {}
    if any(pairs[place].a.regime for place in places):
        groups = {(regime, words): [] for regime, words in REGIME_WORDS.items()}
    for place in places:
        cell = pairs[place].a
        if cell.regime:
            groups[cell.regime, REGIME_WORDS[cell.regime]].append(place)
        else:
            words = "over all pairs" if cell.row.kind == "mapping" else "of treatments without a single source"
            groups.setdefault((cell.target.task, words), []).append(place)
    yield from ((*key, group) for key, group in groups.items() if group)


Tested = tuple[tuple[CellDifference, ...], tuple[BaseDifference, ...], tuple[MeanDifference, ...]]


def _tested(
    cells: Sequence[CellDifference], changed: Sequence[BaseDifference], means: Sequence[MeanDifference]
) -> Tested:
    """With p-values adjusted for all that is tested: weighted Benjamini–Hochberg (Genovese, Roeder and Wasserman, 2006)."""
    p = np.array(
        [
            *(cell.estimate.p for cell in cells if cell.tested),
            *(1.0 if base.change.p is None else base.change.p for base in changed),
            *(mean.estimate.p for mean in means if mean.tested),
        ]
    )
    singles = sum(cell.tested for cell in cells) + len(changed)
    adjusted = iter(_adjusted(p, np.array([_SINGLE] * singles + [_MEAN] * (len(p) - singles))).tolist())
    return (
        tuple(replace(cell, adjusted=next(adjusted)) if cell.tested else cell for cell in cells),
        tuple(replace(base, adjusted=next(adjusted)) for base in changed),
        tuple(replace(mean, adjusted=next(adjusted)) if mean.tested else mean for mean in means),
    )


def _adjusted(p: Floats, weights: Floats) -> Floats:
    return benjamini_hochberg(np.minimum(1.0, p * weights.mean() / weights)) if len(p) else p
