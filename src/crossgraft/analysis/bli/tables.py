"""What was asked and answered on each language pair: all methods of a task on the same queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from crossgraft.core import Answers, Record, Treatment
from crossgraft.transfer.matrix import TransferMatrix

_PARALLEL = 0.9  # share of words that must stand for one concept in all pairs of their language

Labels = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class PairTable:
    """One language pair: the control, and the runs of every method that can be compared with it."""

    pair: str
    control: Record
    runs: Mapping[Treatment, tuple[Record, ...]]  # row of the matrix → one record a seed
    clusters: npt.NDArray[np.int64]  # the concept of each query, numbered over all pairs of the task

    @property
    def answers(self) -> Answers:
        return self.control.answers


@dataclass(frozen=True, eq=False)
class TaskTables:
    """One task on all its pairs; ``asked`` says what a cluster is."""

    task: str
    rows: tuple[Treatment, ...]
    pairs: tuple[PairTable, ...]
    clusters: int
    asked: str


def task_tables(matrix: TransferMatrix, records: Iterable[Record]) -> tuple[TaskTables, ...]:
    """The tasks of a study in which words were ranked for language pairs; empty in other studies."""
    by_id: dict[str, list[Record]] = {}
    for record in records:
        if record.answers.kind == "ranking" and ":" in record.target.lang:
            by_id.setdefault(record.id, []).append(record)
    found: dict[str, dict[str, tuple[Record, dict[Treatment, tuple[Record, ...]]]]] = {}
    for (row, target), cell in matrix.cells.items():
        treated = [_with_items(by_id.get(id, ()), cell.items) for id in cell.record_ids]
        controls = [_with_items(by_id.get(id, ()), cell.items) for id in cell.control_ids]
        if row.kind == "mapping" and all(treated) and controls and controls[0] is not None:
            _, runs = found.setdefault(target.task, {}).setdefault(target.lang, (controls[0], {}))
            runs[row] = tuple(record for record in treated if record is not None)
    return tuple(_task(task, matrix.rows, pairs) for task, pairs in found.items())


def _with_items(records: Iterable[Record], items: tuple[str, ...]) -> Record | None:
    return next((record for record in records if record.answers.items == items), None)


def _task(
    task: str,
    rows: Sequence[Treatment],
    pairs: Mapping[str, tuple[Record, Mapping[Treatment, tuple[Record, ...]]]],
) -> TaskTables:
    answers = {pair: control.answers for pair, (control, _) in pairs.items()}
    parallel = _are_parallel(answers)
    labels = {pair: _concepts(one) if parallel else _words(pair, one) for pair, one in answers.items()}
    numbers = {label: number for number, label in enumerate(dict.fromkeys(chain(*labels.values())))}
    tables = tuple(
        PairTable(pair, control, runs, np.array([numbers[label] for label in labels[pair]], dtype=np.int64))
        for pair, (control, runs) in pairs.items()
    )
    asked = "concepts, the lines of parallel test dictionaries" if parallel else "source words, whatever the target"
    return TaskTables(
        task,
        tuple(row for row in rows if any(row in table.runs for table in tables)),
        tables,
        len(numbers),
        asked,
    )


def _concepts(answers: Answers) -> Labels:
    return tuple(answers.columns["concept"].tolist())


def _words(pair: str, answers: Answers) -> Labels:
    return tuple((pair.partition(":")[0], word) for word in answers.items)


def _are_parallel(answers: Mapping[str, Answers]) -> bool:
    """Whether a line of the test dictionaries is the same concept in every pair.

    Then a source word has the same concept in all pairs of its language; in dictionaries that were made one by one,
    line numbers say nothing.
    """
    if not all("concept" in one.columns for one in answers.values()):
        return False
    first: dict[object, object] = {}
    same = shared = 0
    for pair, one in answers.items():
        for word, concept in zip(_words(pair, one), _concepts(one), strict=True):
            if word in first:
                shared += 1
                same += first[word] == concept
            first.setdefault(word, concept)
    return same >= _PARALLEL * shared
