from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from crossgraft.analysis.results import load_findings
from crossgraft.core import Record
from crossgraft.errors import DataError, SpecError
from crossgraft.report.write import write_report
from crossgraft.runs.campaign import Campaign, Settings, describe_study, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Remark

ONE = Settings(threads=1)


def records_of(spec: Path, out: Path, *sets: str) -> dict[str, Record]:
    summary = run(load_study(spec, list(sets)), out, settings=ONE)
    assert summary.failed == []
    return {record.treatment.name: record for record in Store(out).read()[0]}


def score(record: Record, metric: str = "accuracy") -> float:
    return next(one.value for one in record.scores if one.metric == metric)


def test_a_model_of_the_source_serves_the_target_only_in_a_shared_space(cldc_spec: Path, tmp_path: Path) -> None:
    found = records_of(cldc_spec, tmp_path / "out")

    assert score(found["procrustes"]) > 0.75
    assert score(found["unmapped"]) < 0.6
    assert score(found["procrustes"], "macro-F1") > 0.75


def test_a_convolution_needs_a_shared_space_too_and_runs_once_a_seed(cldc_spec: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    training = "training = { epochs = 25, patience = 25, rate = 0.01 }"
    cldc_spec.write_text(f'{cldc_spec.read_text()}model = "cnn"\ncnn = {{ {training} }}\n')

    run(load_study(cldc_spec, ["seeds=[1, 2]"]), tmp_path / "out", settings=ONE)

    (cell,) = load_findings(Store(tmp_path / "out")).matrix.cells.values()
    assert cell.seeds == (1, 2)
    assert cell.treated > cell.control + 0.15


def test_a_shuffled_dictionary_is_worth_no_more_than_none(cldc_spec: Path, tmp_path: Path) -> None:
    file = cldc_spec.parent / "de-en.train.tsv"
    pairs = [line.split("\t") for line in file.read_text().splitlines()]
    order = np.random.default_rng(0).permutation(len(pairs))
    file.write_text("".join(f"{pair[0]}\t{pairs[place][1]}\n" for place, pair in zip(order, pairs, strict=True)))

    assert score(records_of(cldc_spec, tmp_path / "out")["procrustes"]) < 0.6


def test_rotations_share_the_model_of_the_source_and_other_maps_do_not(cldc_spec: Path, tmp_path: Path) -> None:
    found = records_of(cldc_spec, tmp_path / "out", 'methods.use=["procrustes", "least-squares"]')

    facts = {name: record.provenance for name, record in found.items()}
    assert facts["procrustes"]["source"] == facts["unmapped"]["source"]
    assert [facts[name]["source_unchanged"] for name in ("unmapped", "procrustes", "least-squares")] == [
        True,
        True,
        False,
    ]
    assert facts["unmapped"]["source"]["all"]["dev_accuracy"] > 0.75


def test_a_study_is_the_same_when_it_is_computed_again(cldc_spec: Path, tmp_path: Path) -> None:
    once = records_of(cldc_spec, tmp_path / "one")
    again = records_of(cldc_spec, tmp_path / "two")

    assert all(once[name].answers == again[name].answers for name in once)


def test_texts_without_vectors_are_counted_and_said(cldc_spec: Path, tmp_path: Path) -> None:
    file = cldc_spec.parent / "texts.en.jsonl"
    file.write_text(re.sub(r'"text": "[^"]*"\}\n$', '"text": ""}\n', file.read_text()))

    notes = describe_study(load_study(cldc_spec), Store(tmp_path / "out")).notes
    events = list(Campaign(load_study(cldc_spec), Store(tmp_path / "out"), ONE))

    assert notes == ("de:en: 1 of 60 test items have an empty text",)
    said = [event.text for event in events if isinstance(event, Remark)]
    assert said == ["1 of 60 test texts of de:en have no word with a vector"]


def test_mldoc_files_have_a_label_a_tab_and_a_text(cldc_spec: Path, tmp_path: Path) -> None:
    for language in ("de", "en"):
        rows = [json.loads(line) for line in (cldc_spec.parent / f"texts.{language}.jsonl").read_text().splitlines()]
        for split in ("train", "dev", "test"):
            lines = [f"{row['label']}\t{row['text']}\n" for row in rows if row["split"] == split]
            (cldc_spec.parent / f"{language}.{split}").write_text("".join(lines))

    files = [f'tasks.cldc.{split}="{{language}}.{split}"' for split in ("train", "dev", "test")]
    found = records_of(cldc_spec, tmp_path / "out", *files, 'tasks.cldc.split_field=""')

    assert score(found["procrustes"]) > 0.75


def test_topics_of_the_ted_corpus_are_binary_and_share_documents(cldc_spec: Path, tmp_path: Path) -> None:
    for language in ("de", "en"):
        rows = [json.loads(line) for line in (cldc_spec.parent / f"texts.{language}.jsonl").read_text().splitlines()]
        for row in rows:
            split = "test" if row["split"] == "test" else "train"
            for topic in ("class 0", "class 1"):
                side = "positive" if row["label"] == topic else "negative"
                folder = cldc_spec.parent / "ted" / language / split / topic / side
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{row['id']}.ted").write_text(row["text"])

    sets = [
        'train="ted/{language}/train"',
        'test="ted/{language}/test"',
        'dev=""',
        'split_field=""',
        'metric="micro-F1"',
    ]
    record = records_of(cldc_spec, tmp_path / "out", *(f"tasks.cldc.{one}" for one in sets))["procrustes"]

    assert len(record.answers) == 120
    assert len(set(record.answers.columns["group"])) == 60
    assert score(record, "micro-F1") > 0.75
    assert set(record.provenance["source"]) == {"class 0", "class 1"}


def test_the_report_of_classes_is_written(cldc_spec: Path, tmp_path: Path) -> None:
    records_of(cldc_spec, tmp_path / "out", 'tasks.cldc.metric="macro-F1"')

    page = write_report(load_findings(Store(tmp_path / "out")), tmp_path / "report")[0]

    assert "cldc/de:en" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("find", "put", "message"),
    [
        (
            '"label": "class 0"',
            '"label": "class 9"',
            "the label 'class 9' is not in the training texts of de, which have",
        ),
        ('"split": "test"', '"split": "other"', "it has no labelled text in the test split"),
        ('"text": ', '"txt": ', "line 121: no field 'text'; it has 'id', 'split', 'label', 'txt'"),
        ('"test-1"', '"test-0"', "line 122: the item 'test-0' is there twice; names must be different"),
        ('{"id"', '"id"', "line 1: not valid JSON"),
    ],
)
def test_a_broken_file_is_one_sentence(cldc_spec: Path, tmp_path: Path, find: str, put: str, message: str) -> None:
    file = cldc_spec.parent / "texts.en.jsonl"
    file.write_text(file.read_text().replace(find, put))

    with pytest.raises(DataError, match=re.escape(message)):
        describe_study(load_study(cldc_spec), Store(tmp_path / "out"))


