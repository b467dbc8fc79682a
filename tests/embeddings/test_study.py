from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from crossgraft.analysis.results import load_findings, load_matrix
from crossgraft.errors import DataError, SpecError
from crossgraft.runs.campaign import Campaign, Settings, describe_study, plan_study, run, smoke
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
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
    assert said == ["did not converge on de:en: its unsupervised criterion failed"]
    assert sum(isinstance(event, Recorded) for event in events) == 2


def test_another_language_computes_only_its_pairs(embedding_spec: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    text = embedding_spec.read_text()
    embedding_spec.write_text(text.replace('["de", "en", "fi"]', '["de", "en"]'))
    run(load_study(embedding_spec), store, settings=ONE)
    embedding_spec.write_text(text)

    todo = plan_study(describe_study(load_study(embedding_spec), store), store, ONE)

    assert {cell.target.lang for job in todo.jobs for cell in job.cells} == {"de:fi", "en:fi"}


def test_training_pairs_in_the_test_are_noted(embedding_spec: Path) -> None:
    file = embedding_spec.parent / "de-en.test.tsv"
    file.write_text(file.read_text() + "de1\ten1\n")

    notes = describe_study(load_study(embedding_spec), Store(embedding_spec.parent / "out")).notes

    assert notes == ("de:en: 1 pairs of the test dictionary are also in the training dictionary",)


DEV = ['lexicon.validate="{pair}.dev.tsv"', 'methods.use=["fipp"]', "methods.choose.fipp.components=[7, 0]"]


def split_off_dev(folder: Path) -> None:
    """Half of each test dictionary becomes a validation dictionary."""
    for file in folder.glob("*.test.tsv"):
        lines = file.read_text().splitlines(keepends=True)
        (folder / file.name.replace("test", "dev")).write_text("".join(lines[:30]))
        file.write_text("".join(lines[30:]))


def test_a_parameter_is_chosen_on_the_validation_dictionary(embedding_spec: Path, tmp_path: Path) -> None:
    split_off_dev(embedding_spec.parent)

    events = list(Campaign(load_study(embedding_spec, [*DEV, "lexicon.sizes=[60]"]), Store(tmp_path / "out"), ONE))

    said = [event.text for event in events if isinstance(event, Remark)]
    assert said[0] == "chose components = 0 on de:en, by the validation dictionary"
    records = [event.record for event in events if isinstance(event, Recorded)]
    for facts in (record.provenance for record in records if not record.treatment.is_control):
        worse, best = facts["validation"]["MAP"]
        assert worse < best
        assert (facts["chosen"], facts["validation"]["pairs"]) == ({"components": 0}, 30)


def test_results_depend_on_the_validation_dictionary_and_controls_do_not(embedding_spec: Path, tmp_path: Path) -> None:
    split_off_dev(embedding_spec.parent)
    store = Store(tmp_path / "out")
    run(load_study(embedding_spec, DEV), store, settings=ONE)
    file = embedding_spec.parent / "de-en.dev.tsv"
    file.write_text(file.read_text().partition("\n")[2])

    todo = plan_study(describe_study(load_study(embedding_spec, DEV), store), store, ONE)

    assert {(job.treatment.name, cell.target.lang) for job in todo.jobs for cell in job.cells} == {("fipp", "de:en")}


def test_a_validation_dictionary_in_the_test_is_noted_and_one_in_training_refused(
    embedding_spec: Path, tmp_path: Path
) -> None:
    notes = describe_study(
        load_study(embedding_spec, [*DEV, 'lexicon.validate="{pair}.test.tsv"']), Store(tmp_path)
    ).notes
    assert "de:en: 61 pairs of the test dictionary are also in the validation dictionary" in notes

    with pytest.raises(DataError, match="60 of its 60 pairs have a word of the training dictionary"):
        run(load_study(embedding_spec, [*DEV, 'lexicon.validate="{pair}.train.tsv"']), tmp_path / "out", settings=ONE)


@pytest.mark.parametrize(("kind", "known"), [("identical", 41), ("numerals", 40)])
def test_words_spelt_alike_are_a_training_dictionary(
    embedding_spec: Path, tmp_path: Path, kind: str, known: int
) -> None:
    for file in embedding_spec.parent.glob("*.vec"):
        text = file.read_text().replace(f"\n{file.stem}50 ", "\ntaxi ")
        file.write_text(re.sub(rf"^{file.stem}([1-4]\d) ", r"19\1 ", text, flags=re.MULTILINE))

    run(load_study(embedding_spec, [f'lexicon.train="{kind}"', "lexicon.sizes=[0]"]), tmp_path / "out", settings=ONE)

    records = [record for record in Store(tmp_path / "out").read()[0] if not record.treatment.is_control]
    assert [record.provenance["dictionary_pairs_known"] for record in records] == [known] * 3
    assert all(cell.treated > 0.95 for cell in load_matrix(Store(tmp_path / "out")).cells.values())


def test_vocabularies_without_words_alike_are_refused_before_the_work(embedding_spec: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="de:en: no word is written the same in both vocabularies"):
        run(load_study(embedding_spec, ['lexicon.train="identical"']), tmp_path / "out", settings=ONE)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (DEV[1:], r'choosing takes a validation dictionary: add \[lexicon\] validate = "\{pair\}.dev.tsv"'),
        (DEV[:1], r"nothing is chosen on it: add \[methods.choose\]"),
        ([*DEV, "methods.choose.cca.mode=['a']"], "'cca' is not among the methods in use"),
        ([*DEV, "methods.choose.fipp.components=[]"], "expected at least one value of each parameter"),
        ([*DEV, "methods.choose.fipp.components=[0, -1]"], "expected components of at least 0"),
        (
            ["methods.use=['vecmap']", DEV[0], "methods.choose.vecmap.mode=['supervised', 'identical']"],
            "expected values that agree in what the method learns from",
        ),
        (["lexicon.train='identicals'"], "or one of identical, numerals; got 'identicals'"),
        ([*DEV, "lexicon.validate='dev.tsv'"], "expected a file name with {pair}, or {source} and {target}; got 'dev"),
    ],
)
def test_a_choice_that_cannot_be_made_is_a_mistake_in_the_spec(
    embedding_spec: Path, sets: list[str], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        load_study(embedding_spec, sets)


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


def with_shuffled(spec: Path, names: str = '["procrustes"]') -> Path:
    spec.write_text(spec.read_text().replace("[methods]\n", f"[methods]\nshuffled = {names}\n"))
    return spec


def test_a_shuffled_dictionary_is_a_control_that_is_at_chance(embedding_spec: Path, tmp_path: Path) -> None:
    study = load_study(with_shuffled(embedding_spec), overrides=["seeds=[1, 2]"])

    assert run(study, tmp_path / "out", settings=ONE).failed == []

    findings = load_findings(Store(tmp_path / "out"))
    assert [one.row.label for one in findings.evidence.standings[0].standings] == [
        "procrustes (pairs 20)", "procrustes (pairs 60)",
    ]  # fmt: skip
    controls = findings.evidence.shuffled
    assert [one.row.label for one in controls] == [
        "procrustes, shuffled dictionary (pairs 20)", "procrustes, shuffled dictionary (pairs 60)",
    ]  # fmt: skip
    assert all(one.mean.value < 0.1 and one.chance < 0.1 for one in controls)
    assert any(sentence.startswith("With a shuffled dictionary: bli ") for sentence in findings.sentences)


def test_a_shuffled_dictionary_is_shuffled_anew_for_every_seed(embedding_spec: Path, tmp_path: Path) -> None:
    run(load_study(with_shuffled(embedding_spec), overrides=["seeds=[1, 2]"]), tmp_path / "out", settings=ONE)

    records = [record for record in Store(tmp_path / "out").read()[0] if record.treatment.is_sham]
    assert len(records) == 3 * 2 * 2  # pairs, sizes, seeds
    assert len({record.answers.columns["ranks"].tobytes() for record in records}) == len(records)


def test_shuffled_controls_leave_the_ids_of_other_results_as_they_are(embedding_spec: Path, tmp_path: Path) -> None:
    def ids() -> set[str]:
        store = Store(tmp_path / "out")
        todo = plan_study(describe_study(load_study(embedding_spec), store), store, ONE)
        return {cell.record_id for job in todo.jobs for cell in job.cells}

    before = ids()
    with_shuffled(embedding_spec)

    assert before < ids()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ('["procrustis"]', "'procrustis' is not among the methods in use; did you mean 'procrustes'?"),
        ('["icp"]', "'icp' learns from no dictionary that could be shuffled"),
    ],
)
def test_a_method_that_cannot_be_shuffled_is_a_mistake_in_the_spec(
    embedding_spec: Path, names: str, message: str
) -> None:
    embedding_spec.write_text(embedding_spec.read_text().replace('use = ["procrustes"]', 'use = ["procrustes", "icp"]'))

    with pytest.raises(SpecError, match=re.escape(message)):
        load_study(with_shuffled(embedding_spec, names))


