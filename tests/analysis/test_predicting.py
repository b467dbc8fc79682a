"""Whether BLI predicts another task, on scores made by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import analyse
from crossgraft.analysis.mappings.predicting import levels, predictions, sentence
from crossgraft.analysis.mappings.references import Reference
from crossgraft.core import Answers, Job, Labels, Point, Record, Treatment
from crossgraft.report.write import write_report
from crossgraft.transfer.matrix import TransferMatrix
from outcomes import matrix_of, measured

CONTROL = Treatment("vectors", "unmapped", "control")
PAIRS = ("de:en", "de:fi", "en:fi", "en:it", "fi:it")
METHODS = ("a", "b", "c", "d", "e", "f", "rcsls")


def of_task(task: str, treatment: Treatment, pair: str, score: float) -> tuple[Job, Record]:
    """Forty items, of which a share is right."""
    right = np.arange(40) < round(40 * score)
    items = tuple(f"i{n}" for n in range(40))
    if task == "bli":
        outcome = Answers("ranking", items, {"ranks": np.where(right, 1.0, 1e6)[:, None]})
        return measured(treatment, outcome, Point(task, pair), "MAP")
    outcome = Answers("retrieval", items, {"ranks": np.where(right, 1.0, np.inf)[:, None], "gains": np.ones((40, 1))})
    return measured(treatment, outcome, Point(task, pair), "AP")


def study(*, methods: tuple[str, ...] = METHODS, missing: tuple[tuple[str, str], ...] = ()) -> TransferMatrix:
    """CLIR orders methods as BLI does, but for RCSLS; the second task the other way round."""
    ran = []
    for p, pair in enumerate(PAIRS):
        for m, name in enumerate(["unmapped", *methods]):
            treatment = Treatment("vectors", name, "mapping") if m else CONTROL
            bli = 0.1 + 0.1 * m + 0.02 * p if m else 0.0
            for task, score in (("bli", bli), ("clir", 0.1 if name == "rcsls" else bli), ("other", 0.95 - bli)):
                if (name, pair) not in missing or task != "clir":
                    ran.append(of_task(task, treatment, pair, score))
    return matrix_of(*ran)


def test_bli_orders_methods_for_one_task_and_the_other_way_round_for_another() -> None:
    found = {(one.task, one.without): one for one in predictions(study())}

    assert found["clir", "rcsls"].verdict == "BLI orders methods"
    assert found["clir", ""].verdict == "not shown to order methods"
    assert found["other", ""].verdict == "BLI orders methods the other way round"
    assert found["clir", ""].found.rows.value < found["clir", "rcsls"].found.rows.value
    assert len(found["clir", "rcsls"].rows) == 6


def test_the_sentence_says_for_which_tasks() -> None:
    said = sentence(predictions(study()))

    assert re.fullmatch(
        r"In this study BLI orders methods the other way round for other \(r -1.00, 7 methods, 5 pairs\); "
        r"it is not shown to order methods for clir \(r \+0.\d\d, 7 methods, 5 pairs\).",
        said,
    )


def test_a_transductive_task_is_marked_and_not_judged(tmp_path: Path) -> None:
    grid = replace(study(), labels=Labels(transductive={"other": True}))

    said = sentence(predictions(grid))
    files = {file.name: file for file in write_report(analyse(Evidence(grid)), tmp_path)}

    assert {one.verdict for one in predictions(grid) if one.task == "other"} == {"transductive, not judged"}
    assert said.endswith("Not judged, because the vectors have learnt from the texts: other.")
    assert "other way round" not in said
    assert "other, AP (transductive)" in files["report.html"].read_text("utf-8")


def test_methods_without_a_score_on_some_pair_are_left_out_and_named() -> None:
    found = predictions(study(missing=(("b", "de:fi"),)))

    clir = next(one for one in found if one.task == "clir" and not one.without)
    assert [row.name for row in clir.left_out] == ["b"]
    assert "b" not in {row.name for row in clir.rows}
    assert clir.pairs == PAIRS


def test_three_methods_are_too_few_for_a_verdict() -> None:
    found = predictions(study(methods=("a", "b", "c")))

    assert {one.verdict for one in found} == {"too few methods to say"}
    assert sentence(found).startswith("In this study BLI cannot be judged, with so few methods, for clir")


def test_levels_are_means_over_pairs_and_gains_over_the_control() -> None:
    one = next(one for one in levels(study()) if one.row.name == "c" and one.task == "bli")

    assert one.score == pytest.approx(np.mean([round(40 * (0.4 + 0.02 * p)) / 40 for p in range(5)]), abs=1e-3)
    assert one.gain == pytest.approx(100 * one.score, abs=0.1)


def test_the_report_has_the_section_and_its_files(tmp_path: Path) -> None:
    noted = [Reference(Point("clir", "de:en"), "BM25, monolingual: AP", 0.8)]
    files = {file.name: file for file in write_report(analyse(Evidence(study(), references=noted)), tmp_path)}

    assert "Downstream tasks" in files["report.html"].read_text("utf-8")
    assert "de:en de:fi en:fi en:it fi:it" in files["bli-predicts.csv"].read_text("utf-8")
    assert "downstream.csv" in files
    assert '"BM25, monolingual: AP",0.8' in files["references.csv"].read_text("utf-8")


def test_a_study_of_bli_alone_has_no_such_section(tmp_path: Path) -> None:
    alone = matrix_of(
        of_task("bli", CONTROL, "de:en", 0.1), of_task("bli", Treatment("vectors", "a", "mapping"), "de:en", 0.5)
    )

    assert predictions(alone) == ()
