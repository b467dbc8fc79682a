"""Tables of items that were measured elsewhere: what is read, what it equals, what is refused."""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import crossgraft as cg
from crossgraft.analysis.external.outcomes import matrix_from_outcomes
from crossgraft.cli import main
from crossgraft.cli.group import cli
from crossgraft.core import Answers, Job, Point, Record, Treatment
from crossgraft.errors import CrossgraftError, DataError, SpecError
from crossgraft.metrics import METRICS
from crossgraft.transfer.changes import ChangeCell
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from outcomes import answers, matrix_of, measured

Row = dict[str, Any]
POINTS = [Point(task, lang) for task, lang in product(("qa", "nli"), ("de", "sw"))]
TOLD_ELSEWHERE = {"metric", "record_ids", "control_ids"}  # what a table cannot know of records


def same(one: ChangeCell, other: ChangeCell) -> None:
    for name in {field.name for field in fields(ChangeCell)} - TOLD_ELSEWHERE:
        np.testing.assert_equal(getattr(one, name), getattr(other, name), err_msg=name)


def same_matrices(one: TransferMatrix, other: TransferMatrix) -> None:
    assert (one.rows, one.columns, list(one.cells)) == (other.rows, other.columns, list(other.cells))
    for place, cell in one.cells.items():
        same(cell, other.cells[place])


