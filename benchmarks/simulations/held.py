"""Whether the intervals of one report hold what is true, and whether what is surely first is first."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

import numpy as np
from counting import inside
from estimands import (
    ELSEWHERE,
    OFF,
    balanced,
    chosen,
    contrast,
    mean_tau,
    pairs,
    role_truth,
    source_of,
    trimmed,
    true,
    two_way,
)

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.first.signals import Signal
from crossgraft.analysis.first.summaries import harmed_cells
from crossgraft.analysis.questions.effects.regimes import ALL_MODELS
from crossgraft.analysis.questions.roles.scores import Roles
from other_grids import Truth

Number = tuple[str, str, float]  # what, nominal, found in one grid
COVER, NAMED = "95", "at least 95"  # named: simultaneous over its kind


def coverage(findings: Findings, truth: Truth) -> Iterator[Number]:
    """Whether the intervals of one report hold what is true; numbers of one name are averaged."""
    cells = list(findings.matrix.cells.values())
    for cell in cells:
        if isfinite(cell.change.high - cell.change.low):
            yield "cell", COVER, held(cell.change, truth.cells[cell.row, cell.target])
    yield from of_treatments(findings, truth)
    yield from of_signals(findings, truth)
    yield from of_means(findings, truth)
    yield from of_contrasts(findings, truth)
    for model in findings.base_noise:
        own = chosen(findings, *ELSEWHERE, model=model.model)
        yield "mean change elsewhere", COVER, held(model.uplift, float(true(own, truth).mean()))
        for one in model.recipients:
            column = [cell for cell in own if cell.target == one.target]
            yield "recipient: mean over treatments", COVER, held(one.raw, float(true(column, truth).mean()))
    yield from of_roles(findings, truth)
    yield from of_shapes(findings, truth)
    yield from of_variance(findings, truth)


def held(one: object, value: float) -> float:
    return inside(one.low, value, one.high)  # type: ignore[attr-defined]


def of_treatments(findings: Findings, truth: Truth) -> Iterator[Number]:
    summaries = [one for one in findings.summaries if one.gain is not None]
    gains = {
        one.row: float(true([c for c in chosen(findings, "MT-CL") if c.row == one.row], truth).mean())
        for one in summaries
        if "same task" in one.gain_is
    }
    summaries = [one for one in summaries if one.row in gains and isfinite(one.gain.high)]  # type: ignore[union-attr]
    for one in summaries:
        yield "treatment: gain", COVER, held(one.gain, gains[one.row])
        if one.worst is not None and one.worst_named is not None and isfinite(one.worst.change.high):
            value = truth.cells[one.worst.row, one.worst.target]
            yield "treatment: worst cell, named", NAMED, held(one.worst_named, value)
    sides: dict[str, tuple[list[float], list[float]]] = {}
    for one in findings.treatment_harm:
        off = float(true([c for c in chosen(findings, *OFF) if c.row == one.row], truth).mean())
        on = true([c for c in chosen(findings, "MT-ML") if c.row == one.row], truth)
        if isfinite(one.off.high):
            yield "treatment: other tasks", COVER, held(one.off, off)
        if one.excess is not None:
            xs, ys = sides.setdefault(one.row.model, ([], []))
            xs.append(float(on.mean()))
            ys.append(off)
        if one.ellipse is not None and one.gain is not None and one.row in gains:
            angle = np.radians(one.ellipse.angle)
            dx, dy = gains[one.row] - one.gain.mean, off - one.off.mean
            along, across = dx * np.cos(angle) + dy * np.sin(angle), -dx * np.sin(angle) + dy * np.cos(angle)
            yield (
                "treatment: ellipse",
                COVER,
                float((along / one.ellipse.long) ** 2 + (across / one.ellipse.short) ** 2 <= 1),
            )
    for model, (xs, ys) in sides.items():
        residuals = np.array(ys) - np.polyval(np.polyfit(xs, ys, 1), xs)
        own = [one for one in findings.treatment_harm if one.row.model == model and one.excess is not None]
        for one, residual in zip(own, residuals, strict=True):
            yield "treatment: other tasks at equal gain", COVER, held(one.excess, float(residual))
    for target in findings.target_harm:
        change = target.worst.change
        if isfinite(change.high):
            yield "target: worst treatment, named", COVER, held(change, truth.cells[target.worst.row, target.target])


def of_signals(findings: Findings, truth: Truth) -> Iterator[Number]:
    """Every mean that is tested, and as it is told where it is named: significant, or the largest or smallest of its kind."""
    donors = two_way(chosen(findings, *ELSEWHERE), truth)[0] if chosen(findings, *ELSEWHERE) else {}
    for kind in dict.fromkeys(one.kind for one in findings.signals):
        own = [one for one in findings.signals if one.kind == kind and isfinite(one.raw.high)]
        ends = (min(own, key=_raw), max(own, key=_raw)) if own else ()
        for one in own:
            value = donors[one.name] if kind == "donor" else balanced(one.cells, truth)
            yield f"mean, {kind}", COVER, held(one.raw, value)
            if one.gains or one.loses or one in ends:
                yield f"mean, {kind}, named", NAMED, held(one.named, value)
    tested = harmed_cells(chosen(findings, *ELSEWHERE))
    if any(isfinite(one.high) for one in tested.named.values()):
        worst = min(tested.tested, key=lambda cell: cell.change.mean)
        yield "study: worst cell, named", NAMED, held(tested.named[id(worst)], truth.cells[worst.row, worst.target])


def _raw(one: Signal) -> float:
    return one.raw.mean


def of_means(findings: Findings, truth: Truth) -> Iterator[Number]:
    for one in findings.regimes:
        values = true(chosen(findings, one.regime, model=one.model), truth)
        for name, found, value in (
            ("mean", one.estimate, values.mean()),
            ("median", one.median, np.median(values)),
            ("trimmed mean", one.trimmed, trimmed(values)),
        ):
            if isfinite(found.high - found.low):
                yield f"regime: {name}", COVER, held(found, float(value))


def of_contrasts(findings: Findings, truth: Truth) -> Iterator[Number]:
    for one in findings.contrasts:
        if one.over == ALL_MODELS or one.over.startswith(("model", "lm")):
            cells = chosen(findings, *ELSEWHERE, model=one.over)
            values = {
                "new items and seeds": contrast(cells, lambda cell: truth.cells[cell.row, cell.target]),
                "new models": contrast(cells, lambda cell: truth.over_models[source_of(cell), cell.target]),
                "new tasks": truth.same_task,
            }
            for level in one.levels:
                if level.low is not None:
                    yield f"contrast: {level.level}", COVER, held(level, values[level.level])


def of_roles(findings: Findings, truth: Truth) -> Iterator[Number]:
    for table in findings.roles:
        if not isinstance(table, Roles):
            continue
        known = role_truth(table, findings, truth)
        name = f"{table.of}, {table.side}"
        roles = [one for one in table.roles if isfinite(one.score.high)]
        for place, one in enumerate(roles):
            yield f"{name}: score", COVER, held(one.score, known[one.name])
            if place == 0:
                yield f"{name}: the first, named", NAMED, held(one.named, known[one.name])
            if one.first is not None and one.first > 0.9:
                yield f"{name}: first with P > .9, and is it", "over 90", float(known[one.name] == max(known.values()))


def of_shapes(findings: Findings, truth: Truth) -> Iterator[Number]:
    for one in findings.two_way:
        if one.low is not None:
            donors, takers = two_way(chosen(findings, *ELSEWHERE, model=one.model), truth)
            both = sorted(donors.keys() & takers.keys())
            value = np.corrcoef([donors[name] for name in both], [takers[name] for name in both])[0, 1]
            yield "donors and recipients: correlation", COVER, held(one, float(value))
    for index in findings.asymmetries:
        if index.index is not None and index.low is not None:
            there, back = pairs(chosen(findings, *ELSEWHERE, model=index.model), truth)
            k, s = (there - back) / 2, (there + back) / 2
            k2, s2 = float(np.mean(k**2)), float(np.var(s))
            yield "asymmetry", COVER, held(index, k2 / (k2 + s2))
    for agreement in findings.consistency:
        if agreement.rankers == "models" and agreement.noise is not None and agreement.noise.low is not None:
            rho = np.sin(np.pi / 2 * mean_tau(chosen(findings, str(agreement.regime)), truth))
            yield "models agree: correlation of true changes", COVER, held(agreement.noise, float(rho))


def of_variance(findings: Findings, truth: Truth) -> Iterator[Number]:
    """Shares of the variance of cells as they are measured, so with the grid's own noise; effects of regimes."""
    fit = findings.variance.crossed if findings.variance else None
    if fit is None or not truth.variances:
        return
    cells = chosen(findings, *ELSEWHERE)
    noise = np.mean((np.array([cell.change.mean for cell in cells]) - true(cells, truth)) ** 2)
    whole = sum(truth.variances.values()) + float(noise)
    for one in fit.shares:
        if one.factor in truth.variances and one.low is not None:
            yield f"variance: share of {one.factor}", COVER, held(one, truth.variances[one.factor] / whole)
    for effect in fit.fixed:
        if effect.name.endswith("less CT-CL") and not effect.name.startswith("MT-ML"):
            value = truth.same_task if effect.name.startswith("MT-CL") else 0.0
            yield f"variance: {effect.name}", COVER, held(effect.effect, value)
