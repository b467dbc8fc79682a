"""The strongest pattern beyond rows and columns: planted blocks are found, noise has none."""

from __future__ import annotations

import numpy as np

from crossgraft.core import Floats
from crossgraft.stats.matrices.patterns import centred, leading_blocks, leading_shares
from crossgraft.stats.matrices.two_way import additive

EXACT = 1e-10


def square(n: int, seed: int) -> Floats:
    """Without a diagonal."""
    table = np.random.default_rng(seed).normal(size=(n, n))
    np.fill_diagonal(table, np.nan)
    return table


def test_where_nothing_varies_there_is_no_pattern() -> None:
    assert leading_blocks(np.full((3, 3), 1.5), np.random.default_rng(0)) is None


def test_planted_blocks_are_found_and_noise_has_none() -> None:
    rng = np.random.default_rng(9)
    noise = rng.normal(size=(12, 10))
    group = np.repeat([1.0, -1.0], 6)
    block = noise + 1.5 * np.outer(group, np.repeat([1.0, -1.0], 5))

    found, nothing = leading_blocks(block, rng), leading_blocks(noise, rng)

    assert found is not None
    assert nothing is not None
    assert found.p < 0.01
    assert found.share > found.shuffled
    assert abs(np.corrcoef(found.left, group)[0, 1]) > 0.9
    assert nothing.p > 0.05


def test_centring_is_the_residual_of_the_two_way_model() -> None:
    table = square(5, 10)
    present = ~np.isnan(table)

    found = centred(np.nan_to_num(table)[None], present)[0]

    model = additive(*np.nonzero(present))
    assert model is not None
    np.testing.assert_allclose(found[present], table[present] - model.fitted @ table[present], atol=EXACT)
    assert leading_shares(np.zeros((2, 3, 3))).tolist() == [0, 0]
