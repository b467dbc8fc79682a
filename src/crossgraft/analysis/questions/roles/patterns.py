"""The strongest pattern that donors and recipients do not explain: sources that help certain targets more than the two-way model predicts.

It is announced when it is larger than in shuffled residuals and larger than item noise alone makes it: cells that share items move
together. The noise of training runs is not in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis import cells as select
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.effects.regimes import ALL_MODELS
from crossgraft.analysis.wording import number_of
from crossgraft.core import Floats, Point
from crossgraft.stats.matrices.patterns import centred, leading_blocks, leading_shares
from crossgraft.transfer.changes import ChangeCell

_LEAST = 3  # sources and targets; with two, rows and columns explain nearly all of anything
_DRAWS = 500
_ALARM = 0.05  # of studies without a pattern, those in which one is announced in some model or their mean
_SEED = 0


@dataclass(frozen=True)
class Pattern:
    """Of one model, or of the mean over models."""

    model: str
    share: float | None = None  # of the residual, from 0 to 1
    shuffled: float = 1.0  # residuals shuffled among cells stay below in 95 % of studies, in all models and their mean
    noise: float = 1.0  # so does the noise of items alone
    p: float = 1.0
    sources: tuple[Point, ...] = ()  # those that move ``targets`` more than expected, strongest first
    targets: tuple[Point, ...] = ()
    why: str = ""  # no p-value

    @property
    def real(self) -> bool:
        return self.share is not None and self.share > max(self.shuffled, self.noise)


def patterns(draws: Draws) -> Iterator[Pattern]:
    """Each model's, then that of the mean over models."""
    cells = select.trained(draws.cells)
    models = list(dict.fromkeys(cell.row.model for cell in cells))
    looked = [*models, *([ALL_MODELS] if len(models) > 1 else [])]
    for model in looked:
        own = [cell for cell in cells if model in (cell.row.model, ALL_MODELS)]
        yield _pattern(model, own, draws, below=1 - _ALARM / len(looked))


@dataclass(frozen=True, eq=False)
class _Grid:
    sources: tuple[Point, ...]
    targets: tuple[Point, ...]
    change: Floats  # (sources, targets), NaN where missing
    noise: Floats  # (draws, sources, targets): the draws less the estimate

    @classmethod
    def of(cls, cells: Sequence[ChangeCell], draws: Draws) -> _Grid:
        """Recipes and models averaged; a cell that one of the models lacks is missing, else models would show as a pattern."""
        groups: dict[tuple[Point, Point], list[int]] = {}
        for number, cell in enumerate(cells):
            assert cell.row.source is not None
            groups.setdefault((cell.row.source, cell.target), []).append(number)
        full = max(map(len, groups.values()))
        groups = {place: numbers for place, numbers in groups.items() if len(numbers) == full}
        sources = tuple(sorted({source for source, _ in groups}))
        targets = tuple(sorted({target for _, target in groups}))
        row, column = ({point: place for place, point in enumerate(points)} for points in (sources, targets))
        rows, columns = [row[source] for source, _ in groups], [column[target] for _, target in groups]
        members = np.array(list(groups.values()))  # (pairs, cells of each)
        change = np.full((len(sources), len(targets)), np.nan)
        change[rows, columns] = np.array([cell.change.mean for cell in cells])[members].mean(axis=1)
        drawn = draws.of(cells, _DRAWS)
        noise = np.full((len(drawn), *change.shape), np.nan)
        noise[:, rows, columns] = drawn[:, members].mean(axis=2) - change[rows, columns]
        return cls(sources, targets, change, noise)


def _pattern(model: str, cells: Sequence[ChangeCell], draws: Draws, *, below: float) -> Pattern:
    grid = _Grid.of(cells, draws)
    if min(len(grid.sources), len(grid.targets)) < _LEAST:
        size = f"{number_of(len(grid.sources), 'source')} and {number_of(len(grid.targets), 'target')}"
        return Pattern(model, why=f"{size} are too few for a pattern")
    blocks = leading_blocks(grid.change, np.random.default_rng(_SEED), shuffles=_DRAWS, below=below)
    if blocks is None:
        return Pattern(model, why="source and target explain all of it")
    noise = leading_shares(centred(grid.noise, ~np.isnan(grid.change)))
    return Pattern(
        model,
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
