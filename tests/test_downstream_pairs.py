"""The script that runs all methods on all tasks works on small made data in the layout of the real ones."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
LANGUAGES = ("en", "de", "fr", "ru", "tr")
WORDS = 200


def packed(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text.encode()))


def make_data(folder: Path) -> None:
    """Word n of one language is the translation of word n of the other; every space is a turned, noisy copy of one."""
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(WORDS, 16))
    documents = rng.integers(WORDS, size=(20, 8))
    for language in LANGUAGES:
        turned = (shared + 0.3 * rng.normal(size=shared.shape)) @ np.linalg.qr(rng.normal(size=(16, 16)))[0]
        rows = [f"{language}{n} {' '.join(f'{value:.4f}' for value in row)}\n" for n, row in enumerate(turned)]
        packed(folder / f"vectors/{language}.vec.gz", f"{WORDS} 16\n{''.join(rows)}")
        packed(folder / f"retrieval/xquad/queries.{language}.tsv.gz", collection("q", documents[:, :4], language))
        for name in ("xquad", "ntrex"):
            packed(folder / f"retrieval/{name}/docs.{language}.tsv.gz", collection("d", documents, language))
        (folder / f"retrieval/ntrex/queries.{language}.tsv").write_text(collection("q", documents[:, :4], language))
        packed(folder / f"tasks/sib200/{language}.jsonl.gz", labelled(language, pairs=False))
        packed(folder / f"tasks/xnli/{language}.jsonl.gz", labelled(language, pairs=True))
    for name in ("xquad", "ntrex"):
        (folder / f"retrieval/{name}/qrels.txt").write_text("".join(f"q{n} 0 d{n} 1\n" for n in range(20)))
    (folder / "bli/wiktionary").mkdir(parents=True)
    for target in LANGUAGES[1:]:
        for split, words in (("train", range(100)), ("test", range(100, 140))):
            lines = "".join(f"en{n}\t{target}{n}\n" for n in words)
            (folder / f"bli/wiktionary/en-{target}.{split}.tsv").write_text(lines)


def text(words: np.ndarray, language: str) -> str:
    return " ".join(f"{language}{word}" for word in words)


def collection(letter: str, rows: np.ndarray, language: str) -> str:
    return "".join(f"{letter}{n}\t{text(row, language)}\n" for n, row in enumerate(rows))


def labelled(language: str, *, pairs: bool) -> str:
    """Three classes with twenty words of their own; a premise says what a hypothesis says, with other words."""
    rng = np.random.default_rng(2)
    lines = []
    for n in range(120):
        label = n % 3
        said, more = (20 * label + rng.integers(20, size=4), rng.integers(WORDS, size=3))
        texts = {"premise": text(more, language), "hypothesis": text(said, language)}
        fields = {**texts, "group": f"g{n // 3}"} if pairs else {"text": text(said, language)}
        split = "train" if n < 72 else "dev" if n < 90 else "test"
        lines.append(json.dumps({"id": str(n), "split": split, "label": f"class {label}", **fields}) + "\n")
    return "".join(lines)


def ran(folder: Path, *options: str) -> None:
    command = [sys.executable, str(ROOT / "benchmarks/downstream_pairs.py"), str(folder / "data"), "--top", "0"]
    done = subprocess.run(
        [*command, "--out", str(folder / "out"), "--page", str(folder / "page"), *options],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_data(tmp_path / "data")
    return tmp_path


@pytest.mark.slow
def test_scores_predictions_and_a_figure_are_written(folder: Path) -> None:
    ran(folder, "--part", "sizes", "--pairs", "en:de,en:fr")

    page = (folder / "page/downstream-sizes.md").read_text()
    assert "| method | bli, MAP, 2 pairs, 80 items | premises, AP, 2 pairs, 80 items | xquad †, AP, 1 pair" in page
    assert "| left out | r over methods, premises | r over methods, xquad † |" in page
    assert page.count("\n| vecmap:supervised |") == 2  # its scores, and r without it
    names = [node.text for node in ElementTree.parse(folder / "page/downstream-sizes.svg").iter() if node.text]
    assert {"procrustes", "premises, AP, 2 pairs"} <= set(names)


@pytest.mark.slow
def test_networks_run_beside_lighter_models_and_a_shuffled_dictionary(folder: Path) -> None:
    pytest.importorskip("torch")

    ran(folder, "--part", "networks", "--part", "monolingual", "--pairs", "en:de,en:en")

    page = (folder / "page/downstream-networks.md").read_text()
    assert "sib200-cnn †, accuracy, 1 pair" in page
    assert "r over methods, xnli" not in page  # of three methods, one cannot be left out
    assert "| procrustes, shuffled dictionary | xnli-esim |" in page
    assert "| lengths and shared words | xnli, en:de |" in page
    alone = (folder / "page/downstream-monolingual.md").read_text()
    assert "| unmapped |" in alone
    assert "| bag of words |" in alone


@pytest.mark.slow
def test_a_task_has_the_pairs_that_its_data_cover(folder: Path) -> None:
    ran(folder, "--part", "pairs", "--pairs", "en:fr,en:de")

    tasks = tomllib.loads((folder / "out/pairs.toml").read_text())["tasks"]
    assert tasks["xquad"]["pairs"] == ["en:de"]  # XQuAD has no French
    assert not any("pairs" in task for name, task in tasks.items() if name != "xquad")
