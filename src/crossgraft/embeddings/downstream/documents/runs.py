"""TREC run files: the documents that each method has retrieved, for trec_eval and its relatives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from crossgraft.analysis.results import require_study
from crossgraft.core import Record
from crossgraft.errors import StoreError
from crossgraft.runs.storage.store import Store
from crossgraft.safety.files import write_whole


def write_runs(store: Store, name: str, to: Path) -> Iterator[Path]:
    """One file a record of document retrieval in a study; nothing in the store changes."""
    manifest = require_study(store, name)
    records, _ = store.read(cell.record_id for job in manifest.jobs for cell in job.cells)
    found = [record for record in records if record.answers.kind == "retrieval"]
    if not found:
        raise StoreError(
            f"the study {manifest.name!r} has no results of document retrieval; run it, with a task of kind clir"
        )
    to.mkdir(parents=True, exist_ok=True)
    for record in found:
        file = to / f"{_tag(record)}.{_word(str(record.target))}.run"
        if file.exists():
            raise StoreError(f"{file} exists already; choose another folder, or remove it first")
        write_whole(file, "".join(f"{line}\n" for line in run_lines(record)).encode())
        yield file


def run_lines(record: Record) -> Iterator[str]:
    """Topic, Q0, document, rank, score and the name of the run, best first; as many documents as the record keeps."""
    columns = record.answers.columns
    for topic, names, scores in zip(record.answers.items, columns["retrieved"], columns["scores"], strict=True):
        for rank, (document, score) in enumerate(zip(names.split(), scores, strict=False), 1):
            yield f"{topic} Q0 {document} {rank} {score:.9g} {_tag(record)}"


def _tag(record: Record) -> str:
    """The treatment as one word."""
    seed = "" if record.treatment.seed is None else f"-seed-{record.treatment.seed}"
    return _word(record.treatment.label + seed)


def _word(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-")
