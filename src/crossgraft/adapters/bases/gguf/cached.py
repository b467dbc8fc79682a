"""Dequantised models on disk: a plain Transformers folder for each content of a GGUF file, made once and whole.

They lie in ``gguf`` of the user's cache: ``CROSSGRAFT_CACHE``, else ``XDG_CACHE_HOME/crossgraft``, else ``~/.cache/crossgraft``.
Two processes that dequantise the same file at once do the work twice, and nothing worse.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from crossgraft.adapters.bases.gguf.header import Header, check_whole, read_header
from crossgraft.errors import DataError
from crossgraft.identity import content_id
from crossgraft.runs.fingerprints import FingerprintCache
from crossgraft.safety.files import whole_folder, why

CONVERSION = 1  # raise it when the same file would be converted differently


def cache() -> Path:
    """Where dequantised models lie."""
    if named := os.environ.get("CROSSGRAFT_CACHE"):
        return Path(named).expanduser() / "gguf"
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "crossgraft" / "gguf"


def check_gguf(file: Path, role: str, *, own_tokenizer: bool = True) -> Header:
    """The header of a file that is whole and that Transformers can read."""
    from crossgraft.adapters.bases.gguf import conversion  # heavy

    try:
        header = read_header(file)
        conversion.require()
        check_whole(header)
        _check_model(header)
        conversion.check_architecture(header)
        if own_tokenizer:
            conversion.check_tokenizer(header)
    except DataError as error:
        raise DataError(f"{role}: {error}") from None
    return header


def _check_model(header: Header) -> None:
    """A file may hold a part of a model, or an adapter."""
    kind = header.facts.get("general.type", "model")
    if kind != "model":
        raise DataError(f"{header.file} holds a GGUF {kind}, and no model")
    parts = header.facts.get("split.count", 1)
    if isinstance(parts, int) and parts > 1:
        raise DataError(
            f"{header.file} is one of {parts} parts of a GGUF model; join them first: "
            f"llama-gguf-split --merge {header.file.name} WHOLE.gguf"
        )


def announcement(file: Path, dtype: str) -> str:
    """What a reader should know before the weights are made; "" where they lie here already."""
    place = cache()
    if place.is_dir() and (place / _key(place, file, _weights(dtype))).is_dir():
        return ""
    return f"{file.name} is dequantised to {dtype}, once; the weights are kept in {place}"


def weights(file: Path, dtype: str, role: str) -> Path:
    """The folder with the dequantised weights in a dtype: casting before they are kept is casting when they are loaded."""
    from crossgraft.adapters.bases.gguf import conversion

    header = check_gguf(file, role, own_tokenizer=False)
    return _from_cache(header, _weights(dtype), role, lambda folder: conversion.save_weights(header, dtype, folder))


def _weights(dtype: str) -> str:
    return f"{dtype} weights"


def tokenizer(file: Path, role: str) -> Path:
    """The folder with the tokenizer of the file."""
    from crossgraft.adapters.bases.gguf import conversion

    header = check_gguf(file, role)
    return _from_cache(header, "tokenizer", role, lambda folder: conversion.save_tokenizer(header, folder))


def _from_cache(header: Header, what: str, role: str, make: Callable[[Path], None]) -> Path:
    place = cache()
    try:
        place.mkdir(parents=True, exist_ok=True)
        folder = place / _key(place, header.file, what)
        if not folder.is_dir():
            with whole_folder(folder) as partial:
                make(partial)
    except DataError as error:
        raise DataError(f"{role}: {error}") from error
    except OSError as error:
        raise DataError(
            f"{role}: the {what} of {header.file} cannot be kept in {place} ({why(error)}); "
            "CROSSGRAFT_CACHE=FOLDER names another place"
        ) from error
    return folder


def _key(place: Path, file: Path, what: str) -> str:
    """What a conversion depends on, as a name: the content of the file, and who converts it."""
    hashes = FingerprintCache(place / "fingerprints.json")
    content = hashes.of_file(file)
    hashes.save()
    return content_id(conversion=CONVERSION, content=content, what=what, versions=_versions())


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("transformers", "gguf")}


def provenance(header: Header) -> dict[str, Any]:
    """What a record says of a base that was dequantised."""
    return {
        "dequantised": True,
        "file": header.file.name,
        "file_type": header.file_type,
        "tensor_types": dict(header.tensor_types),
        "by": _versions(),
    }


def notes(name: str, header: Header, *, own_tokenizer: bool) -> list[str]:
    """What a reader of the results should know."""
    from crossgraft.adapters.bases.gguf import conversion

    told = (
        f"{name} is dequantised from GGUF ({header.quantisation}): base and adapters are measured on these weights, "
        "which are not those of the original model"
    )
    doubt = conversion.doubt_about_splits(header) if own_tokenizer else ""
    return [told, *([f"{name}: {doubt}"] if doubt else [])]
