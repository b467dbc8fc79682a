from __future__ import annotations

import numpy as np
import pytest

from crossgraft.stats.cells import paired_change


def test_the_mean_is_the_mean_of_the_differences() -> None:
    change = paired_change(np.array([1.0, 0.0, 0.0, -1.0, 1.0]))

    assert (change.mean, change.n) == (pytest.approx(0.2), 5)


def test_the_interval_is_agresti_and_mins() -> None:
    """Against their formula on the four counts of a paired table: half an item added to each."""
    gained, lost, n = 14, 5, 100
    differences = np.concatenate([np.ones(gained), -np.ones(lost), np.zeros(n - gained - lost)])
    b, c, size = gained + 0.5, lost + 0.5, n + 2
    centre = (b - c) / size
    error = 1.959964 * np.sqrt((b + c) - (b - c) ** 2 / size) / size

    change = paired_change(differences)

    assert (change.low, change.high) == (
        pytest.approx(centre - error, abs=1e-6),
        pytest.approx(centre + error, abs=1e-6),
    )


def test_no_change_at_all_still_has_an_interval() -> None:
    change = paired_change(np.zeros(50))

    assert change.low < 0 < change.high


def test_seeds_that_differ_widen_the_interval() -> None:
    differences = np.array([1.0, -1.0, 0.0, 0.0] * 25)

    alone = paired_change(differences)
    spread = paired_change(differences, np.array([-0.2, 0.2]))

    assert spread.high - spread.low > 2 * (alone.high - alone.low)


def test_no_items_are_missing_not_zero() -> None:
    change = paired_change(np.array([]))

    assert change.n == 0
    assert np.isnan(change.mean)


@pytest.mark.parametrize(("n", "discordant", "shift"), [(100, 0.1, 0.0), (400, 0.1, 0.03), (400, 0.02, 0.0)])
def test_the_interval_covers_the_true_change(n: int, discordant: float, shift: float) -> None:
    rng = np.random.default_rng(5)
    gain, loss = (discordant + shift) / 2, (discordant - shift) / 2
    drawn = rng.multinomial(n, [gain, loss, 1 - discordant], size=3000)

    covered = 0
    for b, c, rest in drawn:
        change = paired_change(np.repeat([1.0, -1.0, 0.0], [b, c, rest]))
        covered += change.low <= shift <= change.high

    assert covered / len(drawn) >= 0.94


def test_the_detectable_change_is_found_four_times_in_five() -> None:
    """The size it names, planted, is told from zero with a probability near .8."""
    rng = np.random.default_rng(6)
    n, discordant = 1000, 0.2
    size = paired_change(np.repeat([1.0, -1.0, 0.0], [100, 100, 800])).detectable
    drawn = rng.multinomial(n, [(discordant + size) / 2, (discordant - size) / 2, 1 - discordant], size=2000)

    found = [paired_change(np.repeat([1.0, -1.0, 0.0], counts)).low > 0 for counts in drawn]

    assert np.mean(found) == pytest.approx(0.8, abs=0.04)
