"""A folder to serve from: ``routing.json``, and the chosen adapters as PEFT folders beside it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from crossgraft.adapters.weights.peft_folder import is_peft_folder
from crossgraft.adapters.weights.serving.adapters import Adapters
from crossgraft.core import Job, Treatment
from crossgraft.errors import StoreError
from crossgraft.recommendation.specialisation.specialise import Specialised
from crossgraft.safety.files import whole_folder
from crossgraft.safety.seals import CHECKSUMS

ROUTING = "routing.json"


def write_routing(adapters: Adapters, found: Specialised, to: Path) -> Path:
    """Write the folder, whole or not at all. Of each treatment the adapter of the first seed that is in the store is taken."""
    if to.exists():
        raise StoreError(f"{to} exists already; choose another folder, or remove it first")
    jobs = {row: adapters.first_of(row) for row in found.rows}
    names = _names(found)
    for job in jobs.values():
        for folder, _ in adapters.folders(job):
            if not is_peft_folder(folder):
                raise StoreError(
                    f"{job} is a whole checkpoint, which cannot be switched like an adapter; serve it by itself"
                )
    with whole_folder(to) as partial:
        for row, job in jobs.items():
            _write(adapters, job, partial / names[row])
        text = json.dumps(_table(adapters, found, jobs, names), indent=1, ensure_ascii=False)
        (partial / ROUTING).write_text(text + "\n", "utf-8")
    return to / ROUTING


def _names(found: Specialised) -> dict[Treatment, str]:
    """Names for files and servers, no two alike."""
    names: dict[Treatment, str] = {}
    for row in found.rows:
        name = re.sub(r"[^\w.-]+", "-", row.label).strip("-.") or "adapter"
        names[row] = name if name not in names.values() else f"{name}-{len(names) + 1}"
    return names


def _write(adapters: Adapters, job: Job, folder: Path) -> None:
    weighted = list(adapters.folders(job))
    if job.treatment.kind != "derived":
        shutil.copytree(weighted[0][0], folder, ignore=shutil.ignore_patterns(CHECKSUMS))
        return
    from crossgraft.adapters.weights.combination import write_combination

    folder.mkdir()
    write_combination(weighted, folder)


def _table(
    adapters: Adapters, found: Specialised, jobs: dict[Treatment, Job], names: dict[Treatment, str]
) -> dict[str, Any]:
    name = next(iter(jobs)).model if jobs else ""
    model = adapters.study.models.get(name)
    return {
        "study": adapters.manifest.name,
        "model": name,
        "base": (model.hub or model.path) if model else "",
        "revision": model.revision if model else "",
        "adapters": {
            names[row]: {"treatment": row.label, "seed": job.treatment.seed, "folder": names[row]}
            for row, job in jobs.items()
        },
        "routes": {str(route.target): names[route.row] if route.row else None for route in found.routes},
        "gains_pp": {str(route.target): route.gain for route in found.routes},
    }
