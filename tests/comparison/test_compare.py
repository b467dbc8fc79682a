"""Two studies side by side: what is matched, what is called a change, and against which reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from crossgraft.analysis.comparison.compare import Comparison, compare
from crossgraft.analysis.comparison.matching import Side
from crossgraft.analysis.comparison.sentences import sentences
from crossgraft.analysis.external.outcomes import matrix_from_outcomes
from crossgraft.analysis.external.scores import ScoreRow, matrix_of_scores
from crossgraft.core import Point
from crossgraft.errors import DataError
from crossgraft.stats.cells.change import paired_change
from crossgraft.transfer.changes import Measured, Place, change_cells
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from other_grids import OtherGrid
from outcomes import BASE, answers, matrix_of, measured, trained

GRID = SyntheticGrid(models=2, tasks=2, languages=2, seeds=6, items=200)


Draw = Callable[[int], Mapping[Place, Measured]]


def side(cells: Mapping[Place, Measured], runs: slice) -> Side:
    chosen = {
        place: replace(one, seeds=one.seeds[runs], treated=one.treated[runs], control=one.control[runs])
        for place, one in cells.items()
    }
    rows, targets = (tuple(dict.fromkeys(part)) for part in zip(*chosen, strict=True))
    return Side("grid", TransferMatrix(rows, targets, change_cells(chosen)), recorded=False)


def table(base: list[int], treated: list[int], items: list[int], model: str = "m", seeds: int = 1) -> Side:
    n = len(items)
    data = {
        "model": [model] * n * (1 + seeds),
        "treatment": [""] * n + ["a"] * n * seeds,
        "target": ["qa/de"] * n * (1 + seeds),
        "seed": [""] * n + [str(seed) for seed in range(seeds) for _ in items],
        "item": items * (1 + seeds),
        "score": base + treated * seeds,
    }
    return Side("table", matrix_from_outcomes(data), recorded=False)


def announced(found: Comparison) -> bool:
    return any(one.significant for one in (*found.cells, *found.bases, *found.means))


def test_training_again_is_announced_as_a_change_in_at_most_5_percent_of_pairs() -> None:
    pairs = [compare(side(one, slice(3)), side(one, slice(3, 6))) for one in map(GRID.measured, range(60))]

    assert np.mean([announced(pair) for pair in pairs]) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 60)


RESTLESS = replace(GRID, seed=2.0)
OTHER_RESTLESS = OtherGrid(models=2, tasks=2, languages=2, sources=4, seeds=6, items=150, seed=1.8, seed_cell=0.9)


@pytest.mark.slow
@pytest.mark.parametrize("draw", [RESTLESS.measured, lambda seed: OTHER_RESTLESS.draw(seed).measured])
def test_restless_training_is_announced_as_a_change_in_at_most_5_percent_of_pairs(draw: Draw) -> None:
    """Runs that differ by 2 pp on all targets at once, of two generators."""
    pairs = [compare(side(one, slice(3)), side(one, slice(3, 6))) for one in map(draw, range(60))]

    assert np.mean([announced(pair) for pair in pairs]) <= 0.05


def test_a_planted_difference_is_found_where_it_is_and_nowhere_else() -> None:
    better = replace(GRID, same_task=8.0)
    found = compare(side(GRID.measured(1), slice(3)), side(better.measured(1), slice(3, 6)))

    called = {mean.regime for mean in found.means if mean.significant}
    assert called == {"MT-CL"}
    assert all(cell.pair.a.regime == "MT-CL" for cell in found.cells if cell.significant)


def test_what_both_have_in_common_cancels() -> None:
    """With the same base and one seed each, the error is that of the items on which the two adapters differ."""
    rng = np.random.default_rng(0)
    base, first = rng.integers(0, 2, 400).tolist(), rng.integers(0, 2, 400)
    second = np.where(rng.uniform(size=400) < 0.1, 1 - first, first)
    a, b = table(base, first.tolist(), list(range(400))), table(base, second.tolist(), list(range(400)))
    (cell,) = compare(a, b).cells

    expected = paired_change((second - first).astype(float))
    assert cell.estimate.mean == pytest.approx(100 * expected.mean)
    assert cell.estimate.error == pytest.approx(100 * expected.error, rel=0.15)


def test_items_are_paired_by_name_not_by_place() -> None:
    rng = np.random.default_rng(1)
    base, first = rng.integers(0, 2, 200).tolist(), rng.integers(0, 2, 200).tolist()
    order = rng.permutation(200).tolist()
    a = table(base, first, list(range(200)))
    b = table([base[n] for n in order], [first[n] for n in order], order)
    found = compare(a, b)

    assert found.cells[0].pair.pairing == "same items"
    assert found.bases[0].change.discordant == 0
    assert found.cells[0].estimate.error < 2


def test_without_items_in_common_two_samples_are_compared() -> None:
    rng = np.random.default_rng(2)
    n = 400
    a = table(rng.integers(0, 2, n).tolist(), rng.integers(0, 2, n).tolist(), list(range(n)))
    b = table(rng.integers(0, 2, n).tolist(), rng.integers(0, 2, n).tolist(), list(range(n, 2 * n)))
    found = compare(a, b)

    assert found.bases[0].change.error == pytest.approx(100 * np.sqrt(2 * 0.25 / n), rel=0.02)
    assert found.cells[0].estimate.error == pytest.approx(100 * np.sqrt(4 * 0.25 / n), rel=0.1)
    assert "no item in common" in " ".join(sentences(found))


def test_a_base_that_moved_is_said() -> None:
    a = table([0] * 100 + [1] * 100, [1] * 200, list(range(200)))
    b = table([1] * 200, [1] * 200, list(range(200)))

    assert "The base's score changed significantly on 1 of 1 target" in " ".join(sentences(compare(a, b)))


def test_cells_on_the_same_records_are_counted_and_not_tested() -> None:
    matrix = matrix_of(measured(BASE, answers([0, 1] * 20)), measured(trained(), answers([1, 1] * 20)))
    found = compare(Side("a", matrix), Side("b", matrix))

    assert found.tests == 0
    assert "nothing can differ" in sentences(found)[0]


def test_the_same_record_with_other_answers_is_tested() -> None:
    """Another device can give other answers under the same id."""
    first = matrix_of(measured(BASE, answers([0, 1] * 20)), measured(trained(), answers([1, 1] * 20)))
    second = matrix_of(measured(BASE, answers([0, 1] * 20)), measured(trained(), answers([1, 0] * 20)))

    assert len(compare(Side("a", first), Side("b", second)).cells) == 1


def test_scores_without_items_have_the_binomial_bound() -> None:
    def scores(treated: float) -> Side:
        lines = [
            ScoreRow(0, "m", Point("qa", "en"), Point("qa", "de"), 0.5, treated + run / 1000, seed=run, items=400)
            for run in (-1, 0, 1)
        ]
        return Side("scores", matrix_of_scores(lines), recorded=False)

    (cell,) = compare(scores(0.5), scores(0.9)).cells
    assert cell.significant
    assert cell.estimate.error == pytest.approx(100 * np.sqrt((3 * 0.25 + 0.09) / 400), rel=0.2)


def test_scores_without_numbers_of_items_are_not_tested() -> None:
    def scores(treated: float) -> Side:
        row = ScoreRow(0, "m", Point("qa", "en"), Point("qa", "de"), 0.5, treated)
        return Side("scores", matrix_of_scores([row]), recorded=False)

    found = compare(scores(0.1), scores(0.9))
    assert "Nothing can be called significant" in " ".join(sentences(found))
    assert not announced(found)


def test_one_model_on_each_side_is_the_same_question_under_two_names() -> None:
    values = [0, 1] * 50
    found = compare(table(values, values, list(range(100))), table(values, values, list(range(100)), model="m-v2"))

    assert "the model is m in A, m-v2 in B" in sentences(found)[0]


def test_nothing_in_common_names_both_sides() -> None:
    values = [0, 1] * 50
    a = table(values, values, list(range(100)))
    other = {
        "model": ["m"] * 4, "treatment": ["", "", "z", "z"], "target": ["nli/de"] * 4, "item": [1, 2, 1, 2], "score": [0, 1, 1, 1]
    }  # fmt: skip
    with pytest.raises(DataError, match="expected the same treatment in both; table has a, other has z"):
        compare(a, Side("other", matrix_from_outcomes(other), recorded=False))


@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_one_run_each_announces_no_change(noise: float) -> None:
    """A new run of the same recipe differs by what training varies by, which one run does not show."""
    found = compare(side(replace(GRID, seed=noise).measured(1), slice(1)), side(GRID.measured(1), slice(3, 4)))

    assert not announced(found)
    assert not any(one.tested for one in (*found.cells, *found.means))


def test_a_single_seed_cannot_tell_a_change_from_the_noise_of_training() -> None:
    matrix = matrix_of(measured(BASE, answers([0, 1] * 20)), measured(trained(), answers([1, 1] * 20)))
    text = " ".join(sentences(compare(Side("a", matrix, recorded=False), Side("b", matrix, recorded=False))))

    assert "1 cell of a trained adapter cannot be tested: A or B has a single seed" in text
    assert "changed significantly on none of 1 target" in text  # the base, which nobody trained
    assert "None of" not in text


def test_a_single_seed_takes_the_noise_of_the_other_study_on_the_same_task() -> None:
    restless = replace(GRID, seed=5.0).measured(1)
    several, single = side(restless, slice(3)), side(restless, slice(3, 4))
    found = compare(several, single)

    assert all(cell.tested for cell in found.cells)
    assert not announced(found)
    assert "the noise of training is that of other treatments" in " ".join(sentences(found))
    single_noise = [cell.training[1].variance for cell in found.cells if cell.training[1]]
    assert np.sqrt(np.mean(single_noise)) == pytest.approx(5.0, rel=0.4)  # pp, planted


def test_an_adapter_that_exists_already_is_compared_as_it_is() -> None:
    base = [0, 1] * 100
    found = compare(table(base, base, list(range(200))), table(base, [1] * 200, list(range(200))))

    assert found.cells[0].significant
    assert "single seed" not in " ".join(sentences(found))
