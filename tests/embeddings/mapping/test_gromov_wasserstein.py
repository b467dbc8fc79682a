"""Gromov–Wasserstein: costs against four loops, transport against its definition, planted rotations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from crossgraft.embeddings.mapping.gromov_wasserstein import GromovWasserstein, cost, distances, mutual_largest
from crossgraft.embeddings.mapping.steps.sinkhorn import sinkhorn
from crossgraft.errors import SpecError
from planted import NO_PAIRS, clouds, hits, rng, rotated, space


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_it_finds_a_rotation_without_a_dictionary_and_says_so(noise: float) -> None:
    source, target, _ = rotated(noise=noise)

    mapping = GromovWasserstein().fit(source, target, NO_PAIRS, rng())

    assert hits(mapping, source, target) > 0.95
    assert mapping.facts["converged"]


def test_refinement_brings_in_the_less_frequent_words() -> None:
    source, target, _ = rotated(n=400, noise=0.3)

    plain, further = (
        GromovWasserstein(mode, words=60).fit(source, target, NO_PAIRS, rng())  # type: ignore[arg-type]
        for mode in ("paper", "refined")
    )

    assert hits(further, source, target) > hits(plain, source, target)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_does_not_claim_to_have_related_unrelated_spaces(seed: int) -> None:
    source, target = space(clouds(150, 20, seed)), space(clouds(150, 20, seed + 100))

    assert not GromovWasserstein(rounds=20).fit(source, target, NO_PAIRS, rng()).facts["converged"]


def problem() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b = distances(clouds(5, 3, 1)), distances(clouds(4, 3, 2))
    coupling = rng().random((5, 4))
    return a, b, coupling / coupling.sum()


def objective(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> float:
    """Half of Σ (a_ik - b_jl)² t_ij t_kl."""
    n, m = t.shape
    return 0.5 * sum(
        (a[i, k] - b[j, el]) ** 2 * t[i, j] * t[k, el]
        for i in range(n) for j in range(m) for k in range(n) for el in range(m)
    )  # fmt: skip


def test_the_cost_is_the_gradient_of_the_objective() -> None:
    a, b, t = problem()
    step = 1e-5

    slopes = np.zeros_like(t)
    for place in np.ndindex(*t.shape):
        ahead, behind = t.copy(), t.copy()
        ahead[place] += step
        behind[place] -= step
        slopes[place] = (objective(a, b, ahead) - objective(a, b, behind)) / (2 * step)

    assert cost(a, b, t) == pytest.approx(slopes, abs=1e-8)
    assert 0.5 * np.sum(cost(a, b, t) * t) == pytest.approx(objective(a, b, t), abs=1e-12)


@pytest.mark.parametrize("epsilon", [1.0, 0.02, 1e-3])
def test_a_plan_has_its_marginals_and_the_form_of_a_gibbs_kernel(epsilon: float) -> None:
    draws = rng()
    costs = draws.random((6, 8))
    p, q = (one / one.sum() for one in (draws.random(6), draws.random(8)))

    plan = sinkhorn(costs, p, q, epsilon, np.zeros(8), rounds=100_000, tolerance=1e-10)

    assert plan.coupling.sum(axis=1) == pytest.approx(p, abs=1e-9)
    assert plan.coupling.sum(axis=0) == pytest.approx(q, abs=1e-9)
    assert plan.coupling == pytest.approx(np.exp((plan.f[:, None] + plan.g - costs) / epsilon), abs=1e-9)


def test_a_plan_of_small_epsilon_is_the_assignment() -> None:
    costs = rng().random((7, 7))
    p = np.full(7, 1 / 7)

    plan = sinkhorn(costs, p, p, 1e-3, np.zeros(7), rounds=10_000, tolerance=1e-6)

    assert plan.coupling.argmax(axis=1).tolist() == linear_sum_assignment(costs)[1].tolist()


def test_distances_do_not_see_how_a_space_is_turned() -> None:
    source, target, _ = rotated()

    assert distances(source.vectors) == pytest.approx(distances(target.vectors), abs=1e-5)
    assert distances(source.vectors).mean() == pytest.approx(1)


def test_pairs_are_each_others_largest() -> None:
    coupling = np.array([[0.3, 0.2, 0.0], [0.4, 0.1, 0.0]])

    assert mutual_largest(coupling).tolist() == [[1, 0]]


def test_a_vocabulary_of_three_words_gives_a_rotation() -> None:
    tiny = space(clouds(3, 5))

    w = GromovWasserstein().fit(tiny, tiny, NO_PAIRS, rng()).source

    assert w @ w.T == pytest.approx(np.eye(5), abs=1e-6)


def test_an_epsilon_of_zero_is_an_error() -> None:
    with pytest.raises(SpecError, match="expected epsilon above 0; got 0"):
        GromovWasserstein(epsilon=0)
