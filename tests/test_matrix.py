from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft.core import Answers, Floats, Pairing, Point, Treatment
from crossgraft.metrics import METRICS, Metric
from crossgraft.transfer.matrix import TransferMatrix
from outcomes import BASE, answers, matrix_of, measured, trained


def test_a_change_is_in_percentage_points_on_the_same_items() -> None:
    matrix = matrix_of(measured(BASE, answers([1, 0, 0, 0])), measured(trained(), answers([1, 1, 1, 0])))

    (cell,) = matrix.cells.values()
    assert (cell.change.mean, cell.change.n) == (pytest.approx(50), 4)
    assert (cell.control, cell.treated) == (0.25, 0.75)
    assert cell.change.low < 50 < cell.change.high
    assert cell.regime == "MT-CL"


def test_equal_answers_change_exactly_nothing() -> None:
    matrix = matrix_of(measured(BASE, answers([1, 0, 1])), measured(trained(), answers([1, 0, 1])))

    assert matrix.change.tolist() == [[0.0]]


def test_seeds_are_averaged_into_one_row() -> None:
    matrix = matrix_of(
        measured(BASE, answers([0, 0, 0, 0])),
        measured(trained(1), answers([1, 1, 0, 0])),
        measured(trained(2), answers([1, 0, 0, 0])),
    )

    (cell,) = matrix.cells.values()
    assert cell.change.mean == pytest.approx(37.5)
    assert cell.seed_changes == pytest.approx((50, 25))


def test_a_control_of_another_pairing_is_refused_with_the_reason() -> None:
    job, record = measured(trained(), answers([1, 1]))
    elsewhere = replace(record, pairing=Pairing("cuda NVIDIA", "sdpa", 1))

    matrix = matrix_of(measured(BASE, answers([0, 0])), (job, elsewhere))

    (gap,) = matrix.gaps
    assert matrix.cells == {}
    assert gap.why == "other numerics"
    assert "measured on cuda NVIDIA, sdpa attention, 1 thread, its control on cpu" in gap.reason


def test_of_several_controls_the_one_of_the_same_pairing_is_taken() -> None:
    base_job, base = measured(BASE, answers([0, 0]))
    wrong = replace(base, pairing=Pairing("cuda", "sdpa", 1), answers=answers([1, 1]))

    matrix = TransferMatrix.from_records(
        [base_job, measured(trained(), answers([1, 1]))[0]], [wrong, base, measured(trained(), answers([1, 1]))[1]]
    )

    assert matrix.change.tolist() == [[100.0]]


def test_a_change_needs_the_same_items() -> None:
    matrix = matrix_of(measured(BASE, answers([0, 0])), measured(trained(), answers([1, 1], ("i0", "other"))))

    assert "a change needs the same items" in matrix.gaps[0].reason


def test_missing_stays_missing() -> None:
    other = Point("b", "de")
    job, _ = measured(trained(), answers([1, 1]), other)

    matrix = TransferMatrix.from_records(
        [measured(BASE, answers([0, 0]))[0], measured(trained(), answers([1, 1]))[0], job],
        [measured(BASE, answers([0, 0]))[1], measured(trained(), answers([1, 1]))[1]],
    )

    assert np.isnan(matrix.change[0, 1])
    assert [gap.why for gap in matrix.gaps] == ["missing"]


def test_a_repeated_control_tells_its_own_noise() -> None:
    again = Treatment("m", "base", "control", variant="repeat 2")

    matrix = matrix_of(
        measured(BASE, answers([0, 1])), measured(again, answers([1, 1])), measured(trained(), answers([1, 1]))
    )

    (check,) = matrix.control_checks
    assert (check.variant, check.change.mean) == ("repeat 2", 50)


def test_less_is_better_where_the_metric_says_so() -> None:
    def nll(one: Answers) -> Floats:
        return np.stack([-one.columns["loglik"][:, 0], np.ones(len(one))], axis=1)

    def per_item(sums: Floats) -> Floats:
        return np.asarray(sums[..., 0] / sums[..., 1])

    METRICS.add("test-nll", Metric("test-nll", "choice", nll, per_item, unit="nats", higher_is_better=False))

    matrix = matrix_of(
        measured(BASE, answers([0, 0]), metric="test-nll"), measured(trained(), answers([1, 0]), metric="test-nll")
    )

    (cell,) = matrix.cells.values()
    assert cell.change.mean == pytest.approx(0.5)  # half a nat better
    assert cell.unit == "nats"


def test_the_table_for_pandas_and_polars_has_a_row_a_cell() -> None:
    matrix = matrix_of(measured(BASE, answers([0, 0])), measured(trained(), answers([1, 1])))

    frame = matrix.to_pandas()

    assert frame.loc[0, "change"] == 100
    assert frame.loc[0, "regime"] == "MT-CL"
    assert matrix.to_polars().to_dicts() == frame.to_dict("records")
