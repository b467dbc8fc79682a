"""Headers of safetensors files: names and shapes of weights, none of which is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crossgraft.safety import safetensors
from crossgraft.safety.opening import open_plain


def weight_shapes(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Names and shapes of all weights in a folder."""
    for file in sorted(folder.glob("*.safetensors")):
        for name, entry in safetensors.header(file).items():
            if name != safetensors.METADATA:
                yield name, entry["shape"]


def weight_ends(file: Path) -> Iterator[tuple[str, int]]:
    """Where in the file each weight ends: the last must be where the file ends."""
    header = safetensors.header(file)
    with open_plain(file) as stream:
        start = 8 + int.from_bytes(stream.read(8), "little")
    for name, entry in header.items():
        if name != safetensors.METADATA:
            yield name, start + int(entry["data_offsets"][1])
