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
    controls: tuple[Record, ...]  # one, or one a seed of the task
    runs: Mapping[Treatment, tuple[Record, ...]]  # row of the matrix → one record a seed
    clusters: npt.NDArray[np.int64]  # the concept of each query, numbered over all pairs of the task

    @property
    def control(self) -> Record:
        return self.controls[0]

    def runs_of(self, row: Treatment) -> tuple[Record, ...]:
        """One record a seed, also of the control; empty where the row was not measured."""
        return self.controls if row.is_control else self.runs.get(row, ())

    @property
    def answers(self) -> Answers:
        return self.control.answers


@dataclass(frozen=True, eq=False)
class TaskTables:
    """One task on all its pairs; ``asked`` says what a cluster is."""

    task: str
    measure: str  # of its scores
    rows: tuple[Treatment, ...]
    pairs: tuple[PairTable, ...]
    clusters: int
    asked: str

    @property
    def is_induction(self) -> bool:
        return self.pairs[0].answers.kind == "ranking"


Runs = dict[Treatment, tuple[Record, ...]]


def task_tables(matrix: TransferMatrix, records: Iterable[Record], *, shams: bool = False) -> tuple[TaskTables, ...]:
    """The tasks of a study on language pairs, those that rank words by MAP; empty in other studies.

    Mappings that were fitted on a shuffled dictionary are controls: they are in tables of their own (``shams``).
    """
    by_id: dict[str, list[Record]] = {}
    for record in records:
        if ":" in record.target.lang:
            by_id.setdefault(record.id, []).append(record)
    found: dict[str, dict[str, tuple[tuple[Record, ...], Runs]]] = {}
    measures: dict[str, str] = {}
    for (row, target), cell in matrix.cells.items():
        treated = _with_items(by_id, cell.record_ids, cell.items)
        controls = _with_items(by_id, cell.control_ids, cell.items)
        if row.kind == "mapping" and row.is_sham is shams and treated and controls:
            _, runs = found.setdefault(target.task, {}).setdefault(target.lang, (controls, {}))
            runs[row] = treated
            measures.setdefault(target.task, "MAP" if cell.metric.reads == "ranking" else cell.metric.name)
    return tuple(_task(task, measures[task], matrix.rows, pairs) for task, pairs in found.items())


def _with_items(
    by_id: Mapping[str, Sequence[Record]], ids: Iterable[str], items: tuple[str, ...]
) -> tuple[Record, ...]:
    """The records of all ids on these items; none where one is missing."""
    chosen = [next((one for one in by_id.get(id, ()) if one.answers.items == items), None) for id in ids]
    present = tuple(record for record in chosen if record is not None)
    return present if len(present) == len(chosen) else ()


def _task(
    task: str,
    measure: str,
    rows: Sequence[Treatment],
    pairs: Mapping[str, tuple[tuple[Record, ...], Runs]],
) -> TaskTables:
    answers = {pair: controls[0].answers for pair, (controls, _) in pairs.items()}
    labels, asked = _clusters(answers)
    numbers = {label: number for number, label in enumerate(dict.fromkeys(chain(*labels.values())))}
    tables = tuple(
        PairTable(pair, controls, runs, np.array([numbers[label] for label in labels[pair]], dtype=np.int64))
        for pair, (controls, runs) in pairs.items()
    )
    return TaskTables(
        task,
        measure,
        tuple(row for row in rows if any(row in table.runs for table in tables)),
        tables,
        len(numbers),
        asked,
    )


def _clusters(answers: Mapping[str, Answers]) -> tuple[dict[str, Labels], str]:
    """What stands for the same draw in all pairs, and how to call it."""
    if any(one.kind != "ranking" for one in answers.values()):
        return {pair: one.items for pair, one in answers.items()}, "items of the same name in all pairs"
    if _are_parallel(answers):
        concepts: dict[str, Labels] = {pair: _concepts(one) for pair, one in answers.items()}
        return concepts, "concepts, the lines of parallel test dictionaries"
    return {pair: _words(pair, one) for pair, one in answers.items()}, "source words, whatever the target"


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
