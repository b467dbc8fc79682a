"""What a result without a dictionary has to gain before it is believed."""

from __future__ import annotations

import pytest

from crossgraft.embeddings.mapping.steps.refinement import margin


@pytest.mark.parametrize(
    ("words", "failed", "succeeded"), [(2000, 0.104, 0.142), (4000, 0.074, 0.095), (12_000, 0.05, 0.097)]
)
def test_it_parts_the_failures_that_were_seen_from_the_successes(words: int, failed: float, succeeded: float) -> None:
    """Of real vectors of 100 dimensions; but for one success with a MAP of .057 and 2,000 words, which gained .112."""
    assert failed < margin(words, 100) < succeeded


def test_fewer_words_and_fewer_dimensions_have_to_gain_more() -> None:
    assert margin(500, 100) > margin(2000, 100) > margin(200_000, 100)
    assert margin(200_000, 8) > margin(200_000, 20) > margin(200_000, 300)
