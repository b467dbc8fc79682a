from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossgraft.analysis.results import load_findings, load_matrix
from crossgraft.campaign import Campaign, Settings, missing, prepare, run, smoke
from crossgraft.errors import DataError, SpecError
from crossgraft.spec import load_study
from crossgraft.store import Store
from crossgraft.study import Failed, Recorded, Remark

ONE = Settings(threads=1)


def test_planted_rotations_are_found(embedding_spec: Path, tmp_path: Path) -> None:
    summary = run(load_study(embedding_spec), tmp_path / "out", settings=ONE)

    matrix = load_matrix(Store(tmp_path / "out"))
    assert summary.failed == []
    assert [row.label for row in matrix.rows] == ["procrustes (pairs 20)", "procrustes (pairs 60)"]
    for cell in matrix.cells.values():
        assert cell.control < 0.3
        assert cell.treated > 0.95
        assert cell.change.n == 60  # the query out of vocabulary has no weight


def test_coverage_counts_the_words_that_are_not_known(embedding_spec: Path, tmp_path: Path) -> None:
    run(load_study(embedding_spec), tmp_path / "out", settings=ONE)

    record = Store(tmp_path / "out").read()[0][0]
    scores = {score.metric: score for score in record.scores}
    assert scores["coverage"].value == pytest.approx(60 / 61)
    assert scores["MAP"].n == 60


def test_the_control_knows_how_alike_the_spaces_of_its_pair_are(embedding_spec: Path, tmp_path: Path) -> None:
    run(load_study(embedding_spec), tmp_path / "out", settings=ONE)

    records = Store(tmp_path / "out").read()[0]
    facts = [record.provenance["isomorphism"] for record in records if record.treatment.is_control]
    assert len(facts) == 3
    assert all(0 < value < float("inf") for distances in facts for value in distances.values())


@pytest.mark.parametrize("retrieval", ["csls", "inverted-softmax"])
def test_another_retrieval_is_another_result(embedding_spec: Path, tmp_path: Path, retrieval: str) -> None:
    store = Store(tmp_path / "out")
    run(load_study(embedding_spec), store, settings=ONE)
    embedding_spec.write_text(embedding_spec.read_text() + f'retrieval = "{retrieval}"\n')

    summary = run(load_study(embedding_spec), store, settings=ONE)

    assert summary.failed == []
    matrix = load_matrix(store)
    assert all(cell.treated > 0.95 for cell in matrix.cells.values())
    assert len(store.read()[0]) == 2 * 9  # three pairs, the control and two sizes


def test_a_smoke_run_whose_only_query_is_not_known_is_no_mistake(embedding_spec: Path, tmp_path: Path) -> None:
    (embedding_spec.parent / "de-fi.test.tsv").write_text("de1\tfi1\nunknown\tfi2\n")  # the second is drawn

    failed = [event for event in smoke(load_study(embedding_spec), ONE) if isinstance(event, Failed)]

    assert failed == []


def test_a_pair_whose_only_query_is_not_known_is_a_gap_of_the_report(embedding_spec: Path, tmp_path: Path) -> None:
    (embedding_spec.parent / "de-fi.test.tsv").write_text("de1\tfi1\nunknown\tfi2\n")  # the second is drawn

    run(load_study(embedding_spec, overrides=["limit=1"]), tmp_path / "out", settings=ONE)

    matrix = load_matrix(Store(tmp_path / "out"))
    assert {(str(gap.target), gap.reason) for gap in matrix.gaps} == {
        ("bli/de:fi", "none of its 1 items counts for MAP")
    }
    assert np.isnan(matrix.change).sum() == len(matrix.gaps) == 2


def test_a_glimpse_of_spaces_of_different_widths_is_refused(embedding_spec: Path) -> None:
    (embedding_spec.parent / "fi.vec").write_text("fi84 1 0\nfi2 0 1\n")

    with pytest.raises(DataError, match="the vectors of de have 8 dimensions, those of fi 2"):
        list(load_study(embedding_spec).preview(3))  # type: ignore[attr-defined]


