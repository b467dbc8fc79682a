"""The header of a safetensors file: types, shapes and places of its weights, checked against the file."""

from __future__ import annotations

import struct
from math import prod
from pathlib import Path
from typing import Any, TypeGuard

from crossgraft.errors import DataError
from crossgraft.safety.opening import open_plain, parse_json

METADATA = "__metadata__"  # the only entry of a header that is no weight
_LONGEST_HEADER = 100 << 20  # bytes; the format allows no more
_LONGEST_NAME = 1_000  # characters


def header(file: Path) -> dict[str, Any]:
    """Names of weights with their type, shape and place, and perhaps metadata; a ``DataError`` for any other file."""
    try:
        with open_plain(file) as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            size = file.stat().st_size - 8 - length
            if size < 0 or length > _LONGEST_HEADER:
                raise ValueError
            header = parse_json(stream.read(length).decode("utf-8"))
    except (struct.error, ValueError) as error:
        raise DataError(
            f"{file} is no whole safetensors file; is it a pointer of Git LFS, or a broken download?"
        ) from error
    if not isinstance(header, dict):
        raise DataError(f"{file} is no safetensors file: expected a table of weights in its header")
    for name, entry in header.items():
        if name != METADATA and not _is_weight(name, entry, size):
            raise DataError(
                f"{file} is no whole safetensors file: expected a shape and a place in the file for the weight {name[:80]!r}; "
                "get it again"
            )
    return header


def _is_weight(name: str, entry: Any, size: int) -> bool:
    """Whether an entry has a type, a shape, and bytes that lie in the file and suffice for the shape."""
    if not isinstance(entry, dict) or not isinstance(entry.get("dtype"), str) or len(name) > _LONGEST_NAME:
        return False
    shape, place = entry.get("shape"), entry.get("data_offsets")
    if not _are_counts(shape) or not _are_counts(place) or len(place) != 2:
        return False
    return place[0] <= place[1] <= size and prod(shape) <= 8 * (place[1] - place[0])  # no type has less than a bit


def _are_counts(values: Any) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
