"""The studies of a store: one manifest each, in the newest folder that has it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from crossgraft.errors import StoreError, did_you_mean
from crossgraft.runs.storage.layout import Manifest, manifest_from_json, manifest_to_json
from crossgraft.runs.storage.reading import Damage, Stamp, read_json, stamp_of
from crossgraft.runs.storage.writing import write
from crossgraft.safety import files, seals
from crossgraft.safety.seals import Broken

_ADVICE = "run its spec again: the study is written anew, and no result is lost"


class Manifests:
    """The manifests of all studies; each is decoded once for as long as its file does not change."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = roots  # of older formats first
        self._decoded: dict[Path, tuple[Stamp, Manifest | Broken | None]] = {}

    def save(self, manifest: Manifest) -> None:
        write(_file(self._roots[-1], manifest.name), seals.to_json(manifest_to_json(manifest)))

    def named(self, name: str) -> Manifest:
        broken = None
        for root in reversed(self._roots):
            for file in (_file(root, name), _file_before(root, name)):
                try:
                    manifest = self._read(file)
                except Broken as error:
                    broken = Damage(file, str(error), _ADVICE)
                    continue
                if manifest is not None and manifest.name == name:
                    return manifest
        if broken is not None:
            raise StoreError(f"the study {name!r} cannot be read: {broken}")
        raise StoreError(f"no study {name!r} in {self._roots[-1]}{did_you_mean(name, self.names())}")

    def names(self) -> tuple[str, ...]:
        """The names of the studies whose manifests can be read."""
        return tuple(sorted({manifest.name for manifest in self.read()[0]}))

    def read(self) -> tuple[list[Manifest], list[Damage]]:
        manifests, damages = [], []
        for file in (file for root in self._roots for file in sorted(root.glob("studies/[!.]*.json"))):
            try:
                manifest = self._read(file)
            except Broken as error:
                damages.append(Damage(file, str(error), _ADVICE))
            else:
                manifests += [manifest] if manifest is not None else []
        return manifests, damages

    def training_runs(self) -> set[str] | None:
        """The training runs that the studies name; None where a study cannot be read."""
        manifests, damages = self.read()
        return None if damages else {job.run_id for manifest in manifests for job in manifest.jobs}

    def _read(self, file: Path) -> Manifest | None:
        """The manifest in a file, from memory while the file does not change: those of large studies take seconds."""
        stamp = stamp_of(file)
        known = self._decoded.get(file)
        if stamp is None or known is None or known[0] != stamp:
            try:
                decoded: Manifest | Broken | None = read_json(file, manifest_from_json)
            except Broken as error:
                decoded = error
            if stamp is not None:
                self._decoded[file] = (stamp, decoded)
        else:
            decoded = known[1]
        if isinstance(decoded, Broken):
            raise decoded
        return decoded


def _file(root: Path, name: str) -> Path:
    return root / "studies" / f"{files.safe_name(name)}.json"


def _file_before(root: Path, name: str) -> Path:
    """Where a manifest was kept when two names could have the same file."""
    safe = re.sub(r"[^\w.+=,-]", "_", name)
    return root / "studies" / f"{safe}.json"
