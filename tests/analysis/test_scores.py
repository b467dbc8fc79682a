"""Tables of scores without outcomes of items: what is read, what is computed, what is refused."""

from __future__ import annotations

import csv
import io
import os
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from crossgraft.analysis.external.score_table import RELEASED, read_table
from crossgraft.analysis.external.scores import NO_COUNT, ScoreRow, matrix_of_scores
from crossgraft.analysis.findings import analyse
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.intervals.unpaired import BOUND, bounded
from crossgraft.analysis.questions.effects.regimes import ALL_MODELS, regimes
from crossgraft.cli.group import cli
from crossgraft.core import Point
from crossgraft.errors import CrossgraftError
from crossgraft.report.write import write_report
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

TASKS, LANGS, MODELS = ("arc", "mmlu", "swag"), ("de", "en", "hi"), ("small", "large")
HEADER = [part for name in RELEASED.values() for part in name.split("/")]


def lines(change: float = 1.0) -> list[dict[str, object]]:
    """The released schema: everything gains ``change``, other tasks lose a half, seeds differ a little."""
    rng = np.random.default_rng(0)
    found = []
    for model, task, lang, to, target in product(MODELS, TASKS, LANGS, TASKS, LANGS):
        moved = (change if task == to else -0.5) + rng.normal(0, 0.3)
        values = [model, 1.5, task, lang, to, target, 0.5 + moved / 100, 0.5, moved, abs(rng.normal(0.5, 0.1)), 3]
        names = [
            "model_name",
            "model_size",
            "fine_tuned_dataset",
            "fine_tuned_language",
            "eval_dataset",
            "eval_language",
        ]
        names += ["score_norm_mean", "score_norm_base_mean", "delta_score_norm_mean", "delta_score_norm_std", "n_seeds"]
        found.append(dict(zip(names, values, strict=True)))
    return found


def write(folder: Path, rows: list[dict[str, object]]) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path = folder / "table.csv"
    path.write_text(text.getvalue(), "utf-8")
    return path


def read(folder: Path, text: str, *columns: str) -> TransferMatrix:
    path = folder / "table.csv"
    path.write_text(text, "utf-8")
    return read_table(path, columns)


def means(matrix: TransferMatrix, model: str) -> dict[str, float]:
    return {one.regime: one.estimate.mean for one in analyse(matrix).regimes if one.model == model}


def test_the_released_table_is_known_by_its_header_and_gives_its_own_means(tmp_path: Path) -> None:
    rows = lines()
    matrix = read_table(write(tmp_path, rows))

    own = [
        float(str(row["delta_score_norm_mean"]))
        for row in rows
        if row["fine_tuned_dataset"] == row["eval_dataset"] and row["fine_tuned_language"] != row["eval_language"]
    ]
    assert len(matrix.cells) == len(rows)
    assert means(matrix, ALL_MODELS)["MT-CL"] == pytest.approx(np.mean(own), abs=1e-9)
    assert matrix.labels.billions == {"small": 1.5, "large": 1.5}


def test_what_rounding_left_of_a_zero_is_neither_gain_nor_loss(tmp_path: Path) -> None:
    rows = lines()
    rows[5] |= {"score_norm_mean": 0.5, "delta_score_norm_mean": -1.85e-15}
    matrix = read_table(write(tmp_path, rows))

    assert list(matrix.cells.values())[5].change.mean == 0.0


def test_a_cell_has_the_binomial_bound_on_its_items_and_a_moderated_variance_between_seeds(tmp_path: Path) -> None:
    cell = next(iter(read_table(write(tmp_path, lines()), ["items=400"]).cells.values()))

    items = 1e4 * (cell.treated * (1 - cell.treated) + 0.25) / 400
    error = (cell.change.high - cell.change.mean) / 1.96
    assert error**2 == pytest.approx(items + 0.5**2 / 3, rel=0.01)  # seeds: the typical deviation, three of them
    assert cell.change.p is not None
    assert (cell.items, cell.change.n, cell.change.why) == ((), 400, "")


def test_means_have_intervals_over_tasks_and_languages(tmp_path: Path) -> None:
    findings = analyse(read_table(write(tmp_path, lines())))
    one = next(one for one in findings.regimes if (one.model, one.regime) == (ALL_MODELS, "MT-CL"))

    assert one.estimate.basis == "over tasks and languages, 2 degrees of freedom"
    assert one.estimate.low < one.estimate.mean < one.estimate.high
    assert "no joint bootstrap, no correction for the shared base" in findings.method
    assert findings.base_noise == ()


def test_without_the_number_of_items_nothing_is_called_significant(tmp_path: Path) -> None:
    findings = analyse(read_table(write(tmp_path, lines(change=40))))

    assert {one.sure for one in findings.summaries} == {"not distinguishable"}
    assert "Nothing can be called significant: the number of items per score is not known" in findings.sentences[-2]
    items, *_ = findings.contrasts[0].levels
    assert (items.low, items.units) == (None, "items not counted")


