"""The nouns of a study: what is trained on, what is evaluated, what was measured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import isnan
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from crossgraft.errors import SpecError, shown
from crossgraft.identity import content_id

Scalar = str | int | float | bool
Floats = npt.NDArray[np.float64]

Regime = Literal["MT-ML", "MT-CL", "CT-ML", "CT-CL"]
REGIME_WORDS: Mapping[Regime, str] = {
    "MT-ML": "on its own task and language",
    "MT-CL": "same task, other languages",
    "CT-ML": "other tasks, same language",
    "CT-CL": "other tasks, other languages",
}
_REGIMES: Mapping[tuple[bool, bool], Regime] = {  # (same task, same language)
    (True, True): "MT-ML",
    (True, False): "MT-CL",
    (False, True): "CT-ML",
    (False, False): "CT-CL",
}
_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")  # BCP 47, as far as its shape goes


def is_language(text: str) -> bool:
    """Whether the text is shaped like a BCP 47 language tag.

    >>> is_language("zh-Hant"), is_language("../secret")
    (True, False)
    """
    return _TAG.fullmatch(text) is not None


@dataclass(frozen=True, order=True, slots=True)
class Point:
    """A task in a language (or a language pair): the unit we train on and evaluate on.

    The text form splits at the last slash, so tasks may have slashes of their own. What follows an
    ``@`` in a task is how it is viewed (``sums@letter``): regimes compare what stands before it.

    >>> Point.parse("almanac/sums/de")
    Point(task='almanac/sums', lang='de')
    >>> Point.parse("xnli/sw").regime(Point.parse("xnli@letter/de"))
    'MT-CL'
    """

    task: str
    lang: str

    def __post_init__(self) -> None:
        tags = self.lang.split(":")
        if not self.task or len(tags) > 2 or not all(is_language(tag) for tag in tags):
            raise SpecError(
                f"expected a task and a BCP 47 language ('xnli/sw') or a language pair ('bli/de:fi'); "
                f"got {shown(f'{self.task}/{self.lang}')}"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        task, slash, lang = text.rpartition("/")
        if not slash:
            raise SpecError(f"expected task/language, such as 'xnli/sw'; got {shown(text)}")
        return cls(task, lang)

    def regime(self, target: Point) -> Regime:
        """What is shared when we train here and evaluate on ``target``."""
        return _REGIMES[self.skill == target.skill, self.lang == target.lang]

    @property
    def skill(self) -> str:
        """The task, whatever the format in which it is viewed."""
        return self.task.partition("@")[0]

    def __str__(self) -> str:
        return f"{self.task}/{self.lang}"


Kind = Literal["control", "trained", "given", "mapping", "derived"]
SourceVariant = Literal["", "sham", "format-only"]
SHUFFLED = ", shuffled dictionary"  # ends the name of a mapping method that was fitted on one


@dataclass(frozen=True, order=True, slots=True)
class Treatment:
    """Anything that is compared with the control: an adapter trained on a source, one derived from trained ones (scaled
    or merged), an adapter or checkpoint that exists already, a mapping between embedding spaces; and the control itself.

    ``model`` is what it is applied to; ``recipe`` holds only the axes on which the study varies;
    ``variant`` tells the repeats and prompt variants of a control apart. ``source_variant`` says how the items of the source
    were changed: a "sham" has its answers drawn at random, "format-only" has no content in its prompts either.
    """

    model: str
    name: str
    kind: Kind
    source: Point | None = None
    recipe: tuple[tuple[str, Scalar], ...] = ()
    seed: int | None = None
    variant: str = ""
    source_variant: SourceVariant = ""

    @property
    def is_control(self) -> bool:
        return self.kind == "control"

    @property
    def is_sham(self) -> bool:
        """Trained on a source that teaches a format at most, or fitted on a shuffled dictionary: treatments are compared with it,
        and it is not one of them.
        """
        return self.source_variant != ""

    @property
    def row(self) -> Treatment:
        """The row of the matrix it belongs to: the same treatment, whatever the seed."""
        return replace(self, seed=None, variant="")

    @property
    def label(self) -> str:
        """Its name with the axes of its recipe, without model and seed."""
        axes = ", ".join(f"{key} {value}" for key, value in self.recipe)
        return f"{self.name} ({axes})" if axes else self.name

    def __str__(self) -> str:
        seed = "" if self.seed is None else f" seed {self.seed}"
        variant = f" {self.variant}" if self.variant else ""
        return f"{self.model}: {self.label}{variant}{seed}"


@dataclass(frozen=True)
class Labels:
    """What the analysis conditions on, as the spec says it: of models family and size, of tasks how they were translated.

    ``translated`` is "human", "machine" or "no"; what is not said is not in it. ``transductive`` names the tasks of which
    the word vectors have seen the test texts.
    """

    family: Mapping[str, str] = field(default_factory=dict)
    billions: Mapping[str, float] = field(default_factory=dict)
    translated: Mapping[str, str] = field(default_factory=dict)
    transductive: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """One target of a job: what is evaluated, and the id under which its record is kept.

    ``metric`` is how the study reads the answers; it is no part of any id.
    """

    target: Point
    record_id: str
    texts_id: str
    item_set: str
    metric: str


@dataclass(frozen=True, slots=True)
class Job:
    """The smallest thing worth re-running: one treatment, on the targets that are still missing.

    ``run_id`` names the training run it comes from, where several treatments come from one. ``members`` are what a
    derived adapter is a weighted sum of.
    """

    treatment: Treatment
    treatment_id: str
    cells: tuple[Cell, ...]
    run_id: str = ""
    members: tuple[Member, ...] = ()

    def __str__(self) -> str:
        return str(self.treatment)


@dataclass(frozen=True, slots=True)
class Member:
    """An adapter in a weighted sum of adapters, as the job that makes it (without targets)."""

    job: Job
    weight: float


@dataclass(frozen=True, slots=True)
class Pairing:
    """How numbers were computed, as far as it can move their last digits.

    Not part of any id: a record made elsewhere is still a result. But a treatment is only
    compared with a control that was computed in the same way.
    """

    device: str
    attention: str
    threads: int

    @property
    def id(self) -> str:
        return _pairing_id(self)

    def __str__(self) -> str:
        attention = f", {self.attention} attention" if self.attention else ""
        return f"{self.device}{attention}, {self.threads} thread{'s' if self.threads != 1 else ''}"


@cache  # asked of every record of a store
def _pairing_id(pairing: Pairing) -> str:
    return content_id(device=pairing.device, attention=pairing.attention, threads=pairing.threads)[:8]


@dataclass(frozen=True, eq=False)
class Answers:
    """What came out for each item, before any metric looks at it.

    ``items`` are language-independent ids; ``columns`` hold one row an item, as vectors or as
    matrices padded with NaN at the end (options, ranks of several correct words).
    """

    kind: str
    items: tuple[str, ...]
    columns: Mapping[str, npt.NDArray[Any]]

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            if len(column) != len(self.items):
                raise ValueError(f"column {name!r} has {len(column)} rows for {len(self.items)} items")

    def __len__(self) -> int:
        return len(self.items)

    def __eq__(self, other: object) -> bool:
        """Equal to the last bit, missing values included."""
        if not isinstance(other, Answers):
            return NotImplemented
        same_labels = (self.kind, self.items, set(self.columns)) == (other.kind, other.items, set(other.columns))
        return same_labels and all(_same(column, other.columns[name]) for name, column in self.columns.items())

    __hash__ = None  # type: ignore[assignment]  # arrays can change


def _same(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> bool:
    return np.array_equal(first, second, equal_nan=first.dtype.kind == "f" == second.dtype.kind)


@dataclass(frozen=True)
class Texts:
    """What the items of an item set look like to the model, so that a number can be read as text."""

    id: str
    items: tuple[str, ...]
    columns: Mapping[str, Sequence[str | Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Score:
    """A value that knows its metric, its unit, its direction and how many items it is from."""

    metric: str
    value: float
    n: int
    unit: str = "share"
    higher_is_better: bool = True

    def __str__(self) -> str:
        if isnan(self.value):
            return f"{self.metric}: none of the items counts"
        return f"{self.metric} {self.value:.3f} (n = {self.n})"


@dataclass(frozen=True)
class Check:
    """One thing that was examined: whether it is as it should be, and what was seen."""

    name: str
    fine: bool
    saw: str
    model: str = ""
    targets: tuple[Point, ...] = ()  # where it fails


@dataclass(frozen=True)
class Record:
    """One treatment on one target: what came out, item by item, and where it came from."""

    id: str
    treatment_id: str
    treatment: Treatment
    target: Point
    item_set: str
    texts_id: str
    answers: Answers
    pairing: Pairing
    scores: tuple[Score, ...] = ()
    parse_failures: int = 0
    timings: Mapping[str, float] = field(default_factory=dict)  # seconds
    provenance: Mapping[str, Any] = field(default_factory=dict)
