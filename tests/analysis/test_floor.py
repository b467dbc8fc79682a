"""Targets at chance: a base that guesses has nothing to lose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from crossgraft.analysis.findings import Findings, analyse
from crossgraft.analysis.first.floor import at_chance, can_show_harm
from crossgraft.core import Point, Treatment
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix
from outcomes import answers, matrix_of, measured

EN, DE, FR, OTHER = Point("a", "en"), Point("a", "de"), Point("a", "fr"), Point("b", "de")
N = 100


def grid(outcomes: dict[Point, tuple[int, int]], models: tuple[str, ...] = ("m",)) -> TransferMatrix:
    """One treatment trained on a/en: items right before and after, of 100 with four options."""
    pairs = []
    for model in models:
        for target, counts in outcomes.items():
            rows = Treatment(model, "base", "control"), Treatment(model, "a/en", "trained", EN, (), 1)
            for row, right in zip(rows, counts, strict=True):
                pairs.append(measured(row, answers([1] * right + [0] * (N - right)), target))
    return matrix_of(*pairs)


def found(outcomes: dict[Point, tuple[int, int]]) -> Findings:
    return analyse(grid(outcomes))


def cell_of(before: int) -> ChangeCell:
    (cell,) = grid({DE: (before, before)}).cells.values()
    return cell


def test_a_base_shows_harm_when_it_is_above_chance_by_more_than_two_standard_errors() -> None:
    """Of 100 items with four options: 25 and twice 4.33."""
    assert [can_show_harm(cell_of(right)) for right in (10, 25, 33, 34, 80)] == [False, False, False, True, True]


def test_without_options_a_base_at_zero_shows_no_harm() -> None:
    assert [can_show_harm(replace(cell_of(right), chance=None)) for right in (0, 1, 10)] == [False, False, True]


def test_a_loss_at_chance_is_counted_nowhere() -> None:
    findings = found({DE: (80, 80), FR: (30, 5), OTHER: (80, 80)})

    (row,) = findings.summaries
    assert (row.harmed, row.cells, row.at_chance) == (0, 2, 1)
    assert row.worst is not None
    assert row.worst.target != FR
    assert all(one.harmed is not None and one.harmed.mean == 0 for one in findings.regimes)
    assert FR not in {one.target for one in findings.target_harm}
    assert findings.treatment_harm[0].mass == 0


def test_the_first_sentence_names_the_targets_at_chance() -> None:
    first = found({DE: (80, 80), FR: (30, 30), OTHER: (80, 80)}).sentences[1]

    assert "No loss is significant after correction" in first
    assert "The base is at chance on 1 of 3 targets (a/fr): losses cannot be detected there" in first


def test_of_several_models_the_pairs_at_chance_are_counted_and_the_first_few_named() -> None:
    codes = ("ar", "bn", "de", "en", "es", "fr")
    matrix = grid({Point("a", code): (20, 20) for code in codes} | {OTHER: (80, 80)}, ("m", "n"))

    told = at_chance(matrix.cells.values())
    assert "on 12 of 14 pairs of model and target (m on a/ar, m on a/bn, m on a/de, m on a/en and 8 more)" in told


def test_where_no_other_target_could_show_harm_none_is_denied() -> None:
    first = found({DE: (25, 25), OTHER: (20, 20)}).sentences[1]

    assert "No other target could show a loss." in first
    assert "significant after correction" not in first


def test_a_gain_at_chance_is_a_gain() -> None:
    findings = found({DE: (25, 80), OTHER: (80, 80)})

    assert findings.sentences[0].startswith("a/en gains significantly on the same task in other languages")


def test_targets_at_chance_are_no_second_time_in_what_to_distrust() -> None:
    findings = found({DE: (25, 25), OTHER: (80, 80)})

    assert "chance floor" not in findings.sentences[-1]
    assert any(gate.name == "chance floor" and not gate.fine for gate in findings.gates)


def test_a_harm_where_it_can_be_seen_is_tested_among_such_cells_only() -> None:
    """Seventeen targets at chance do not dilute the one that loses: 60 to 44 of 100, p = .02."""
    codes = ("ar", "bn", "cs", "da", "el", "en", "es", "et", "fi", "ga", "he", "hi", "hr", "hu", "id", "it", "ja")
    before, after = np.repeat([1, 0], [60, 40]), np.repeat([1, 0, 1, 0], [30, 30, 14, 26])
    row = Treatment("m", "a/en", "trained", EN, (), 1)
    pairs = [measured(Treatment("m", "base", "control"), answers(before.tolist()), OTHER)]
    pairs.append(measured(row, answers(after.tolist()), OTHER))
    for code in codes:
        pairs.append(measured(Treatment("m", "base", "control"), answers([1] * 25 + [0] * 75), Point("c", code)))
        pairs.append(measured(row, answers([1] * 25 + [0] * 75), Point("c", code)))

    (summary,) = analyse(matrix_of(*pairs)).summaries

    assert (summary.harmed, summary.cells) == (1, 1)