def test_with_the_number_of_items_a_large_gain_is_found(tmp_path: Path) -> None:
    findings = analyse(read_table(write(tmp_path, lines(change=15)), ["items=400"]))

    assert {one.sure for one in findings.summaries} == {"better"}
    assert findings.contrasts[0].estimate.verdict == "better"


def test_the_base_cancels_in_a_contrast_within_a_target(tmp_path: Path) -> None:
    """Two treatments on one target share the base: only their own answers are noise."""
    cells = list(read_table(write(tmp_path, lines()), ["items=400"]).cells.values())
    near, far = (
        next(c for c in cells if str(c.target) == "arc/de" and str(c.row.source) == s) for s in ("arc/en", "swag/de")
    )

    apart, both = bounded([(near, 1.0)]), bounded([(near, 1.0), (far, -1.0)])

    items = 1e4 * (near.treated * (1 - near.treated) + far.treated * (1 - far.treated)) / 400
    seeds = near.change.seed_variance + far.change.seed_variance
    assert both.error**2 == pytest.approx(items + seeds, rel=0.01)
    assert apart.error**2 == pytest.approx(
        items + near.change.seed_variance, rel=0.02
    )  # the base in place of the other


def test_seeds_on_lines_of_their_own_are_paired_with_their_base(tmp_path: Path) -> None:
    text = "model,source,target,seed,score\n"
    text += "m,,a/de,1,.50\nm,,a/de,2,.40\nm,a/en,a/de,1,.53\nm,a/en,a/de,2,.45\n"
    (cell,) = read(tmp_path, text, "items=100000000").cells.values()

    assert cell.seed_changes == pytest.approx((3.0, 5.0))
    assert cell.change.mean == pytest.approx(4)
    assert cell.change.seed_variance == pytest.approx(1)
    assert cell.change.high - 4 == pytest.approx(12.7062, rel=0.01)  # t with about one degree of freedom, an error of 1


def test_a_column_a_target(tmp_path: Path) -> None:
    matrix = read(tmp_path, "model,source,a/de,a/en\nm,base,.5,.5\nm,a/de,.6,.45\nm,a/en,.5,\n")

    assert matrix.columns == (Point("a", "de"), Point("a", "en"))
    assert matrix.change[0] == pytest.approx([10, -5])
    assert [(str(gap.target), gap.reason) for gap in matrix.gaps] == [("a/en", "no score in table.csv")]


def test_a_score_of_unknown_items_has_no_interval_and_says_why(tmp_path: Path) -> None:
    matrix = read(tmp_path, "model,source,target,score,base\nm,a/de,a/en,.55,.5\n")
    findings = analyse(matrix)

    (cell,) = matrix.cells.values()
    assert cell.change.why == NO_COUNT
    assert "1 of 1 cell has no interval" in findings.notes[-1]
    assert matrix.tidy()[0]["low"] is None
    for file in write_report(findings, tmp_path / "report"):
        assert not {"nan", "inf"} & set(file.read_text("utf-8").lower().replace(",", " ").replace("[", " ").split())


def test_one_model_and_one_source_say_what_they_cannot(tmp_path: Path) -> None:
    rows = [row for row in lines() if (row["model_name"], row["fine_tuned_dataset"]) == ("small", "arc")][:9]
    findings = analyse(read_table(write(tmp_path, rows), ["items=400"]))

    assert findings.contrasts == ()
    assert [note.split(":")[0] for note in findings.notes] == [
        "There is one model",
        "There is one source",
        "All sources are of one task",
    ]
    assert findings.summaries[0].gain is not None
    assert findings.summaries[0].gain.basis == BOUND


