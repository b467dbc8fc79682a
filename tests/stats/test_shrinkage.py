"""Adaptive shrinkage: closed forms, values from ashr's optimiser stored by benchmarks/r/shrink.R, and what it promises in simulation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from crossgraft.stats.cells.shrinkage import shrunken

STORED = json.loads((Path(__file__).parents[1] / "data" / "shrink.json").read_text())


def test_with_one_normal_as_truth_the_posterior_is_the_textbooks() -> None:
    """True values have a spread of 3, errors one of 1: nine tenths of each value are kept."""
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 3, 4000)
    values = truth + rng.normal(0, 1, 4000)

    found = shrunken(values, np.ones(4000))

    assert np.abs(found.mean - 0.9 * values).mean() < 0.1
    expected = stats.norm.sf(np.abs(0.9 * values) / np.sqrt(0.9))
    assert np.abs(found.false_sign - expected).mean() < 0.05  # a twentieth may be taken for true zeros


@pytest.mark.parametrize("case", STORED, ids=["zeros and effects", "unequal errors", "zeros only", "few effects"])
def test_it_is_what_ashrs_optimiser_gives(case: dict[str, Any]) -> None:
    found = shrunken(np.array(case["values"]), np.array(case["errors"]))

    assert found.zero == pytest.approx(case["zero"], abs=1e-5)
    np.testing.assert_allclose(found.mean, case["mean"], atol=2e-4)
    np.testing.assert_allclose(found.false_sign, case["false_sign"], atol=5e-5)


def test_nothing_but_noise_is_shrunk_to_nothing() -> None:
    errors = np.random.default_rng(2).uniform(0.5, 2, 500)
    values = np.random.default_rng(3).normal(0, errors)

    found = shrunken(values, errors)

    assert found.zero > 0.8
    assert np.abs(found.mean).max() < 0.5 * np.abs(values).max()
    assert (found.false_sign > 0.05).mean() > 0.99


def test_signs_called_at_five_percent_are_wrong_that_often_at_most() -> None:
    rng = np.random.default_rng(4)
    truth = np.where(rng.uniform(size=5000) < 0.5, 0.0, rng.normal(0, 2, 5000))
    values = truth + rng.normal(0, 1, 5000)

    found = shrunken(values, np.ones(5000))
    called = found.false_sign < 0.05

    assert called.sum() > 300
    assert np.mean(np.sign(values[called]) != np.sign(truth[called])) < 0.05


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [5.0], [1e-9, -1e-9, 3.0]])
def test_few_values_are_enough(values: list[float]) -> None:
    found = shrunken(np.array(values), np.ones(len(values)))

    assert np.isfinite(found.mean).all()
    assert ((found.false_sign >= 0) & (found.false_sign <= 1)).all()
