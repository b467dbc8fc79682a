from __future__ import annotations

import pytest

from crossgraft.embeddings.direct.choosing import choose
from crossgraft.embeddings.mapping import Mapper, Mapping
from crossgraft.embeddings.mapping.cca import CCA
from crossgraft.errors import DataError, JobFailed
from crossgraft.stats.cells.levels import Level

CHOICES = [CCA(dimensions=1), CCA(dimensions=2), CCA(dimensions=3)]


def fitted(method: Mapper) -> Mapping:
    """The first choice diverges."""
    if method == CHOICES[0]:
        raise JobFailed("diverged", deterministic=True)
    return Mapping()


def all_alike(_: Mapper, __: Mapping) -> Level:
    return Level(0.5, 0.4, 0.6, 10)


def test_a_choice_that_cannot_be_fitted_is_listed_and_of_equal_ones_the_first_is_kept() -> None:
    best, tried = choose(CHOICES, fitted, all_alike)

    assert best.method == CHOICES[1]
    assert (tried[0], len(tried)) == ("diverged", 3)


def test_choices_of_which_none_can_be_fitted_are_refused() -> None:
    with pytest.raises(DataError, match="none of the 2 choices could be fitted; the first: diverged"):
        choose(CHOICES[:1] * 2, fitted, all_alike)


def test_a_fit_that_may_go_well_the_next_time_decides_nothing() -> None:
    def interrupted(_: Mapper) -> Mapping:
        raise JobFailed("no memory left on the device")

    with pytest.raises(JobFailed, match="no memory"):
        choose(CHOICES, interrupted, all_alike)
