from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest

from crossgraft.adapters.study import AdapterStudy
from crossgraft.core import Point
from crossgraft.errors import SpecError
from crossgraft.registry import Registry
from crossgraft.spec import Chosen, build, line_of, load_study
from crossgraft.study import Origin
from parts import write_spec


@dataclass(frozen=True)
class Inner:
    rank: int = 8
    mode: Literal["fast", "slow"] = "fast"


@dataclass(frozen=True)
class Outer:
    name: str
    share: float = 0.5
    inner: Inner = Inner()
    tags: tuple[str, ...] = ()
    where: Point | None = None
    table: dict[str, int] = field(default_factory=dict)


def test_a_table_becomes_a_frozen_value() -> None:
    table = {"name": "x", "share": 1, "inner": {"rank": 4}, "tags": ["a"], "where": "t/en", "table": {"k": 1}}

    made = build(Outer, table)

    assert made == Outer("x", 1.0, Inner(4), ("a",), Point("t", "en"), {"k": 1})


@pytest.mark.parametrize(
    ("table", "key", "message"),
    [
        ({"name": 3}, ("name",), "expected a text; got 3"),
        ({}, ("name",), "the key 'name' is missing"),
        ({"name": "x", "shore": 1}, ("shore",), "unknown key 'shore'; did you mean 'share'?"),
        ({"name": "x", "inner": {"rank": "eight"}}, ("inner", "rank"), "expected a whole number; got 'eight'"),
        ({"name": "x", "inner": {"rank": True}}, ("inner", "rank"), "expected a whole number; got True"),
        ({"name": "x", "inner": {"mode": "fist"}}, ("inner", "mode"), "got 'fist'; did you mean 'fast'?"),
        ({"name": "x", "tags": "a"}, ("tags",), "expected a list; got 'a'"),
        ({"name": "x", "tags": ["a", 2]}, ("tags", "1"), "expected a text; got 2"),
        ({"name": "x", "where": "nowhere"}, ("where",), "expected task/language"),
        ({"name": "x", "inner": 3}, ("inner",), "expected a table; got 3"),
    ],
)
def test_a_wrong_table_is_refused_with_key_and_reason(
    table: dict[str, object], key: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        build(Outer, table)

    assert caught.value.key == key
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("[a]\nb = 1\n[a.c]\nd = 2\n", ("a", "c", "d"), 4),
        ("[a]\nb = { c = 1 }\n", ("a", "b", "c"), 2),
        ("a.b.c = 1\n", ("a", "b", "c"), 1),
        ("# a = 1\na = 2\n", ("a",), 2),
        ("[a]\n", ("z",), None),
    ],
)
def test_the_line_of_a_key_is_found(text: str, key: tuple[str, ...], line: int | None) -> None:
    assert line_of(text, key) == line


KINDS: Registry[type[Placed]] = Registry("kind of thing", "crossgraft.tests")


@dataclass(frozen=True)
class Placed:
    use: str = ""
    origin: Origin = field(default=Origin(), metadata={"toml": False})


KINDS.add("placed", Placed)


@dataclass(frozen=True)
class Around:
    things: dict[str, Annotated[Placed, Chosen("kind", KINDS)]]


def test_the_class_stands_in_kind_or_before_the_colon_of_use() -> None:
    made = build(Around, {"things": {"a": {"kind": "placed"}, "b": {"use": "placed:x"}}})

    assert made.things == {"a": Placed(), "b": Placed("placed:x")}


def test_an_unknown_class_in_use_is_told_at_that_key() -> None:
    with pytest.raises(SpecError, match="no kind of thing is called 'place'; did you mean 'placed'") as caught:
        build(Around, {"things": {"a": {"use": "place:x"}}})

    assert caught.value.key == ("things", "a", "use")


def test_what_is_set_by_us_reaches_the_tables_inside_and_is_no_key() -> None:
    origin = Origin(Path("here"))

    made = build(Around, {"things": {"a": {"kind": "placed"}}}, origin=origin)

    assert made.things["a"].origin == origin
    with pytest.raises(SpecError, match="unknown key 'origin'"):
        build(Around, {"things": {"a": {"kind": "placed", "origin": "x"}}})


def test_norwegian_is_a_language(adapter_spec_without_model: Path) -> None:
    study = load_study(adapter_spec_without_model)

    assert isinstance(study, AdapterStudy)
    assert Point("intent", "no") in study.targets


def test_an_error_names_file_line_and_key(adapter_spec_without_model: Path) -> None:
    text = adapter_spec_without_model.read_text().replace("rank = 2", "rnak = 2")
    adapter_spec_without_model.write_text(text)

    with pytest.raises(SpecError, match=r"study.toml, line 22, recipe.rnak: unknown key 'rnak'; did you mean 'rank'?"):
        load_study(adapter_spec_without_model)


def test_a_spec_that_is_no_toml_is_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="not valid TOML.*line 2"):
        load_study(write_spec(tmp_path / "bad.toml", 'study = "adapters"\nname = \n'))


def test_an_unknown_kind_of_study_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        SpecError, match="line 1, study: no kind of study is called 'adaptors'; did you mean 'adapters'"
    ):
        load_study(write_spec(tmp_path / "bad.toml", 'study = "adaptors"\n'))


@pytest.mark.parametrize(("override", "rank"), [("recipe.rank=16", 16), ("recipe.rank = 4", 4)])
def test_an_override_replaces_a_key(adapter_spec_without_model: Path, override: str, rank: int) -> None:
    study = load_study(adapter_spec_without_model, [override])

    assert isinstance(study, AdapterStudy)
    assert study.recipe.rank == rank


def test_an_override_without_value_is_refused(adapter_spec_without_model: Path) -> None:
    with pytest.raises(SpecError, match="expected key=value"):
        load_study(adapter_spec_without_model, ["recipe.rank"])


@pytest.mark.parametrize("kind", ["adapters", "embeddings"])
def test_the_spec_that_init_writes_is_valid(kind: str, tmp_path: Path) -> None:
    from crossgraft.cli.starters import starter

    study = load_study(write_spec(tmp_path / "study.toml", starter(kind)))

    assert study.name.startswith("my-")