def test_training_words_in_the_test_count_only_where_it_is_not_strict(embedding_spec: Path, tmp_path: Path) -> None:
    file = embedding_spec.parent / "de-en.test.tsv"
    file.write_text(file.read_text() + "de1\ten1\nde1\ten2\n")

    run(load_study(embedding_spec), tmp_path / "out", settings=ONE)

    records = [record for record in Store(tmp_path / "out").read()[0] if record.target.lang == "de:en"]
    for record in records:
        scores = {score.metric: score for score in record.scores}
        assert (scores["MAP"].n, scores["MAP:strict"].n) == (61, 60)
    assert all(set(record.provenance["hubness"]) >= {"skewness", "never", "hub", "largest"} for record in records)


def test_a_dictionary_serves_both_directions(embedding_spec: Path, tmp_path: Path) -> None:
    text = embedding_spec.read_text().replace("all = true", 'use = ["en:de"]')
    embedding_spec.write_text(text)

    run(load_study(embedding_spec), tmp_path / "out", settings=ONE)

    findings = load_findings(Store(tmp_path / "out"))
    assert findings.regimes[0].estimate.mean > 60


def test_a_method_that_does_not_believe_its_result_says_so_and_is_measured(
    embedding_spec: Path, tmp_path: Path
) -> None:
    sets = ['methods.use=["icp"]', "methods.settings.icp.restarts=2", 'spaces.languages=["de", "en"]']

    events = list(Campaign(load_study(embedding_spec, sets), Store(tmp_path / "out"), ONE))

    said = [event.text for event in events if isinstance(event, Remark)]
    assert said == ["does not believe its own result on de:en"]
    assert sum(isinstance(event, Recorded) for event in events) == 2


def test_another_language_computes_only_its_pairs(embedding_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    text = embedding_spec.read_text()
    embedding_spec.write_text(text.replace('["de", "en", "fi"]', '["de", "en"]'))
    run(load_study(embedding_spec), store, settings=ONE)
    embedding_spec.write_text(text)

    todo = missing(prepare(load_study(embedding_spec), store), store, ONE)

    assert {cell.target.lang for job in todo.jobs for cell in job.cells} == {"de:fi", "en:fi"}


def test_training_pairs_in_the_test_are_noted(embedding_spec: Path) -> None:
    file = embedding_spec.parent / "de-en.test.tsv"
    file.write_text(file.read_text() + "de1\ten1\n")

    notes = prepare(load_study(embedding_spec), Store(embedding_spec.parent / "out")).notes

    assert notes == ("de:en: 1 pairs of the test dictionary are also in the training dictionary",)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'use = ["procrustes"]',
            'use = ["procustes"]',
            "line 17, methods.use: no mapping method is called 'procustes'",
        ),
        ("all = true", 'use = ["de:fr"]', "the spaces have no language 'fr'; they have de, en, fi"),
        ("all = true", 'use = ["de-fi"]', "expected a pair of languages, such as 'de:fi'; got 'de-fi'"),
        ("{language}.vec", "x.vec", "expected a file name with {language}; got 'x.vec'"),
        ("[tasks.bli]", "[tasks.bly]\nkind = 'bly'", "no embedding task is called 'bly'; did you mean 'bli'?"),
        ('"{pair}.test.tsv"', '"test.tsv"', "expected a file name with {pair}"),
    ],
)
def test_a_mistake_in_the_spec_is_named(embedding_spec: Path, old: str, new: str, message: str) -> None:
    assert old in embedding_spec.read_text()
    embedding_spec.write_text(embedding_spec.read_text().replace(old, new))

    with pytest.raises(SpecError) as caught:
        load_study(embedding_spec)

    assert message in str(caught.value)
