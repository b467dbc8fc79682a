"""A study that two stores know: which of its two manifests both keep.

A manifest names records and holds none, so nothing measured depends on the choice. Of two, that which names all records
of the other comes through: a study that has grown replaces what it was. Where each names records that the other
does not, neither is written over.
"""

from __future__ import annotations

from crossgraft.runs.storage.layout import Manifest, manifest_from_json
from crossgraft.safety import files, seals
from crossgraft.safety.seals import Broken


def records_of(manifest: Manifest) -> set[str]:
    return {cell.record_id for job in manifest.jobs for cell in job.cells}


def replaces(ours: Manifest, theirs: Manifest | None) -> bool:
    """Whether a manifest takes the place of the one on the other side, if there is one."""
    return theirs is None or records_of(ours) > records_of(theirs)


def conflict(ours: Manifest, theirs: Manifest) -> str:
    """Why neither takes the other's place; empty where one has all records of the other."""
    more, less = records_of(ours) - records_of(theirs), records_of(theirs) - records_of(ours)
    if not (more and less):
        return ""
    return f"the two studies of this name have {len(more)} and {len(less)} records that the other does not have"


def manifest_in(content: bytes, name: str) -> Manifest:
    """The manifest in a file of this name; ``Broken`` where it is damaged or belongs to another."""
    manifest = manifest_from_json(seals.from_json(content))
    if files.safe_name(manifest.name) != name:
        raise Broken("its content belongs to another name")
    return manifest
