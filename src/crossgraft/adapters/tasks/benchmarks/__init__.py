"""The benchmarks of "Donors and Recipients" as aligned data sets, one a file: where they lie, and how an item is asked.

A form is how an item is shown: "harness" as lm-evaluation-harness evaluates it, "release" as the paper's release trains on it, "text"
and "letter" the same way for all benchmarks, so that they differ in nothing but how the answer looks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Literal, Protocol

from crossgraft.adapters.items.data import Row
from crossgraft.registry import Registry

Form = Literal["harness", "release", "text", "letter"]
Metric = Literal["accuracy", "accuracy-per-char"]
LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")
_MARK = re.compile(r"\[.*?\]")


@dataclass(frozen=True)
class Asked:
    """What a row asks: the question, its options as texts, and the index of the right one."""

    question: str
    options: tuple[str, ...]
    gold: int


@dataclass(frozen=True)
class Shown:
    """How it is shown: the prompt, and what may follow it."""

    prompt: str
    options: tuple[str, ...]


class Benchmark(Protocol):
    """A data set of the hub with one configuration per language, splits train and test, and the same ids in all languages."""

    @property
    def hub(self) -> str: ...

    @property
    def id(self) -> str:
        """The field that holds the id."""
        ...

    @property
    def metric(self) -> Metric:
        """Of the form "harness", the paper's headline score."""
        ...

    @property
    def translated(self) -> Literal["human", "machine"]: ...

    @property
    def items(self) -> tuple[int, int]:
        """How many there are in train and test."""
        ...

    @property
    def typical(self) -> Asked:
        """An item of about the length of the English ones: to plan with, before the data is here."""
        ...

    def read(self, row: Row) -> Asked: ...

    def harness(self, asked: Asked) -> Shown: ...

    def release(self, asked: Asked) -> Shown: ...


BENCHMARKS: Registry[Benchmark] = Registry("benchmark", "crossgraft.benchmarks", "crossgraft.adapters.tasks.benchmarks")


def show(benchmark: Benchmark, asked: Asked, form: Form) -> Shown:
    if form == "harness":
        return benchmark.harness(asked)
    if form == "release":
        return benchmark.release(asked)
    if form == "text":
        return Shown(f"{asked.question}\nAnswer:", spaced(asked.options))
    return lettered(asked.question, asked.options, "{}. {}")


def lettered(question: str, options: Sequence[str], line: str) -> Shown:
    """The options listed under the question, and their letters as answers."""
    letters = ascii_uppercase[: len(options)]
    listed = "\n".join(line.format(letter, option) for letter, option in zip(letters, options, strict=True))
    return Shown(f"{question}\n{listed}\nAnswer:", spaced(letters))


def spaced(options: Sequence[str]) -> tuple[str, ...]:
    return tuple(f" {option}" for option in options)


def cleaned(text: str) -> str:
    """Without the marks that WikiHow left in HellaSwag; the harness does so to all three translated benchmarks."""
    return _MARK.sub("", text.strip().replace(" [title]", ". ")).replace("  ", " ")


def text_of(row: Row, field: str) -> str:
    value = row[field]
    if not isinstance(value, str) or not value.strip():
        raise row.error(f"expected a text in {field!r}; got {str(value)[:60]!r}")
    return value


def index_of(row: Row, field: str, count: int) -> int:
    """The index of the right option, which is given as a letter or as a number from 0 on."""
    value = row[field]
    text = str(value).strip()
    known = {**{letter: n for n, letter in enumerate(ascii_uppercase[:count])}, **{str(n): n for n in range(count)}}
    if isinstance(value, bool) or text.upper() not in known:
        raise row.error(f"expected in {field!r} a letter or a number of one of {count} options; got {text[:60]!r}")
    return known[text.upper()]


def texts_of(row: Row, field: str) -> tuple[str, ...]:
    value = row[field]
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(one, str) and one.strip() for one in value):
        raise row.error(f"expected a list of two texts or more in {field!r}; got {str(value)[:60]!r}")
    return tuple(value)
