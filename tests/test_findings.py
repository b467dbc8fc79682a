from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import analyse
from crossgraft.core import Point, Treatment
from crossgraft.metrics import METRICS
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from outcomes import BASE, answers, matrix_of, measured

EN, DE, OTHER = Point("a", "en"), Point("a", "de"), Point("b", "de")


def grid(outcomes: dict[Point, tuple[list[int], list[int]]]) -> TransferMatrix:
    """One treatment trained on a/en: control and treated outcomes for each target."""
    treatment = Treatment("m", "a/en", "trained", EN, (), 1)
    pairs = []
    for target, (before, after) in outcomes.items():
        pairs.append(measured(BASE, answers(before), target))
        pairs.append(measured(treatment, answers(after), target))
    return matrix_of(*pairs)


def test_regimes_are_means_over_their_cells() -> None:
    findings = analyse(
        grid({EN: ([0] * 20, [1] * 20), DE: ([0] * 20, [1] * 10 + [0] * 10), OTHER: ([1] * 20, [0] * 20)})
    )

    means = {one.regime: one.estimate.mean for one in findings.regimes}
    assert means == {"MT-ML": 100, "MT-CL": pytest.approx(50), "CT-CL": -100}


def test_the_first_table_has_gain_elsewhere_and_worst_harm() -> None:
    findings = analyse(grid({EN: ([0] * 20, [1] * 20), DE: ([0] * 20, [1] * 20), OTHER: ([1] * 20, [0] * 20)}))

    (row,) = findings.summaries
    assert row.gain is not None
    assert (row.gain.mean, row.gain.verdict) == (100, "better")
    assert row.worst is not None
    assert (row.worst.target, row.harmed, row.cells) == (OTHER, 1, 1)
    helped, harmed, train, *_ = findings.sentences
    assert "a/en gains significantly on the same task in other languages" in helped
    assert "On other tasks, a/en changes scores by -100.0 pp" in harmed
    assert "One cell loses significantly: a/en on b/de: -100.0 pp" in harmed
    assert train.startswith("To train: a/en gains most, +100.0 pp")
    assert "1 cell of it loses significantly" in train


def test_nothing_found_is_said_so() -> None:
    same = [1] * 35 + [0] * 15

    findings = analyse(grid({DE: (same, same), OTHER: (same, same)}))

    assert findings.sentences[0].startswith("a/en does not change significantly")
    assert "No loss is significant after correction" in findings.sentences[1]


def test_an_empty_study_is_said_so() -> None:
    findings = analyse(TransferMatrix((), (), {}))

    assert findings.sentences[0].startswith("Nothing can be compared yet")


def test_one_seed_and_failures_are_to_be_distrusted() -> None:
    findings = analyse(Evidence(grid({DE: ([0, 1], [1, 1])}), failures=["some job"]))

    assert "1 jobs failed" in findings.sentences[-1]
    assert "with one seed" in findings.sentences[-1]


def test_no_change_on_few_items_is_not_sure_to_be_none() -> None:
    estimate = analyse(grid({DE: ([0, 1, 1] * 10, [0, 1, 1] * 10)})).regimes[0].estimate

    assert estimate.low == pytest.approx(-100 * 1.959964 / 32)
    assert estimate.high == pytest.approx(100 * 1.959964 / 32)
    assert estimate.verdict == "not distinguishable"


@pytest.mark.parametrize("items", [1, 2])
def test_one_or_two_items_that_got_worse_are_no_finding(items: int) -> None:
    """All draws of one item are the same; the mean over one cell is no surer than the cell."""
    findings = analyse(grid({DE: ([1] * items, [0] * items)}))

    (row,) = findings.summaries
    (cell,) = findings.matrix.cells.values()
    assert row.gain is not None
    assert row.gain.mean == -100
    assert row.gain.verdict == "not distinguishable"
    assert row.gain.high >= cell.change.high - 1e-9


def test_cells_without_points_say_nothing_of_points() -> None:
    """Bits per byte: no size of change in points that could be seen."""
    matrix = grid({DE: ([1, 0] * 9, [0, 1] * 9)})
    bits = METRICS.get("bits-per-byte")
    cells = {place: replace(cell, metric=bits) for place, cell in matrix.cells.items()}

    sentences = " ".join(analyse(replace(matrix, cells=cells)).sentences)
    assert "nan" not in sentences
    assert "go unseen" not in sentences


def test_a_change_below_a_billionth_is_zero() -> None:
    findings = analyse(grid({DE: ([0, 1, 1], [0, 1, 1]), OTHER: ([0, 1, 1], [0, 1, 1])}))

    assert {one.estimate.mean for one in findings.regimes} == {0.0}
    assert {one.positive.mean for one in findings.regimes} == {0.0}


def test_parallel_languages_do_not_make_a_mean_surer_than_their_items() -> None:
    """The same 60 items in four languages with the same outcomes: the interval is that of 60 items."""
    rng = np.random.default_rng(3)
    before, after = rng.integers(0, 2, (2, 60)).tolist()
    languages = [Point("a", code) for code in ("de", "fr", "fi", "sw")]

    one = analyse(grid({languages[0]: (before, after)})).regimes[0].estimate
    four = analyse(grid(dict.fromkeys(languages, (before, after)))).regimes[0].estimate

    assert (four.low, four.high) == (pytest.approx(one.low), pytest.approx(one.high))


def test_the_luck_of_seeds_widens_a_mean() -> None:
    """Two seeds that differ by a half: the interval is as wide as their spread, however many items agree."""
    before = [0] * 400
    pairs = [measured(BASE, answers(before), DE)]
    for seed, share in ((1, 0), (2, 200)):
        treatment = Treatment("m", "a/en", "trained", EN, (), seed)
        pairs.append(measured(treatment, answers([1] * share + [0] * (400 - share)), DE))

    estimate = analyse(matrix_of(*pairs)).regimes[0].estimate

    assert estimate.mean == 25
    assert estimate.high - estimate.mean > 1.96 * 24


def test_a_grid_in_which_nothing_transfers_has_a_first_screen_that_says_so() -> None:
    """Answers drawn anew on a quarter of the items: 100 cells, and nothing found among them."""
    findings = analyse(SyntheticGrid(models=1, tasks=2, languages=5, seeds=3, items=300).matrix(3))

    assert findings.sentences[0].startswith("None of the 10 sources gains significantly")
    assert "No loss is significant after correction" in findings.sentences[1]


def test_donors_are_called_in_a_null_grid_no_more_often_than_promised() -> None:
    """Row 9: of treatments in grids without transfer, gains are called at the nominal rate at most."""
    called = [
        summary.sure == "better"
        for seed in range(12)
        for summary in analyse(SyntheticGrid(models=1, tasks=2, languages=3, items=200).matrix(seed)).summaries
    ]

    assert np.mean(called) <= 0.05
