"""Row 18: what is planted wrong is reported, and what is right is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossgraft.analysis.checks.gates import gates
from crossgraft.core import Check, Pairing, Point, Treatment
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
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


def failing(matrix: TransferMatrix) -> dict[str, Check]:
    return {gate.name: gate for gate in gates(matrix) if not gate.fine}


def test_a_sound_grid_passes_every_gate() -> None:
    assert failing(grid()) == {}
    assert len(gates(grid())) == 5


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


def test_languages_that_are_alike_are_seldom_called_odd() -> None:
    """Four to six scores that differ by sampling alone: a deviation from their median in units of their median deviation is often large."""
    grids = [SyntheticGrid(models=1, tasks=3, languages=4, seeds=1, items=100).matrix(seed) for seed in range(20)]

    assert sum("sister languages" in failing(one) for one in grids) <= 2


def passages(name: str, *, correlated: bool, items: int = 150) -> TransferMatrix:
    """Three treatments and the base on a task of which each five items share a passage, told by nothing but ids."""
    rng = np.random.default_rng(4)
    ids = tuple(name.format(passage=n // 5, question=n % 5, n=n) for n in range(items))
    pairs = []
    for row in (BASE, *(Treatment("m", f"t{number}", "given", None) for number in range(3))):
        noise = rng.standard_normal(items)
        if correlated:
            noise = np.sqrt(0.5) * noise + np.sqrt(0.5) * np.repeat(rng.standard_normal(items // 5), 5)
        pairs.append(measured(row, answers((noise > -0.5).astype(int).tolist(), ids), Point("squad", "en")))
    return matrix_of(*pairs)


@pytest.mark.parametrize("name", ["p{passage}-q{question}", "p{passage}/q{question}", "p{passage}_{question}"])
def test_passages_that_ids_tell_of_are_named_with_their_size_and_what_to_do(name: str) -> None:
    found = failing(passages(name, correlated=True))["items stand alone"]

    assert found.targets == (Point("squad", "en"),)
    assert "30 groups of about 5 items" in found.saw
    assert found.saw.endswith("name the passage field as `group` in the task")


def test_neighbours_tell_of_passages_that_ids_do_not() -> None:
    assert "neighbouring items" in failing(passages("{n}", correlated=True))["items stand alone"].saw


def test_independent_items_raise_no_alarm_whatever_their_ids() -> None:
    for name in ("p{passage}-q{question}", "{n}"):
        assert "items stand alone" not in failing(passages(name, correlated=False))
