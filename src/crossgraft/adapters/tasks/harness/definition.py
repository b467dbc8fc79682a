"""Where a task of lm-evaluation-harness is defined, and what the definition says; code runs only where it may."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from crossgraft.adapters.tasks.harness import quiet, reason, require_harness
from crossgraft.errors import DataError, SpecError, did_you_mean, shown
from crossgraft.safety.opening import is_file, is_folder, read_bytes

_TASK = re.compile(r"""^["']?task["']?[ \t]*:[ \t]*["']?([^\s"'#\[{]+)""", re.MULTILINE)
_RENDERING = ("custom_dataset", "process_docs", "doc_to_text", "doc_to_choice", "doc_to_target")
_NOT_OURS = {
    "class": "is written in Python",
    "doc_to_image": "shows images",
    "doc_to_audio": "plays sounds",
    "use_prompt": "takes its prompts from promptsource",
}


_TEXT, _TABLE, _LIST, _COUNT = ((str,), "a text"), ((dict,), "a table"), ((list,), "a list"), ((int,), "a whole number")
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(("output_type", "dataset_path", "test_split", "validation_split", "training_split"), _TEXT),
    **dict.fromkeys(("target_delimiter", "gen_prefix"), _TEXT),
    **dict.fromkeys(("dataset_kwargs", "generation_kwargs"), _TABLE),
    **dict.fromkeys(("metric_list", "filter_list"), _LIST),
    **dict.fromkeys(("num_fewshot", "repeats"), _COUNT),
}
_LARGEST = 16 << 20  # bytes of a definition
_MOST_NODES = 1_000_000  # values in a definition, aliases written out


@dataclass(frozen=True)
class Definition:
    """A task as its YAML file has it, includes resolved.

    Functions that make items are imported. Those that score answers stay names: we do not call them, and
    many need packages or networks of their own.
    """

    name: str
    file: Path
    settings: Mapping[str, Any]

    @property
    def output_type(self) -> str:
        return str(self.settings.get("output_type", "generate_until"))  # the harness' own default

    def error(self, message: str) -> DataError:
        return DataError(f"the task {self.name!r} ({self.file}): {message}")


def read_definition(name: str, folder: Path | None, *, allow_code: bool = False) -> Definition:
    """The definition of one task, from a folder of the user's or from those that come with the harness.

    Functions of the harness' own definitions are imported; those of a user's folder only if allowed.
    """
    require_harness()
    from lm_eval.tasks._yaml_loader import load_yaml

    file = _find(name, folder)
    functions = list(_functions(file, set()))
    if not allow_code:
        _refuse_code(functions)
    try:
        with quiet():
            settings = load_yaml(file, resolve_func=False)
            settings |= _imported(settings, functions)
    except Exception as error:  # besides broken YAML, whatever the imported modules raise
        raise DataError(f"{_place(error, file)}: the definition cannot be read: {reason(error)}") from error
    definition = Definition(name, file, settings)
    _check_kind(definition)
    return definition


def own_folder() -> Path:
    """The folder of the definitions that come with the harness."""
    require_harness()
    import lm_eval.tasks

    return Path(lm_eval.tasks.__file__).parent


def _find(name: str, folder: Path | None) -> Path:
    """The file with the line ``task: name``, in a folder of the user's or in that of the harness."""
    if folder is not None and not is_folder(folder):
        raise SpecError(f"no such folder: {folder}", ("folder",))
    names = _own_names() if folder is None else _names(folder)
    if name not in names:
        return _look_up(name, folder or own_folder())
    first, *others = names[name]
    if others:
        raise SpecError(f"two files define the task {name!r}: {first} and {others[0]}", ("use",))
    return first


def _names(folder: Path) -> Mapping[str, Sequence[Path]]:
    """The names of tasks in a folder with their files, found in the text: to parse thousands takes long."""
    names: dict[str, list[Path]] = {}
    for file in sorted(file for file in folder.rglob("*.yaml") if file.is_file()):
        for name in _TASK.findall(_text(file)):
            names.setdefault(name, []).append(file)
    return names


@lru_cache(maxsize=1)
def _own_names() -> Mapping[str, Sequence[Path]]:
    return _names(own_folder())


def _text(file: Path) -> str:
    return read_bytes(file, _LARGEST).decode("utf-8", "replace")


def _look_up(name: str, folder: Path) -> Path:
    """The harness' own index, which takes seconds: it also knows groups and tags, and every name there is."""
    from lm_eval.tasks._index import Kind

    index = _own_index() if folder == own_folder() else _index(folder)
    if name not in index:
        near = did_you_mean(name, index)
        raise SpecError(
            f"no task of lm-evaluation-harness in {folder} is called {name!r}{near if len(near) < 500 else ''}",
            ("use",),
        )
    entry = index[name]
    if entry.kind not in (Kind.GROUP, Kind.TAG):
        return Path(entry.yaml_path)
    members = sorted(entry.tags) if entry.kind is Kind.TAG else [_member(one) for one in entry.cfg.get("task") or ()]
    shown = ", ".join(members[:12]) + (", …" if len(members) > 12 else "")
    raise SpecError(f"{name!r} is a group of {len(members)} tasks, not a task: {shown}; name one of them", ("use",))


def _index(folder: Path) -> Mapping[str, Any]:
    from lm_eval.tasks._index import TaskIndex

    try:
        with quiet():
            return {name: entry for name, entry in TaskIndex.build([folder]).items() if isinstance(name, str)}
    except Exception as error:  # it parses every file of the folder
        raise DataError(f"{folder}: a definition in it cannot be read: {reason(error)}") from error


