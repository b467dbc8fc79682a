"""Aligned data sets in the hub's layout: ``FOLDER/LANGUAGE/SPLIT-00000-of-00001.parquet``, or ``SPLIT.jsonl`` beside it.

A data set of the hub is downloaded at its commit and never at a moving name; without a network, a folder of the same layout does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crossgraft.adapters.items.data import Row, read_rows
from crossgraft.errors import DataError, MissingExtra
from crossgraft.runs.fingerprints import dataset_snapshot
from crossgraft.safety.opening import is_file

LAYOUT = "FOLDER/LANGUAGE/train-00000-of-00001.parquet and FOLDER/LANGUAGE/test-00000-of-00001.parquet (or train.jsonl and test.jsonl)"
COMMIT = re.compile(r"[0-9a-f]{40}")
_PATIENCE = 2.0  # seconds for the hub to answer
_MOST = 1 << 28  # bytes of a file of items


@dataclass(frozen=True)
class DataSet:
    """A data set of the hub at a commit; "" where none was named yet."""

    hub: str
    commit: str

    @property
    def folder(self) -> Path | None:
        """Where it lies on this machine; None where it does not, or only in part."""
        return dataset_snapshot(self.hub, self.commit) if self.commit else None

    def fetch(self, languages: tuple[str, ...], role: str) -> None:
        """Download the files of these languages, or raise with one sentence."""
        way = f'download it where there is network, and give its folder as folder = "…", in the layout {LAYOUT}'
        if not self.commit:
            raise DataError(
                f'{role}: expected revision = "<commit>" of the data set {self.hub}, or folder = "…" in the layout {LAYOUT}; there is neither'
            )
        try:
            from huggingface_hub import HfApi, snapshot_download
        except ImportError as error:
            raise MissingExtra("data sets of the hub", "adapters") from error
        try:
            HfApi().dataset_info(self.hub, revision=self.commit, timeout=_PATIENCE)
            wanted = [f"{language}/*" for language in languages]
            snapshot_download(self.hub, repo_type="dataset", revision=self.commit, allow_patterns=wanted)
        except Exception as error:  # the hub client has no common base for "offline"
            raise DataError(
                f"{role}: cannot have {self.hub}@{self.commit[:10]} from the hub ({type(error).__name__}), and it is not in its cache "
                f"here; {way}"
            ) from error


def split_file(folder: Path, language: str, split: str) -> Path:
    """The file of a split: the first of the layout's names that is there, or else the one that should be."""
    names = (f"{split}-00000-of-00001.parquet", f"{split}.parquet", f"{split}.jsonl")
    files = [folder / language / name for name in names]
    return next((file for file in files if is_file(file)), files[0])


def rows(file: Path) -> Iterator[Row]:
    """The rows of a Parquet or a JSON-lines file; the line of a Parquet row is its number, from 1 on."""
    if file.suffix != ".parquet":
        yield from read_rows(file)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if file.stat().st_size > _MOST:
            raise DataError(f"{file}: expected a file of items of at most {_MOST >> 20} MB; it is larger")
        found = pq.read_table(file).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{file}: expected a Parquet file; {str(error).splitlines()[0][:200]}") from error
    for number, values in enumerate(found, 1):
        yield Row(file, number, values)
