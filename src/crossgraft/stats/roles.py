"""A matrix of sources and targets as who gives, who takes, and what is left: least squares, asymmetry, ranks, shrinkage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats

Labels = npt.NDArray[np.integer]
_TIED = 1e-9  # scores this near are equal: sums of the same items in another order differ in their last digits


@dataclass(frozen=True)
class Additive:
    """value = mean + donor of its source + recipient of its target + rest, by least squares; donors and recipients sum to zero.

    ``donors`` (sources, n) and ``recipients`` (targets, n) are the weights of the n values in each effect: an effect of other
    values of the same cells, such as bootstrap draws, is a product with them.
    """

    donors: Floats
    recipients: Floats
    fitted: Floats  # (n, n): values → what the model says of them

    def free(self, cells: int) -> int:
        """Degrees of freedom that the effects leave to the rest."""
        return cells - (len(self.donors) + len(self.recipients) - 1)

    def explained(self, values: Floats) -> float | None:
        """R²; None where the values do not vary."""
        total = float(np.sum((values - values.mean()) ** 2))
        rest = float(np.sum((values - self.fitted @ values) ** 2))
        return 1 - rest / total if total > 1e-18 else None


def additive(sources: Labels, targets: Labels) -> Additive | None:
    """The two-way model of cells at these places, labels from 0 on without holes.

    None where the cells fall into blocks that share neither source nor target: donors of different blocks are then on
    scales of their own. Missing cells and rectangular grids are no matter otherwise.
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
    return Additive(free_s @ inverse[1:s], free_t @ inverse[s:], design @ inverse)


def _sum_to_zero(count: int) -> Floats:
    return np.vstack([np.eye(count - 1), -np.ones((1, count - 1))]) if count else np.empty((0, 0))


def asymmetry(there: Floats, back: Floats, noise: tuple[float, float] = (0.0, 0.0)) -> float | None:
    """‖K‖²/(‖K‖²+‖S‖²) of the pairs (there, back): 0 for a symmetric matrix, 1 for one in which gains are paid for in full.

    K = (there - back)/2 and S = (there + back)/2 less its mean. ``noise`` is the mean over pairs of what the errors alone add
    to K² and to S², and is taken off. None where nothing is left.
    """
    k2, s2 = (max(0.0, float(np.mean(part**2)) - own) for part, own in zip(halves(there, back), noise, strict=True))
    return k2 / (k2 + s2) if k2 + s2 > 1e-18 else None


def halves(there: Floats, back: Floats) -> tuple[Floats, Floats]:
    """The antisymmetric and the symmetric part of every pair, the mean over pairs (the last axis) taken off the latter."""
    s = (there + back) / 2
    return (there - back) / 2, s - s.mean(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Ranks:
    """From joint draws of scores: how often each is first, and among the k highest; and how often the k highest are those of the estimates."""

    first: Floats
    among: Floats
    k: int
    same_set: float


def ranks(draws: Floats, scores: Floats, k: int) -> Ranks:
    """``draws`` (draws, n) of ``scores`` (n,); a tie counts for those it is between in equal parts."""
    k = min(k, len(scores))
    first = _within(draws, 1)
    among = _within(draws, k)
    best = np.argsort(-scores, kind="stable")[:k]
    rest = np.setdiff1d(np.arange(len(scores)), best)
    if not len(rest):
        return Ranks(first, among, k, 1.0)
    same = draws[:, best].min(axis=1) > draws[:, rest].max(axis=1) + _TIED
    return Ranks(first, among, k, float(same.mean()))


def _within(draws: Floats, k: int) -> Floats:
    """The share of draws in which each is among the k highest."""
    edge = np.sort(draws, axis=1)[:, -k][:, None]
    above, tied = draws > edge + _TIED, np.abs(draws - edge) <= _TIED
    places = (k - above.sum(axis=1, keepdims=True)) / tied.sum(axis=1, keepdims=True)
    return np.asarray((above + tied * places).mean(axis=0))


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
