"""What a spec lends to ``crossgraft check --on SPEC``: its tasks, and everything that says how they are read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from crossgraft.adapters.check.layouts import UNKNOWN
from crossgraft.adapters.check.toml import value
from crossgraft.errors import SpecError
from crossgraft.study import home

_PATHS = ("files", "folder", "path", "tokenizer")  # keys of a table that name files, relative to their spec
_OF_STUDY = ("boundary", "attention", "scoring", "merge", "limit")
_OF_GRID = ("test_items", "shots", "shots_seed", "shots_between", "base_shots", "base_repeats", "base_variants")
OF_MODEL = ("gguf", "tokenizer", "dtype", "quantised", "trust_remote_code", "chat", "system", "family", "billions")


@dataclass(frozen=True)
class Lent:
    """What specs say of how targets are read: everything that their item sets and records depend on."""

    study: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[Mapping[str, Any], ...] = ()
    targets: tuple[str, ...] = ()

    def joined(self, other: Lent, spec: str) -> Lent:
        """With another spec, which may not say something else."""
        for ours, theirs in ((self.study, other.study), (self.grid, other.grid)):
            for key in set(ours) & set(theirs):
                if ours[key] != theirs[key]:
                    raise SpecError(
                        f"{spec} says {key} = {value(theirs[key])}, a spec before it {value(ours[key])}: "
                        "they need a check each"
                    )
        return Lent(
            {**self.study, **other.study},
            {**self.grid, **other.grid},
            (*self.models, *other.models),
            (*self.targets, *other.targets),
        )


def lent_by(spec: Path) -> tuple[dict[str, Any], Lent]:
    """The tasks of a spec, and how it reads them."""
    try:
        table = tomllib.loads(spec.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpecError(f"{spec}: {error}") from error
    if not isinstance(table.get("tasks"), dict) or not all(isinstance(task, dict) for task in table["tasks"].values()):
        raise SpecError(f"{spec}: expected [tasks.NAME] tables")
    folder = spec.resolve().parent
    tasks = {name: _absolute(task, folder) for name, task in table["tasks"].items()}
    for name, task in tasks.items():
        if open_keys := [
            key for key, value in task.items() if UNKNOWN in (value if isinstance(value, list) else [value])
        ]:
            raise SpecError(f"{spec}, tasks.{name}: {open_keys[0]} is still to be completed, where it says {UNKNOWN!r}")
    grid, models = table.get("grid", {}), table.get("models", {})
    if not isinstance(grid, dict) or not isinstance(models, dict):
        raise SpecError(f"{spec}: expected [grid] and [models] to be tables")
    if not isinstance(targets := grid.get("targets", []), list):
        raise SpecError(f"{spec}, grid.targets: expected a list; got {targets!r}")
    return tasks, Lent(
        {key: table[key] for key in _OF_STUDY if key in table},
        {key: grid[key] for key in _OF_GRID if key in grid},
        tuple(_absolute(model, folder) for model in models.values() if isinstance(model, dict)),
        tuple(targets),
    )


def _absolute(task: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    return {
        key: str(folder / home(value)) if key in _PATHS and _is_path(value) else value for key, value in task.items()
    }


def resolved(model: Mapping[str, Any], key: str) -> Any:
    told = model.get(key)
    return str(Path(told).resolve()) if key == "path" and _is_path(told) else told


def _is_path(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and not value.startswith("almanac:")
