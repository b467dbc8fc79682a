"""Two embeddings of one language: a word finds itself where the spaces have the same structure, and only there."""

from __future__ import annotations

import gzip
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crossgraft.analysis.results import load_findings, load_matrix
from crossgraft.cli import main
from crossgraft.embeddings.lexicon import Lexicon
from crossgraft.embeddings.spaces.space import Space
from crossgraft.embeddings.spec.lexicons import Lexicons
from crossgraft.embeddings.tasks.twins import unlearnt
from crossgraft.errors import DataError, SpecError
from crossgraft.runs.campaign import Settings, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from parts import write_spec

EXAMPLES = Path(__file__).parents[2] / "examples"
ONE = Settings(threads=1)
WORDS = 400

SPEC = """
    study = "embeddings"
    name = "twins"

    [spaces]
    files = "{language}.vec"
    languages = ["en-x-a", "en-x-b"]

    [pairs]
    all = true

    [lexicon]
    train = "identical"
    held_out = 0.3

    [methods]
    use = ["least-squares", "procrustes", "proc-b", "rcsls"]

    [tasks.twins]
    kind = "twins"
    metric = "P@1"
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_spec(tmp_path / "study.toml", SPEC)


def make_twins(folder: Path, noise: float, *, independent: bool = False) -> None:
    rng = np.random.default_rng(5)
    shared = rng.normal(size=(WORDS, 20))
    for language in ("en-x-a", "en-x-b"):
        turned = np.linalg.qr(rng.normal(size=(20, 20)))[0]
        vectors = rng.normal(size=shared.shape) if independent else shared + noise * rng.normal(size=shared.shape)
        rows = [f"w{n} {' '.join(f'{value:.4f}' for value in row)}\n" for n, row in enumerate(vectors @ turned)]
        (folder / f"{language}.vec").write_text(f"{WORDS} 20\n{''.join(rows)}", "utf-8")


def found(spec: Path, out: Path) -> dict[str, float]:
    """P@1 of every method."""
    summary = run(load_study(spec), out, settings=ONE)
    assert summary.failed == []
    return {row.name: cell.treated for (row, _), cell in load_matrix(Store(out)).cells.items()}


def test_rotated_copies_are_recovered_by_every_method_and_noise_lowers_that(spec: Path, tmp_path: Path) -> None:
    make_twins(tmp_path, noise=0.05)
    clean = found(spec, tmp_path / "clean")
    make_twins(tmp_path, noise=0.6)
    noisy = found(spec, tmp_path / "noisy")

    assert min(clean.values()) > 0.99
    assert max(noisy.values()) < 0.95
    assert min(noisy.values()) > 0.3


def test_spaces_without_a_common_structure_are_at_chance(spec: Path, tmp_path: Path) -> None:
    make_twins(tmp_path, noise=0, independent=True)

    scores = found(spec, tmp_path / "out")

    assert max(scores.values()) < 0.05  # chance is 1 in 400


def test_words_asked_for_are_those_that_nothing_learns_from(spec: Path, tmp_path: Path) -> None:
    make_twins(tmp_path, noise=0.1)
    run(load_study(spec), tmp_path / "out", settings=ONE)

    records = [record for record in Store(tmp_path / "out").read()[0] if not record.treatment.is_control]
    asked = {record.answers.items for record in records}
    assert len(asked) == 1
    known = {record.provenance["dictionary_pairs_known"] for record in records}
    assert known == {WORDS - len(next(iter(asked)))}
    assert 80 < len(next(iter(asked))) < 160


def test_a_word_is_held_out_of_every_dictionary_or_of_none() -> None:
    lexicons = Lexicons("identical", held_out=0.5)
    words = [f"w{n}" for n in range(50)]

    some = lexicons.without_held_out(Lexicon(tuple((word, word) for word in words[:40]), Path("a")))
    others = lexicons.without_held_out(Lexicon(tuple((word, word) for word in words[10:]), Path("b")))

    assert {pair for pair in some.pairs if int(pair[0][1:]) >= 10} == {
        pair for pair in others.pairs if int(pair[0][1:]) < 40
    }


def test_a_word_of_one_vocabulary_only_is_not_asked_for() -> None:
    source, target = (Space(words, np.eye(3, dtype=np.float32)) for words in (("a", "b", "c"), ("c", "b", "d")))

    assert unlearnt((source, target), Lexicon((("b", "b"),), Path("train"))).pairs == (("c", "c"),)


def test_too_few_words_to_hold_some_out_is_one_sentence() -> None:
    with pytest.raises(DataError, match=r"of 1 words spelt alike, \d are held out at held_out = 0.5"):
        Lexicons("identical", held_out=0.5).without_held_out(Lexicon((("a", "a"),), Path("a")))


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ("lexicon.held_out=0", r'set \[lexicon\] train = "identical" and held_out = 0.3'),
        ("lexicon.held_out=1", "expected a share from 0 to below 1; got 1"),
        ('lexicon.train="numerals"', "set train = \"identical\"; got train = 'numerals'"),
        ("methods.use=['vecmap:identical']", "starts from all words spelt alike, also from those held out"),
        ("tasks.twins.k=0", "expected at least 1 neighbour for CSLS; got 0"),
    ],
)
def test_a_wrong_setting_is_one_sentence(spec: Path, sets: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load_study(spec, [sets])


def test_words_that_no_task_asks_for_are_not_held_out(spec: Path) -> None:
    text = spec.read_text().replace('kind = "twins"\nmetric = "P@1"', 'test = "{pair}.tsv"')
    spec.write_text(text)

    with pytest.raises(SpecError, match="no task asks for the words held out"):
        load_study(spec)


def test_the_example_runs_and_its_report_has_bands_of_frequency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runpy.run_path(str(EXAMPLES / "make_spaces.py"))["make_twins"](tmp_path / "twins")
    shutil.copy(EXAMPLES / "embeddings-twins.toml", tmp_path / "study.toml")
    for command in ("run", "report"):
        monkeypatch.setattr("sys.argv", ["crossgraft", command, str(tmp_path / "study.toml"), "--out", str(tmp_path)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code in (0, None)

    evidence = load_findings(Store(tmp_path), "embeddings-twins").evidence
    (twins,) = evidence.standings
    scores = {standing.row.label: standing.mean.value for standing in twins.standings}
    assert 0.8 < scores["procrustes"] < 0.97
    assert scores["procrustes (pairs 100)"] < scores["procrustes"] - 0.2
    assert {control.verdict for control in evidence.shuffled} == {"at chance"}
    report = (tmp_path / "reports/embeddings-twins/report.md").read_text("utf-8")
    assert "| method | frequency of the source word: 1-1K (320 queries) |" in report


@pytest.mark.slow
def test_the_script_makes_two_embeddings_of_the_halves_of_a_text(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    topics = rng.integers(20, size=3000)
    lines = [" ".join(f"word{20 * topic + n}" for n in rng.integers(20, size=12)) for topic in topics.tolist()]
    (tmp_path / "xx.txt.gz").write_bytes(gzip.compress("\n".join(lines).encode()))

    command = [sys.executable, str(EXAMPLES.parent / "benchmarks/twins.py"), str(tmp_path / "{language}.txt.gz")]
    options = ["--languages", "xx", "--out", str(tmp_path / "out"), "--words", "400", "--width", "30"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    (twins,) = load_findings(Store(tmp_path / "out"), "twins").evidence.standings
    assert twins.best.mean.value > 5 * twins.control.mean.value
