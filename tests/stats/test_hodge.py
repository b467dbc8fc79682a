"""A square matrix taken apart: planted potentials and cycles are found again."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.core import Floats
from crossgraft.stats.matrices.hodge import parts
from crossgraft.stats.matrices.two_way import additive

EXACT = 1e-10
CYCLE = np.array([[0.0, 1, -1], [-1, 0, 1], [1, -1, 0]])  # A helps B helps C helps A


def square(n: int, seed: int) -> Floats:
    """Without a diagonal."""
    table = np.random.default_rng(seed).normal(size=(n, n))
    np.fill_diagonal(table, np.nan)
    return table


def planted(n: int, seed: int) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    donors, recipients = rng.normal(size=n), rng.normal(size=n)
    donors, recipients = donors - donors.mean(), recipients - recipients.mean()
    table = 2.0 + donors[:, None] + recipients
    np.fill_diagonal(table, np.nan)
    return table, donors, recipients


@pytest.mark.parametrize("missing", [0, 4])
def test_the_parts_add_up_to_the_matrix_and_their_energies_to_its_energy(missing: int) -> None:
    table = square(7, 3)
    for a, b in [(0, 1), (2, 5), (6, 3), (4, 1)][:missing]:
        table[a, b] = np.nan
    both = ~np.isnan(table) & ~np.isnan(table.T)
    expected = np.where(both, table - table[both].mean(), 0.0)

    found = parts(table)

    np.testing.assert_allclose(found.symmetric + found.gradient + found.cyclic, expected, atol=EXACT)
    assert found.energies.sum() == pytest.approx((expected**2).sum(), abs=EXACT)


def test_the_potential_is_half_of_donor_less_recipient() -> None:
    table = square(8, 4)

    sources, targets = np.nonzero(~np.isnan(table))
    values, model = table[sources, targets], additive(sources, targets)

    assert model is not None
    half = (model.donors - model.recipients) @ values / 2
    np.testing.assert_allclose(parts(table).potential, half, atol=EXACT)


def test_a_potential_has_no_cycles_and_a_cycle_has_no_potential() -> None:
    table, _, _ = planted(5, 5)
    cycle = CYCLE.copy()
    np.fill_diagonal(cycle, np.nan)

    assert parts(table).energies[2] == pytest.approx(0, abs=EXACT)
    np.testing.assert_allclose(parts(cycle).energies, [0, 0, 6], atol=EXACT)


@pytest.mark.parametrize("strength", [0.5, 2.0])
def test_a_planted_cycle_is_recovered_beside_donors_and_recipients(strength: float) -> None:
    """On top of a two-way model the cyclic part is the planted one, entry by entry."""
    table, _, _ = planted(3, 6)

    found = parts(table + strength * CYCLE)

    np.testing.assert_allclose(found.cyclic, strength * CYCLE, atol=EXACT)
    assert found.energies[2] == pytest.approx(6 * strength**2, abs=EXACT)


def test_a_stack_is_taken_apart_as_its_matrices_are() -> None:
    tables = np.stack([square(4, seed) for seed in range(3)])

    np.testing.assert_allclose(parts(tables).energies, [parts(table).energies for table in tables], atol=EXACT)


def test_relabelling_points_changes_no_energy() -> None:
    table, order = square(6, 7), np.random.default_rng(8).permutation(6)

    np.testing.assert_allclose(parts(table[order][:, order]).energies, parts(table).energies, atol=EXACT)


@pytest.mark.parametrize("n", range(3, 50))
def test_a_potential_is_found_whatever_the_number_of_points(n: int) -> None:
    """For 12, 29 and 48 points rounding leaves more of the Laplacian's zero than NumPy takes for zero."""
    potential = np.random.default_rng(n).normal(size=n)

    found = parts(potential[:, None] - potential[None, :])

    assert found.potential == pytest.approx(potential - potential.mean(), abs=1e-9)
    assert found.energies[[0, 2]] == pytest.approx(0, abs=1e-9)
