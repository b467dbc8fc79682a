"""What every cell would be without noise, in draws: what recommendations and plans stand on.

A measured cell is drawn towards what its model, source, target and their pairs say of it, the more so the noisier it
is; one that was not measured is predicted from them. Noise of the base (common to a column of a model) and of the
seeds (common to a row) is taken out: it is no effect of targets or sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.variance.factors import Place, crossed_design
from crossgraft.analysis.questions.variance.noise import noise_draws
from crossgraft.core import Floats, Point, Treatment
from crossgraft.errors import DataError
from crossgraft.stats.mixed.design import Codes, Design, Factor
from crossgraft.stats.mixed.known_noise import Noise, fit_known_noise
from crossgraft.stats.mixed.noise_parts import part_noise
from crossgraft.stats.mixed.posterior import NOT_MEASURED, posterior_draws
from crossgraft.transfer.changes import ChangeCell
from crossgraft.transfer.matrix import TransferMatrix

POSTERIOR_DRAWS = 500


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of the true change of every cell, in percentage points, jointly: rows are treatments, columns targets.

    The variances of factors are drawn, those of cells and of noise taken as known: intervals are a little short where the grid is
    small (``benchmarks/simulations/posterior.py``).
    """

    rows: tuple[Treatment, ...]
    columns: tuple[Point, ...]
    draws: Floats  # (draws, rows, columns)
    measured: npt.NDArray[np.bool_]  # (rows, columns); the others are predicted
    notes: tuple[str, ...] = ()

    @property
    def mean(self) -> Floats:
        return np.asarray(self.draws.mean(axis=0))

    @property
    def deviation(self) -> Floats:
        return np.asarray(self.draws.std(axis=0))

    def above(self, change: float = 0.0) -> Floats:
        """P(Δ > change) of every cell."""
        return np.asarray((self.draws > change).mean(axis=0))

    def below(self, change: float) -> Floats:
        """P(Δ < change) of every cell: with -1.0, the probability of a harm of more than a point."""
        return np.asarray((self.draws < change).mean(axis=0))

    def of(self, row: Treatment, target: Point) -> Floats:
        """The draws of one cell."""
        if row not in self.rows or target not in self.columns:
            raise DataError(
                f"the posterior has no cell of {row} on {target}: it has rows and targets with a measured cell only"
            )
        return np.asarray(self.draws[:, self.rows.index(row), self.columns.index(target)])


def posterior(
    matrix: TransferMatrix,
    *,
    count: int = POSTERIOR_DRAWS,
    seed: int = 0,
    whole: bool = False,
    draws: Draws | None = None,
) -> Posterior:
    """Fit the crossed model with the noise of every cell known, and draw. DataError where there is nothing to fit.

    Rows and targets without a measured cell are left out, unless the ``whole`` matrix is wanted: then they are predicted from what is
    like them, and of their own effects nothing is known. ``draws`` are those of the matrix, where they have been made.

    >>> from crossgraft.transfer.synthetic import SyntheticGrid
    >>> grid = SyntheticGrid(models=2, tasks=2, languages=3, items=200, source=2.0)
    >>> found = posterior(grid.matrix(seed=1), count=100)
    >>> found.draws.shape, bool(found.measured.all())
    ((100, 12, 6), True)
    """
    draws = draws or Draws(matrix)
    cells = [cell for cell in draws.cells if cell.items or not cell.change.why]
    if not draws.cells:
        raise DataError("no cell has a change in percentage points: there is nothing to predict from")
    if not cells:
        raise DataError(f"nothing tells the noise of any cell ({draws.cells[0].change.why}): it cannot be taken out")
    known = {(cell.row, cell.target): number for number, cell in enumerate(cells)}
    rows, columns = tuple(row for row in matrix.rows if not row.is_sham), matrix.columns
    if not whole:
        rows = tuple(row for row in rows if any((row, column) in known for column in columns))
        columns = tuple(column for column in columns if any((row, column) in known for row in rows))
    places = [(row, column) for row in rows for column in columns]
    at = np.array([known.get(place, NOT_MEASURED) for place in places])
    measured = np.flatnonzero(at != NOT_MEASURED)
    seen = [cells[number] for number in at[measured]]
    grid = crossed_design(places, measured.tolist(), matrix.labels)
    groups = _groups(places, measured)
    fitted_rows = np.full(len(places), NOT_MEASURED)
    fitted_rows[measured] = np.arange(len(measured))
    design = _measured_design(grid.design, measured)
    own, levels = _noise(seen, noise_draws(draws, seen), design)
    y = np.array([cell.change.mean for cell in seen])
    fit = fit_known_noise(design, y, Noise(own, groups[measured], levels))
    fit = replace(fit, cells=np.append(fit.cells, fit.cells.mean()))  # of groups without a measured cell
    drawn = posterior_draws(fit, grid.design, fitted_rows, groups, draws=count, rng=np.random.default_rng(seed))
    shape = (len(rows), len(columns))
    notes = grid.notes
    if unknown := len(draws.cells) - len(cells):
        notes = (*notes, f"{unknown} measured cells are only predicted: nothing tells their noise")
    return Posterior(rows, columns, drawn.reshape(count, *shape), (at != NOT_MEASURED).reshape(shape), notes)


def _groups(places: Sequence[Place], measured: npt.NDArray[np.integer]) -> Codes:
    """Cells of a task vary alike; those on the source itself more. Groups without a measured cell come last, as one."""
    labels = [(target.task, row.source is not None and row.source.regime(target) == "MT-ML") for row, target in places]
    codes = {label: code for code, label in enumerate(dict.fromkeys(labels[place] for place in measured))}
    return np.array([codes.get(label, len(codes)) for label in labels])


def _measured_design(whole: Design, measured: npt.NDArray[np.integer]) -> Design:
    factors = (Factor(factor.name, factor.codes[measured], factor.levels) for factor in whole.factors)
    return Design(tuple(factors), whole.fixed[measured], whole.names)


def _noise(cells: Sequence[ChangeCell], noise: Floats, design: Design) -> tuple[Floats, Floats]:
    """The noise variance of each cell's own (n,), and that of each level of the design's factors (q,).

    Noise in common that no factor of the design could take stays with the cells. A cell is never without noise: even
    where no item changed, an item more could (Agresti and Min, 2005); of scores, a tenth of the variance is the cell's own.
    """
    tasks = Factor.of("model × target task", [(cell.row.model, cell.target.task) for cell in cells])
    columns = Factor.of("model × target", [(cell.row.model, cell.target) for cell in cells])
    rows = Factor.of("treatment", [cell.row for cell in cells])
    found = part_noise(noise, tasks, columns, rows)
    own, levels = found.own, [np.zeros(factor.levels) for factor in design.factors]
    partitions = {factor.partition(): place for place, factor in enumerate(design.factors)}
    for factor, variances in ((tasks, found.tasks), (columns, found.columns), (rows, found.rows)):
        place = partitions.get(factor.partition())
        if place is None:
            own = own + variances[factor.codes]
        else:
            levels[place][design.factors[place].codes] += variances[factor.codes]
    return np.maximum(own, [_least_noise(cell) for cell in cells]), np.concatenate([np.empty(0), *levels])


def _least_noise(cell: ChangeCell) -> float:
    return (100 / (cell.change.n + 2)) ** 2 if cell.items else 0.1 * ((cell.change.high - cell.change.low) / 3.92) ** 2
