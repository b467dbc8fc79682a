"""Normalising vectors by an ordered list of steps, and the same again for words that come later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Step = Literal["unit", "center", "iterative", "pca-removal", "whitening"]

_ITERATIONS = 5
_BLOCK = 4096  # rows at a time, so that the work stays in cache
_NO_SPREAD = 1e-6  # a direction with less than this part of the largest standard deviation is rounding


@dataclass(frozen=True)
class Unit:
    """Every row to length 1."""

    def __call__(self, rows: Vectors) -> Vectors:
        return unit(rows)


@dataclass(frozen=True, eq=False)
class Affine:
    """``(x - mean) w``, with the mean and matrix found on a vocabulary; without a matrix only the mean is taken off."""

    mean: npt.NDArray[np.float32]  # (d,)
    matrix: npt.NDArray[np.float32] | None = None  # (d, d)

    def __call__(self, rows: Vectors) -> Vectors:
        centred = rows - self.mean
        return centred if self.matrix is None else np.asarray(centred @ self.matrix)


@dataclass(frozen=True)
class Normaliser:
    """What was done to a vocabulary, so that it can be done to another word; a zero vector stays zero."""

    steps: tuple[Unit | Affine, ...] = ()

    def __call__(self, vectors: Vectors) -> Vectors:
        done = np.array(vectors, dtype=np.float32)
        for step in self.steps:
            _in_place(done, step)
        return done


def normalise(vectors: Vectors, steps: Sequence[Step]) -> tuple[Vectors, Normaliser]:
    """The vectors after the steps in their order, and what the steps were on this vocabulary.

    - unit: each vector to length 1;
    - center: take off the mean;
    - iterative: five times unit and center, then unit (Zhang et al., 2019);
    - pca-removal: take off the mean and the first d/100 principal components, at least one
      (all-but-the-top; Mu & Viswanath, 2018);
    - whitening: take off the mean, then ZCA, so that the covariance is the identity.

    Zero vectors say nothing of their word: they stay zero and count in no mean or covariance.
    """
    done = np.array(vectors, dtype=np.float32)
    present = _present(done)
    made: list[Unit | Affine] = []
    for step in _plain(steps):
        made.append(_FITTED[step](done, present))
        _in_place(done, made[-1])
    return done, Normaliser(tuple(made))


def unit(vectors: Vectors) -> Vectors:
    """Rows of length 1; a zero row stays zero, and so is similar to nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _plain(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        if step == "iterative":
            for _ in range(_ITERATIONS):
                yield "unit"
                yield "center"
            yield "unit"
        else:
            yield step


def _mean(vectors: Vectors, present: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Zero rows add nothing to the sum; they are left out of the count."""
    total = sum((block.sum(axis=0, dtype=np.float64) for block in _blocks(vectors)), np.zeros(vectors.shape[1]))
    return np.asarray(total / max(int(present.sum()), 1), dtype=np.float32)


def _spread(
    vectors: Vectors, present: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any], npt.NDArray[Any]]:
    """Mean (d,), standard deviations (d,) in falling order, and the directions they are of, as columns (d, d)."""
    mean = _mean(vectors, present)
    covariance = np.zeros((vectors.shape[1],) * 2)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK][present[start : start + _BLOCK]] - mean
        covariance += block.T @ block  # products in float32, their sum in float64
    values, directions = np.linalg.eigh(covariance / max(int(present.sum()), 1))
    return mean, np.sqrt(np.maximum(values[::-1], 0)), directions[:, ::-1]


def _fit_unit(_vectors: Vectors, _present: npt.NDArray[np.bool_]) -> Unit:
    return Unit()


def _fit_center(vectors: Vectors, present: npt.NDArray[np.bool_]) -> Affine:
    return Affine(_mean(vectors, present))


def _fit_pca_removal(vectors: Vectors, present: npt.NDArray[np.bool_]) -> Affine:
    mean, _, directions = _spread(vectors, present)
    first = directions[:, : max(1, round(vectors.shape[1] / 100))]
    return Affine(mean, np.asarray(np.eye(len(mean)) - first @ first.T, dtype=np.float32))


def _fit_whitening(vectors: Vectors, present: npt.NDArray[np.bool_]) -> Affine:
    """With ``v s² vᵀ`` the covariance: ``v s⁻¹ vᵀ``, and 0 for directions in which nothing varies."""
    mean, spread, directions = _spread(vectors, present)
    varies = spread > _NO_SPREAD * spread[0] if spread[0] > 0 else np.zeros(len(spread), dtype=bool)
    inverse = np.divide(1.0, spread, out=np.zeros_like(spread), where=varies)
    return Affine(mean, np.asarray((directions * inverse) @ directions.T, dtype=np.float32))


_Fit = Callable[[Vectors, npt.NDArray[np.bool_]], Unit | Affine]
_FITTED: dict[Step, _Fit] = {
    "unit": _fit_unit,
    "center": _fit_center,
    "pca-removal": _fit_pca_removal,
    "whitening": _fit_whitening,
}


def _in_place(vectors: Vectors, step: Unit | Affine) -> None:
    for block in _blocks(vectors):
        block[:] = np.where(_present(block)[:, None], step(block), 0)


def _present(vectors: Vectors) -> npt.NDArray[np.bool_]:
    """Which rows are not zero."""
    return np.concatenate([np.zeros(0, dtype=bool), *(block.any(axis=1) for block in _blocks(vectors))])


def _blocks(vectors: Vectors) -> Iterator[Vectors]:
    for start in range(0, len(vectors), _BLOCK):
        yield vectors[start : start + _BLOCK]
