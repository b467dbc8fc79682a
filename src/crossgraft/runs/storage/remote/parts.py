"""What of a store is copied: files that never change, each known by its name, and whether one is whole.

Claims, temporary files, states of training, spaces, failures and logs stay on their machine. A name that comes from
elsewhere is taken only if it is one that a store gives, so that no file is written outside it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from crossgraft.runs.storage.layout import Manifest
from crossgraft.safety import seals
from crossgraft.safety.seals import Broken

Kind = Literal["texts", "packs", "records", "adapters", "studies"]

UNSEALED = "it is older than checksums, so a copy could not be checked"
_FILE = r"\w[\w.+=@-]*"
_FORMS: Mapping[Kind, re.Pattern[str]] = {
    "texts": re.compile(r"texts/(?P<id>\w[\w-]*)\.parquet", re.ASCII),
    "packs": re.compile(r"packs/(?P<id>[0-9a-f]{32})\.parquet"),
    "records": re.compile(r"records/(?P<folder>[0-9a-f]{2})/(?P<id>(?P=folder)[0-9a-f]{30})\.[0-9a-f]{8}\.parquet"),
    "adapters": re.compile(rf"adapters/(?P<id>(?!spaces/)\w[\w.-]*)/(?:{_FILE}/)*(?:{_FILE}|\.checksums\.json)", re.ASCII),
    "studies": re.compile(r"studies/(?P<id>[a-z0-9_+=,~-][a-z0-9_.+=,~-]*)\.json"),
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A file of a store by the form of its name."""

    kind: Kind
    id: str
    name: str  # relative to the store's folder

    @property
    def stem(self) -> str:
        return self.name.rpartition("/")[2].removesuffix(".parquet")


def part(name: str) -> Part | None:
    """What a name stands for; None for one that a store does not give to what is copied.

    >>> part("texts/0a1b.parquet")
    Part(kind='texts', id='0a1b', name='texts/0a1b.parquet')
    >>> part("adapters/../../x"), part("claims/0a1b"), part("/etc/passwd")
    (None, None, None)
    """
    for kind, form in _FORMS.items():
        if match := form.fullmatch(name):
            return Part(kind, match["id"], name)
    return None


def is_file_of_adapter(name: str) -> bool:
    """Whether a name in the checksums of an adapter stays inside its folder."""
    return re.fullmatch(rf"(?:{_FILE}/)*{_FILE}", name, re.ASCII) is not None


def damage_in(content: bytes, stem: str) -> str:
    """Why a Parquet file of a store is not copied; empty where its checksum holds."""
    try:
        return "" if seals.check_parquet(content, stem) else UNSEALED
    except Broken as error:
        return str(error)


@dataclass(frozen=True)
class Selection:
    """What is asked for: everything, or what a study rests on."""

    records: Collection[str] | None = None  # ids; None: all
    texts: Collection[str] = ()
    runs: Collection[str] = ()
    study: str = ""
    adapters: bool = True

    @classmethod
    def of(cls, manifest: Manifest, *, adapters: bool = True) -> Selection:
        cells = [cell for job in manifest.jobs for cell in job.cells]
        return cls(
            {cell.record_id for cell in cells},
            {cell.texts_id for cell in cells},
            {job.run_id for job in manifest.jobs},
            manifest.name,
            adapters,
        )

    def has(self, part: Part) -> bool:
        """Whether it is asked for. A pack may hold anything: which are needed is known to who can read them."""
        if part.kind == "adapters" and not self.adapters:
            return False
        if self.records is None or part.kind in ("packs", "studies"):
            return True
        if part.kind == "adapters":
            return part.id.partition(".")[0] in self.runs
        return part.id in (self.records if part.kind == "records" else self.texts)
