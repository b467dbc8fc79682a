"""The two-way model of a matrix, value = mean + donor + recipient + rest, and values drawn towards it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats

Labels = npt.NDArray[np.integer]
_NOTHING = 1e-18  # a sum of squares below it is rounding


@dataclass(frozen=True)
class Additive:
    """value = mean + donor of its source + recipient of its target + rest, by least squares; donors and recipients sum to zero.

    ``mean`` (n,), ``donors`` (sources, n) and ``recipients`` (targets, n) hold the weights of the n values in each effect: an effect of other
    values of the same cells, such as bootstrap draws, is a product with them.
    """

    mean: Floats
    donors: Floats
    recipients: Floats
    fitted: Floats  # (n, n): values → what the model says of them

    def free(self, cells: int) -> int:
        """Degrees of freedom that the effects leave to the rest."""
        return cells - (len(self.donors) + len(self.recipients) - 1)

    def explained(self, values: Floats) -> float | None:
        """R²; None where the values do not vary."""
        return _explained(values, self.fitted @ values)


def additive(sources: Labels, targets: Labels) -> Additive | None:
    """The two-way model of cells at these places, labels from 0 on without holes.

    None where the cells fall into blocks that share neither source nor target: donors of different blocks are then on
    scales of their own. Missing cells and rectangular grids are allowed.
    """
    n, s, t = len(sources), int(sources.max(initial=-1)) + 1, int(targets.max(initial=-1)) + 1
    gives, takes = np.zeros((n, s)), np.zeros((n, t))
    gives[np.arange(n), sources] = 1
    takes[np.arange(n), targets] = 1
    # effects that sum to zero: s - 1 and t - 1 free ones, the last is minus the sum of the others
    free_s, free_t = _sum_to_zero(s), _sum_to_zero(t)
    design = np.column_stack([np.ones(n), gives @ free_s, takes @ free_t])
    if n == 0 or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    inverse = np.linalg.pinv(design, rcond=1e-9)  # (1 + s-1 + t-1, n)
    return Additive(inverse[0], free_s @ inverse[1:s], free_t @ inverse[s:], design @ inverse)


def explained_by(labels: Labels, values: Floats) -> float | None:
    """R² of one side alone: of the means of the values that share a source, or a target."""
    counts = np.bincount(labels)
    return _explained(values, (np.bincount(labels, values) / np.maximum(counts, 1))[labels])


def _explained(values: Floats, fitted: Floats) -> float | None:
    total = float(np.sum((values - values.mean()) ** 2))
    return 1 - float(np.sum((values - fitted) ** 2)) / total if total > _NOTHING else None


def _sum_to_zero(count: int) -> Floats:
    return np.vstack([np.eye(count - 1), -np.ones((1, count - 1))]) if count else np.empty((0, 0))


def drawn_towards(values: Floats, errors: Floats, fitted: Floats, spread: float) -> Floats:
    """Each value between itself and what a model says of it: τ²/(τ² + SE²) of the way, τ² the variance of the truth about the model."""
    weight = np.divide(spread, spread + errors**2, out=np.zeros(len(values)), where=spread + errors**2 > 0)
    return np.asarray(fitted + weight * (values - fitted))


def spread_about(values: Floats, errors: Floats, model: Additive) -> float:
    """τ²: the residual variance of the model less what errors add to it, by moments; zero where errors are enough.

    E[Σ residual²] = Σ (1 - h)(τ² + SE²) for errors that are independent, with h the leverages.
    """
    free = 1 - np.diag(model.fitted)
    if float(free.sum()) < 0.5:
        return 0.0
    rest = values - model.fitted @ values
    return max(0.0, float((rest @ rest - free @ errors**2) / free.sum()))
