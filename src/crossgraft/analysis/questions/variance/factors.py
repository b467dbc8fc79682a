"""Which factors a grid can tell apart: cells → the random and fixed effects of a mixed model, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np

from crossgraft.core import REGIME_WORDS, Floats, Labels, Point, Treatment
from crossgraft.stats.mixed.design import Design, Factor

Place = tuple[Treatment, Point]
FEW = 5  # levels below which a variance is hardly known
_MOST = 2500  # levels of all factors together: beyond, a fit takes minutes
_REFERENCE = "CT-CL"  # the commonest regime; what the others add to it are fixed effects

_FACTORS: Mapping[str, tuple[str, ...]] = {  # names of labels; pairs and interactions have two
    "model": ("model",),
    "source task": ("source task",),
    "source language": ("source language",),
    "source": ("source",),
    "target task": ("target task",),
    "target language": ("target language",),
    "target": ("target",),
    "task pair": ("source task", "target task"),
    "language pair": ("source language", "target language"),
    "source × target": ("source", "target"),
    "model × source": ("model", "source"),
    "model × target": ("model", "target"),
    "model × target task": ("model", "target task"),
}
NESTED = ("model", "model × source", "model × target")
_MOST_WITH_PAIRS = 1000  # the same with pairs of source and target, which are many
_PAIRS = "source × target"
_FIRST_TO_GO = ("model × source", "model × target", "language pair")


@dataclass(frozen=True, eq=False)
class GridDesign:
    """The model that a grid can carry, with a sentence for everything that it cannot."""

    design: Design
    notes: tuple[str, ...]


def crossed_design(
    places: Sequence[Place], measured: Sequence[int], labels: Labels, *, pairs: bool = False
) -> GridDesign:
    """Factors and fixed effects that the measured ones of the places can tell apart, as a design of all places.

    With ``pairs`` what a pair of source and target does in all models is a factor; else it is left over.
    """
    every = _labels(places)
    names_of = [name for name in _FACTORS if pairs or name != _PAIRS]
    factors, notes = _told_apart({name: _levels(every, name) for name in names_of}, measured)
    fixed, names, more = _fixed(places, measured, labels)
    families = len({labels.family[row.model] for row, _ in places if row.model in labels.family})
    if families > 1:
        more = [*more, f"families of models are no factor: {families} levels are too few for a variance"]
    return GridDesign(Design(factors, fixed, names), (*notes, *more))


def nested_design(places: Sequence[Place]) -> Design:
    """(1 | model) + (1 | model:source) + (1 | model:target), the mean alone fixed."""
    every = _labels(places)
    factors = (Factor.of(name, _levels(every, name)) for name in NESTED)
    kept = tuple(factor for factor in factors if 1 < factor.levels < len(places))
    return Design(kept, np.ones((len(places), 1)))


def _labels(places: Sequence[Place]) -> Mapping[str, Sequence[str]]:
    """What is known of each place; a treatment that was trained on no task and language is its own source."""
    rows, targets = [row for row, _ in places], [target for _, target in places]
    found = {
        "model": [row.model for row in rows],
        "source": [str(row.source) if row.source else row.name for row in rows],
        "target": [str(target) for target in targets],
        "target task": [target.task for target in targets],
        "target language": [target.lang for target in targets],
    }
    sources = [row.source for row in rows if row.source]
    if len(sources) == len(rows):
        found["source task"] = [source.skill for source in sources]
        found["source language"] = [source.lang for source in sources]
    return found


def _levels(every: Mapping[str, Sequence[str]], name: str) -> Sequence[object]:
    """The level of each place; none where a label is not known."""
    if not set(_FACTORS[name]) <= every.keys():
        return ()
    return list(zip(*(every[part] for part in _FACTORS[name]), strict=True))


def _told_apart(
    labels: Mapping[str, Sequence[object]], measured: Sequence[int]
) -> tuple[tuple[Factor, ...], list[str]]:
    """Factors of more than one level, fewer than cells, and no two with the same groups of cells."""
    kept: list[Factor] = []
    groups: dict[bytes, str] = {}
    notes: list[str] = []
    for name, values in labels.items():
        if not values:
            continue
        factor = Factor.of(name, values)
        seen = Factor.of(name, factor.codes[measured].tolist())
        levels, same = seen.levels, groups.setdefault(seen.partition(), name)
        if levels == 1:
            notes.append(f"one {name}: no variance between")
        elif levels == len(measured):
            notes.append(f"every cell has its own {name}: it cannot be separated from the residual")
        elif same != name:
            notes.append(f"{name} and {same} are the same groups of cells here; the variance stands under {same}")
        else:
            kept.append(factor)
    for name, most in ((_PAIRS, _MOST_WITH_PAIRS), *((name, _MOST) for name in _FIRST_TO_GO)):
        if sum(factor.levels for factor in kept) > most and name in [factor.name for factor in kept]:
            notes.append(f"{name} is left out: more than {most} levels in all")
            kept = [factor for factor in kept if factor.name != name]
    return tuple(kept), notes


def _fixed(
    places: Sequence[Place], measured: Sequence[int], labels: Labels
) -> tuple[Floats, tuple[str, ...], list[str]]:
    """Mean, regimes against other tasks in other languages, recipes, size; each only where those before do not say it."""
    wanted: dict[str, Floats] = {"mean": np.ones(len(places))}
    regimes = [row.source.regime(target) if row.source else None for row, target in places]
    for regime in REGIME_WORDS:
        if regime != _REFERENCE:
            wanted[f"{regime} less {_REFERENCE}"] = np.array([one == regime for one in regimes], dtype=float)
    for recipe in list(dict.fromkeys(row.recipe for row, _ in places))[1:]:
        name = ", ".join(f"{key} {value}" for key, value in recipe)
        wanted[f"recipe {name}"] = np.array([row.recipe == recipe for row, _ in places], dtype=float)
    notes = []
    sizes = {row.model: labels.billions.get(row.model) for row, _ in places}
    known = {model: size for model, size in sizes.items() if size is not None and size > 0}
    if len(known) == len(sizes) and len(sizes) >= FEW:
        logs = np.array([log2(known[row.model]) for row, _ in places])
        wanted["a doubling of the model's size"] = logs - logs.mean()
    elif known:
        notes.append(f"size is no effect of its own: it takes {FEW} models whose sizes are known")
    kept = _independent({name: column[measured] for name, column in wanted.items()})
    return np.column_stack([wanted[name] for name in kept]), tuple(kept), notes


def _independent(columns: Mapping[str, Floats]) -> list[str]:
    kept: list[str] = []
    for name in columns:
        table = np.unique(np.column_stack([columns[one] for one in [*kept, name]]), axis=0)
        if np.linalg.matrix_rank(table) > len(kept):
            kept.append(name)
    return kept
