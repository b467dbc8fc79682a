"""How large the page of a large study is, and how soon it can be used: with and without the items whose answer changed.

    OMP_NUM_THREADS=1 python benchmarks/page.py [--items 200] [--text 300] [--keep FOLDER]

The grid has 9 models, 44 sources, 44 targets and 3 seeds, outcomes made by ``crossgraft.transfer.synthetic``. Texts are of made-up words,
of which few are frequent and most are rare; they compress a little worse than running text. The marks: 1 MB without items, 4 MB with
flips, usable within a second of opening. Opened in Chromium, where one is installed: until the page has drawn its matrix and its
switches, five times each, by the clock and by the time that the page's thread worked, which other processes do not lengthen.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any, cast

import numpy as np
from measuring import processor, table, timed

from crossgraft.analysis.answers import AnswerBook, answer_book
from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import Findings, analyse
from crossgraft.core import Answers, Pairing, Point, Record, Texts, Treatment
from crossgraft.report.about import About
from crossgraft.report.html import html
from crossgraft.report.sections import sections_of
from crossgraft.runs.storage.store import Store
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from chromium import CHROMIUM, Browser

GRID = SyntheticGrid(models=9, languages=11, items=200, same_task=1.2, source=0.3, target=0.5, cell=0.3, seed=0.5)
_WORDS = 20_000
_ROUNDS = 5
_READY = (
    "new MutationObserver(() => { if (document.documentElement.dataset.ready) window.usable ??= performance.now(); })"
    ".observe(document, { subtree: true, attributes: true, attributeFilter: ['data-ready'] });"
)


@dataclass
class Made:
    """Stands for a store: records and texts are made when they are asked for."""

    places: dict[str, tuple[Treatment, Point, int]]
    items: dict[str, tuple[str, ...]]  # by task
    letters: int  # of an item's text
    words: Sequence[str]
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))

    def read(self, ids: Iterable[str]) -> tuple[list[Record], list[Any]]:
        return [self._record(name, *self.places[name]) for name in sorted(ids)], []

    def texts(self, texts_id: str) -> Texts:
        task, _, _ = texts_id.rpartition("/")
        items = self.items[task]
        options = [tuple(self._text(20) for _ in range(4)) for _ in items]
        return Texts(texts_id, items, {"prompt": [self._text(self.letters) for _ in items], "options": options})

    def _record(self, name: str, row: Treatment, target: Point, seed: int) -> Record:
        items = self.items[target.task]
        answers = Answers(
            "choice", items, {"loglik": self.rng.normal(size=(len(items), 4)), "gold": np.zeros(len(items), dtype=int)}
        )
        here = Pairing("cpu", "sdpa", 1)
        return Record(name, str(row), replace(row, seed=seed), target, "all", f"{target}", answers, here)

    def _text(self, letters: int) -> str:
        drawn = self.rng.zipf(1.3, size=letters // 4 + 1) % _WORDS
        return " ".join(self.words[number] for number in drawn)[:letters]


def made(matrix: TransferMatrix, letters: int) -> tuple[TransferMatrix, Made]:
    """The matrix with the ids of records, as a store would name them, and the store."""
    places: dict[str, tuple[Treatment, Point, int]] = {}

    def named(row: Treatment, target: Point, seeds: Sequence[int | None]) -> tuple[str, ...]:
        names = {sha256(f"{row} {target} {seed}".encode()).hexdigest()[:32]: (row, target, seed or 0) for seed in seeds}
        places.update(names)
        return tuple(names)

    cells = {}
    for (row, target), cell in matrix.cells.items():
        control = named(Treatment(row.model, "base", "control"), target, [None])
        cells[row, target] = replace(
            cell, record_ids=named(row, target, cell.seeds), control_ids=control * len(cell.seeds)
        )
    items = {target.task: cell.items for (_, target), cell in cells.items()}
    rng = np.random.default_rng(2)
    letters_of = rng.integers(97, 123, size=(_WORDS, 12)).astype(np.uint8)
    words = [bytes(row[:length]).decode() for row, length in zip(letters_of, rng.integers(2, 12, _WORDS), strict=True)]
    return replace(matrix, cells=cells), Made(places, items, letters, words)


def usable(page: Path) -> list[str]:
    """Milliseconds from opening until the matrix and its switches are there, and those that the page's thread worked."""
    clock, worked = [], []
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            browser = Browser(Path(profile))
            browser.call("Performance.enable", timeDomain="threadTicks")
            browser.call("Page.addScriptToEvaluateOnNewDocument", source=_READY)
            browser.open(page)
            clock.append(browser.ask("window.usable"))
            worked.append(1000 * _metric(browser, "TaskDuration"))
            browser.close()
    return [f"{median(times):.0f} ({min(times):.0f} to {max(times):.0f})" for times in (clock, worked)]


def _metric(browser: Browser, name: str) -> float:
    metrics = browser.call("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in metrics if metric["name"] == name)


def measured(findings: Findings, books: dict[str, AnswerBook | None], folder: Path) -> None:
    sections = sections_of(findings)
    rows = []
    for name, answers in books.items():
        text, cost = timed(lambda answers=answers: html(findings, About(), answers, sections))
        page = folder / f"{name}.html"
        page.write_text(text, "utf-8")
        rows.append(
            [
                name,
                str(len(answers.cells) if answers else 0),
                f"{page.stat().st_size / 1e6:.2f}",
                f"{cost.wall:.1f}",
                *(usable(page) if CHROMIUM else ["no Chromium", ""]),
            ]
        )
    table(
        ["items", "cells with items", "MB", "written in s", "usable after ms: median (range)", "its thread worked, ms"],
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=GRID.items, help="a target")
    parser.add_argument("--text", type=int, default=300, help="letters of an item")
    parser.add_argument("--models", type=int, default=GRID.models)
    parser.add_argument("--keep", type=Path, help="folder for the pages")
    asked = parser.parse_args()
    grid = replace(GRID, items=asked.items, models=asked.models)
    matrix, store = made(grid.matrix(seed=1), asked.text)
    findings = analyse(Evidence(matrix, "benchmark"))
    flips = answer_book(cast(Store, store), matrix, "flips")
    print(f"{processor()}; {len(matrix.cells):,} cells, {grid.items} items a target, texts of {asked.text} letters")
    with tempfile.TemporaryDirectory() as name:
        folder = asked.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        measured(findings, {"none": None, "flips": flips}, folder)


if __name__ == "__main__":
    main()
