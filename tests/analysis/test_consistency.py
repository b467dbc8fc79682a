"""Consistency across models: on grids of which the truth is known, and on hand-made records where nothing can be said."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import kendalltau

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.roles.consistency import Consistency, consistencies
from crossgraft.core import Labels
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from other_grids import OtherGrid, as_scores

SMALL = {"models": 4, "tasks": 2, "languages": 5, "seeds": 1, "items": 150}


def found(matrix: TransferMatrix, labels: Labels | None = None) -> dict[tuple[str, str], Consistency]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {(one.rankers, one.regime): one for one in consistencies(Draws(matrix), labels or Labels())}


@pytest.fixture(scope="module")
def nothing() -> dict[tuple[str, str], Consistency]:
    return found(SyntheticGrid(**SMALL).matrix(1))


@pytest.fixture(scope="module")
def shared() -> dict[tuple[str, str], Consistency]:
    """Targets that gain from everything, in all models alike."""
    return found(SyntheticGrid(**SMALL, target=5.0).matrix(1))


def test_the_index_is_the_median_over_sources_of_the_mean_tau_between_models() -> None:
    grid = SyntheticGrid(**{**SMALL, "models": 2}, target=4.0)
    matrix = grid.matrix(3)
    ours = found(matrix)["models", "MT-CL"]

    change = matrix.change.reshape(2, 10, 10)
    taus = []
    for number, source in enumerate(grid.points):
        near = [n for n, point in enumerate(grid.points) if source.regime(point) == "MT-CL"]
        taus.append(kendalltau(change[0, number, near], change[1, number, near]).statistic)

    assert ours.index == pytest.approx(np.median(taus), abs=1e-6)
    assert ours.quartiles == pytest.approx(np.quantile(taus, [0.25, 0.75]), abs=1e-6)
    assert (ours.sources, ours.recipients) == (10, 4)


def test_scores_alone_give_no_interval_and_no_correlation_of_true_changes() -> None:
    """The noise of a change is not known: intervals had no width, and their correlation was that of noisy changes."""
    one = found(as_scores(OtherGrid(models=3, missing=0).draw(1)).matrix)["models", "CT-CL"]

    assert one.index is not None
    assert (one.low, one.high, one.noise) == (None, None, None)
    assert "without outcomes of items the noise of changes is not known" in one.why


def test_where_nothing_transfers_models_agree_as_chance_would_have_it(
    nothing: dict[tuple[str, str], Consistency],
) -> None:
    for regime in ("MT-CL", "CT-CL"):
        one = nothing["models", regime]
        assert one.index is not None
        assert one.chance is not None
        assert one.index < one.chance.highest
        assert one.chance.p > 0.05


def test_where_models_share_what_transfers_the_index_is_beyond_chance(
    shared: dict[tuple[str, str], Consistency],
) -> None:
    one = shared["models", "CT-CL"]

    assert one.index is not None
    assert one.chance is not None
    assert one.low is not None
    assert one.index > one.low > one.chance.highest
    assert one.chance.p < 0.05


def test_the_index_reaches_its_ceiling_where_all_models_are_the_same(
    shared: dict[tuple[str, str], Consistency],
) -> None:
    """The truth is one for all models: the correlation behind the index is 1, however noisy the cells."""
    noise = shared["models", "CT-CL"].noise

    assert noise is not None
    assert noise.rho is not None
    assert noise.low is not None
    assert noise.high is not None
    assert 0.5 < noise.reliability < 1
    assert noise.low <= noise.rho <= noise.high
    assert noise.rho > 0.85


def test_other_measures_say_the_same(
    nothing: dict[tuple[str, str], Consistency], shared: dict[tuple[str, str], Consistency]
) -> None:
    chance, agreed = nothing["models", "CT-CL"], shared["models", "CT-CL"]

    assert chance.icc is not None
    assert agreed.icc is not None
    assert chance.icc < 0.2 < 0.5 < agreed.icc
    assert chance.w is not None
    assert agreed.w is not None
    assert chance.w < agreed.w
    assert agreed.w_p == pytest.approx(1 / 201)
    assert agreed.signs is not None
    assert agreed.signs.agreement > 0.6 > 0.4 > agreed.signs.chance


def test_three_recipients_say_little_and_one_says_nothing(shared: dict[tuple[str, str], Consistency]) -> None:
    """With two tasks a source has one recipient of the other task in its language."""
    one = shared["models", "CT-ML"]

    assert one.index is None
    assert one.why == "no source has three recipients that two models rank, and not all alike"


def test_one_model_has_no_agreement() -> None:
    one = found(SyntheticGrid(**{**SMALL, "models": 1}).matrix(1))["models", "MT-CL"]

    assert (one.index, one.why) == (None, "one model agrees with itself only")


def test_families_and_sizes_are_means_of_their_models_and_are_not_read_as_many() -> None:
    labels = Labels(
        family={"model0": "a", "model1": "a", "model2": "b", "model3": "b"},
        billions={"model0": 1.0, "model1": 3.0, "model2": 1.0, "model3": 8.0},
    )
    by = found(SyntheticGrid(**SMALL, target=5.0).matrix(1), labels)

    families, sizes = by["families", "MT-CL"], by["sizes", "MT-CL"]
    assert families.levels == ("a", "b")
    assert sizes.levels == ("1B", "3B", "8B")
    assert families.why == "2 families have one pair among them: how far these agree, not how far families do"
    assert sizes.why.startswith("3 sizes have 3 pairs")
    assert by["models", "MT-CL"].why == ""


def test_families_that_the_spec_does_not_say_are_not_guessed(shared: dict[tuple[str, str], Consistency]) -> None:
    assert {rankers for rankers, _ in shared} == {"models"}


def test_a_grid_in_which_nothing_changes_has_a_sentence() -> None:
    one = found(SyntheticGrid(**SMALL, fragile=0.0).matrix(1))["models", "MT-CL"]

    assert one.index is None
    assert one.why
