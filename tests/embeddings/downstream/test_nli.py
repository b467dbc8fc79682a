from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

from crossgraft.analysis.results import control_of, load_matrix
from crossgraft.embeddings.downstream.classifiers.fitting import forget
from crossgraft.errors import DataError, SpecError
from crossgraft.runs.campaign import Settings, describe_study, plan_study, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study

ONE = Settings(threads=1)


def test_inference_learnt_in_the_source_needs_a_shared_space(nli_spec: Path, tmp_path: Path) -> None:
    summary = run(load_study(nli_spec), tmp_path / "out", settings=ONE)

    (cell,) = load_matrix(Store(tmp_path / "out")).cells.values()
    assert summary.failed == []
    assert cell.treated > 0.75
    assert cell.control < 0.65
    assert cell.chance == 0.5


def test_esim_learns_it_too(nli_spec: Path, tmp_path: Path) -> None:
    text = nli_spec.read_text().partition("decomposable")[0]
    esim = 'model = "esim"\nesim = { hidden = 16, dropout = 0.0, training = { epochs = 15, patience = 15, rate = 0.01 } }\n'
    nli_spec.write_text(text + esim)

    run(load_study(nli_spec), tmp_path / "out", settings=ONE)

    (cell,) = load_matrix(Store(tmp_path / "out")).cells.values()
    assert cell.treated > 0.7
    assert cell.control < 0.65


def test_every_seed_trains_a_model_and_is_paired_with_that_of_the_control(nli_spec: Path, tmp_path: Path) -> None:
    sets = ["seeds=[1, 2]", "tasks.nli.decomposable.training.epochs=2", 'tasks.bli.test="{pair}.test.tsv"']

    run(load_study(nli_spec, sets), tmp_path / "out", settings=ONE)

    store = Store(tmp_path / "out")
    cells = {str(target): cell for (_, target), cell in load_matrix(store).cells.items()}
    assert cells["nli/de:en"].seeds == (1, 2)
    assert cells["bli/de:en"].seeds == (None,)
    records = {record.id: record for record in store.read()[0]}
    assert [records[one].treatment.seed for one in cells["nli/de:en"].control_ids] == [1, 2]
    for one in cells["nli/de:en"].record_ids:
        assert control_of(store, records[one])[0].treatment.seed == records[one].treatment.seed


def test_the_same_seed_gives_the_same_answers(nli_spec: Path, tmp_path: Path) -> None:
    answers = []
    for name in ("one", "two"):
        forget()
        run(load_study(nli_spec, ["tasks.nli.decomposable.training.epochs=2"]), tmp_path / name, settings=ONE)
        answers.append({record.id: record.answers for record in Store(tmp_path / name).read()[0]})

    assert answers[0] == answers[1]


def test_another_seed_computes_only_itself(nli_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    epochs = "tasks.nli.decomposable.training.epochs=1"
    run(load_study(nli_spec, [epochs]), store, settings=ONE)

    todo = plan_study(describe_study(load_study(nli_spec, [epochs, "seeds=[1, 2]"]), store), store, ONE)

    assert {job.treatment.seed for job in todo.jobs} == {2}


def test_xnli_files_hold_all_languages_and_name_their_columns(nli_spec: Path, tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        lines = ["language\tgold_label\tsentence1\tsentence2\tpairID"]
        for language in ("de", "en"):
            rows = map(json.loads, (nli_spec.parent / f"pairs.{language}.jsonl").read_text().splitlines())
            lines += [
                "\t".join([language, row["label"], row["premise"], row["hypothesis"], row["id"]])
                for row in rows
                if row["split"] == split
            ]
            lines.append(f"{language}\t-\tno\tagreement\tnone")
        (nli_spec.parent / f"xnli.{split}.tsv").write_text("\n".join(lines))

    files = [f'tasks.nli.{split}="xnli.{split}.tsv"' for split in ("train", "dev", "test")]
    run(load_study(nli_spec, [*files, "tasks.nli.decomposable.training.epochs=1"]), tmp_path / "out", settings=ONE)

    records = Store(tmp_path / "out").read()[0]
    assert {len(record.answers) for record in records} == {100}
    assert records[0].answers.items[0] == "test-0"


def test_a_line_with_other_columns_is_one_sentence(nli_spec: Path, tmp_path: Path) -> None:
    (nli_spec.parent / "x.tsv").write_text("language\tgold_label\tsentence1\tsentence2\nde\tentailment\tone\n")

    with pytest.raises(DataError, match=re.escape("line 2: expected 4 columns as in the first line; got 3")):
        describe_study(load_study(nli_spec, ['tasks.nli.train="x.tsv"']), Store(tmp_path))


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ("decomposable.hidden=0", "expected at least 1 hidden unit; got 0"),
        ("decomposable.dropout=1.0", "expected a dropout from 0 to below 1; got 1.0"),
        ("decomposable.training.epochs=0", "expected epochs, patience and batch of at least 1"),
        ("decomposable.training.rate=0.0", "expected a rate and a clip above 0; got 0.0 and 5.0"),
        ("esim.hidden=8", "the model is 'decomposable', so settings of another have no effect"),
    ],
)
def test_a_wrong_setting_is_one_sentence(nli_spec: Path, sets: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        load_study(nli_spec, [f"tasks.nli.{sets}"])


def test_a_smoke_run_trains_for_one_epoch(nli_spec: Path) -> None:
    task = load_study(nli_spec).smoke().tasks["nli"]  # type: ignore[attr-defined]

    assert task.decomposable.training.epochs == 1
    assert task.decomposable.hidden == 40


def test_a_glimpse_trains_no_network(nli_spec: Path) -> None:
    assert list(load_study(nli_spec).preview(3)) == []  # type: ignore[attr-defined]
