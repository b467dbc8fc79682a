"""Names for plug-ins: the modules of a folder, and entry points of other packages.

A name is the stem of its file (``proc_b.py`` is ``proc-b``), its description the first line of
the file, read without importing it. The module is imported when the plug-in is used; there it
says which object it offers::

    @MAPPERS.register
    @dataclass(frozen=True)
    class Procrustes: ...
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Generic, TypeVar

from crossgraft.errors import SpecError, did_you_mean, shown

T = TypeVar("T")


class Registry(Generic[T]):
    """All plug-ins of one kind. ``package`` is the folder of ours, ``group`` the entry points of others."""

    def __init__(self, kind: str, group: str, package: str = "") -> None:
        self.kind = kind
        self.group = group
        self._package = package
        self._objects: dict[str, T] = {}
        self._entry_points: dict[str, EntryPoint] | None = None

    def register(self, plugin: T) -> T:
        """Offer the object under the name of the module it is defined in."""
        module = plugin.__module__ if hasattr(plugin, "__module__") else type(plugin).__module__
        return self.add(_name(module.rpartition(".")[2]), plugin)

    def add(self, name: str, plugin: T) -> T:
        """Offer the object under a name of its own, for kinds that live in one file."""
        self._objects[name] = plugin
        return plugin

    def names(self) -> tuple[str, ...]:
        return tuple(sorted({*self._objects, *self._modules(), *self._others()}))

    def describe(self) -> Iterator[tuple[str, str]]:
        """Every name with its one-line description; folder modules are read, not imported."""
        modules, others = self._modules(), self._others()
        for name in self.names():
            if name in modules:
                yield name, _read(modules[name])
            elif name in others:
                yield name, _entry_description(others[name])
            else:
                yield name, _first_line(self._objects[name].__doc__)

    def get(self, name: str) -> T:
        """The plug-in of that name; an unknown one is an error that names the nearest."""
        if name in self._objects:
            return self._objects[name]
        if name in self._modules():
            importlib.import_module(f"{self._package}.{name.replace('-', '_')}")
        elif name in self._others():
            self._objects[name] = self._others()[name].load()
        else:
            raise SpecError(f"no {self.kind} is called {shown(name)}{did_you_mean(name, self.names())}")
        if name not in self._objects:
            raise SpecError(f"the module of the {self.kind} {name!r} registers nothing under that name")
        return self._objects[name]

    def _modules(self) -> dict[str, Path]:
        if not self._package:
            return {}
        folder = _folder(self._package)
        return {_name(file.stem): file for file in folder.glob("*.py") if not file.stem.startswith("_")}

    def _others(self) -> dict[str, EntryPoint]:
        if self._entry_points is None:
            self._entry_points = {point.name: point for point in entry_points(group=self.group)}
        return self._entry_points


def _name(stem: str) -> str:
    return stem.replace("_", "-")


def _folder(package: str) -> Path:
    """Where a package of ours lies, found without importing it."""
    parts = package.split(".")
    return Path(__file__).parent.joinpath(*parts[1:])


def _entry_description(point: EntryPoint) -> str:
    module = point.value.partition(":")[0]
    if module.startswith("crossgraft."):
        file = _folder(module).with_suffix(".py")
        return _first_line(ast.get_docstring(ast.parse(file.read_text("utf-8"))))
    return f"from {point.dist.name if point.dist else module}"


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


def _read(module: Path) -> str:
    """The first line of a module, and the modes of what it registers: what may stand after a colon."""
    tree = ast.parse(module.read_text("utf-8"))
    first = _first_line(ast.get_docstring(tree))
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(
                target=ast.Name(id="mode"),
                annotation=ast.Subscript(value=ast.Name(id="Literal"), slice=ast.Tuple() as some),
            ):
                return f"{first} Modes: {', '.join(ast.literal_eval(some))}."
    return first