def test_one_label_is_too_few_to_learn_from(cldc_spec: Path, tmp_path: Path) -> None:
    file = cldc_spec.parent / "texts.de.jsonl"
    file.write_text(re.sub(r"class \d", "class 0", file.read_text()))

    with pytest.raises(DataError, match="every item has the label 'class 0'; a model needs at least two to learn"):
        describe_study(load_study(cldc_spec), Store(tmp_path / "out"))


def test_a_file_that_is_not_there_is_named(cldc_spec: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"test texts of de:en: no such file: .*none.en.jsonl"):
        describe_study(load_study(cldc_spec, ['tasks.cldc.test="none.{language}.jsonl"']), Store(tmp_path / "out"))


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ('train="train.jsonl"', "expected a file name with {language}; got 'train.jsonl'"),
        ("dev_share=1.0", "expected a share between 0 and 1; got 1.0"),
        ("seed=3", "seed"),
        ("cnn.filters=3", "the model is 'linear', so settings of the cnn have no effect"),
        ("cnn.widths=[0]", "expected filters, and widths of at least 1 word; got 8 and (0,)"),
    ],
)
def test_a_wrong_setting_is_one_sentence(cldc_spec: Path, sets: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        load_study(cldc_spec, [f"tasks.cldc.{sets}"])


def test_a_task_may_have_some_of_the_pairs_only(cldc_spec: Path, tmp_path: Path) -> None:
    use = 'pairs.use=["de:en", "en:de"]'
    study = load_study(
        cldc_spec, ["pairs.all=false", use, 'tasks.cldc.pairs=["de:en"]', 'tasks.bli.test="{pair}.test.tsv"']
    )

    jobs = describe_study(study, Store(tmp_path / "out")).jobs

    assert {str(cell.target) for job in jobs for cell in job.cells} == {"bli/de:en", "bli/en:de", "cldc/de:en"}
    with pytest.raises(SpecError, match="the study has no pair 'de:fr'; did you mean 'de:en'?"):
        load_study(cldc_spec, ['tasks.cldc.pairs=["de:fr"]'])
