"""The input embeddings of a language model as word vectors: a Transformers folder, and the words that are asked of it.

A word that is one piece of the tokenizer has the vector of the piece, any other the mean of the vectors of its pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from crossgraft.embeddings.spaces.normalise import Vectors
from crossgraft.errors import DataError, MissingExtra
from crossgraft.safety import safetensors
from crossgraft.safety.opening import is_file, open_plain, parse_json, read_text

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Pieces = Literal["mean", "single"]

_ENDINGS = (  # of the name of the input embeddings, in the families of Transformers
    "embed_tokens.weight",
    "wte.weight",
    "word_embeddings.weight",
    "embed_in.weight",
    "tok_embeddings.weight",
    "shared.weight",
    "embeddings.weight",
)
_TYPES: dict[str, npt.DTypeLike] = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "BF16": "<u2"}
_BATCH = 10_000  # words a call of the tokenizer


@dataclass(frozen=True)
class Table:
    """Where the matrix of input embeddings lies, (pieces, width)."""

    file: Path
    name: str
    type: str
    pieces: int
    width: int
    start: int  # byte

    def rows(self, wanted: npt.NDArray[np.int64]) -> Vectors:
        """The vectors of these pieces, as float32."""
        stored = np.memmap(self.file, _TYPES[self.type], "r", self.start, (self.pieces, self.width))
        chosen = np.asarray(stored[wanted])
        if self.type == "BF16":  # the upper half of a float32
            return (chosen.astype(np.uint32) << 16).view(np.float32)
        return chosen.astype(np.float32)


@dataclass(frozen=True)
class Embedded:
    """Words that have a vector, in their order, and how many had several pieces or none."""

    words: tuple[str, ...]
    vectors: Vectors
    several: int  # of the words that have a vector
    without: int  # words that have none: unknown to the tokenizer, or of several pieces where only one counts


def embedding_table(folder: Path) -> Table:
    """The input embeddings of a Transformers folder, by their name; nothing of them is read."""
    if not is_file(folder / "config.json"):
        raise DataError(f"{folder}: expected a folder of a Transformers model; it has no config.json")
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise DataError(f"{folder} has no *.safetensors; pickled weights are not loaded, convert them first")
    entries = ((name, file, entry) for file in files for name, entry in safetensors.header(file).items())
    weights = [one for one in entries if one[0] != safetensors.METADATA]
    named = [weight for weight in weights if weight[0].endswith(_ENDINGS) and len(weight[2]["shape"]) == 2]
    if not named:
        raise DataError(
            f"{folder}: no weight is called like input embeddings ({', '.join(_ENDINGS[:3])}, …); the first are "
            f"{', '.join(name for name, *_ in weights[:3])}"
        )
    name, file, entry = min(named, key=lambda one: (_order(one[0]), len(one[0])))
    if entry["dtype"] not in _TYPES:
        raise DataError(
            f"{file}: the input embeddings {name} are stored as {entry['dtype']}; expected {', '.join(_TYPES)}. Give the model "
            "without quantisation"
        )
    pieces, width = entry["shape"]
    if (
        entry["data_offsets"][1] - entry["data_offsets"][0]
        != pieces * width * np.dtype(_TYPES[entry["dtype"]]).itemsize
    ):
        raise DataError(
            f"{file}: the weight {name} has not the bytes of its shape {pieces} × {width}; get the file again"
        )
    with open_plain(file) as stream:
        begin = 8 + int.from_bytes(stream.read(8), "little")
    return Table(file, name, entry["dtype"], pieces, width, begin + entry["data_offsets"][0])


def _order(name: str) -> int:
    return next(place for place, ending in enumerate(_ENDINGS) if name.endswith(ending))


def embedded(folder: Path, words: Sequence[str], pieces: Pieces = "mean") -> Embedded:
    """The vectors of words; a word with a piece that the tokenizer does not know has none."""
    table, tokenizer = embedding_table(folder), _tokenizer(folder)
    unknown = _unknown(folder, tokenizer)
    split = [ids if unknown not in ids else [] for ids in _split(tokenizer, words)]
    there = [place for place, ids in enumerate(split) if ids and (pieces == "mean" or len(ids) == 1)]
    flat = np.array([id for place in there for id in split[place]], dtype=np.int64)
    if len(flat) and flat.max() >= table.pieces:
        raise DataError(
            f"{folder}: the tokenizer has a piece of number {flat.max()}, but the input embeddings {table.name} have {table.pieces} "
            "rows; tokenizer and weights are of different models"
        )
    counts = np.array([len(split[place]) for place in there], dtype=np.int64)
    vectors = np.zeros((len(there), table.width), dtype=np.float32)
    if len(flat):
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        sums = np.add.reduceat(table.rows(flat), starts, axis=0)
        vectors = (sums / counts[:, None]).astype(np.float32)
    return Embedded(
        tuple(words[place] for place in there), vectors, int(np.count_nonzero(counts > 1)), len(words) - len(there)
    )


def _tokenizer(folder: Path) -> Tokenizer:
    file = folder / "tokenizer.json"
    if not is_file(file):
        raise DataError(f"{folder} has no tokenizer.json; save its fast tokenizer there (tokenizer.save_pretrained)")
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("spaces.model", "adapters") from error
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises plain exceptions, whatever is wrong
        raise DataError(f"{file}: no tokenizer of the library tokenizers ({str(error)[:200]})") from None


def _unknown(folder: Path, tokenizer: Tokenizer) -> int | None:
    """The number of the piece for what the tokenizer does not know; None where it knows everything."""
    content: Any = parse_json(read_text(folder / "tokenizer.json"))
    piece = content.get("model", {}).get("unk_token")
    return tokenizer.token_to_id(piece) if isinstance(piece, str) else None


def _split(tokenizer: Tokenizer, words: Sequence[str]) -> list[list[int]]:
    """The pieces of each word as it stands within a text: of a word with and without a space before it the fewer pieces."""
    found = []
    for start in range(0, len(words), _BATCH):
        part = list(words[start : start + _BATCH])
        spaced = tokenizer.encode_batch([f" {word}" for word in part], add_special_tokens=False)
        plain = tokenizer.encode_batch(part, add_special_tokens=False)
        pairs = zip(spaced, plain, strict=True)
        found += [after.ids if len(after.ids) <= len(alone.ids) else alone.ids for after, alone in pairs]
    return found
