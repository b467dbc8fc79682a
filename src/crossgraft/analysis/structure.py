"""What a model's matrix is made of: good donors, easy recipients, who gives more than it takes, cycles and blocks.

Cells on the source itself are left out. Noise has all of these parts too: what draws of items show in each is subtracted. The luck
of training runs is not in it, so that what is left of a part is at most true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.draws import Draws
from crossgraft.analysis.regimes import ALL_MODELS
from crossgraft.analysis.wording import number_of
from crossgraft.core import Floats, Point
from crossgraft.matrix import ChangeCell
from crossgraft.stats.structure import Additive, additive, centred, leading_blocks, leading_shares, parts

_LEAST = 3  # sources and targets; with two, rows and columns explain nearly all of anything
_SVD_DRAWS = 500
_ALARM = 0.05  # of studies without a pattern, those in which one is announced in some model or their mean
_SEED = 0


@dataclass(frozen=True)
class TwoWay:
    """How much of the variance between cells source and target explain, each on its own and both (R², from 0 to 1)."""

    r2: float
    sources: float  # donors only
    targets: float  # recipients only
    noise: float  # share of the variance that is the luck of items
    correlation: float | None  # of donors with recipients, over points that are both; None with fewer than three

    @property
    def sentence(self) -> str:
        stronger = (
            "the target more than the source" if self.targets > self.sources else "the source more than the target"
        )
        text = f"Source and target explain {_percent(self.r2)} of the variance between cells, {stronger}"
        return f"{text} ({_percent(self.targets)} target alone, {_percent(self.sources)} source alone)."


@dataclass(frozen=True)
class Asymmetry:
    """Where A → B differs from B → A, over the pairs that have both directions; energies are sums of squares less noise."""

    pairs: int
    share: float  # of the energy that is antisymmetric, from 0 to 1
    gradient: (
        float | None
    )  # of the antisymmetric energy: points that give more than they take; None where only noise is left
    raw: float  # the share before noise was subtracted
    potential: tuple[tuple[Point, float], ...]  # (donor − recipient) / 2 in pp, highest first

    @property
    def sentence(self) -> str:
        text = f"{_percent(self.share)} of what cells differ by is that A helps B otherwise than B helps A"
        if self.gradient is None:
            return f"{text}: no more than the luck of items."
        return (
            f"{text}; {_percent(self.gradient)} of that is that some points give more than they take, the rest runs in "
            "cycles (A helps B helps C helps A)."
        )


@dataclass(frozen=True)
class Pattern:
    """The strongest pattern that source and target alone do not explain."""

    share: float  # of the residual, from 0 to 1
    shuffled: float  # residuals shuffled among cells stay below in 95 % of studies, in all models and their mean
    noise: float  # so does the noise of items alone: cells that share items move together
    p: float
    sources: tuple[Point, ...]  # those that move ``targets`` more than expected, strongest first
    targets: tuple[Point, ...]

    @property
    def real(self) -> bool:
        return self.share > max(self.shuffled, self.noise)

    @property
    def sentence(self) -> str:
        if not self.real:
            return "Beyond source and target no pattern stands out of chance and of the luck of items."
        sources, targets = (", ".join(map(str, points[:3])) for points in (self.sources, self.targets))
        text = f"Beyond source and target, {sources} help {targets} more than expected"
        return f"{text}: the strongest pattern has {_percent(self.share)} of what is left, chance {_percent(self.shuffled)}."


@dataclass(frozen=True)
class Structure:
    """Of one model, or of the mean over models."""

    model: str
    sources: int
    targets: int
    two_way: TwoWay | None = None
    asymmetry: Asymmetry | None = None
    pattern: Pattern | None = None
    why: str = ""  # what is None, and why

    @property
    def sentences(self) -> tuple[str, ...]:
        found = (self.two_way, self.asymmetry, self.pattern)
        return (*(one.sentence for one in found if one), *([f"{self.why}."] if self.why else []))


def structures(draws: Draws) -> Iterator[Structure]:
    """Each model's, then that of the mean over models."""
    cells = [cell for cell in draws.cells if cell.row.kind == "trained" and cell.regime not in (None, "MT-ML")]
    models = list(dict.fromkeys(cell.row.model for cell in cells))
    looked = [*models, *([ALL_MODELS] if len(models) > 1 else [])]
    for model in looked:
        own = [cell for cell in cells if model in (cell.row.model, ALL_MODELS)]
        yield _structure(model, own, draws, below=1 - _ALARM / len(looked))


