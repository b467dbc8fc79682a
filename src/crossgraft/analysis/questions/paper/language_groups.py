"""Are English and high-resource languages donors or recipients? Their scores less those of the other languages, by model.

A donor score is the mean change of a model's other languages on the same task when trained on the language; a recipient score,
the mean change of the language when trained on others. Models are the units: Student's t over them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from crossgraft.analysis.cells import same_task, trained
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.stats.cells.student import quantile, two_sided
from crossgraft.stats.matrices.two_way import additive
from crossgraft.transfer.changes import ChangeCell

# Joshi et al. (2020), "The State and Fate of Linguistic Diversity", class 5
HIGH_RESOURCE = frozenset({"ar", "de", "en", "es", "fr", "ja", "zh"})
_LEAST = 3  # models

Side = Literal["donor", "recipient"]


@dataclass(frozen=True)
class GroupRole:
    """The mean effect of a group of languages less that of the others, in pp."""

    group: str
    side: Side
    task: str  # "" for all
    languages: tuple[str, ...]
    others: tuple[str, ...]
    by_model: tuple[float, ...]
    mean: float
    low: float  # 95 %, over models
    high: float
    p: float


def group_roles(draws: Draws) -> tuple[GroupRole, ...]:
    """English, then the high-resource languages; as donors and as recipients, over all tasks and on each."""
    return tuple(_roles(same_task(trained(draws.cells))))


def _roles(cells: Sequence[ChangeCell]) -> Iterator[GroupRole]:
    languages = sorted({cell.target.lang for cell in cells})
    groups = {"English": {"en"}, "high-resource languages": HIGH_RESOURCE}
    tasks = ["", *dict.fromkeys(cell.target.skill for cell in cells)]
    for group, members in groups.items():
        inside = tuple(language for language in languages if language in members)
        outside = tuple(language for language in languages if language not in members)
        if not (inside and outside):
            continue
        for side in ("donor", "recipient"):
            for task in tasks:
                some = [cell for cell in cells if task in ("", cell.target.skill)]
                role = _role(group, side, task, inside, outside, some)
                if role:
                    yield role


def _role(
    group: str, side: Side, task: str, inside: tuple[str, ...], outside: tuple[str, ...], cells: Sequence[ChangeCell]
) -> GroupRole | None:
    of_model = [
        value
        for model in dict.fromkeys(cell.row.model for cell in cells)
        if (value := _difference([cell for cell in cells if cell.row.model == model], side, inside)) is not None
    ]
    if len(of_model) < _LEAST:
        return None
    values = np.array(of_model)
    mean, error, df = float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5), len(values) - 1
    half = quantile(df) * error
    p = two_sided(mean, error, df)
    return GroupRole(group, side, task, inside, outside, tuple(of_model), mean, mean - half, mean + half, p)


def _difference(cells: Sequence[ChangeCell], side: Side, inside: Collection[str]) -> float | None:
    """Of effects by least squares: donors are compared on the same targets, recipients on the same sources."""
    own, other = (_source, _target) if side == "donor" else (_target, _source)
    rows, names = _numbered([own(cell) for cell in cells])
    columns, _ = _numbered([f"{cell.target.skill}/{other(cell)}" for cell in cells])
    fitted = additive(rows, columns)
    if fitted is None:
        return None
    effects = fitted.donors @ np.array([cell.change.mean for cell in cells])
    member = np.array([name in inside for name in names])
    return float(effects[member].mean() - effects[~member].mean()) if 0 < member.sum() < len(names) else None


def _source(cell: ChangeCell) -> str:
    assert cell.row.source is not None
    return cell.row.source.lang


def _target(cell: ChangeCell) -> str:
    return cell.target.lang


def _numbered(keys: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    names = list(dict.fromkeys(keys))
    return np.array([names.index(key) for key in keys]), names