@lru_cache(maxsize=1)
def _own_index() -> Mapping[str, Any]:
    return _index(own_folder())


def _member(listed: Any) -> str:
    return str(listed.get("task") or listed.get("group")) if isinstance(listed, dict) else str(listed)


@dataclass(frozen=True)
class _Function:
    """A ``!function`` of a definition: its file, its key, and what it names."""

    file: Path
    key: str
    name: str


def _refuse_code(functions: Sequence[_Function]) -> None:
    for function in functions:
        if not function.file.is_relative_to(own_folder().resolve()):
            raise SpecError(
                f"{function.file}: the key {function.key!r} runs code (!function {function.name}); if you trust it, say allow_code = true",
                ("allow_code",),
            )


def _functions(file: Path, seen: set[Path]) -> Iterator[_Function]:
    """Every function of a definition and of what it includes, from the tree of nodes: nothing is imported."""
    import yaml

    file = file.resolve()
    if file in seen:
        return
    seen.add(file)
    try:
        tree = yaml.compose(_text(file), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        if _expanded(tree, {}) > _MOST_NODES:
            raise DataError(f"{file}: its aliases stand for more than {_MOST_NODES:,} values; write out what is needed")
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DataError(f"{_place(error, file)}: the definition cannot be read: {reason(error)}") from error
    for key, node in _nodes(tree, (), set()):
        if node.tag == "!function":
            yield _Function(file, ".".join(key), str(node.value))
        elif key[:1] == ("include",) and isinstance(node, yaml.ScalarNode):
            yield from _functions(_included(file, node.value), seen)


def _included(file: Path, name: str) -> Path:
    try:
        if not is_file(file.parent / name):
            raise DataError(f"no such file: {file.parent / name}")
    except DataError as error:
        raise DataError(f"{file}: it includes what cannot be read: {error}") from None
    return file.parent / name


def _imported(settings: Mapping[str, Any], functions: Sequence[_Function]) -> Mapping[str, Any]:
    """The functions that make items, by key; unresolved, the harness' reader gives folder/module.function."""
    from lm_eval.tasks._yaml_loader import _import_func_in_yml

    unresolved = {str(function.file.parent / function.name): function for function in functions}
    found = {key: unresolved.get(str(settings.get(key))) for key in _RENDERING}
    return {
        key: _import_func_in_yml(__function.name, __function.file.parent)
        for key, __function in found.items()
        if __function is not None
    }


def _nodes(node: Any, key: tuple[str, ...], seen: set[int]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every node with its path of keys; one that contains itself is entered once."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    yield key, node
    if node.id == "mapping":
        for name, value in node.value:
            yield from _nodes(value, (*key, str(name.value)), seen)
    elif node.id == "sequence":
        for number, value in enumerate(node.value):
            yield from _nodes(value, (*key, str(number)), seen)


def _expanded(node: Any, known: dict[int, int]) -> int:
    """How many values a tree has with every alias written out; one that contains itself has no end."""
    if node is None or node.id == "scalar":
        return 1
    if id(node) not in known:
        known[id(node)] = _MOST_NODES + 1  # what it counts as inside itself
        parts = [part for pair in node.value for part in pair] if node.id == "mapping" else node.value
        known[id(node)] = 1 + sum(_expanded(part, known) for part in parts)
    return known[id(node)]


def _place(error: BaseException, file: Path) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"{file}, line {mark.line + 1}" if mark is not None else str(file)


def _check_types(definition: Definition) -> None:
    """What is read from a definition here has the type that the harness documents; what is not given is None."""
    for key, (kinds, expected) in _TYPES.items():
        value = definition.settings.get(key)
        if value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            raise definition.error(f"expected {expected} in {key!r}; got {shown(value)}")
    for key in ("metric_list", "filter_list"):
        for one in definition.settings.get(key) or ():
            if not isinstance(one, dict):
                raise definition.error(f"expected a table in every entry of {key!r}; got {shown(one)}")
    for way in definition.settings.get("filter_list") or ():
        steps = way.get("filter") or ()
        if not isinstance(steps, list | tuple) or not all(isinstance(step, dict) for step in steps):
            raise definition.error(f"expected a list of tables under 'filter'; got {shown(steps)}")


def _check_kind(definition: Definition) -> None:
    _check_types(definition)
    for key, what in _NOT_OURS.items():
        if definition.settings.get(key) is not None:
            raise definition.error(f"it {what} (the key {key!r}); only tasks of text that YAML defines can be targets")
    if definition.output_type not in ("multiple_choice", "generate_until"):
        raise definition.error(
            f"expected the output type multiple_choice or generate_until; got {shown(definition.output_type)}, "
            "which cannot be a target"
        )
    for key in ("doc_to_text", "doc_to_target"):
        if definition.settings.get(key) is None:
            raise definition.error(f"the key {key!r} is missing")
    choices = definition.settings.get("doc_to_choice")
    if definition.output_type == "multiple_choice" and choices is None:
        raise definition.error("the key 'doc_to_choice' is missing")
    for choice in choices if isinstance(choices, list) else ():
        if not isinstance(choice, str):
            raise definition.error(
                f"expected texts in doc_to_choice; got {shown(choice)}; YAML needs quotes, as in 'yes'"
            )
