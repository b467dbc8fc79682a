"""Records made before adapters were taken out of the base whole: those that may stand on a base that an adapter had changed.

PEFT leaves biases, saved modules, embeddings and replicated layers of an adapter in the base. Until records kept
``base_drift``, a worker went on with that base: whatever it measured after such an adapter is suspect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from crossgraft.adapters.spec.study_spec import AdapterSpec
from crossgraft.adapters.weights.peft_folder import is_peft_folder, is_plain, read_config
from crossgraft.core import Record
from crossgraft.errors import CrossgraftError
from crossgraft.runs.storage.layout import Manifest
from crossgraft.spec import parse_study


def suspects(
    manifest: Manifest, records: Mapping[str, Record], written: Mapping[str, float]
) -> Iterator[tuple[str, str]]:
    """Ids of suspect records, each with the adapter that its base may have kept; ``written`` are times of files by record id."""
    for model, name in _changing_adapters(manifest):
        own = [job for job in manifest.jobs if job.treatment.model == model]
        after = [
            written[cell.record_id]
            for job in own
            if job.treatment.name == name
            for cell in job.cells
            if cell.record_id in written
        ]
        if not after:
            continue
        for job in own:
            for cell in job.cells:
                record = records.get(cell.record_id)
                if record is None or "base_drift" in record.provenance or record.treatment.name == name:
                    continue
                if written[cell.record_id] >= min(after):
                    yield cell.record_id, name


def _changing_adapters(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Models and names of given adapters that write into their base; those that are gone cannot be looked at."""
    try:
        study = parse_study(manifest.spec, folder=Path(manifest.spec_folder), overrides=manifest.overrides)
    except CrossgraftError:
        return
    if not isinstance(study, AdapterSpec):
        return
    for name, given in study.adapters.items():
        folder = Path(given.input(name, study.origin).path)
        try:
            if is_peft_folder(folder) and not _leaves_the_base(folder):
                yield given.model, name
        except CrossgraftError:
            continue


def _leaves_the_base(folder: Path) -> bool:
    config = read_config(folder / "adapter_config.json", str(folder))
    return is_plain(folder) and not config.get("layer_replication")
