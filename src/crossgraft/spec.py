"""From a TOML file to a frozen study: unknown keys, wrong types and unknown names are refused
with file, line, key, what was expected, what came, and the nearest known name.

Any frozen dataclass can be read. The fields are the keys; a field with metadata ``toml=False``
is set by us, such as ``origin``, also in the tables inside. TOML, because a multilingual study must be able to name Norwegian: in YAML ``no``
is false.
"""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union

from crossgraft.errors import DataError, SpecError, did_you_mean, nearest, shown
from crossgraft.registry import Registry
from crossgraft.safety.opening import look, read_text
from crossgraft.study import Origin, Study

T = TypeVar("T")
Key = tuple[str, ...]

_LARGEST = 1 << 20  # bytes of a spec
_MOST_DOTS = 1_000  # on a line: a key of many parts takes the parser time that grows with their square
_DEEPEST = 64  # levels of TOML
_LONGEST_KEY = 100  # characters of a key in a sentence
_LONG_WORD = re.compile(r"(\S{200})\S{300,}")
_TOO_LARGE = "expected whole numbers of at most 64 bits; one is larger"

STUDIES: Registry[type[Study]] = Registry("kind of study", "crossgraft.studies")


@dataclass(frozen=True)
class Chosen:
    """Annotates a field whose class is named by a key of its own table (``kind = "choice"``).

    ``use = "lm-eval:belebele"`` names it too: the class stands before the colon, and reads the key itself.
    """

    key: str
    registry: Registry[Any]
    default: str = ""
    prefixed: str = "use"

    def name(self, table: Mapping[str, Any]) -> tuple[str, Any]:
        """The key that tells the class, and the class it tells."""
        use = table.get(self.prefixed)
        if self.key not in table and isinstance(use, str) and ":" in use:
            return self.prefixed, use.partition(":")[0]
        return self.key, table.get(self.key, self.default)


def load_study(path: str | Path, overrides: Sequence[str] = ()) -> Study:
    """Read a study from a TOML file; ``overrides`` are ``key=value`` texts, as of ``--set``."""
    file = Path(path)
    try:
        if not look(file):
            raise SpecError(f"no such spec: {file}; 'crossgraft init' writes one to start from")
        text = read_text(file, most=_LARGEST)
    except DataError as error:
        raise SpecError(str(error)) from None
    return parse_study(text, folder=file.resolve().parent, name=file.name, overrides=overrides)


def parse_study(text: str, *, folder: Path, name: str = "spec", overrides: Sequence[str] = ()) -> Study:
    """Read a study from the text of a TOML file."""
    try:
        table = parse_toml(text)
    except ValueError as error:
        raise SpecError(f"{name}: {error}") from None
    origin = Origin(folder, text, tuple(overrides))
    try:
        for change in overrides:
            override(table, change)
        kind = table.pop("study", None)
        if not isinstance(kind, str):
            raise SpecError(
                f"a spec names its kind of study first: study = {' or '.join(map(repr, STUDIES.names()))}; "
                f"got {shown(kind)}",
                ("study",),
            )
        study_class = _get(STUDIES, kind, ("study",))
        study: Study = build(study_class, table, (), origin=origin)
        return study
    except SpecError as error:
        said = _LONG_WORD.sub(r"\1…", str(error))  # a sentence quotes what it refuses, and a spec may hold anything
        raise SpecError(_where(name, text, error.key) + said, error.key) from None


def parse_toml(text: str) -> dict[str, Any]:
    """The table of a TOML text; a ``ValueError`` says what is wrong, also with depth and with numbers."""
    if any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
        raise ValueError(f"expected lines with at most {_MOST_DOTS:,} dots; one has more")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not valid TOML: {error}") from None
    except RecursionError:
        raise ValueError(f"expected TOML of at most {_DEEPEST} levels; it is nested deeper") from None
    except ValueError:
        raise ValueError(_TOO_LARGE) from None
    level: list[Any] = [table]
    for _ in range(_DEEPEST):
        if any(type(one) is int and not -(2**63) <= one < 2**63 for one in level):
            raise ValueError(_TOO_LARGE)
        inner = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [value for values in inner for value in values]
    if level:
        raise ValueError(f"expected TOML of at most {_DEEPEST} levels; it is nested deeper")
    return table


def build(cls: type[T], table: Mapping[str, Any], at: Key = (), **given: Any) -> T:
    """Make the dataclass from a table; ``given`` holds the fields that are no keys, its own and those of tables in it."""
    fields = {field.name: field for field in _keys(cls)}
    for key in table:
        if key not in fields:
            raise SpecError(f"unknown key {shown(key)}{did_you_mean(key, fields)}", (*at, key))
    hints = typing.get_type_hints(cls, include_extras=True)
    values = {key: convert(value, hints[key], (*at, key), given) for key, value in table.items()}
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise SpecError(f"the key {name!r} is missing", (*at, name))
    values |= {field.name: given[field.name] for field in _set_by_us(cls) if field.name in given}
    try:
        return cls(**values)
    except SpecError as error:
        raise SpecError(str(error), (*at, *error.key)) from None


