"""Open answers and running text, from the spec to the report, on a tiny real model."""

from __future__ import annotations

from pathlib import Path

import pytest

from parts import write_jsonl, write_spec

pytest.importorskip("torch")

from crossgraft.adapters.tasks.open import Open
from crossgraft.adapters.tasks.text import Text
from crossgraft.analysis.results import load_findings, load_matrix
from crossgraft.errors import DataError
from crossgraft.runs.campaign import Settings, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Origin

SPEC = """
    study = "adapters"
    name = "kinds"

    [models]
    tiny = { path = "MODEL" }

    [tasks]
    ask = { kind = "open", files = "{language}.jsonl", languages = ["en", "de"], prompt = "{q} ?", metric = "f1", max_tokens = 4 }
    read = { kind = "text", files = "{language}.txt", languages = ["en", "de"] }

    [grid]
    sources = ["ask/en"]

    [recipe]
    rank = 2
    learning_rate = 1e-2
    epochs = 6
"""


@pytest.fixture
def spec(tmp_path: Path, tiny_model: Path) -> Path:
    for language in ("en", "de"):
        rows: list[dict[str, object]] = [
            {"id": str(n), "q": f"what is {n}", "answer": ["blue", "red"] if n % 2 else "blue"} for n in range(30)
        ]
        write_jsonl(tmp_path / f"{language}.jsonl", rows)
        (tmp_path / f"{language}.txt").write_text("\n\n".join(f"the sky is blue {n}" for n in range(20)), "utf-8")
    return write_spec(tmp_path / "study.toml", SPEC.replace("MODEL", str(tiny_model)))


def test_written_answers_and_text_are_targets_like_others(spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")

    summary = run(load_study(spec), store, settings=Settings(device="cpu", threads=1))

    assert (summary.failed, summary.left) == ([], 0)
    cells = {str(target): cell for (_, target), cell in load_matrix(store).cells.items()}
    assert cells["ask/en"].unit == "pp"
    assert cells["ask/en"].change.mean > 20  # it has learnt to say blue, and to stop
    assert cells["read/de"].unit == "bits per byte"
    assert cells["read/de"].change.low <= cells["read/de"].change.mean <= cells["read/de"].change.high
    assert cells["read/de"].change.mean == pytest.approx(cells["read/de"].control - cells["read/de"].treated)
    assert load_findings(store).evidence.checks


def test_an_item_without_an_answer_is_named_by_line(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "en.jsonl", [{"id": "1", "q": "x", "answer": " "}])
    task = Open(files=str(tmp_path / "{language}.jsonl"), languages=("en",), prompt="{q}", test_share=1.0)

    with pytest.raises(DataError, match="line 1: expected an answer, or a list of answers, in 'answer'"):
        task.items("en", "test", Origin())


def test_paragraphs_are_split_alike_in_all_languages(spec: Path) -> None:
    task = Text(files=str(spec.parent / "{language}.txt"), languages=("en", "de"))

    ids = {(language, split): [item.id for item in task.items(language, split, Origin())]
           for language in ("en", "de") for split in ("train", "test")}  # fmt: skip

    assert ids["en", "test"] == ids["de", "test"]
    assert not set(ids["en", "test"]) & set(ids["en", "train"])
    assert len(ids["en", "test"]) + len(ids["en", "train"]) == 20


def test_an_empty_text_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("\n\n")

    with pytest.raises(DataError, match="expected paragraphs"):
        Text(files=str(tmp_path / "en.txt"), languages=("en",)).items("en", "test", Origin())
