"""CCA against a planted map, a generalised eigenproblem, and its own defining properties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import eigh

from crossgraft.embeddings.mapping.cca import CCA, inverse_root
from crossgraft.embeddings.mapping.procrustes import Procrustes
from planted import bent, hits, rng, rotated, same


def test_the_true_one_undoes_any_linear_map_where_procrustes_cannot() -> None:
    source, target, _ = bent()

    assert hits(CCA().fit(source, target, same(50), rng()), source, target) == 1
    assert hits(Procrustes().fit(source, target, same(50), rng()), source, target) < 0.9


def test_canonical_correlations_are_those_of_the_generalised_eigenproblem() -> None:
    source, target, _ = rotated(noise=0.7)
    x, y = source.vectors[:80].astype(float), target.vectors[:80].astype(float)

    mapping = CCA().fit(source, target, same(80), rng())

    squared = eigh(x.T @ y @ np.linalg.solve(y.T @ y, y.T @ x), x.T @ x, eigvals_only=True)[::-1]
    u, v = x @ mapping.source, y @ mapping.target
    assert np.diag(u.T @ v) / 80 == pytest.approx(np.sqrt(squared), abs=1e-6)
    assert mapping.facts["objective"] == pytest.approx(np.sqrt(squared).mean(), abs=1e-6)


def test_canonical_directions_have_variance_one_and_are_uncorrelated() -> None:
    source, target, _ = rotated(noise=0.7)

    mapping = CCA().fit(source, target, same(80), rng())

    for vectors, matrix in ((source.vectors, mapping.source), (target.vectors, mapping.target)):
        mapped = vectors[:80] @ matrix
        assert mapped.T @ mapped / 80 == pytest.approx(np.eye(10), abs=1e-4)


def test_the_released_one_is_a_rotation_learnt_from_whitened_words() -> None:
    source, target, _ = rotated(noise=0.7)
    x, y = source.vectors[:80].astype(float), target.vectors[:80].astype(float)

    mapping = CCA(mode="released").fit(source, target, same(80), rng())

    whitened = [rows @ np.linalg.inv(np.linalg.cholesky(rows.T @ rows).T) for rows in (x, y)]
    s = np.linalg.svd(whitened[0].T @ whitened[1], compute_uv=False)
    assert mapping.source @ mapping.source.T == pytest.approx(np.eye(10), abs=1e-9)
    assert mapping.target is None
    assert mapping.facts["objective"] == pytest.approx(s.mean(), abs=1e-6)  # the same canonical correlations


@pytest.mark.parametrize("mode", ["true", "released"])
def test_both_find_a_rotation(mode: str) -> None:
    source, target, _ = rotated(noise=0.1)

    assert hits(CCA(mode).fit(source, target, same(100), rng()), source, target) > 0.95  # type: ignore[arg-type]


def test_fewer_dimensions_are_those_of_highest_correlation() -> None:
    source, target, _ = rotated(noise=0.7)

    every, few = (CCA(dimensions=n).fit(source, target, same(80), rng()) for n in (0, 3))

    assert few.source == pytest.approx(every.source[:, :3])
    assert few.target == pytest.approx(every.target[:, :3])


def test_directions_without_variance_are_left_out() -> None:
    c = np.diag([4.0, 1.0, 0.0])

    assert inverse_root(c) == pytest.approx(np.diag([0.5, 1.0, 0.0]))


@pytest.mark.parametrize("mode", ["true", "released"])
def test_fewer_pairs_than_dimensions_give_a_finite_map(mode: str) -> None:
    source, target, _ = rotated()

    mapping = CCA(mode).fit(source, target, same(3), rng())  # type: ignore[arg-type]

    assert np.isfinite(mapping.map_source(source.vectors)).all()
    assert np.isfinite(mapping.map_target(target.vectors)).all()
