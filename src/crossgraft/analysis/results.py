"""From a store and the name of a study to its matrix, its findings, and the items behind a number."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from crossgraft.analysis.checks.trust import trust
from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import Findings, analyse
from crossgraft.analysis.mappings import bli_findings
from crossgraft.analysis.mappings.references import references
from crossgraft.analysis.mappings.shuffled import shuffled_controls
from crossgraft.analysis.mappings.standings import downstream_standings
from crossgraft.analysis.questions.training import trainings
from crossgraft.core import Cell, Floats, Job, Record, Texts
from crossgraft.errors import StoreError
from crossgraft.metrics import METRICS
from crossgraft.runs.storage.layout import Manifest
from crossgraft.runs.storage.reading import Damage
from crossgraft.runs.storage.store import Store
from crossgraft.transfer.matrix import TransferMatrix


def require_study(store: Store, name: str = "") -> Manifest:
    """The study of that name; when the store has only one, the name may be empty."""
    names = store.studies()
    if not name and len(names) == 1:
        return store.study(names[0])
    if not name:
        what = (
            f"holds {', '.join(map(repr, names))}: name one" if names else "holds no study; 'crossgraft run' makes one"
        )
        raise StoreError(f"{store.root} {what}")
    return store.study(name)


@contextmanager
def _no_cycle_search() -> Iterator[None]:
    """While many records are read, Python's search for cycles goes through all of them again and again, and finds none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def load_matrix(store: Store, name: str = "") -> TransferMatrix:
    """The transfer matrix of a study in the store."""
    return _loaded(store, require_study(store, name))[0]


def load_findings(store: Store, name: str = "") -> Findings:
    """What the results of a study in the store say."""
    manifest = require_study(store, name)
    matrix, records, damages = _loaded(store, manifest)
    missing = {cell.record_id for job in manifest.jobs for cell in job.cells} - set(store.done())
    failures = [
        f"{failure['job']}: {failure['message']}"
        for failure in store.failures.read()[0].values()
        if missing & set(failure["records"])
    ]
    evidence = Evidence(
        matrix,
        manifest.name,
        notes=[*manifest.notes, *map(str, damages)],
        failures=failures,
        checks=trust(manifest.jobs, records),
        bli=bli_findings(matrix, records, store.texts),
        downstream=downstream_standings(matrix, records),
        shuffled=shuffled_controls(matrix, records),
        references=references(manifest.jobs, records),
        training=trainings(manifest.jobs, records),
        spec=manifest.spec,
        overrides=manifest.overrides,
    )
    return analyse(evidence)


def _loaded(store: Store, manifest: Manifest) -> tuple[TransferMatrix, list[Record], list[Damage]]:
    with _no_cycle_search():
        records, damages = store.read(cell.record_id for job in manifest.jobs for cell in job.cells)
        return TransferMatrix.from_records(manifest.jobs, records, manifest.labels), records, damages


@dataclass(frozen=True)
class Flip:
    """An item whose value changed between control and treatment."""

    item: str
    control: float
    treated: float
    lines: tuple[tuple[str, str], ...]  # the item as text


def control_of(store: Store, record: Record) -> tuple[Record, str]:
    """The control a record is compared with, and the metric, as the store's studies pair them."""
    for name in store.studies():
        jobs = store.study(name).jobs
        cell = _cell_of(jobs, record.id)
        if cell is None:
            continue
        ids = [
            one.record_id
            for job in jobs
            if job.treatment.is_control and not job.treatment.variant and job.treatment.model == record.treatment.model
            for one in job.cells
            if one.target == cell.target
        ]
        controls = store.read(ids)[0]
        for control in sorted(controls, key=lambda one: one.treatment.seed != record.treatment.seed):
            if control.pairing == record.pairing:
                return control, cell.metric
    raise StoreError(f"the store has no control that record {record.id[:10]} could be compared with")


def _cell_of(jobs: tuple[Job, ...], record_id: str) -> Cell | None:
    return next((cell for job in jobs for cell in job.cells if cell.record_id == record_id), None)


def flips(store: Store, record: Record) -> Iterator[Flip]:
    """The items that were right and became wrong, or the other way round, as text."""
    control, metric = control_of(store, record)
    before, after = _values(metric, control), _values(metric, record)
    texts = store.texts(record.texts_id)
    for place in np.flatnonzero(~np.isclose(before, after, equal_nan=True)):
        item = record.answers.items[place]
        lines = _lines(texts, item, {"control": control, "treated": record}, int(place))
        yield Flip(item, float(before[place]), float(after[place]), lines)


def _values(metric: str, record: Record) -> Floats:
    statistics = METRICS.get(metric).statistics(record.answers)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(statistics[:, 0] / statistics[:, -1])


def _lines(texts: Texts | None, item: str, records: dict[str, Record], place: int) -> tuple[tuple[str, str], ...]:
    lines: list[tuple[str, str]] = []
    shown = dict.fromkeys(texts.items, None) if texts else {}
    if texts is not None and item in shown:
        row = texts.items.index(item)
        lines += [(name, _text(values[row])) for name, values in texts.columns.items()]
    for name, record in records.items():
        columns = record.answers.columns
        if "loglik" in columns:
            lines.append((name, " ".join(f"{value:.2f}" for value in columns["loglik"][place] if not np.isnan(value))))
        elif "answer" in columns:
            lines.append((name, str(columns["answer"][place])))
    return tuple(lines)


def _text(value: object) -> str:
    return value if isinstance(value, str) else " | ".join(map(str, value))  # type: ignore[call-overload]
