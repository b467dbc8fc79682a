"""Words spelt alike as a dictionary, and MUSE's refinement from one; none of it needs torch."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.embeddings.lexicon import alike
from crossgraft.embeddings.mapping import identity, mapper
from crossgraft.embeddings.mapping.muse import MUSE
from crossgraft.embeddings.spaces.space import Space
from crossgraft.errors import DataError
from planted import NO_PAIRS, clouds, hits, rng, rotated, same, space


def named(space: Space, *words: str) -> Space:
    """Its first words under these names, the others under names of their own."""
    return Space((*words, *(f"{id(space)}-{row}" for row in range(len(space.words) - len(words)))), space.vectors)


def test_words_and_numerals_that_both_vocabularies_have() -> None:
    source = Space(("haus", "taxi", "1984", "2x"), clouds(4, 2))
    target = Space(("2x", "1984", "house", "taxi"), clouds(4, 2))

    assert alike(source, target, "identical").tolist() == [[1, 3], [2, 1], [3, 0]]
    assert alike(source, target, "numerals").tolist() == [[2, 1]]


def test_vocabularies_without_a_numeral_in_common_are_refused() -> None:
    with pytest.raises(DataError, match="no numeral is written the same in both vocabularies"):
        alike(Space(("a", "1"), clouds(2, 2)), Space(("a", "2"), clouds(2, 2)), "numerals")


@pytest.mark.parametrize("name", ["vecmap:numerals", "muse:numerals"])
def test_numerals_are_enough_to_find_a_planted_rotation(name: str) -> None:
    source, target, _ = rotated(noise=0.05)
    numbers = [str(number) for number in range(30)]
    method = mapper(name, {"patience": 3} if name.startswith("vecmap") else {})

    found = method.fit(named(source, *numbers), named(target, *numbers), NO_PAIRS, rng())

    assert hits(found, source, target) > 0.95
    assert found.facts["converged"]
    assert not method.uses_dictionary


def test_refinement_makes_more_of_a_small_dictionary() -> None:
    source, target, _ = rotated(noise=0.6)
    pairs = same(12)

    start = mapper("procrustes").fit(source, target, pairs, rng())
    refined = MUSE("supervised").fit(source, target, pairs, rng())

    assert hits(refined, source, target) > hits(start, source, target)
    assert refined.facts["pairs"][0] == 12
    assert len(refined.facts["objective"]) == 6
    assert "converged" not in refined.facts


def test_the_map_of_the_dictionary_stays_where_no_refinement_is_better() -> None:
    source, target = space(clouds(60, 8, 1)), space(clouds(60, 8, 2))
    method = MUSE("supervised")

    found = method.fit(source, target, same(60), rng())

    kept = method.criterion(found.source, source.vectors, target.vectors)
    assert kept == pytest.approx(max(found.facts["objective"]))
    assert np.allclose(found.source @ found.source.T, np.eye(8), atol=1e-6)


def test_a_mode_that_came_later_changes_no_id_of_the_one_that_was_there() -> None:
    assert "mode" not in identity("muse", MUSE())
    assert identity("muse:supervised", MUSE("supervised"))["mode"] == "supervised"
