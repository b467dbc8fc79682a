"""The items behind the cells: what the control answered, what the treatment answers now, and the items as text.

A report has room for some of them: the cells that are furthest from zero for their noise come first, until there are enough cells or
their texts are as long as a page can bear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np

from crossgraft.core import Floats, Point, Record, Texts
from crossgraft.metrics import Metric
from crossgraft.runs.storage.store import Store
from crossgraft.transfer.changes import ChangeCell, Place
from crossgraft.transfer.matrix import TransferMatrix

Which = Literal["none", "flips", "all"]

_CELLS: Mapping[Which, int] = {"none": 0, "flips": 2000, "all": 300}
_ANSWERS: Mapping[Which, int] = {"none": 0, "flips": 12, "all": 400}  # of a cell
_BYTES: Mapping[Which, int] = {
    "none": 0,
    "flips": 4_500_000,
    "all": 20_000_000,
}  # of texts and answers, before they are compressed
_TEXT = 400  # letters of an item
_ANSWER = 80  # letters of an answer


@dataclass(frozen=True)
class Answered:
    """One item under one seed: its value and its answer before and now."""

    item: str
    seed: int | None
    before: float
    now: float
    said: str
    says: str


@dataclass(frozen=True)
class CellAnswers:
    """Those of one cell that are shown, the gains and losses mixed, and how many more there are."""

    shown: tuple[Answered, ...]
    left_out: int


@dataclass(frozen=True, eq=False)
class AnswerBook:
    """``cells`` are those that are shown of all ``measured``; ``texts`` has every item of a target that is shown, once."""

    which: Which
    cells: Mapping[Place, CellAnswers]
    measured: int
    texts: Mapping[Point, Mapping[str, str]]


def answer_book(store: Store, matrix: TransferMatrix, which: Which = "flips") -> AnswerBook:
    """The answers of the cells that are furthest from zero for their noise, from the records of a store."""
    cells = sorted((cell for cell in matrix.cells.values() if cell.metric.is_mean), key=_noteworthy)[: _CELLS[which]]
    wanted = {record for cell in cells for record in (*cell.record_ids, *cell.control_ids)}
    records: dict[str, list[Record]] = {}
    for record in store.read(wanted)[0] if wanted else ():
        records.setdefault(record.id, []).append(record)
    reader = _Reader(store, records, which)
    shown = {}
    for cell in cells:
        if reader.bytes >= _BYTES[which]:
            break
        if of_cell := reader.cell(cell):
            shown[cell.row, cell.target] = of_cell
    return AnswerBook(which, shown, len(matrix.cells), reader.shown)


def _noteworthy(cell: ChangeCell) -> float:
    error = cell.change.error
    return -abs(cell.change.mean) / error if np.isfinite(error) and error > 0 else 0.0


class _Reader:
    """Reads cells one after another, keeps the texts of the items that were shown, and counts their bytes."""

    def __init__(self, store: Store, records: Mapping[str, Sequence[Record]], which: Which) -> None:
        self._store, self._records, self._which = store, records, which
        self._texts: dict[str, dict[str, tuple[str, Sequence[str]]]] = {}
        self._of_records: dict[tuple[str, int], Floats] = {}
        self.shown: dict[Point, dict[str, str]] = {}
        self.bytes = 0

    def cell(self, cell: ChangeCell) -> CellAnswers | None:
        every: list[tuple[int | None, Record, Record, int]] = []
        for seed, record_id in zip(cell.seeds, cell.record_ids, strict=True):
            pair = self._pair(record_id, cell)
            if pair is None:
                continue
            before, now = (self._values(cell.metric, record) for record in pair)
            changed = ~np.isclose(before, now, equal_nan=True)
            chosen = np.flatnonzero(changed if self._which == "flips" else np.ones(len(before), dtype=bool))
            every += [(seed, *pair, int(number)) for number in chosen]
        if not every:
            return None
        room = _ANSWERS[self._which]
        picked = np.unique(np.linspace(0, len(every) - 1, min(room, len(every))).round().astype(int))
        shown = tuple(self._answered(cell, *every[number]) for number in picked)
        return CellAnswers(shown, len(every) - len(shown))

    def _pair(self, record_id: str, cell: ChangeCell) -> tuple[Record, Record] | None:
        """The control and the treatment, computed alike on the items of the cell."""
        for record in self._records.get(record_id, ()):
            for control in chain.from_iterable(self._records.get(control_id, ()) for control_id in cell.control_ids):
                if record.pairing == control.pairing and record.answers.items == control.answers.items == cell.items:
                    return control, record
        return None

    def _answered(self, cell: ChangeCell, seed: int | None, control: Record, treated: Record, number: int) -> Answered:
        item = control.answers.items[number]
        text, options = self._item(control, item)
        texts = self.shown.setdefault(cell.target, {})
        said, says = (_answer(cell.metric, record, number, options) for record in (control, treated))
        self.bytes += sum(len(part.encode("utf-8", "replace")) for part in (said, says, "" if item in texts else text))
        if text:
            texts[item] = text
        before, now = (float(self._values(cell.metric, record)[number]) for record in (control, treated))
        return Answered(item, seed, before, now, said, says)

    def _values(self, metric: Metric, record: Record) -> Floats:
        """Of every item; of a control once, whatever is compared with it."""
        key = metric.name, id(record)
        if key not in self._of_records:
            statistics = metric.statistics(record.answers)
            with np.errstate(invalid="ignore", divide="ignore"):
                self._of_records[key] = np.asarray(statistics[:, 0] / statistics[:, -1])
        return self._of_records[key]

    def _item(self, record: Record, item: str) -> tuple[str, Sequence[str]]:
        """The text and the options of an item; empty where the store keeps no texts."""
        if record.texts_id not in self._texts:
            texts = self._store.texts(record.texts_id)
            self._texts[record.texts_id] = dict(_as_text(texts)) if texts else {}
        return self._texts[record.texts_id].get(item, ("", ()))


def _as_text(texts: Texts) -> Iterator[tuple[str, tuple[str, Sequence[str]]]]:
    for number, item in enumerate(texts.items):
        lines = [f"{name}: {_joined(values[number])}" for name, values in texts.columns.items()]
        options = texts.columns["options"][number] if "options" in texts.columns else ()
        yield item, (_cut("\n".join(lines), _TEXT), () if isinstance(options, str) else options)


def _joined(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else " | ".join(map(str, value))


def _answer(metric: Metric, record: Record, number: int, options: Sequence[str]) -> str:
    """The option that is chosen under the metric, or what was generated or ranked first."""
    columns = record.answers.columns
    if "answer" in columns:
        return _cut(str(columns["answer"][number]), _ANSWER)
    if "loglik" not in columns:
        return ""
    scores = columns["loglik"][number]
    if metric.column == "unconditional":
        scores = scores - columns["unconditional"][number]
    elif metric.column in ("tokens", "characters", "bytes"):
        scores = scores / columns[metric.column][number]
    best = int(np.nanargmax(scores))
    return _cut(options[best].strip(), _ANSWER) if best < len(options) else f"option {best + 1}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
