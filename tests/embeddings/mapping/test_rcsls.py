"""RCSLS: its gradient by finite differences, its descent, its constraint, its gain over Procrustes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from crossgraft.embeddings.mapping import mapper
from crossgraft.embeddings.mapping.rcsls import RCSLS
from crossgraft.embeddings.spaces.space import Space, unit

RNG = np.random.default_rng(0)
PAIRS = np.stack([np.arange(60)] * 2, axis=1)


def spaces(words: int = 200, width: int = 8) -> tuple[Space, Space]:
    """A target that is a rotation of the source, stretched along some axes: no rotation fits it."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(words, width))
    y = x @ np.linalg.qr(rng.normal(size=(width, width)))[0] @ np.diag(np.linspace(0.2, 3, width))
    names = tuple(map(str, range(words)))
    noisy = y + 0.5 * rng.normal(size=y.shape)
    return Space(names, unit(x.astype(np.float32))), Space(names, unit(noisy.astype(np.float32)))


def naive(w: np.ndarray, x: np.ndarray, y: np.ndarray, xs: np.ndarray, ys: np.ndarray, k: int) -> float:
    """The loss as it is written, one pair at a time."""
    total = 0.0
    for one, other in zip(x, y, strict=True):
        mapped = one @ w
        near_y = np.sort(ys @ mapped)[-k:].mean()
        near_x = np.sort(xs @ w @ other)[-k:].mean()
        total += -2 * mapped @ other + near_y + near_x
    return float(total / len(x))


def test_loss_and_gradient_are_those_of_the_definition() -> None:
    source, target = spaces(40, 4)
    x, y = source.vectors[:15], target.vectors[:15]
    w = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
    loss, gradient = RCSLS(neighbours=3)._loss(w.astype(np.float32), x, y, source.vectors, target.vectors)
    step = 1e-5
    wide = [one.astype(np.float64) for one in (x, y, source.vectors, target.vectors)]

    numeric = np.zeros((4, 4))
    for place in np.ndindex(4, 4):
        moved = np.zeros((4, 4))
        moved[place] = step
        numeric[place] = (naive(w + moved, *wide, 3) - naive(w - moved, *wide, 3)) / (2 * step)  # type: ignore[arg-type]

    assert loss == pytest.approx(naive(w, *wide, 3), abs=1e-5)  # type: ignore[arg-type]
    np.testing.assert_allclose(gradient, numeric, atol=1e-3)


@pytest.mark.parametrize("rate", [1.0, 500.0])
def test_the_loss_never_rises_whatever_the_rate(rate: float) -> None:
    source, target = spaces()

    losses = RCSLS(rate=rate, iterations=20).fit(source, target, PAIRS, RNG).facts["objective"]

    assert len(losses) > 2
    assert all(later <= earlier for earlier, later in pairwise(losses))


def test_the_spectral_variant_never_stretches() -> None:
    source, target = spaces()

    free, bound = (mapper(name, {"rate": 5.0}).fit(source, target, PAIRS, RNG) for name in ("rcsls", "rcsls:spectral"))

    assert np.linalg.norm(bound.source, 2) <= 1 + 1e-5  # type: ignore[arg-type]
    assert np.linalg.norm(free.source, 2) > 1.05  # type: ignore[arg-type]


def test_a_stretched_space_is_fitted_better_than_by_a_rotation() -> None:
    source, target = spaces()
    scores = {}
    for name in ("procrustes", "rcsls"):
        mapped = unit(mapper(name).fit(source, target, PAIRS, RNG).map_source(source.vectors))
        scores[name] = np.mean((mapped @ target.vectors.T).argmax(axis=1)[60:] == np.arange(60, 200))

    assert scores["rcsls"] > scores["procrustes"]
