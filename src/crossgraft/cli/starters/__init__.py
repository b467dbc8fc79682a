"""Specs to start from, as ``crossgraft init`` writes them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from crossgraft.errors import SpecError


def starter(kind: str) -> str:
    """The text of the spec for a kind of study."""
    return files(__name__).joinpath(f"{kind}.toml").read_text("utf-8")


def write_starter(kind: str, folder: Path) -> Path:
    """Write ``study.toml`` into the folder; a file that is there already is left alone."""
    target = folder / "study.toml"
    if target.exists():
        raise SpecError(f"{target} exists already; choose another folder, or remove it first")
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(starter(kind), "utf-8")
    return target
