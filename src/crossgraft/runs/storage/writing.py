"""Writes into a store: whole or not at all, and a refusal by the system is one sentence that ends the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crossgraft.errors import StoreError
from crossgraft.safety import files, seals


def write(file: Path, content: bytes, unsynced: files.Unsynced | None = None) -> None:
    with writing(file):
        files.write_whole(file, content, unsynced)


def write_parquet(table: pa.Table, file: Path, unsynced: files.Unsynced) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=False, write_statistics=False)  # small files
    write(file, seals.seal_parquet(sink.getvalue().to_pybytes(), file.stem), unsynced)


@contextmanager
def writing(file: Path) -> Iterator[Path]:
    """What the system refuses ends the run with a sentence: every other job would meet the same."""
    try:
        yield file
    except OSError as error:
        raise StoreError(f"cannot write into the store: {files.why(_at(error, file))}") from error


def _at(error: OSError, file: Path) -> OSError:
    """The error with the path it is about: one that comes of writing names none, or a temporary one."""
    if error.filename is None or str(error.filename).endswith(".partial"):
        error.filename = str(file)
    return error
