"""What a report estimates, computed from the planted truth: written anew, without the package's own sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from scipy.stats import kendalltau

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.effects.regimes import ALL_MODELS
from crossgraft.analysis.questions.roles.scores import Roles
from crossgraft.core import Floats, Point
from crossgraft.transfer.matrix import ChangeCell
from other_grids import Truth

Cells = Sequence[ChangeCell]
OFF = ("CT-ML", "CT-CL")
ELSEWHERE = ("MT-CL", *OFF)


def true(cells: Cells, truth: Truth) -> Floats:
    return np.array([truth.cells[cell.row, cell.target] for cell in cells])


def chosen(findings: Findings, *regimes: str, model: str = ALL_MODELS) -> list[ChangeCell]:
    found = findings.matrix.cells.values()
    return [cell for cell in found if cell.regime in regimes and model in (cell.row.model, ALL_MODELS)]


def contrast(cells: Cells, value: Callable[[ChangeCell], float]) -> float:
    """Own task in other languages less other tasks: the mean over the columns that have both."""
    columns: dict[object, tuple[list[float], list[float]]] = {}
    for cell in cells:
        sides = columns.setdefault((cell.row.model, cell.target), ([], []))
        sides[cell.regime != "MT-CL"].append(value(cell))
    return float(np.mean([np.mean(near) - np.mean(off) for near, off in columns.values() if near and off]))


def trimmed(values: Floats) -> float:
    cut = int(0.1 * len(values))
    return float(np.sort(values)[cut : len(values) - cut].mean())


def balanced(cells: Cells, truth: Truth) -> float:
    """The mean of each treatment, then of each model, then over models."""
    models: dict[str, dict[str, list[float]]] = {}
    for cell in cells:
        own = models.setdefault(cell.row.model, {}).setdefault(cell.row.name, [])
        own.append(truth.cells[cell.row, cell.target])
    return float(np.mean([np.mean([np.mean(values) for values in own.values()]) for own in models.values()]))


def two_way(cells: Cells, truth: Truth) -> tuple[dict[str, float], dict[str, float]]:
    """Donors and recipients of least squares in each model, each summing to zero; the mean over models."""
    sides: tuple[dict[str, list[float]], dict[str, list[float]]] = ({}, {})
    for model in dict.fromkeys(cell.row.model for cell in cells):
        own = [cell for cell in cells if cell.row.model == model]
        labels = [str(cell.row.source) for cell in own], [str(cell.target) for cell in own]
        names = [list(dict.fromkeys(side)) for side in labels]
        design = np.array(
            [[*(one == s for one in names[0]), *(one == t for one in names[1])] for s, t in zip(*labels, strict=True)],
            float,
        )
        effects = np.linalg.lstsq(design, true(own, truth), rcond=None)[0]
        for side, known, part in zip(sides, names, np.split(effects, [len(names[0])]), strict=True):
            for name, value in zip(known, part - part.mean(), strict=True):
                side.setdefault(name, []).append(float(value))
    donors, takers = ({name: float(np.mean(values)) for name, values in side.items()} for side in sides)
    return donors, takers


def means_as_in_the_paper(cells: Cells, truth: Truth, key: Callable[[ChangeCell], str]) -> dict[str, float]:
    """The mean of each model's cells by name, then over the models."""
    found: dict[str, dict[str, list[float]]] = {}
    for cell in cells:
        own = found.setdefault(key(cell), {}).setdefault(cell.row.model, [])
        own.append(truth.cells[cell.row, cell.target])
    return {name: float(np.mean([np.mean(values) for values in models.values()])) for name, models in found.items()}


def role_truth(one: Roles, findings: Findings, truth: Truth) -> dict[str, float]:
    """Of the names of a table of donors, of recipients, or of differences."""
    if one.of == "points":
        donors, takers = two_way(chosen(findings, *ELSEWHERE), truth)
    else:
        attribute = "lang" if one.of == "languages" else "skill"
        cells = chosen(findings, "MT-CL" if one.of == "languages" else "CT-ML")
        donors = means_as_in_the_paper(cells, truth, lambda cell: getattr(cell.row.source, attribute))
        takers = means_as_in_the_paper(cells, truth, lambda cell: getattr(cell.target, attribute))
    if one.side == "donor less recipient":
        return {name: donors[name] - takers[name] for name in donors.keys() & takers.keys()}
    return donors if one.side == "donor" else takers


def source_of(cell: ChangeCell) -> Point:
    assert cell.row.source is not None
    return cell.row.source


def pairs(cells: Cells, truth: Truth) -> tuple[Floats, Floats]:
    """True changes of pairs of points, there and back."""
    known = {(str(source_of(cell)), str(cell.target)): truth.cells[cell.row, cell.target] for cell in cells}
    both = [(s, t) for s, t in known if s < t and (t, s) in known]
    return np.array([known[s, t] for s, t in both]), np.array([known[t, s] for s, t in both])


def mean_tau(cells: Cells, truth: Truth) -> float:
    """Over sources, of the mean over pairs of models on the recipients they share."""
    found = []
    for source in dict.fromkeys(source_of(cell) for cell in cells):
        models: dict[str, dict[Point, float]] = {}
        for cell in cells:
            if cell.row.source == source:
                models.setdefault(cell.row.model, {})[cell.target] = truth.cells[cell.row, cell.target]
        for one, other in combinations(models.values(), 2):
            both = [target for target in one if target in other]
            if len(both) > 2:
                found.append(kendalltau([one[t] for t in both], [other[t] for t in both]).statistic)
    return float(np.mean(found))