def table(rows: list[Row]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def grid(seeds: tuple[int, ...] = (1, 2)) -> list[tuple[Job, Record]]:
    """Two models, four sources and their targets, every other item in a passage with its neighbour."""
    rng = np.random.default_rng(5)
    passages = np.array([f"p{number // 2}" for number in range(20)])

    def drawn() -> Answers:
        one = answers(rng.integers(0, 2, 20).tolist())
        return Answers(one.kind, one.items, {**one.columns, "group": passages})

    treatments = [Treatment("m1", "base", "control"), Treatment("m2", "base", "control")]
    treatments += [
        Treatment(model, str(source), "trained", source, (), seed)
        for model, source, seed in product(("m1", "m2"), POINTS, seeds)
    ]
    return [measured(treatment, drawn(), target) for treatment, target in product(treatments, POINTS)]


def outcomes_of(pairs: list[tuple[Job, Record]]) -> list[Row]:
    return [
        {
            "model": record.treatment.model,
            "treatment": record.treatment.name,
            "source": str(record.treatment.source or ""),
            "seed": record.treatment.seed,
            "target": str(record.target),
            "item": item,
            "group": group,
            "score": score,
            "chance": 0.25,
        }
        for _, record in pairs
        for item, group, score in zip(
            record.answers.items,
            record.answers.columns["group"],
            METRICS.get("accuracy").statistics(record.answers)[:, 0].tolist(),
            strict=True,
        )
    ]


def small(**changed: list[Any]) -> dict[str, list[Any]]:
    """A base and a treatment on three items."""
    found = {
        "model": ["m"] * 6,
        "treatment": ["base"] * 3 + ["qa/sw"] * 3,
        "target": ["qa/de"] * 6,
        "item": ["1", "2", "3"] * 2,
        "score": [0, 0, 1, 1, 0, 1],
    }
    return {**found, **changed}


def as_csv(rows: list[Row], path: Path) -> Path:
    pandas.DataFrame(rows).to_csv(path, index=False)
    return path


def as_parquet(rows: list[Row], path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_a_table_gives_the_matrix_that_the_records_give() -> None:
    pairs = grid()

    same_matrices(matrix_from_outcomes(table(outcomes_of(pairs))), matrix_of(*pairs))


def test_the_order_of_the_rows_moves_no_number() -> None:
    rows = outcomes_of(grid())
    shuffled = [rows[number] for number in np.random.default_rng(0).permutation(len(rows))]

    one, other = matrix_from_outcomes(table(rows)), matrix_from_outcomes(table(shuffled))

    assert {place: round(cell.change.high, 9) for place, cell in one.cells.items()} == {
        place: round(cell.change.high, 9) for place, cell in other.cells.items()
    }


def test_a_synthetic_grid_written_as_a_table_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    made = SyntheticGrid(models=2, tasks=2, languages=2, seeds=1, items=60, same_task=3.0).matrix(seed=1)

    def rows() -> Iterator[Row]:
        written = set()
        for (row, target), cell in made.cells.items():
            runs = [(str(row.source), str(row.source), 1, cell.treated_statistics)]
            if (row.model, target) not in written:
                runs.append(("", "", None, cell.control_statistics))
            written.add((row.model, target))
            for name, source, seed, values in runs:
                for item, score in zip(cell.items, values[:, 0], strict=True):
                    labels = {"model": row.model, "treatment": name, "source": source, "seed": seed}
                    yield {**labels, "target": str(target), "item": item, "score": score}

    same_matrices(matrix_from_outcomes(as_csv(list(rows()), tmp_path / "grid.csv")), made)


def in_gzip(rows: list[Row], folder: Path) -> Path:
    path = folder / "table.csv.gz"
    path.write_bytes(gzip.compress(as_csv(rows, folder / "table.csv").read_bytes()))
    return path


@pytest.mark.parametrize(
    "form",
    [
        lambda rows, folder: pandas.DataFrame(rows),
        lambda rows, folder: pandas.DataFrame(rows).astype({"model": "category", "score": bool}),
        lambda rows, folder: pandas.DataFrame(rows).assign(doc=[1, "a"] * (len(rows) // 2)),
        lambda rows, folder: polars.DataFrame(rows, infer_schema_length=None),
        lambda rows, folder: polars.DataFrame(rows, infer_schema_length=None).with_columns(
            polars.col("item").cast(polars.Categorical)
        ),
        lambda rows, folder: pa.Table.from_pylist(rows),
        lambda rows, folder: (
            {name: np.array(column) for name, column in table(rows).items() if name != "seed"}
            | {"seed": np.array([row["seed"] or np.nan for row in rows])}
        ),
        lambda rows, folder: as_csv(rows, folder / "table.csv"),
        lambda rows, folder: str(in_gzip(rows, folder)),
        lambda rows, folder: as_parquet(rows, folder / "table.parquet"),
    ],
    ids=[
        "pandas",
        "pandas categories",
        "pandas with objects",
        "polars",
        "polars categories",
        "pyarrow",
        "mapping",
        "csv",
        "csv.gz",
        "parquet",
    ],
)
def test_every_form_of_a_table_gives_the_same(form: Callable[[list[Row], Path], object], tmp_path: Path) -> None:
    rows = outcomes_of(grid())

    same_matrices(matrix_from_outcomes(form(rows, tmp_path)), matrix_from_outcomes(table(rows)))


def test_items_are_text_so_that_zeros_before_a_number_count(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "model,treatment,target,item,score\n"
        + "".join(f"m,{name},qa/de,{item},1\n" for name in ("", "a") for item in ("1", "01"))
    )

    (cell,) = matrix_from_outcomes(path).cells.values()

    assert cell.items == ("1", "01")


def test_no_source_is_guessed_from_a_name() -> None:
    (guessed,) = matrix_from_outcomes(small()).rows
    (told,) = matrix_from_outcomes(small(), ["source=treatment"]).rows

    assert (guessed.source, guessed.kind) == (None, "given")
    assert (told.source, told.kind) == (Point("qa", "sw"), "trained")


def test_a_task_and_its_language_may_stand_in_two_columns() -> None:
    given = small(task=["qa"] * 6, lang=["de"] * 6)
    del given["target"]

    assert matrix_from_outcomes(given, ["target=task/lang"]).columns == (Point("qa", "de"),)


def test_what_is_written_in_two_ways_is_one() -> None:
    (cell,) = matrix_from_outcomes(
        small(treatment=["", "base", "", "a", "a", "a"], seed=["", "", "", "1", "1.0", "1"])
    ).cells.values()

    assert (cell.seeds, cell.items) == ((1,), ("1", "2", "3"))


def test_a_sham_is_a_control() -> None:
    (row,) = matrix_from_outcomes(small(variant=[""] * 3 + ["sham"] * 3)).rows

    assert (row.is_sham, row.name) == (True, "qa/sw (sham)")


def test_each_seed_meets_the_base_of_its_seed() -> None:
    given = table(
        [
            {"model": "m", "treatment": name, "seed": seed, "target": "qa/de", "item": item, "score": score}
            for name, seed, scores in (
                ("", 1, (0, 0)),
                ("", 2, (1, 1)),
                ("a", 1, (0, 1)),
                ("a", 2, (1, 1)),
                ("a", 3, (1, 1)),
            )
            for item, score in zip("xy", scores, strict=True)
        ]
    )

    matrix = matrix_from_outcomes(given)

    (cell,) = matrix.cells.values()
    assert (cell.seeds, cell.seed_changes, cell.control) == ((1, 2), (50.0, 0.0), 0.5)
    assert [gap.reason for gap in matrix.gaps] == ["the base has the seeds 1, 2, none of them 3"]


def test_the_only_base_serves_every_seed() -> None:
    (cell,) = matrix_from_outcomes(small(seed=[0] * 3 + [7] * 3)).cells.values()

    assert cell.seeds == (7,)


def test_a_treatment_on_other_items_than_its_base_is_refused_with_the_reason() -> None:
    given = small(treatment=["base"] * 3 + ["a"] * 2 + ["b"], item=["1", "2", "3", "1", "2", "3"])

    matrix = matrix_from_outcomes(given)

    assert not matrix.cells
    assert (
        matrix.gaps[0].reason
        == "the control has 3 items, the treatment 2, 2 of them shared: a change needs the same items"
    )


def test_a_target_without_a_base_is_a_gap() -> None:
    matrix = matrix_from_outcomes(small(target=["qa/de"] * 4 + ["qa/fr"] * 2))

    assert (Point("qa", "fr"), "missing") in [(gap.target, gap.why) for gap in matrix.gaps]


def test_a_missing_score_does_not_count() -> None:
    (cell,) = matrix_from_outcomes(small(score=[0, None, 1, 1, 0, 1])).cells.values()

    assert (cell.change.n, cell.change.mean) == (2, 50.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"score": [0, 0, 100, 1, 0, 1]}, "row 3, score: expected a score from 0 to 1; got 100: divide percentages"),
        ({"score": ["0", "0", "good", "1", "0", "1"]}, "row 3, score: expected a number from 0 to 1; got 'good'"),
        ({"target": ["qa"] * 6}, "row 1, target: expected task/language, such as 'xnli/sw'; got 'qa'"),
        ({"treatment": ["a"] * 3 + ["b"] * 3}, "expected rows of the base, whose treatment is empty or 'base'"),
        ({"treatment": [""] * 6, "item": list("123456")}, "every row is of the base"),
        ({"item": ["1", "2", "3", "1", "1", "3"]}, "rows 4, 5 are all item '1' of qa/de: remove one"),
        ({"treatment": ["", "base", "", "a", "a", "a"], "item": list("112123")}, "rows 1, 2 are all item '1' of qa/de"),
        ({"item": ["1", "2", "", "1", "2", "3"]}, "row 3, item: expected a name or a number; it is empty"),
        ({"seed": ["x"] * 6}, "row 1, seed: expected a whole number; got 'x'"),
        ({"variant": [""] * 5 + ["fake"]}, "row 6: expected a variant 'sham' or 'format-only', or none; got 'fake'"),
        ({"source": ["qa/sw"] * 6}, "row 1: expected a treatment, or a base without source and variant"),
        ({"source": [""] * 3 + ["qa/sw", "qa/sw", "qa/fr"]}, "'qa/sw' has qa/sw and qa/fr: give it two names"),
        ({"group": list("abcabd")}, "item '3' has 'c' in row 3 and 'd' in row 6"),
        ({"item": [["1"]] * 6}, "column 'item': expected text or numbers; got list"),
        ({"item": ["1", 2, "3"] * 2}, "expected columns of one type and one length each"),
        ({"score": [0, 1]}, "expected columns of one type and one length each"),
        ({name: [] for name in small()}, "there is no row"),
    ],
)
def test_what_cannot_be_is_said_with_its_row(given: dict[str, list[Any]], said: str) -> None:
    with pytest.raises(DataError) as caught:
        matrix_from_outcomes(small(**given))

    assert said in str(caught.value)


@pytest.mark.parametrize("column", ["score", "seed", "variant", "group", "source", "target"])
def test_an_error_about_a_long_value_quotes_its_beginning_only(column: str) -> None:
    long = [f"{number}" + "x" * 70_000 for number in range(6)]

    with pytest.raises(DataError) as caught:
        matrix_from_outcomes(small(**{column: long}))

    assert len(str(caught.value)) < 1000


def test_a_field_or_column_that_is_not_there_is_named() -> None:
    for named, said in {
        "itm=x": "did you mean 'item'?",
        "item=itm": "no column 'itm'; did you mean 'item'?",
        "item": "FIELD=COLUMN",
        "score=score/item": "expected one column of numbers",
    }.items():
        with pytest.raises(SpecError, match=said.replace("?", r"\?")):
            matrix_from_outcomes(small(), [named])


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(DataError, match="expected a pandas or polars frame, .* got int"):
        matrix_from_outcomes(3)


def read(path: Path) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["read", str(path), "--to", str(path.parent / "report")])
    error = done.exception if isinstance(done.exception, CrossgraftError) else ""
    return done.exit_code, f"{done.output}{error}"


