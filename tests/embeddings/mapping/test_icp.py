"""ICP: closest points against all distances, planted rotations, and honesty where there is nothing to find."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from crossgraft.embeddings.mapping.icp import ICP, closest, principal
from crossgraft.embeddings.mapping.steps.refinement import mirrors, refined
from crossgraft.errors import SpecError
from planted import NO_PAIRS, clouds, hits, rng, rotated, space

QUICK = ICP(restarts=20)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_it_finds_a_rotation_without_a_dictionary_and_says_so(noise: float) -> None:
    source, target, _ = rotated(noise=noise)

    mapping = QUICK.fit(source, target, NO_PAIRS, rng())

    assert hits(mapping, source, target) > 0.95
    assert mapping.facts["converged"]


def test_languages_that_share_only_a_part_of_their_words_are_found() -> None:
    source, target, _ = rotated(n=300)
    mine, theirs = space(source.vectors[:250]), space(target.vectors[50:])

    mapping = QUICK.fit(mine, theirs, NO_PAIRS, rng())

    nearest = (mapping.map_source(mine.vectors[50:]) @ theirs.vectors.T).argmax(axis=1)
    assert np.mean(nearest == np.arange(200)) > 0.95


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_does_not_claim_to_have_related_unrelated_spaces(seed: int) -> None:
    source, target = space(clouds(300, 20, seed)), space(clouds(300, 20, seed + 100))

    mapping = QUICK.fit(source, target, NO_PAIRS, rng())

    assert not mapping.facts["converged"]


def test_the_same_seed_gives_the_same_map() -> None:
    source, target, _ = rotated(noise=0.5)

    one, other = (QUICK.fit(source, target, NO_PAIRS, np.random.default_rng(7)) for _ in range(2))

    assert np.array_equal(one.source, other.source)


def test_closest_points_are_those_of_all_distances() -> None:
    draws = rng()
    x, y = (draws.normal(size=(size, 3)).astype(np.float32) for size in (20, 30))

    pairs, distance = closest(x, y)

    squares = cdist(x, y, "sqeuclidean")
    expected = [(i, j) for i, j in enumerate(squares.argmin(axis=1))]
    expected += [(i, j) for j, i in enumerate(squares.argmin(axis=0))]
    assert pairs.tolist() == [list(pair) for pair in expected]
    assert distance == pytest.approx(np.mean([squares[pair] for pair in expected]), rel=1e-4)


def test_principal_components_do_not_see_how_a_space_is_turned() -> None:
    source, target, _ = rotated(n=300)

    assert principal(source.vectors, 4) == pytest.approx(principal(target.vectors, 4), abs=1e-4)


def test_a_mirrored_space_has_its_second_moments() -> None:
    x = clouds(100, 6)

    for mirror in mirrors(x):
        assert mirror @ mirror.T == pytest.approx(np.eye(6), abs=1e-9)
        assert (x @ mirror).T @ (x @ mirror) == pytest.approx(x.T @ x, abs=1e-4)
        assert not np.allclose(mirror, np.eye(6))


def test_refinement_ends_when_the_neighbours_stay_the_same() -> None:
    source, target, planted = rotated()

    found = refined(source.vectors, target.vectors, planted, 50)

    assert found.sizes == (200,)
    assert found.w == pytest.approx(planted, abs=1e-5)


def test_a_vocabulary_of_three_words_gives_a_rotation_it_does_not_claim() -> None:
    tiny = space(clouds(3, 5))

    mapping = ICP().fit(tiny, tiny, NO_PAIRS, rng())

    assert mapping.source @ mapping.source.T == pytest.approx(np.eye(5), abs=1e-6)


def test_a_probability_above_one_is_an_error() -> None:
    with pytest.raises(SpecError, match="expected turned from 0 to 1; got 1.5"):
        ICP(turned=1.5)
