"""Two spaces mapped into one, in a folder: saved, loaded, and applied to words that were not there.

The folder holds ``source.npy`` and ``target.npy`` (float32, a row a word), ``*.words.txt``, ``map.npz`` (the matrices,
and the means of the normalisation; no pickle) and ``mapping.json`` (how it was made), and ``validation.tsv`` (the pairs that chose among parameters). On request also ``*.vec``, the
text format of word2vec, in which every number reads back as the same float32.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
from pyarrow import csv

from crossgraft.embeddings.direct.outputs import new_folder, writing
from crossgraft.embeddings.lexicon import Lexicon, read_lexicon
from crossgraft.embeddings.mapping import Mapping
from crossgraft.embeddings.spaces.normalise import Affine, Normaliser, Unit
from crossgraft.embeddings.spaces.space import Case, Space, Vectors, read_space
from crossgraft.errors import DataError, SpecError

FORMAT = 1
_VALIDATION = "validation.tsv"
_BLOCK = 2048  # words of a text file at a time

Side = Literal["source", "target"]
SIDES: tuple[Side, ...] = ("source", "target")


@dataclass(frozen=True, eq=False)
class Mapped:
    """Source and target in the shared space, and what takes further words there. ``told`` says how it was made."""

    source: Space
    target: Space
    mapping: Mapping
    normalisers: Table[Side, Normaliser]
    metadata: Table[str, Any]
    validation: Lexicon | None = None

    def applied(self, space: Space, side: Side = "source") -> Space:
        """Words of the language of one side, as read from their file, in the shared space."""
        width = self.metadata[side]["dimensions"]
        if space.width != width:
            raise DataError(f"expected vectors of {width} dimensions, as the {side} had; got {space.width}")
        return Space(space.words, self._mapped(self.normalisers[side](space.vectors), side))

    def reversed(self) -> Mapped:
        """The same space, with source and target in each other's place."""
        return Mapped(
            self.target,
            self.source,
            Mapping(self.mapping.target, self.mapping.source, self.mapping.facts),
            {"source": self.normalisers["target"], "target": self.normalisers["source"]},
            {**self.metadata, "source": self.metadata["target"], "target": self.metadata["source"]},
            self.validation.flipped() if self.validation else None,
        )

    def _mapped(self, vectors: Vectors, side: Side) -> Vectors:
        return self.mapping.map_source(vectors) if side == "source" else self.mapping.map_target(vectors)


def opened(places: Sequence[Path], *, top: int | None = None, case: Case | None = None) -> Mapped:
    """A mapping by its folder, or two files of vectors in one space; ``top`` and ``case`` say how files are read."""
    if len(places) == 2:
        return aligned(*places, top=200_000 if top is None else top, case=case or "keep")
    if top is not None or case is not None:
        raise SpecError(f"--read and --case are for two files of vectors; {places[0]} is to be the folder of a mapping")
    return load(places[0])


def aligned(source: Path, target: Path, *, top: int = 200_000, case: Case = "keep") -> Mapped:
    """Two files of vectors that lie in one space already, as another tool left them."""
    space, other = (read_space(file, top=top, case=case) for file in (source, target))
    if space.width != other.width:
        raise DataError(f"expected vectors in one space; {source} has {space.width} dimensions, {target} {other.width}")
    normalisers: dict[Side, Normaliser] = {"source": Normaliser(), "target": Normaliser()}
    metadata = {"case": case, **{str(side): {"dimensions": space.width} for side in SIDES}}
    return Mapped(space, other, Mapping(), normalisers, metadata)


def save(mapped: Mapped, folder: str | Path, *, text: bool = False) -> Path:
    """Write the folder whole or not at all; one that is there already is not touched."""
    folder = Path(folder)
    with new_folder(folder) as partial, writing(folder):
        write(mapped, partial, text=text)
    return folder


def write(mapped: Mapped, folder: Path, *, text: bool = False) -> None:
    """The files of a mapping, into a folder that is there; what describes them comes last."""
    for side, space in zip(SIDES, (mapped.source, mapped.target), strict=True):
        np.save(folder / f"{side}.npy", np.asarray(space.vectors, dtype=np.float32))
        (folder / f"{side}.words.txt").write_bytes("".join(f"{word}\n" for word in space.words).encode())
        if text:
            write_vec(space, folder / f"{side}.vec")
    if mapped.validation:
        lines = "".join(f"{word}\t{other}\n" for word, other in mapped.validation.pairs)
        (folder / _VALIDATION).write_bytes(lines.encode())
    np.savez(folder / "map.npz", **_matrices(mapped))
    metadata = {"format": FORMAT, **mapped.metadata}
    text_of = json.dumps(metadata, indent=1, ensure_ascii=False) + "\n"
    (folder / "mapping.json").write_bytes(text_of.encode("utf-8", "backslashreplace"))  # names that are not UTF-8