def test_two_seeds_of_one_language_are_a_pair_without_a_dictionary_s_bias(tmp_path: Path) -> None:
    """The recipe of the docs: private tags, and dictionaries with every word twice."""
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(60, 6))
    for seed in "ab":
        vectors = shared @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
        rows = [f"w{n} {' '.join(map(str, row))}\n" for n, row in enumerate(vectors)]
        (tmp_path / f"en-x-{seed}.vec").write_text("".join(rows))
    for name, numbers in (("train", range(30)), ("test", range(30, 60))):
        (tmp_path / f"same.en-x-a.en-x-b.{name}.tsv").write_text("".join(f"w{n}\tw{n}\n" for n in numbers))
    (tmp_path / "study.toml").write_text(
        'study = "embeddings"\nname = "seeds"\n[spaces]\nfiles = "{language}.vec"\nlanguages = ["en-x-a", "en-x-b"]\n'
        '[pairs]\nall = true\n[lexicon]\ntrain = "same.{source}.{target}.train.tsv"\n[methods]\nuse = ["procrustes"]\n'
        '[tasks.bli]\ntest = "same.{source}.{target}.test.tsv"\n'
    )

    run(load_study(tmp_path / "study.toml"), tmp_path / "out", settings=ONE)

    (cell,) = load_matrix(Store(tmp_path / "out")).cells.values()
    assert cell.control < 0.5
    assert cell.treated == pytest.approx(1.0)
