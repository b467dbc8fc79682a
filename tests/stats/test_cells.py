from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from crossgraft.stats.cells.change import SeedNoise, mcnemar, paired_change
from crossgraft.stats.cells.moderate import moderated


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
    spread = paired_change(differences, SeedNoise.of(np.array([-0.2, 0.2])))

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
    """The size it names, planted, is significant with a probability near .8."""
    rng = np.random.default_rng(6)
    n, discordant = 1000, 0.2
    size = paired_change(np.repeat([1.0, -1.0, 0.0], [100, 100, 800])).detectable
    drawn = rng.multinomial(n, [(discordant + size) / 2, (discordant - size) / 2, 1 - discordant], size=2000)

    found = [paired_change(np.repeat([1.0, -1.0, 0.0], counts)).low > 0 for counts in drawn]

    assert np.mean(found) == pytest.approx(0.8, abs=0.04)


def test_mid_p_is_the_sum_over_the_binomial() -> None:
    for gained, lost in [(14, 5), (0, 6), (3, 3), (1, 0)]:
        k, n = min(gained, lost), gained + lost
        binomial = stats.binom(n, 0.5)
        expected = 1.0 if gained == lost else 2 * (binomial.cdf(k) - binomial.pmf(k)) + binomial.pmf(k)

        assert mcnemar(gained, lost) == pytest.approx(expected)


def outcomes(rng: np.random.Generator, n: int, discordant: float, change: float, runs: int) -> np.ndarray:
    """Gained, lost, right both times, wrong both times: (runs, 4)"""
    gain, loss = (discordant + change) / 2, (discordant - change) / 2
    rest = 1 - discordant
    return rng.multinomial(n, [gain, loss, rest / 2, rest / 2], size=runs)


@pytest.mark.parametrize("n", [100, 400, 1000])
def test_the_mid_p_test_holds_its_size_and_intervals_cover(n: int) -> None:
    """Row 5 of the plan of tests: size at most .055, coverage at least .94."""
    rng = np.random.default_rng(n)
    drawn = outcomes(rng, n, 0.1, 0.0, 4000)
    rejected = np.mean([mcnemar(gained, lost) < 0.05 for gained, lost, *_ in drawn])
    assert rejected <= 0.055

    for change in (0.0, 0.03):
        covered = []
        for gained, lost, both, neither in outcomes(rng, n, 0.1, change, 1500):
            found = paired_change(np.repeat([1.0, -1.0, 0.0], [gained, lost, both + neither]))
            covered.append(found.low <= change <= found.high)
        assert np.mean(covered) >= 0.94


def test_questions_on_one_passage_count_as_one_draw() -> None:
    """Ten passages of ten questions that change together: the interval is that of ten items, not of a hundred."""
    rng = np.random.default_rng(0)
    passages = rng.choice([-1.0, 0.0, 1.0], size=200)
    differences, groups = np.repeat(passages, 10), np.repeat(np.arange(200), 10)

    together = paired_change(differences, groups=groups)
    apart = paired_change(differences)
    alone = paired_change(passages)

    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.02)
    assert together.high - together.low > 2.5 * (apart.high - apart.low)


@pytest.mark.parametrize(("shared", "naive_below"), [(0.3, 0.85), (0.6, 0.75), (0.9, 0.60)])
def test_parallel_items_are_clusters(shared: float, naive_below: float) -> None:
    """Row 6: the mean over 11 languages of 400 parallel items; clustered by item it covers, naively it does not."""
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(2000):
        common, own = rng.normal(size=(400, 1)), rng.normal(size=(400, 11))
        latent = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
        changes = np.where(latent > 1.2816, 1.0, np.where(latent < -1.2816, -1.0, 0.0))
        groups = np.repeat(np.arange(400), 11)
        clustered, naive = paired_change(changes.ravel(), groups=groups), paired_change(changes.ravel())
        covered.append((clustered.low <= 0 <= clustered.high, naive.low <= 0 <= naive.high))

    clustered_cover, naive_cover = np.mean(covered, axis=0)
    assert 0.93 <= clustered_cover <= 0.97
    assert naive_cover < naive_below


def test_moderated_seeds_cover_and_are_no_wider_than_they_must() -> None:
    """Row 7: 484 cells of 3 seeds; coverage .93 to .96, less than .6 of the width of t with two degrees of freedom."""
    rng = np.random.default_rng(11)
    covered, widths = [], []
    for _ in range(12):
        spread = 1.0 * np.sqrt(8 / rng.chisquare(8, 484))
        seeds = rng.normal(0, spread[:, None], (484, 3))
        better = moderated(seeds.var(axis=1, ddof=1), np.full(484, 2.0))
        half = special.stdtrit(better.df, 0.975) * np.sqrt(better.variances / 3)
        plain = special.stdtrit(2.0, 0.975) * np.sqrt(seeds.var(axis=1, ddof=1) / 3)
        covered.append(np.abs(seeds.mean(axis=1)) <= half)
        widths.append(half.mean() / plain.mean())

    assert 0.93 <= np.mean(covered) <= 0.96
    assert np.mean(widths) < 0.6
