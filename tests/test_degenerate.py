"""Grids with next to nothing in them: a number or a sentence, never a warning, never NaN in a report."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import analyse
from crossgraft.report.write import write_report
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from pages import without_scripts

SMALL = SyntheticGrid(models=2, tasks=2, languages=2, seeds=2, items=30)


def without(matrix: TransferMatrix, share: float) -> TransferMatrix:
    """Cells taken away at random."""
    rng = np.random.default_rng(0)
    kept = {place: cell for place, cell in matrix.cells.items() if rng.uniform() > share}
    return replace(matrix, cells=kept)


def without_rows(matrix: TransferMatrix) -> TransferMatrix:
    gone = set(matrix.rows[::2])
    return replace(matrix, cells={place: cell for place, cell in matrix.cells.items() if place[0] not in gone})


CASES = {
    "one model": replace(SMALL, models=1).matrix(1),
    "one seed": replace(SMALL, seeds=1).matrix(1),
    "one task": replace(SMALL, tasks=1).matrix(1),
    "one language": replace(SMALL, languages=1).matrix(1),
    "one point": replace(SMALL, tasks=1, languages=1, models=1, seeds=1).matrix(1),
    "one item": replace(SMALL, items=1).matrix(1),
    "two items": replace(SMALL, items=2).matrix(1),
    "all cells equal": replace(SMALL, fragile=0.0).matrix(1),
    "all items fragile": replace(SMALL, fragile=1.0).matrix(1),
    "a third of the cells": without(SMALL.matrix(1), 2 / 3),
    "every other row": without_rows(SMALL.matrix(1)),
    "one target": replace(
        SMALL.matrix(1), cells={p: c for p, c in SMALL.matrix(1).cells.items() if str(p[1]) == "task0/ar"}
    ),
    "no cells": replace(SMALL.matrix(1), cells={}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_report_has_numbers_or_sentences(name: str, tmp_path: Path) -> None:
    findings = analyse(Evidence(CASES[name], name))

    for file in write_report(findings, tmp_path):
        text = file.read_text("utf-8")
        text = without_scripts(text) if file.suffix == ".html" else text
        assert "nan" not in text.lower().replace("finance", ""), file.name
        assert not re.search(r"\binf\b", text), file.name
        assert not re.search(r"(?<![\d.])1 (cells|items|models|tasks|sources|targets|degrees|treatments)\b", text), (
            file.name
        )
    assert 3 <= len(findings.sentences) <= 5
    assert all(findings.sentences)
