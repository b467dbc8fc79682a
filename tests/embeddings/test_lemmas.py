"""BLI by lemmas, against what can be counted by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossgraft.embeddings.lemmas import Lemmas, by_lemma, read_lemmas, with_forms
from crossgraft.embeddings.lexicon import Lexicon
from crossgraft.embeddings.queries import queries, rank_table
from crossgraft.embeddings.spaces.space import Space
from crossgraft.embeddings.study import EmbeddingStudy
from crossgraft.errors import DataError, SpecError
from crossgraft.metrics import METRICS
from crossgraft.runs.campaign import Settings, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study


def angles(*degrees: float) -> np.ndarray:
    turned = np.deg2rad(degrees)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


SOURCE = Space(("cat",), angles(0))
TARGET = Space(("kissan", "koira", "kissa", "talo"), angles(1, 2, 3, 4))  # nearest first
TEST = Lexicon((("cat", "kissa"),), Path("test.tsv"))


def test_another_form_of_the_translation_is_right(tmp_path: Path) -> None:
    (tmp_path / "fi.tsv").write_text("kissan\tkissa\nkoiran\tkoira\n")
    asked = queries(TEST)
    widened, groups = with_forms(asked, read_lemmas(tmp_path / "fi.tsv"), TARGET.words)

    plain, _ = rank_table(asked, SOURCE, TARGET)
    found = by_lemma(rank_table(widened, SOURCE, TARGET)[0], groups)

    assert METRICS.get("MAP").score(plain).value == pytest.approx(1 / 3)
    assert METRICS.get("MAP").score(found).value == 1.0
    assert found.columns["lines"].tolist() == [[1.0]]


def test_translations_of_one_lemma_count_once() -> None:
    lexicon = Lexicon((("cat", "kissa"), ("cat", "kissan"), ("cat", "talo")), Path("test.tsv"))

    widened, groups = with_forms(queries(lexicon), Lemmas({"kissan": "kissa"}), TARGET.words)
    found = by_lemma(rank_table(widened, SOURCE, TARGET)[0], groups)

    assert found.columns["ranks"].tolist() == [[1.0, 4.0]]
    assert found.columns["lines"].tolist() == [[2.0, 1.0]]


def test_an_empty_file_of_lemmas_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "fi.tsv").write_text("")

    with pytest.raises(DataError, match="expected a word and its lemma on each line"):
        read_lemmas(tmp_path / "fi.tsv")


def test_a_study_by_lemmas_has_results_of_its_own(embedding_spec: Path, tmp_path: Path) -> None:
    text = embedding_spec.read_text()
    for language in ("en", "fi"):
        forms = [f"{language}{n}\t{language}lemma{n // 2}\n" for n in range(120)]
        (tmp_path / f"{language}.lemmas.tsv").write_text("".join(forms))
    store = Store(tmp_path / "out")
    run(load_study(embedding_spec), store, settings=Settings(threads=1))
    embedding_spec.write_text(text + 'lemmas = "{language}.lemmas.tsv"\n')

    assert run(load_study(embedding_spec), store, settings=Settings(threads=1)).failed == []

    records = store.read()[0]
    assert len(records) == 2 * 9
    study = load_study(embedding_spec)
    assert isinstance(study, EmbeddingStudy)
    with pytest.raises(SpecError, match="expected a file name with {language}"):
        replace(study.tasks["bli"], lemmas="lemmas.tsv")  # type: ignore[type-var]
