"""Student's t against SciPy's distributions."""

import numpy as np
import pytest
from scipy.stats import norm, t

from crossgraft.stats.cells.student import quantile, satterthwaite, two_sided


@pytest.mark.parametrize("df", [1, 2.5, 30, 999])
def test_equals_scipys(df: float) -> None:
    assert quantile(df, 0.99) == pytest.approx(t.ppf(0.99, df))
    assert two_sided(-1.5, 0.5, df) == pytest.approx(2 * t.sf(3, df))


def test_is_normal_with_infinitely_many_degrees_of_freedom() -> None:
    assert quantile(np.inf) == pytest.approx(norm.ppf(0.975))
    assert two_sided(1.5, 0.5, np.inf) == pytest.approx(2 * norm.sf(3))


def test_without_an_error_there_is_nothing_to_compare_with() -> None:
    assert two_sided(3.0, 0.0, 5) == 1.0


def test_two_equal_variances_known_by_four_degrees_each_are_known_by_eight() -> None:
    assert satterthwaite(2.0, 1 / 4 + 1 / 4) == pytest.approx(8)
    assert satterthwaite(2.0, 0.0) == np.inf
