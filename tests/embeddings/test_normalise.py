"""Each step against what it promises of the vectors."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.embeddings.spaces.normalise import Step, normalise
from crossgraft.embeddings.spaces.space import Space, Vectors

CLOSE = 2e-6


def anisotropic(n: int = 9000, d: int = 12) -> Vectors:
    """More than one block of rows, far from the origin, long in some directions; two rows are zero."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(n, d)) * np.linspace(0.2, 2, d) @ rng.normal(size=(d, d)) + rng.normal(size=d)
    vectors[[5, 8000]] = 0
    return vectors.astype(np.float32)


def present(vectors: Vectors) -> Vectors:
    return np.delete(vectors, [5, 8000], axis=0)


def test_steps_are_done_in_their_order() -> None:
    x = np.array([[3.0, 4.0], [0.0, 2.0]], dtype=np.float32)

    assert normalise(x, ("unit", "center"))[0] == pytest.approx(np.array([[0.3, -0.1], [-0.3, 0.1]]), abs=CLOSE)
    assert normalise(x, ("center",))[0] == pytest.approx(np.array([[1.5, 1], [-1.5, -1]]), abs=CLOSE)


def test_unit_makes_length_one_and_center_mean_zero() -> None:
    x = anisotropic()

    assert np.linalg.norm(present(normalise(x, ("unit",))[0]), axis=1) == pytest.approx(1, abs=CLOSE)
    assert present(normalise(x, ("center",))[0]).mean(axis=0) == pytest.approx(0, abs=1e-5)


def test_iterative_is_five_times_unit_and_center_then_unit() -> None:
    x = anisotropic()
    by_hand: tuple[Step, ...] = (*(("unit", "center") * 5), "unit")

    done, _ = normalise(x, ("iterative",))

    assert np.array_equal(done, normalise(x, by_hand)[0])
    assert np.linalg.norm(present(done).mean(axis=0)) < 0.1 * np.linalg.norm(
        present(normalise(x, by_hand[:3])[0]).mean(axis=0)
    )


def test_pca_removal_leaves_nothing_along_the_first_component() -> None:
    x = anisotropic()
    centred = present(x).astype(float) - present(x).mean(axis=0, dtype=float)
    first = np.linalg.svd(centred, full_matrices=False)[2][0]

    done, _ = normalise(x, ("pca-removal",))

    assert present(done) @ first == pytest.approx(0, abs=1e-3)
    assert present(done) == pytest.approx(centred - np.outer(centred @ first, first), abs=1e-3)


def test_whitening_makes_the_covariance_the_identity_and_turns_nothing() -> None:
    x = anisotropic()

    done, fitted = normalise(x, ("whitening",))

    matrix = fitted.steps[0].matrix  # type: ignore[union-attr]
    assert np.cov(present(done).T, bias=True) == pytest.approx(np.eye(12), abs=1e-3)
    assert matrix == pytest.approx(matrix.T, abs=1e-5)


def test_whitening_drops_directions_without_spread() -> None:
    rng = np.random.default_rng(0)
    flat = (rng.normal(size=(50, 2)) @ rng.normal(size=(2, 5))).astype(np.float32)

    done, _ = normalise(flat, ("whitening",))

    spread = np.linalg.svd(done, compute_uv=False) / np.sqrt(50)
    assert spread == pytest.approx([1, 1, 0, 0, 0], abs=1e-3)


@pytest.mark.parametrize("step", ["unit", "center", "iterative", "pca-removal", "whitening"])
def test_a_zero_vector_stays_zero_and_moves_no_other(step: Step) -> None:
    x = anisotropic()

    done, _ = normalise(x, (step,))

    assert not done[[5, 8000]].any()
    assert present(done) == pytest.approx(normalise(present(x), (step,))[0], abs=1e-4)
    assert done.dtype == np.float32


def test_words_that_come_later_are_normalised_as_the_vocabulary_was() -> None:
    x = anisotropic()

    done, fitted = normalise(x, ("unit", "center", "pca-removal", "unit"))

    np.testing.assert_allclose(fitted(x[:100]), done[:100], atol=1e-6)  # a product of fewer rows may round otherwise


def test_a_space_is_not_changed_by_normalising_it() -> None:
    space = Space(("a", "b"), np.array([[3.0, 4.0], [0.0, 2.0]], dtype=np.float32))

    space.normalised(("iterative",))

    assert space.vectors.tolist() == [[3, 4], [0, 2]]
