"""The header of a GGUF file (version 2 or 3): its metadata, and names, types and places of its tensors; no weight is read.

The file is mapped, not loaded. The vocabulary is passed over, so that a header with 260,000 tokens takes a tenth of a second.
"""

from __future__ import annotations

import mmap
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from crossgraft.errors import DataError, MissingExtra
from crossgraft.safety.opening import open_plain

_MAGIC = b"GGUF"
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_LONGEST_TEXT = 1 << 20  # bytes of a metadata text that is kept, such as a chat template
_MOST_DIMENSIONS = 4
_MODULES = {  # of most architectures, as Transformers calls them
    "token_embd": "embed_tokens",
    "output": "lm_head",
    "attn_q": "q_proj",
    "attn_k": "k_proj",
    "attn_v": "v_proj",
    "attn_qkv": "qkv_proj",
    "attn_output": "o_proj",
    "ffn_gate": "gate_proj",
    "ffn_up": "up_proj",
    "ffn_down": "down_proj",
}


@dataclass(frozen=True)
class Tensor:
    """A weight: its shape as PyTorch has it, the number of its type, its first byte after the beginning of the data."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def module_weight(self) -> str:
        """Its name as Transformers has it, as far as recipes name modules: ``blk.0.attn_q.weight`` is ``blk.0.q_proj.weight``."""
        path, dot, ending = self.name.rpartition(".")
        before, between, module = path.rpartition(".")
        return f"{before}{between}{_MODULES.get(module, module)}{dot}{ending}"


@dataclass(frozen=True)
class Header:
    """What a file says of itself. Lists of the metadata (the vocabulary) are kept as their lengths."""

    file: Path
    facts: Mapping[str, Any]
    tensors: tuple[Tensor, ...]
    data: int  # where the data begins

    @property
    def architecture(self) -> str:
        return str(self.facts.get("general.architecture", ""))

    @property
    def tokenizer(self) -> str:
        """How its tokenizer works, such as "gpt2" (byte-level BPE) or "llama" (SentencePiece); "" where it has none."""
        return str(self.facts.get("tokenizer.ggml.model", "")) if self.facts.get("tokenizer.ggml.tokens") else ""

    @property
    def file_type(self) -> str:
        """The recipe by which it was quantised, such as "Q4_K_M"; "" where the file does not say."""
        kinds = _constants().LlamaFileType
        try:
            return str(kinds(self.facts["general.file_type"]).name.removeprefix("MOSTLY_").removeprefix("ALL_"))
        except (KeyError, ValueError):
            return ""

    @property
    def tensor_types(self) -> Mapping[str, int]:
        """How many tensors are of each type; a "Q4_K_M" file has some in "Q6_K" and "F32"."""
        kinds = _constants().GGMLQuantizationType
        return dict(Counter(str(kinds(tensor.kind).name) for tensor in self.tensors).most_common())

    @property
    def parameters(self) -> int:
        return sum(prod(tensor.shape) for tensor in self.tensors)

    @property
    def quantisation(self) -> str:
        """For a sentence: the recipe, or the most frequent type of tensor."""
        return self.file_type or next(iter(self.tensor_types), "no tensors")


def read_header(file: Path) -> Header:
    """The header; a ``DataError`` where the file is not GGUF, or ends before its header does."""
    with open_plain(file) as stream:
        magic = stream.read(4)
        if magic != _MAGIC:
            raise DataError(
                f"{file} is not a GGUF file: it begins with {magic!r}, not with {_MAGIC!r}; expected a Transformers folder "
                "or a GGUF file. Is it a pointer of Git LFS, or a broken download?"
            )
        try:
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return _Cursor(content).header(file)
        except (struct.error, IndexError):
            raise cut_short(file) from None
        except UnicodeDecodeError:
            raise DataError(f"{file}: a text in its GGUF header is not UTF-8; get the file again") from None


def cut_short(file: Path) -> DataError:
    size = file.stat().st_size
    return DataError(f"{file} ends too early: its GGUF header promises more than its {size:,} bytes; get it again")


def check_whole(header: Header) -> None:
    """Raise where a tensor lies beyond the end of the file, as in a broken download."""
    size = header.file.stat().st_size
    for tensor in header.tensors:
        if header.data + tensor.offset + _bytes_of(header, tensor) > size:
            raise cut_short(header.file)


def _bytes_of(header: Header, tensor: Tensor) -> int:
    sizes = _constants().GGML_QUANT_SIZES
    if tensor.kind not in sizes:
        raise DataError(
            f"{header.file}: the tensor {tensor.name!r} has type {tensor.kind}, which this version of gguf does not know; "
            "pip install -U gguf"
        )
    block, size = sizes[tensor.kind]
    return int(prod(tensor.shape) // block * size)


def _constants() -> Any:
    """The tables of the format, by the package ``gguf``."""
    try:
        import gguf.constants
    except ImportError as error:
        raise MissingExtra("reading GGUF files", "gguf") from error
    return gguf.constants


class _Cursor:
    """Reads one value after the other."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._at = 4

    def header(self, file: Path) -> Header:
        version, tensors, facts = self._numbers("IQQ")
        if version not in (2, 3):
            raise DataError(f"{file}: expected GGUF of version 2 or 3, little-endian; got version {version}")
        found = {}
        for _ in range(facts):
            key = self._text()
            found[key] = self._value(file, self._numbers("I")[0])
        entries = tuple(self._tensor(file) for _ in range(tensors))
        step = found.get("general.alignment", 32)
        step = step if isinstance(step, int) and step > 0 else 32
        return Header(file, found, entries, -(-self._at // step) * step)

    def _numbers(self, kinds: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{kinds}", self._content, self._at)
        self._at += struct.calcsize(f"<{kinds}")
        return values

    def _text(self) -> str:
        (length,) = self._numbers("Q")
        start = self._at
        self._move(length)
        return self._content[start : self._at].decode("utf-8") if length <= _LONGEST_TEXT else ""

    def _move(self, count: int) -> None:
        self._at += count
        if self._at > len(self._content):
            raise IndexError

    def _value(self, file: Path, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            return self._length_of_list(file)
        if kind not in _NUMBERS:
            raise DataError(f"{file}: its GGUF header holds a value of type {kind}, which the format does not have")
        return self._numbers(_NUMBERS[kind])[0]

    def _length_of_list(self, file: Path) -> int:
        kind, count = self._numbers("IQ")
        if kind == _STRING:
            for _ in range(count):
                (length,) = struct.unpack_from("<Q", self._content, self._at)
                self._move(8 + length)
        elif kind in _NUMBERS:
            self._move(count * struct.calcsize(f"<{_NUMBERS[kind]}"))
        else:
            raise DataError(f"{file}: its GGUF header holds a list of type {kind}; expected texts or numbers")
        return int(count)

    def _tensor(self, file: Path) -> Tensor:
        name = self._text()
        (dimensions,) = self._numbers("I")
        if dimensions > _MOST_DIMENSIONS:
            raise DataError(f"{file}: the tensor {name[:80]!r} has {dimensions} dimensions; expected at most four")
        sizes = self._numbers(f"{dimensions}Q")
        kind, offset = self._numbers("IQ")
        return Tensor(name, tuple(reversed(sizes)), kind, offset)
