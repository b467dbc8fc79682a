"""Moderated variances: against limma's, stored by benchmarks/r/squeeze.R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import polygamma

from crossgraft.stats.cells.moderate import moderated, trigamma_inverse

STORED = json.loads((Path(__file__).parents[1] / "data" / "squeeze.json").read_text())


@pytest.mark.parametrize("case", STORED, ids=["equal df", "unequal df", "no spread"])
def test_it_is_limmas_squeeze_var(case: dict[str, Any]) -> None:
    found = moderated(np.array(case["var"]), np.array(case["df"], dtype=float))

    assert found.prior_df == pytest.approx(float(case["prior_df"]), rel=1e-6)
    assert found.prior == pytest.approx(case["prior"], rel=1e-6)
    np.testing.assert_allclose(found.variances, case["post"], rtol=1e-6)


def test_the_inverse_of_the_trigamma_function_is_one() -> None:
    for x in (1e-4, 0.3, 1.0, 7.0, 1e4):
        assert trigamma_inverse(float(polygamma(1, x))) == pytest.approx(x, rel=1e-6)


@pytest.mark.parametrize("variances", [[], [2.0], [0.0, 0.0, 0.0], [0.0, 1.0, 2.0]])
def test_few_or_no_variances_are_no_reason_to_fail(variances: list[float]) -> None:
    found = moderated(np.array(variances), np.full(len(variances), 2.0))

    assert np.isfinite(found.variances).all()
    assert len(found.variances) == len(variances)