def convert(value: Any, hint: Any, at: Key, given: Mapping[str, Any] = types.MappingProxyType({})) -> Any:
    """The TOML value as the type of its field, or an error that says what was expected."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _convert_chosen(value, arguments[1], at, given)
    if origin is Literal:
        if value not in arguments:
            raise SpecError(f"expected one of {_listed(arguments)}; got {shown(value)}{_near(value, arguments)}", at)
        return value
    if origin in (Union, types.UnionType):
        return _convert_union(value, arguments, at, given)
    if origin is tuple:
        if not isinstance(value, list):
            raise SpecError(f"expected a list; got {shown(value)}", at)
        return tuple(convert(one, arguments[0], (*at, str(index)), given) for index, one in enumerate(value))
    if origin in (dict, Mapping):
        table = _table(value, at)
        return {key: convert(one, arguments[1], (*at, key), given) for key, one in table.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _convert_dataclass(value, hint, at, given)
    return _convert_scalar(value, hint, at)


def _convert_chosen(value: Any, chosen: Chosen, at: Key, given: Mapping[str, Any]) -> Any:
    table = dict(_table(value, at))
    key, name = chosen.name(table)
    table.pop(chosen.key, None)
    if not isinstance(name, str) or not name:
        raise SpecError(f"the key {chosen.key!r} is missing; it is one of {_listed(chosen.registry.names())}", at)
    return build(_get(chosen.registry, name, (*at, key)), table, at, **given)


def _convert_union(value: Any, members: Sequence[Any], at: Key, given: Mapping[str, Any]) -> Any:
    for member in members:
        if isinstance(member, type) and type(value) is member:
            return value
    errors = []
    for member in members:
        if member is type(None):
            continue
        try:
            return convert(value, member, at, given)
        except SpecError as error:
            errors.append(error)
    raise errors[0]


def _convert_dataclass(value: Any, cls: type[T], at: Key, given: Mapping[str, Any]) -> T:
    parse = getattr(cls, "parse", None)
    if parse is None:
        return build(cls, _table(value, at), at, **given)
    if not isinstance(value, str):
        raise SpecError(f"expected a text; got {shown(value)}", at)
    try:
        return typing.cast(T, parse(value))
    except SpecError as error:
        raise SpecError(str(error), at) from None


def _convert_scalar(value: Any, hint: Any, at: Key) -> Any:
    if hint is Any:
        return value
    if hint is float and type(value) is int:
        return float(value)
    if hint is float and type(value) is float and not math.isfinite(value):
        raise SpecError(f"expected a finite number; got {value}", at)
    if type(value) is not hint:
        raise SpecError(f"expected {_SCALARS.get(hint, hint)}; got {shown(value)}", at)
    return value


_SCALARS: Mapping[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _keys(cls: type[Any]) -> Iterator[dataclasses.Field[Any]]:
    for field in dataclasses.fields(cls):
        if field.metadata.get("toml", True):
            yield field


def _set_by_us(cls: type[Any]) -> Iterator[dataclasses.Field[Any]]:
    return (field for field in dataclasses.fields(cls) if not field.metadata.get("toml", True))


def _table(value: Any, at: Key) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise SpecError(f"expected a table; got {shown(value)}", at)
    return value


def _get(registry: Registry[Any], name: str, at: Key) -> Any:
    try:
        return registry.get(name)
    except SpecError as error:
        raise SpecError(str(error), at) from None


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(repr(name) for name in names)


def _near(value: Any, names: Sequence[Any]) -> str:
    near = nearest(str(value), [str(name) for name in names])
    return f"; did you mean {near!r}?" if near else ""


def override(table: dict[str, Any], text: str) -> None:
    """Apply ``recipe.rank=16``: the value is TOML, or a bare word taken as text."""
    if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
        raise SpecError(f"expected key=value in UTF-8; got {shown(text)}")
    path, equals, value = text.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise SpecError(f"expected key=value, such as recipe.rank=16; got {shown(text)}")
    try:
        parsed = parse_toml(f"value = {value.strip()}")["value"]
    except ValueError as error:
        if not str(error).startswith("not valid TOML"):
            raise SpecError(f"{path.strip()}: {error}") from None
        parsed = value.strip()
    for depth, key in enumerate(keys[:-1]):
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            raise SpecError(f"cannot set {path.strip()!r}: {'.'.join(keys[: depth + 1])!r} is no table")
        table = inner
    table[keys[-1]] = parsed


def _where(name: str, text: str, key: Key) -> str:
    if not key:
        return f"{name}: "
    line = line_of(text, key)
    dotted = ".".join(part if len(part) <= _LONGEST_KEY else f"{part[:_LONGEST_KEY]}…" for part in key)
    return f"{name}, line {line}, {dotted}: " if line else f"{name}, {dotted}: "


def line_of(text: str, key: Key) -> int | None:
    r"""The line on which a key stands, or else the nearest table or key around it.

    >>> line_of('name = "x"\n[recipe]\nrank = 8\n', ("recipe", "rank"))
    3
    """
    best, found = 0, None
    for number, path in _key_lines(text):
        depth = len(path)
        if depth > best and path == key[:depth]:
            best, found = depth, number
    return found


def _key_lines(text: str) -> Iterator[tuple[int, Key]]:
    header: Key = ()
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("["):
            header = _dotted(line.strip("[] ").partition("]")[0])
            yield number, header
        elif "=" in line and not line.startswith("#"):
            yield number, (*header, *_dotted(line.partition("=")[0]))


def _dotted(text: str) -> Key:
    return tuple(part.strip().strip("\"'") for part in text.split("."))