LINE = "model,source,target,score,base\n"
WRONG = {
    "": "expected a header",
    "model,source,score\nm,a/de,.5\n": "expected a column 'target'",
    LINE + "m,a/de,a/en,55,50\n": "divide percentages by 100",
    LINE + "m,a/de,a/en,good,.5\n": "expected a number; got 'good'",
    LINE + "m,a-de,a/en,.5,.5\n": "line 2, source: expected task/language",
    LINE + "m,a/de,a/en,.5,.5\nm,a/de,a/en,.6,.5\n": "lines 2, 3",
    LINE + "m,a/de,a/en,.5\n": "line 2: expected 5 values",
    LINE + "m,,a/en,.5,.5\n": "expected the scores of the base",
    "model,source,target,score,base,regime\nm,a/de,a/en,.5,.5,CT-CL\n": "the table calls it 'CT-CL'",
    LINE + ",a/de,a/en,.5,.5\n": "expected the name of a model",
    "model;source;target\nm;a/de;a/en\n": "with commas between them",
    "model,source,target,score,base,seed\nm,a/de,a/en,.5,.5,1.5\n": "expected a whole number; got 1.5",
    "model,source,target,score,score\nm,a/de,a/en,.5,.5\n": "is there twice",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_table_has_a_sentence(text: str, tmp_path: Path) -> None:
    with pytest.raises(CrossgraftError, match="table.csv") as told:
        read(tmp_path, text)

    assert WRONG[text] in str(told.value)


def test_a_change_in_another_unit_is_refused_with_the_line(tmp_path: Path) -> None:
    (gap,) = read(tmp_path, "model,source,target,score,base,change\nm,a/de,a/en,.6,.5,.1\n").gaps

    assert gap.why == "refused"
    assert "line 2: the change is 0.1 points, but the score less the base is 10" in gap.reason


def test_columns_are_named(tmp_path: Path) -> None:
    text = "model,from,to,lang,acc,before\nm,a/de,a,en,.6,.5\n"
    matrix = read(tmp_path, text, "source=from", "target=to/lang", "score=acc", "base=before")

    assert matrix.change.tolist() == [[pytest.approx(10)]]
    with pytest.raises(CrossgraftError, match="did you mean 'score'"):
        read(tmp_path, text, "scor=acc")
    with pytest.raises(CrossgraftError, match="no column 'acd'; did you mean 'acc'"):
        read(tmp_path, text, "score=acd")


def test_the_command_writes_the_report(tmp_path: Path) -> None:
    path = write(tmp_path, lines())
    result = CliRunner().invoke(cli, ["read", str(path), "--to", str(tmp_path / "out")])

    assert result.exit_code == 0, result.output
    assert "nothing is paired by item" in result.output
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.slow
def test_intervals_without_items_cover_the_mean_of_all_tasks() -> None:
    """Grids of four tasks with effects of every kind and a mean of zero: t with few degrees of freedom, so rather too wide."""
    grid = SyntheticGrid(
        models=3, source_task=0.35, source=0.25, target_language=0.3, target=0.5, task_pair=0.45, cell=0.3
    )
    covered: dict[str, list[bool]] = {}
    for seed in range(60):
        noise = np.random.default_rng(seed).normal(0, 0.7, (60, 20))
        changes = (grid.truth(seed) + noise).reshape(3, 20, 20)
        rows = [
            ScoreRow(0, f"m{m}", source, target, 0.5, 0.5 + changes[m, i, j] / 100)
            for m, (i, source), (j, target) in product(range(3), enumerate(grid.points), enumerate(grid.points))
        ]
        for one in regimes(Draws(matrix_of_scores(rows))):
            if one.model == ALL_MODELS:
                covered.setdefault(one.regime, []).append(one.estimate.low <= 0 <= one.estimate.high)

    assert all(np.mean(found) >= 0.9 for found in covered.values())


RELEASE = Path(os.environ.get("CROSSGRAFT_DONORS_RELEASE", ""))
NOTED = {  # of the full table: rows, mean, share of cells above zero, share that lose a point or more
    "MT-ML": (396, 2.020, 68.2, 9.3),
    "MT-CL": (3960, 1.246, 66.4, 7.1),
    "CT-ML": (1188, 0.808, 56.9, 11.4),
    "CT-CL": (11880, 0.785, 57.7, 9.5),
}


@pytest.mark.skipif(not RELEASE.is_file(), reason="CROSSGRAFT_DONORS_RELEASE names no table")
def test_the_authors_table_gives_its_means() -> None:
    with RELEASE.open(encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    findings = analyse(read_table(RELEASE))
    models = {row["model_name"] for row in told}
    name = ALL_MODELS if len(models) > 1 else next(iter(models))

    found = {one.regime: one for one in findings.regimes if one.model == name}
    for regime, one in found.items():
        own = [float(row["delta_score_norm_mean"]) for row in told if row["regime"] == regime]
        assert one.estimate.mean == pytest.approx(np.mean(own), abs=1e-9)
        assert one.estimate.cells == len(own)
        if len(told) == 17424:
            rows, mean, positive, harmed = NOTED[regime]
            assert (rows, mean, positive, harmed) == (
                len(own),
                round(one.estimate.mean, 3),
                round(one.positive.mean, 1),
                round(one.harmed.mean, 1),
            )
    if len(models) == 1:
        assert findings.contrasts == ()
        assert any(note.startswith("One model says nothing of others") for note in findings.notes)


def test_the_released_table_names_families_by_its_models(tmp_path: Path) -> None:
    rows = [
        {**row, "model_name": {"small": "Llama-3.2-1B", "large": "gemma-3-1b"}[str(row["model_name"])]}
        for row in lines()
    ]

    families = read_table(write(tmp_path, rows)).labels.family

    assert families == {"Llama-3.2-1B": "Llama", "gemma-3-1b": "gemma"}
