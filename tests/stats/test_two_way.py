"""The two-way model and shrinkage towards it: against dummy coding and planted matrices."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from crossgraft.stats.matrices.two_way import additive, drawn_towards, explained_by, spread_about


def places(s: int, t: int, missing: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    kept = [place for place in product(range(s), range(t)) if rng.uniform() >= missing]
    return np.array([a for a, _ in kept]), np.array([b for _, b in kept])


@pytest.mark.parametrize(("s", "t", "missing"), [(5, 5, 0.0), (4, 9, 0.0), (8, 3, 0.0), (7, 6, 0.3)])
def test_effects_are_those_of_least_squares_with_dummies(s: int, t: int, missing: float) -> None:
    sources, targets = places(s, t, missing)
    values = np.random.default_rng(1).normal(size=len(sources))
    model = additive(sources, targets)

    dummies = np.column_stack([np.eye(s)[sources], np.eye(t)[targets]])
    found = np.linalg.lstsq(dummies, values, rcond=None)[0]
    assert model is not None
    assert model.donors @ values == pytest.approx(found[:s] - found[:s].mean(), abs=1e-9)
    assert model.recipients @ values == pytest.approx(found[s:] - found[s:].mean(), abs=1e-9)
    assert model.fitted @ values == pytest.approx(dummies @ found, abs=1e-9)


def test_a_planted_additive_matrix_is_recovered_without_its_diagonal() -> None:
    d, r = np.array([2.0, -1.0, 0.0, -1.0]), np.array([0.5, 0.5, -2.0, 1.0])
    sources, targets = np.array([(a, b) for a, b in product(range(4), range(4)) if a != b]).T
    values = 3 + d[sources] + r[targets]
    model = additive(sources, targets)

    assert model is not None
    assert model.donors @ values == pytest.approx(d)
    assert model.recipients @ values == pytest.approx(r)
    assert model.explained(values) == pytest.approx(1)


def test_of_a_full_table_the_shares_of_donors_and_of_recipients_add_up() -> None:
    sources, targets = places(5, 7)
    values = np.random.default_rng(2).normal(size=35)
    model = additive(sources, targets)

    assert model is not None
    alone = explained_by(sources, values), explained_by(targets, values)
    assert model.explained(values) == pytest.approx(sum(share or 0.0 for share in alone))
    assert model.mean @ values == pytest.approx(values.mean())


def test_the_potential_of_the_antisymmetric_part_is_half_of_donor_less_recipient() -> None:
    """φ_s = (1/n) Σ_t K_st of the complete matrix (HodgeRank)."""
    a = np.random.default_rng(2).normal(size=(6, 6))
    sources, targets = (side.ravel() for side in np.indices(a.shape))
    model = additive(sources, targets)

    assert model is not None
    potential = ((a - a.T) / 2).mean(axis=1)
    assert (model.donors - model.recipients) @ a.ravel() / 2 == pytest.approx(potential)


def test_blocks_that_share_nothing_have_no_common_scale() -> None:
    assert additive(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3])) is None
    assert additive(np.array([0]), np.array([0])) is not None
    assert additive(np.array([], dtype=int), np.array([], dtype=int)) is None


def test_the_spread_about_the_model_is_known_without_bias() -> None:
    """A truth with a variance of .49 about the model, errors of one: over 100 matrices."""
    rng = np.random.default_rng(7)
    sources, targets = places(20, 20)
    model = additive(sources, targets)

    assert model is not None
    noise = rng.normal(0, np.sqrt(1.49), size=(100, 400))
    found = [spread_about(values, np.ones(400), model) for values in noise]
    assert np.mean(found) == pytest.approx(0.49, abs=0.05)


def test_shrinkage_comes_nearer_to_the_truth_than_cells_and_model_alone() -> None:
    rng = np.random.default_rng(8)
    sources, targets = places(20, 20)
    truth = rng.normal(size=20)[sources] + rng.normal(size=20)[targets] + rng.normal(0, 0.7, 400)
    values = truth + rng.normal(size=400)
    model = additive(sources, targets)

    assert model is not None
    fitted = model.fitted @ values
    shrunken = drawn_towards(values, np.ones(400), fitted, spread_about(values, np.ones(400), model))
    off = [float(np.mean((guess - truth) ** 2)) for guess in (shrunken, values, fitted)]
    assert off[0] < min(off[1:])


def test_cells_without_any_variance_stay_what_they_are() -> None:
    assert drawn_towards(np.ones(3), np.zeros(3), np.ones(3), 0.0).tolist() == [1, 1, 1]