@dataclass(frozen=True, eq=False)
class _Grid:
    sources: tuple[Point, ...]
    targets: tuple[Point, ...]
    change: Floats  # (sources, targets), NaN where missing
    noise: Floats  # (draws, sources, targets): the draws less the estimate

    @classmethod
    def of(cls, cells: Sequence[ChangeCell], draws: Draws) -> _Grid:
        """Recipes and models averaged; a cell that one of the models lacks is missing, else models would show as structure."""
        groups: dict[tuple[Point, Point], list[int]] = {}
        for number, cell in enumerate(cells):
            assert cell.row.source is not None
            groups.setdefault((cell.row.source, cell.target), []).append(number)
        full = max(map(len, groups.values()))
        groups = {place: numbers for place, numbers in groups.items() if len(numbers) == full}
        sources = tuple(sorted({source for source, _ in groups}))
        targets = tuple(sorted({target for _, target in groups}))
        drawn = draws.of(cells)
        change = np.full((len(sources), len(targets)), np.nan)
        noise = np.full((len(drawn), *change.shape), np.nan)
        for (source, target), numbers in groups.items():
            place = sources.index(source), targets.index(target)
            change[place] = np.mean([cells[number].change.mean for number in numbers])
            noise[:, *place] = drawn[:, numbers].mean(axis=1) - change[place]
        return cls(sources, targets, change, noise)


def _structure(model: str, cells: Sequence[ChangeCell], draws: Draws, *, below: float) -> Structure:
    grid = _Grid.of(cells, draws)
    size = len(grid.sources), len(grid.targets)
    if min(size) < _LEAST:
        why = f"{number_of(size[0], 'source')} and {number_of(size[1], 'target')} are too few to have a structure"
        return Structure(model, *size, why=why)
    fitted = additive(grid.change)
    two_way = _two_way(fitted, grid)
    if two_way is None:
        return Structure(model, *size, why="all cells changed alike: there is nothing to explain")
    asymmetry = _asymmetry(grid)
    why = (
        ""
        if asymmetry
        else "too few points that changed are sources and targets of one another: asymmetry needs three pairs"
    )
    return Structure(model, *size, two_way, asymmetry, _pattern(grid, below), why)


def _two_way(fitted: Additive, grid: _Grid) -> TwoWay | None:
    if fitted.r2 is None or fitted.r2_sources is None or fitted.r2_targets is None:
        return None
    present = ~np.isnan(grid.change)
    noise = grid.noise[:, present]
    share = float(noise.var(axis=1).mean() / grid.change[present].var())
    both = [point for point in grid.sources if point in grid.targets]
    donors = np.array([fitted.donors[grid.sources.index(point)] for point in both])
    recipients = np.array([fitted.recipients[grid.targets.index(point)] for point in both])
    varying = len(both) >= _LEAST and donors.std() > 0 and recipients.std() > 0
    correlation = float(np.corrcoef(donors, recipients)[0, 1]) if varying else None
    return TwoWay(fitted.r2, fitted.r2_sources, fitted.r2_targets, min(1.0, share), correlation)


def _asymmetry(grid: _Grid) -> Asymmetry | None:
    points = [point for point in grid.sources if point in grid.targets]
    if len(points) < _LEAST:
        return None
    rows, columns = [grid.sources.index(point) for point in points], [grid.targets.index(point) for point in points]
    square, noise = grid.change[rows][:, columns], grid.noise[:, rows][:, :, columns]
    known = ~np.isnan(square)
    pairs = int((known & known.T & ~np.eye(len(points), dtype=bool)).sum()) // 2
    found = parts(square)
    energies = found.energies
    if pairs < _LEAST or energies.sum() <= 0:
        return None
    symmetric, gradient, cyclic = np.maximum(0.0, energies - parts(noise).energies.mean(axis=0))
    total, antisymmetric = symmetric + gradient + cyclic, gradient + cyclic
    order = np.argsort(-found.potential)
    return Asymmetry(
        pairs,
        float(antisymmetric / total) if total > 0 else 0.0,
        float(gradient / antisymmetric) if antisymmetric > 0 else None,
        float(energies[1:].sum() / energies.sum()),
        tuple((points[n], float(found.potential[n])) for n in order),
    )


def _pattern(grid: _Grid, below: float) -> Pattern | None:
    blocks = leading_blocks(grid.change, np.random.default_rng(_SEED), shuffles=_SVD_DRAWS, below=below)
    if blocks is None:
        return None
    present = ~np.isnan(grid.change)
    noise = leading_shares(centred(grid.noise[:_SVD_DRAWS], present))
    return Pattern(
        blocks.share,
        blocks.shuffled,
        float(np.quantile(noise, below)),
        blocks.p,
        _strongest(grid.sources, blocks.left),
        _strongest(grid.targets, blocks.right),
    )


def _strongest(points: Sequence[Point], weights: Floats) -> tuple[Point, ...]:
    """Those with more than their share of the pattern, and its sign."""
    return tuple(points[n] for n in np.argsort(-weights) if weights[n] > 1 / np.sqrt(len(points)))


def _percent(share: float) -> str:
    """
    >>> _percent(0.004), _percent(0.25), _percent(0.0)
    ('less than 1 %', '25 %', '0 %')
    """
    return "less than 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"
