"""What training leaves in a store, and whether it is still as it was written. Needs no torch."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from crossgraft.adapters.weights.tensors import weight_ends
from crossgraft.errors import DataError
from crossgraft.safety import files, seals

FACTS = "training.json"


def adapter_damage(folder: Path) -> str:
    """Why the weights in a folder that training left cannot be used; empty when they can.

    Folders that are older than checksums must have their facts and whole headers of weights.
    """
    try:
        sealed = seals.check_folder(folder)
        if not isinstance(json.loads((folder / FACTS).read_bytes()), dict):
            return f"{FACTS} holds no facts of a training"
        if not sealed:
            return _weights_damage(folder)
    except seals.Broken as error:
        return str(error)
    except OSError as error:
        return f"{Path(str(error.filename or folder)).name}: {error.strerror or error}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, DataError) as error:
        return str(error)
    return ""


def _weights_damage(folder: Path) -> str:
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        return "it holds no weights"
    for file in weights:
        last = max((end for _, end in weight_ends(file)), default=0)
        if file.stat().st_size != last:
            return f"{file.name} has {file.stat().st_size} bytes, its header promises {last}"
    for name in ("adapter_config.json", "config.json"):
        if (folder / name).exists():
            json.loads((folder / name).read_bytes())
    return ""


def set_aside(folder: Path) -> Path:
    """Move a damaged folder out of the way, where ``store verify`` names it; an earlier one there goes."""
    place = folder.parent.parent / "damaged" / folder.name
    place.parent.mkdir(parents=True, exist_ok=True)
    files.remove(place)
    folder.rename(place)
    return place


def state_damage(file: Path) -> str:
    """Why a training cannot go on from its state; empty when it can."""
    try:
        if seals.check_appended(file):
            return ""
        with zipfile.ZipFile(file) as archive:  # older than our checksums, but a zip archive has some
            wrong = archive.testzip()
    except seals.Broken as error:
        return str(error)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        return str(error) or "not a whole file"
    except Exception as error:  # zlib's and others', which have no common base
        return f"{type(error).__name__}: {error}"
    return f"{wrong} has changed" if wrong else ""
