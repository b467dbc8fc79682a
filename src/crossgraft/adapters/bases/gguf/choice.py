"""Which GGUF file a path of a spec means."""

from __future__ import annotations

from pathlib import Path

from crossgraft.errors import DataError
from crossgraft.safety.opening import look

_LISTED = 8  # files of a folder that an error names


def is_gguf(name: str) -> bool:
    """Whether the name of a file or of a hub model says that it holds GGUF (``x.gguf``, ``owner/x-GGUF``)."""
    return Path(name).name.lower().endswith("gguf")


def gguf_file(path: Path, name: str = "") -> Path | None:
    """The file itself, the one of a folder that has this name, or its only one; None for a Transformers folder."""
    kind = look(path)
    if kind != "folder":
        return path if kind == "file" or path.suffix.lower() == ".gguf" else None
    if name:
        return path / name
    if any(path.glob("*.safetensors")):
        return None
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".gguf")
    if len(files) > 1:
        more = f" and {len(files) - _LISTED} more" if len(files) > _LISTED else ""
        names = ", ".join(file.name for file in files[:_LISTED])
        raise DataError(
            f'{path} holds {len(files)} GGUF files; name one as path = "…/{files[0].name}", or as '
            f'gguf = "{files[0].name}" in the model\'s table: {names}{more}'
        )
    return files[0] if files else None
