"""``crossgraft check``: what an adapter that exists already did to everything else, as a study without training."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from crossgraft.adapters.bases.gguf.cached import cache, notes
from crossgraft.adapters.bases.gguf.choice import is_gguf
from crossgraft.adapters.bases.gguf.header import read_header
from crossgraft.adapters.bases.models import Model, check_model, no_gguf_of_a_hub
from crossgraft.adapters.check.guess import Guess, tasks_of
from crossgraft.adapters.check.lent import OF_MODEL, Lent, lent_by, resolved
from crossgraft.adapters.check.toml import key as toml_key
from crossgraft.adapters.check.toml import pairs, tables
from crossgraft.adapters.items.selection import items_to_test
from crossgraft.adapters.spec.study_spec import AdapterSpec
from crossgraft.adapters.tasks import AnyItem, OpenItem, TextItem
from crossgraft.adapters.weights.card import trained_ids, trained_on
from crossgraft.core import Point
from crossgraft.errors import DataError, SpecError, did_you_mean
from crossgraft.runs.storage.store import Store
from crossgraft.spec import build

_NAME = re.compile(r"\w[\w.+=,-]{0,99}")  # of a study that is a file, too


@dataclass(frozen=True)
class Asked:
    """What the command line was given. ``on``: files, patterns, a spec, or ``lm-eval:TASK``."""

    base: str
    adapters: tuple[str, ...]
    on: tuple[str, ...]
    items: int = 0  # a target, 0 for all
    shots: int = 0
    chat: bool = False
    tokenizer: str = ""  # a folder; of the base, or as a spec that knows it says
    dtype: str = ""  # as a spec that knows the base says, or float32
    name: str = ""  # of the study
    trained_on: tuple[str, ...] = ()  # TASK/LANGUAGE for all adapters, or ADAPTER=TASK/LANGUAGE

    def __post_init__(self) -> None:
        if self.name and not _NAME.fullmatch(self.name):
            raise SpecError(
                f"--name: expected up to 100 letters, digits and .+=,-_ that begin with a letter or digit, as a file is "
                f"called so; got {self.name!r}"
            )


@dataclass(frozen=True)
class Composed:
    """The spec of a check, and what was guessed for it, by name of task."""

    name: str
    body: str
    guesses: Mapping[str, Guess]

    @property
    def text(self) -> str:
        return "\n".join([*pairs({"study": "adapters", "name": self.name}), self.body]) + "\n"

    def apart_from(self, out: Path, *, named: bool) -> Composed:
        """Under a name that no other spec or study has in the folder of results; a name that was asked for is kept or refused."""
        number, composed = 1, self
        while taken := composed._taken(out):
            if named:
                raise SpecError(f"--name: {taken} has this name and another content; choose another name, or remove it")
            number += 1
            composed = replace(self, name=f"{self.name}-{number}")
        return composed

    def _taken(self, out: Path) -> str:
        """What has this name and is another study; "" if nothing has."""
        file = out / f"{self.name}.toml"
        if file.exists() and not (file.is_file() and file.read_bytes() == self.text.encode()):
            return str(file)
        store = Store(out)
        if self.name in store.studies() and store.study(self.name).spec != self.text:
            return f"a study in {store.root}"
        return ""


def compose(asked: Asked) -> Composed:
    """A spec that evaluates the base and the adapters on all targets; sources can be added to it."""
    if not asked.on:
        raise SpecError("expected something to evaluate on: --on FILES, --on study.toml or --on lm-eval:TASK")
    tasks: dict[str, Any] = {}
    guesses: dict[str, Guess] = {}
    targets: list[str] = []
    lent = Lent()
    for one in asked.on:
        wanted: Sequence[str] = ()
        if one.endswith(".toml"):
            found, more = lent_by(Path(one))
            wanted = more.targets
            lent = lent.joined(more, one)
        elif one.startswith("lm-eval:"):
            found = _of_harness(one)
            guesses |= {
                name: Guess(Path(), table, "a task of lm-evaluation-harness in the language its name tells")
                for name, table in found.items()
            }
        else:
            guessed = tasks_of(_files(one))
            _refuse_doubts(guessed)
            guesses |= guessed
            found = {name: guess.table for name, guess in guessed.items()}
        if shared := set(found) & set(tasks):
            raise SpecError(f"two tasks are called {sorted(shared)[0]!r}; name them in a spec and give that to --on")
        tasks |= found
        targets += wanted or [f"{name}/*" for name in found]
    grid = {"sources": [], **({"targets": targets} if lent.targets else {}), "test_items": 0, **lent.grid}
    study = {key: value for key, value in lent.study.items() if not (key == "limit" and asked.items)}
    if asked.items:
        grid["test_items"] = asked.items
    if asked.shots:
        grid["shots"] = asked.shots
    adapters = _adapters(asked)
    table = {"models": {"base": _model(asked, lent.models)}, "adapters": adapters, "tasks": tasks, "grid": grid}
    name = asked.name or _title(asked, list(adapters))
    return Composed(name, "\n".join([*pairs(study), *tables(table)]), guesses)


def _refuse_doubts(guessed: Mapping[str, Guess]) -> None:
    """What is not certain is not measured: the error is the table to complete."""
    for name, guess in guessed.items():
        if guess.doubt:
            seems = "" if guess.layout == "unknown" else f"this looks like {guess.layout}, but "
            left = [f"# not read above: {', '.join(guess.unused)}"] if guess.unused else []
            raise DataError(
                "\n".join(
                    [
                        f"{guess.file}: {seems}{guess.doubt}. Correct this table, save it as {name}.toml, and say "
                        f"--on {name}.toml:",
                        *tables({"tasks": {name: guess.table}}),
                        *left,
                    ]
                )
            )


def guess_lines(guesses: Mapping[str, Guess], study: AdapterSpec) -> Iterator[str]:
    """Every guess with its table, what it leaves out, and one item as the model will see it."""
    for name, guess in guesses.items():
        first = Point(name, study.tasks[name].languages[0])
        items = items_to_test(study, first)
        yield f"{name}: guessed to be {guess.layout}, {len(items)} items in {first.lang}"
        yield from (f"  {line}" for line in pairs(guess.table))
        yield f"  not read: {', '.join(guess.unused) or 'nothing'}"
        yield f"  item {items[0].id}:"
        yield from (f"  | {line}" for line in _rendered(items[0]))
        yield f"  If this is not what you mean, correct the table [tasks.{toml_key(name)}] and give its file to --on."


def _rendered(item: AnyItem) -> list[str]:
    """The text, with the right answer in brackets."""
    if isinstance(item, TextItem):
        return item.text.splitlines()
    if isinstance(item, OpenItem):
        return f"{item.prompt}{item.separator}[{item.references[0]}]".splitlines()
    options = [
        f"[{option.strip()}]" if place == item.gold else option.strip() for place, option in enumerate(item.options)
    ]
    return [*item.prompt.splitlines(), f"options: {' | '.join(options)}"]


def _adapters(asked: Asked) -> dict[str, dict[str, str]]:
    """The adapters with what they were trained on: as told, or as their folder says where they are ours."""
    said = _said_of(asked)
    found: dict[str, dict[str, str]] = {}
    for path in asked.adapters:
        folder = _folder(path)
        found[_name(path, asked.adapters)] = {"path": str(folder), "model": "base"}
        if point := said.get(path) or trained_on(folder):
            found[_name(path, asked.adapters)]["trained_on"] = str(point)
    return found


def _said_of(asked: Asked) -> dict[str, Point]:
    """What --trained-on says of each adapter, by its path as given."""
    said: dict[str, Point] = {}
    for one in asked.trained_on:
        name, equals, text = one.rpartition("=")
        point = Point.parse(text)
        names = {_name(path, asked.adapters): path for path in asked.adapters}
        meant = list(asked.adapters) if not equals else [path for key, path in names.items() if name in (key, path)]
        if not meant:
            raise SpecError(f"--trained-on: no adapter is called {name!r}{did_you_mean(name, names)}")
        for path in meant:
            if said.setdefault(path, point) != point:
                raise SpecError(f"--trained-on: {path} was trained on one point; got {said[path]} and {point}")
    return said


def in_memory(study: AdapterSpec) -> Iterator[str]:
    """The dtype of the base, what its weights take, and the other choice."""
    model = study.models["base"]
    if model.path:
        check_model(model, study.origin, "BASE")
        if file := model.gguf_file(study.origin):
            yield f"base: GGUF, dequantised once, kept in {cache()}"
            yield from notes("base", read_header(file), own_tokenizer=not model.tokenizer)
        numbers = sum(prod(shape) for _, shape in model.shapes(study.origin))
        other = (
            "--dtype bfloat16 takes half of it, and adds noise"
            if model.dtype == "float32"
            else "--dtype float32 takes twice as much, without its noise"
        )
        yield f"base: {model.dtype}, {size(numbers * (4 if model.dtype == 'float32' else 2))} of weights; {other}"


def size(count: int) -> str:
    """Bytes in words.

    >>> size(6_300_000), size(2_470_000_000)
    ('6.3 MB', '2.5 GB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def doubts(study: AdapterSpec) -> Iterator[str]:
    """What would make the means of a check mislead: adapters of unknown source, and sources that no target shares a task with."""
    tasks = {target.skill for target in study.targets}
    for name, given in study.adapters.items():
        if given.trained_on is None:
            yield (
                f"{name}: no single point is known that it was trained on, so its mean is over matched and unrelated targets "
                "alike; --trained-on TASK/LANGUAGE tells them apart"
            )
        elif given.trained_on.skill not in tasks:
            yield (
                f"{name}: trained on {given.trained_on}, and no target is of the task {given.trained_on.skill!r}"
                f"{did_you_mean(given.trained_on.skill, tasks)}"
            )
        trained = trained_ids(Path(given.input(name, study.origin).path))
        for target in study.targets:
            tested = [item.id for item in items_to_test(study, target)] if target.skill in trained else []
            if shared := [one for one in tested if one in trained[target.skill]]:
                yield (
                    f"{name}: {len(shared)} of the {len(tested)} test ids of {target} (such as {shared[0]!r}) are among those "
                    "it was trained on; if equal ids mean equal items, gains there are partly memory"
                )


def base_model(asked: Asked) -> Model:
    """The base as a study has it."""
    return build(Model, _model(asked))


def _title(asked: Asked, adapters: Sequence[str]) -> str:
    """``check BASE ADAPTER and 2 more``, fit for a file name."""
    more = f"-and-{len(adapters) - 1}-more" if len(adapters) > 1 else ""
    words = ["check", _name(asked.base, (asked.base,)), *adapters[:1]]
    return re.sub(r"[^\w.-]+", "-", "-".join(words)) + more


def _of_harness(name: str) -> dict[str, Any]:
    """``lm-eval:xcopa_et``: the language is in the name, or else unknown."""
    from crossgraft.adapters.check.guess import language_in

    task = name.partition(":")[2]
    _, tag = language_in(task) or ("", "und")
    return {task: {"use": name, "languages": [tag]}}


def _files(pattern: str) -> list[Path]:
    """A file, or every file that a pattern with ``*`` or ``{language}`` stands for."""
    wild = pattern.replace("{language}", "*")
    paths = sorted(Path(one).resolve() for one in glob.glob(wild)) if "*" in wild else [Path(pattern).resolve()]
    if not paths or not all(file.is_file() for file in paths):
        raise DataError(f"no such file: {pattern}; --on takes JSONL files, a spec (.toml) or lm-eval:TASK")
    return paths


def _model(asked: Asked, known: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The base's table: as a spec has it that knows the same model; else with the chat settings that all its models share."""
    place = Path(asked.base)
    if is_gguf(asked.base.partition("@")[0]) and not place.exists():
        told_where = f"no such file: {place}" if place.suffix else no_gguf_of_a_hub(asked.base.partition("@")[0])
        raise DataError(f"BASE: {told_where}")
    if asked.base.startswith("almanac:"):
        table: dict[str, Any] = {"path": asked.base}
    elif place.exists():
        table = {"path": str(place.resolve())}
    elif "@" in asked.base:
        hub, _, revision = asked.base.rpartition("@")
        table = {"hub": hub, "revision": revision}
    else:
        raise DataError(f"expected a model folder, a GGUF file, almanac:NAME, or owner/name@commit; got {asked.base!r}")
    same = [model for model in known if all(resolved(model, key) == value for key, value in table.items())]
    shared = [{key: model[key] for key in ("chat", "system") if key in model} for model in known]
    if same:
        table |= {key: same[0][key] for key in OF_MODEL if key in same[0]}
    elif shared and all(one == shared[0] for one in shared):
        table |= shared[0]
    if asked.dtype:
        table["dtype"] = asked.dtype
    if asked.tokenizer:
        table["tokenizer"] = str(Path(asked.tokenizer).resolve())
    if asked.chat:
        table["chat"] = True
    return table


def _folder(path: str) -> Path:
    folder = Path(path)
    if not folder.is_dir():
        raise DataError(f"no such folder: {path}; expected a PEFT adapter or a checkpoint")
    return folder.resolve()


def _name(path: str, others: Sequence[str]) -> str:
    """The last part of a path; more of it where two would have the same name (``run-1/checkpoint-900``)."""
    parts = Path(path).resolve().parts if Path(path).exists() else tuple(path.split("@")[0].split("/"))
    for count in range(1, len(parts)):
        name = "/".join(parts[-count:])
        same = [other for other in others if Path(other).resolve().as_posix().endswith("/" + name)]
        if len(same) <= 1:
            return name.replace(":", "-")
    return path
