"""What the report says of training: a line a run, the mean of the seeds, a curve, and all of it as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import Findings, analyse
from crossgraft.analysis.questions.training import Training, TrainingRun, trainings
from crossgraft.core import Job, Record
from crossgraft.report.about import About
from crossgraft.report.html import html
from crossgraft.report.markdown import markdown
from crossgraft.report.sections.effects.training import HEIGHT, WIDTH, curve
from crossgraft.report.write import write_report
from outcomes import BASE, answers, matrix_of, measured, trained

FACTS = {"train_steps": 3, "train_tokens": 1200, "kept_epoch": None}


def run_of(seed: int, losses: list[float], **more: Any) -> tuple[Job, Record]:
    job, record = measured(trained(seed), answers([1, 1]))
    return job, replace(record, provenance={**FACTS, "losses": losses, **more})


@pytest.fixture
def findings() -> Findings:
    pairs = [
        measured(BASE, answers([0, 1])),
        run_of(2, [4.0, 2.0, 1.0], counted_tokens=40, train_tokens_of={"a/en": 800, "a/sw": 400}),
        run_of(1, [2.0, 2.0, 0.5], kept_epoch=2),
    ]
    told = trainings([job for job, _ in pairs], [record for _, record in pairs])
    return analyse(Evidence(matrix_of(*pairs), "a study", training=told))


def test_runs_of_a_treatment_stand_together_in_order_of_seed(findings: Findings) -> None:
    (one,) = findings.evidence.training

    assert [run.treatment.seed for run in one.runs] == [1, 2]
    assert (one.first_loss, one.last_loss) == (3.0, 0.75)


def test_a_record_without_losses_is_no_training() -> None:
    job, record = measured(trained(), answers([1, 1]))

    assert trainings([job], [record]) == ()


def test_the_page_has_a_row_per_run_with_its_curve(findings: Findings) -> None:
    page = html(findings, About())

    assert page.count("<polyline") == 2
    assert f'points="{curve(findings.evidence.training[0].runs[0].losses)}"' in page
    assert "1,200, 40 counted (a/en 800, a/sw 400)" in page
    assert "| a/en | 1 |" in markdown(findings, About())


def test_a_study_without_training_says_nothing_of_it() -> None:
    findings = analyse(matrix_of(measured(BASE, answers([0, 1])), measured(trained(), answers([1, 1]))))

    assert "Training" not in html(findings, About())
    assert "Training" not in markdown(findings, About())


def test_the_table_has_every_run_with_full_precision(findings: Findings, tmp_path: Path) -> None:
    write_report(findings, tmp_path)

    rows = list(csv.DictReader(io.StringIO((tmp_path / "training.csv").read_text("utf-8"))))
    assert [(row["seed"], row["last_loss"], row["counted_tokens"]) for row in rows] == [
        ("1", "0.5", ""),
        ("2", "1.0", "40"),
    ]
    assert rows[1]["tokens_of"] == '{"a/en": 800, "a/sw": 400}'


def test_a_large_study_shows_some_runs_and_says_how_many_are_left(findings: Findings) -> None:
    runs = (TrainingRun(trained(), 1, 10, None, (1.0,), None),)
    many = tuple(Training(replace(trained().row, name=f"a/{n}"), runs) for n in range(130))
    large = replace(findings, evidence=replace(findings.evidence, training=many))

    page = html(large, About())
    assert page.count("<polyline") == 25
    assert "105 more rows are in training.csv" in page


@pytest.mark.parametrize("losses", [[2.0], [1.0, 1.0], [float(n) for n in range(1000)]])
def test_a_curve_stays_inside_its_box(losses: list[float]) -> None:
    points = [tuple(map(float, point.split(","))) for point in curve(losses).split()]

    assert len(points) == min(len(losses), 60)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert points[0][0] == 0
