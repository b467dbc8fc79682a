"""``crossgraft store export``: trained adapters as folders for a hub, each with what it was measured to do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from crossgraft.adapters.jobs import artefact
from crossgraft.adapters.spec.study_spec import AdapterSpec
from crossgraft.adapters.weights.card import transfer_table
from crossgraft.adapters.weights.stored import adapter_damage
from crossgraft.analysis.results import load_matrix, require_study
from crossgraft.errors import StoreError
from crossgraft.runs.storage.store import Store
from crossgraft.safety.seals import CHECKSUMS
from crossgraft.spec import parse_study


def export(store: Store, name: str, to: Path) -> Iterator[Path]:
    """Copy every adapter of a study that is on disk; nothing in the store changes.

    The transfer table holds the cells of the adapter's row, over all its seeds.
    """
    manifest = require_study(store, name)
    study = parse_study(manifest.spec, folder=Path(manifest.spec_folder), overrides=manifest.overrides)
    if not isinstance(study, AdapterSpec):
        raise StoreError(f"the study {manifest.name!r} has no adapters to export")
    matrix = load_matrix(store, manifest.name)
    for job in manifest.jobs:
        if job.treatment.kind != "trained":
            continue
        folder = store.artefacts / artefact(job, study.recipe_of(job.treatment).after)
        if not folder.is_dir():
            continue
        reason = adapter_damage(folder)
        if reason:
            raise StoreError(f"{folder} is damaged ({reason}): run the spec again, and it is trained anew")
        target = to / re.sub(r"[^\w.-]+", "-", f"{job.treatment.model}-{job.treatment.label}-seed-{job.treatment.seed}")
        if target.exists():
            raise StoreError(f"{target} exists already; choose another folder, or remove it first")
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns(CHECKSUMS))
        cells = [cell for (row, _), cell in matrix.cells.items() if row == job.treatment.row]
        if cells:
            card = target / "README.md"
            card.write_text(card.read_text("utf-8") + transfer_table(cells), "utf-8")
        yield target
