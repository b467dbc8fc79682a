"""Least squares against a planted map, SciPy, and its own normal equations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import lstsq

from crossgraft.embeddings.mapping.least_squares import LeastSquares
from crossgraft.embeddings.mapping.procrustes import Procrustes
from crossgraft.errors import SpecError
from planted import bent, hits, rng, rotated, same


def test_it_recovers_a_map_that_is_no_rotation_where_procrustes_cannot() -> None:
    source, target, matrix = bent()

    mapping = LeastSquares().fit(source, target, same(50), rng())

    assert mapping.source == pytest.approx(matrix, abs=1e-4)
    assert mapping.facts["objective"] == pytest.approx(0, abs=1e-8)
    assert hits(mapping, source, target) == 1
    assert hits(Procrustes().fit(source, target, same(50), rng()), source, target) < 0.9


def test_it_agrees_with_scipy_also_with_fewer_pairs_than_dimensions() -> None:
    source, target, _ = rotated(noise=0.5)

    for pairs in (same(60), same(4)):
        mapping = LeastSquares().fit(source, target, pairs, rng())

        x, y = source.vectors[: len(pairs)].astype(float), target.vectors[: len(pairs)].astype(float)
        assert mapping.source == pytest.approx(lstsq(x, y)[0], abs=1e-9)
    assert mapping.facts["rank"] == 4


def test_a_ridge_solves_the_penalised_normal_equations() -> None:
    source, target, _ = rotated(noise=0.5)

    w = LeastSquares(ridge=3.0).fit(source, target, same(60), rng()).source

    x, y = source.vectors[:60].astype(float), target.vectors[:60].astype(float)
    assert w == pytest.approx(np.linalg.solve(x.T @ x + 3.0 * np.eye(10), x.T @ y), abs=1e-9)


def test_a_negative_ridge_is_an_error() -> None:
    with pytest.raises(SpecError, match="expected ridge of at least 0; got -1"):
        LeastSquares(ridge=-1)