@pytest.mark.parametrize("write", [as_csv, as_parquet])
def test_read_writes_the_report_with_items(write: Callable[[list[Row], Path], Path], tmp_path: Path) -> None:
    path = write(outcomes_of(grid()), tmp_path / f"table.{write.__name__.removeprefix('as_')}")

    code, said = read(path)

    page = (tmp_path / "report/report.md").read_text("utf-8")
    assert (code, "A cell rests on 20 items and 2 seeds" in said) == (0, True)
    assert "There are no per-item outcomes" not in page


def test_read_says_that_no_treatment_has_a_source(tmp_path: Path) -> None:
    code, said = read(as_csv(pandas.DataFrame(small()).to_dict("records"), tmp_path / "table.csv"))

    assert (code, "source=treatment" in said) == (0, True)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.parquet", b"model,item\n", "expected a Parquet file"),
        ("t.csv.gz", b"model,item\n", "expected"),
        ("t.csv", b"model,treatment,target,doc,score\nm,,qa/de,1,1\n", "expected a column 'item'; the table has model"),
        ("t.csv", b"model,treatment,target,item,score\n", "there is no row"),
        ("t.csv", b"", "nothing"),
        ("t.csv", b"model,treatment,target,item,score\nm,,qa/de,1\n", "line 2: expected 5 values"),
        ("t.csv", b"model,treatment,target,item,score\nm,,qa/de,1,1\nm,a,qa/de,2,1\n", "no treatment can be compared"),
        ("t.csv", b"model,treatment,target,item,score\nm,\xff,qa/de,1,1\n", "UTF-8"),
        ("t.csv", b"model;treatment;target;item;score\nm;;qa/de;1;1\n", "commas"),
    ],
)
def test_a_file_that_is_no_table_of_items_is_one_sentence_and_exit_code_2(
    name: str,
    content: bytes,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["crossgraft", "read", str(tmp_path / name)])

    with pytest.raises(SystemExit) as stop:
        main()

    told = capsys.readouterr().err
    assert (stop.value.code, said in told, told.count("\n")) == (2, True, 1), told


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert "no such file" in read(tmp_path / "none.csv")[1]
    assert "no such file" in read(tmp_path / "none.parquet")[1]


def test_the_examples_of_the_documentation_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "docs/results.md").read_text("utf-8")
    section = text.partition("## Outcomes that were measured elsewhere")[2].partition("\n## ")[0]
    from_pandas, from_harness = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    for run, right in {"base": (0, 0), "sw-1": (1, 0)}.items():
        logs = tmp_path / "logs" / run / "llama/samples_xnli_de_2026-01-31T12-00-00.123456.jsonl"
        logs.parent.mkdir(parents=True)
        samples = [{"doc_id": number, "filter": "none", "acc": float(one)} for number, one in enumerate(right)]
        logs.write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    monkeypatch.chdir(tmp_path)

    changes = []
    for code in (from_pandas, from_harness):
        names: dict[str, Any] = {}
        exec(code, names)
        changes.append(names["matrix"].change.tolist())

    assert changes == [[[50.0]], [[50.0]]]
    assert (tmp_path / "report/report.html").is_file()


def test_the_function_is_public() -> None:
    assert cg.matrix_from_outcomes is matrix_from_outcomes
    assert issubclass(DataError, CrossgraftError)
