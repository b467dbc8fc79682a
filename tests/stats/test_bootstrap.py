"""Items drawn anew for all cells together: spread, blocks, groups, and that intervals over parallel items cover."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.core import Floats
from crossgraft.metrics import ratio
from crossgraft.stats.resampling.bootstrap import joint_item_bootstrap


def weighted(values: Floats) -> Floats:
    """Statistics of a mean: (value, 1) for each item."""
    return np.stack([values, np.ones_like(values)], axis=-1)


def test_the_spread_of_one_cell_is_its_standard_error() -> None:
    rng = np.random.default_rng(0)
    treated, control = rng.integers(0, 2, size=(2, 1, 200)).astype(float)

    draws = joint_item_bootstrap(weighted(treated), weighted(control), ratio, draws=4000, rng=rng)[:, 0]

    differences = (treated - control)[0]
    assert draws.mean() == pytest.approx(differences.mean(), abs=0.005)
    assert draws.std() == pytest.approx(differences.std() / np.sqrt(200), rel=0.05)


def test_parallel_items_move_together() -> None:
    """Two cells with the same outcomes are one cell: their mean is no surer than either."""
    rng = np.random.default_rng(1)
    outcomes = np.repeat(rng.integers(0, 2, size=(1, 300)).astype(float), 2, axis=0)
    nothing = np.zeros_like(outcomes)

    draws = joint_item_bootstrap(weighted(outcomes), weighted(nothing), ratio, draws=2000, rng=rng)

    assert draws.mean(axis=1).std() == pytest.approx(draws[:, 0].std(), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.3, 0.9])
def test_the_mean_over_parallel_languages_is_covered(shared: float) -> None:
    """Row 6: 11 languages of 400 items that are right or wrong together; .93 to .97 of 95 % intervals hold the truth."""
    rng = np.random.default_rng(4)
    covered = []
    for _ in range(800):
        latent = np.sqrt(shared) * rng.normal(size=(1, 400)) + np.sqrt(1 - shared) * rng.normal(size=(11, 400))
        changes = weighted((latent > 1.2816).astype(float) - (latent < -1.2816))
        draws = joint_item_bootstrap(changes, weighted(np.zeros((11, 400))), ratio, draws=300, rng=rng).mean(axis=1)
        low, high = np.quantile(draws, [0.025, 0.975])
        covered.append(low <= 0 <= high)

    assert 0.93 <= np.mean(covered) <= 0.97


def test_draws_do_not_depend_on_the_size_of_the_blocks() -> None:
    outcomes = weighted(np.random.default_rng(2).random((3, 40)))
    control = weighted(np.zeros((3, 40)))

    first = joint_item_bootstrap(outcomes, control, ratio, draws=300, rng=np.random.default_rng(3))
    again = joint_item_bootstrap(outcomes, control, ratio, draws=300, rng=np.random.default_rng(3))

    assert np.array_equal(first, again)


def test_columns_that_are_alike_are_summed_once_and_change_nothing() -> None:
    rng = np.random.default_rng(5)
    treated, control = weighted(rng.random((4, 40))), weighted(np.repeat(rng.random((1, 40)), 4, axis=0))
    treated[1] = treated[0]

    found = joint_item_bootstrap(treated, control, ratio, draws=50, rng=np.random.default_rng(6))

    counts = np.random.default_rng(6).multinomial(40, np.full(40, 1 / 40), size=50)
    each = [counts @ (treated[cell, :, 0] - control[cell, :, 0]) / 40 for cell in range(4)]
    assert found == pytest.approx(np.transpose(each), abs=1e-12)


def test_an_item_a_cell_lacks_has_no_weight_in_it() -> None:
    treated = weighted(np.array([[1.0, 0.0, 1.0]]))
    control = weighted(np.array([[0.0, 0.0, 0.0]]))
    treated[0, 1] = 0  # the cell has two of the three items, both right
    rng = np.random.default_rng(4)

    draws = joint_item_bootstrap(treated, control, ratio, draws=200, rng=rng)

    assert np.nanmin(draws) == 1.0


def test_groups_are_drawn_whole() -> None:
    """Ten items in two groups: every draw has one group twice, or each once."""
    treated = np.zeros((1, 10, 2))
    treated[..., 1] = 1
    treated[0, :5, 0] = 1
    control = np.zeros_like(treated)
    control[..., 1] = 1

    draws = joint_item_bootstrap(
        treated,
        control,
        lambda sums: sums[..., 0] / sums[..., 1],
        draws=200,
        rng=np.random.default_rng(0),
        groups=np.repeat([0, 1], 5),
    )

    assert set(np.round(draws[:, 0], 6)) == {0.0, 0.5, 1.0}