def _matrices(mapped: Mapped) -> dict[str, Any]:
    """Arrays by name: ``source_matrix``; ``source_1_mean`` is what the second step takes off, if it is no "unit"."""
    found: dict[str, Any] = {}
    for side, matrix in zip(SIDES, (mapped.mapping.source, mapped.mapping.target), strict=True):
        if matrix is not None:
            found[f"{side}_matrix"] = matrix
        for place, step in enumerate(mapped.normalisers[side].steps):
            if isinstance(step, Affine):
                found[f"{side}_{place}_mean"] = step.mean
            if isinstance(step, Affine) and step.matrix is not None:
                found[f"{side}_{place}_matrix"] = step.matrix
    return found


def _normaliser(side: Side, steps: int, matrices: Table[str, Any]) -> Normaliser:
    names = [(f"{side}_{place}_mean", f"{side}_{place}_matrix") for place in range(steps)]
    return Normaliser(
        tuple(Affine(matrices[mean], matrices.get(matrix)) if mean in matrices else Unit() for mean, matrix in names)
    )


def load(folder: str | Path) -> Mapped:
    """Read the folder; vectors stay on disk until they are used."""
    folder = Path(folder)
    metadata = _read_metadata(folder / "mapping.json")
    try:
        with (folder / "map.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            matrices = dict(arrays)
        mapping = Mapping(matrices.get("source_matrix"), matrices.get("target_matrix"), metadata["facts"])
        normalisers = {side: _normaliser(side, metadata[side]["steps"], matrices) for side in SIDES}
        source, target = (_space(folder, side) for side in SIDES)
    except (OSError, KeyError, TypeError, ValueError, EOFError, BadZipFile) as error:
        raise DataError(f"{folder}: the mapping is damaged ({type(error).__name__}: {error}); make it anew") from None
    validation = read_lexicon(folder / _VALIDATION) if metadata.get("validation") else None
    return Mapped(source, target, mapping, normalisers, metadata, validation)


def _read_metadata(file: Path) -> dict[str, Any]:
    try:
        metadata = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"no mapping in {file.parent}: {file.name} is not there; 'crossgraft map' makes one") from None
    except ValueError:
        raise DataError(f"{file}: not valid JSON; make the mapping anew") from None
    version = metadata.get("format") if isinstance(metadata, dict) else None
    if version != FORMAT:
        raise DataError(f"{file}: expected format {FORMAT}; got {version!r}, written by another version of crossgraft")
    return dict(metadata)


def _space(folder: Path, side: Side) -> Space:
    vectors = np.load(folder / f"{side}.npy", mmap_mode="r", allow_pickle=False)
    words = (
        (folder / f"{side}.words.txt").read_bytes().decode().split("\n")[:-1]
    )  # other ends of lines are parts of words
    if vectors.ndim != 2 or len(words) != len(vectors):
        raise ValueError(f"{side} has {len(words)} words for vectors of shape {vectors.shape}")
    return Space(tuple(words), vectors)


def write_vec(space: Space, file: Path) -> None:
    """word2vec text with a header, block by block; numbers have as many digits as a float32 needs."""
    with file.open("wb") as stream:
        stream.write(f"{len(space.words)} {space.width}\n".encode())
        for start in range(0, len(space.words), _BLOCK):
            words = space.words[start : start + _BLOCK]
            lines = _lines(np.asarray(space.vectors[start : start + _BLOCK], dtype=np.float32))
            stream.writelines(b"%s %s\n" % (word.encode(), line) for word, line in zip(words, lines, strict=True))


def _lines(vectors: Vectors) -> list[bytes]:
    columns = pa.table([pa.array(column) for column in vectors.T], names=[str(n) for n in range(vectors.shape[1])])
    text = io.BytesIO()
    csv.write_csv(columns, text, csv.WriteOptions(include_header=False, delimiter=" "))
    return text.getvalue().split(b"\n")[:-1]
