"""Row 18: what is planted wrong is reported, and what is right is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from crossgraft.analysis.gates import Gate, gates
from crossgraft.core import Pairing, Point, Treatment
from crossgraft.matrix import TransferMatrix
from outcomes import BASE, answers, matrix_of, measured

LANGUAGES = ("ar", "de", "en", "fr", "sw")
N = 200


def outcome(rng: np.random.Generator, share: float) -> list[int]:
    """Exactly this share of right answers."""
    return rng.permutation([1] * round(N * share) + [0] * (N - round(N * share))).tolist()


def grid(**odd: object) -> TransferMatrix:
    """Four treatments on a task in five languages; what is odd of Swahili is told."""
    rng = np.random.default_rng(0)
    pairs = []
    for language in LANGUAGES:
        target, own = Point("a", language), odd if language == "sw" else {}
        share = float(own.get("share", 0.8 + 0.01 * LANGUAGES.index(language)))  # type: ignore[arg-type]
        base = outcome(rng, share)
        items = tuple(f"{language if 'items' in own else 'i'}{n}" for n in range(N))
        pairs.append(measured(BASE, answers(base, items), target))
        if "repeat" in own:
            again = Treatment("m", "base", "control", variant="repeat 2")
            pairs.append(measured(again, answers(base[::-1], items), target))
        for number in range(4):
            row = Treatment("m", f"t{number}", "given", None)
            treated = base if "dead" in own else outcome(rng, share + 0.02 * number)
            job, record = measured(row, answers(treated, items), target)
            if "pairing" in own and number == 0:
                record = replace(record, pairing=Pairing("cuda", "sdpa", 1))
            pairs.append((job, record))
    return matrix_of(*pairs)


def failing(matrix: TransferMatrix) -> dict[str, Gate]:
    return {gate.name: gate for gate in gates(matrix) if not gate.fine}


def test_a_sound_grid_passes_every_gate() -> None:
    assert failing(grid()) == {}
    assert len(gates(grid())) == 4


def test_each_planted_fault_is_found_where_it_is_and_nowhere_else() -> None:
    faults = {
        "dead targets": grid(dead=True),
        "sister languages": grid(share=0.6),
        "base repeats": grid(repeat=True),
        "one way of computing": grid(pairing=True),
    }
    for name, matrix in faults.items():
        found = failing(matrix)
        assert list(found) == [name]
        assert found[name].targets == (Point("a", "sw"),)


def test_a_base_that_guesses_is_found_by_its_chance() -> None:
    found = failing(grid(share=0.25))

    assert found["chance floor"].targets == (Point("a", "sw"),)
    assert "within two standard errors of guessing" in found["chance floor"].saw


def test_other_items_in_one_language_are_found_in_all_of_the_task() -> None:
    assert len(failing(grid(items=True))["same items"].targets) == len(LANGUAGES)


def test_words_of_different_language_pairs_are_not_held_against_them() -> None:
    pairs = []
    for pair in ("de:en", "de:fi"):
        items = tuple(f"{pair}-{n}" for n in range(N))
        for row, share in ((BASE, 0.5), (Treatment("m", "t", "mapping"), 0.8)):
            pairs.append(measured(row, answers(outcome(np.random.default_rng(0), share), items), Point("bli", pair)))

    assert "same items" not in {gate.name for gate in gates(matrix_of(*pairs))}
