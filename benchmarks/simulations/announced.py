"""What a report announces: where nothing transfers, and where something is planted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crossgraft.analysis.checks.gates import CLUSTERED
from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.roles.scores import Roles
from other_grids import OtherGrid, Truth

FALSE, AT_MOST, POWER = "5", "at most 5", "power"
Number = tuple[str, str, float]


def null(findings: Findings, _: Truth) -> Iterator[Number]:
    """What is announced where nothing transfers."""

    def off_zero(one: object) -> float:
        return float(one.low > 0 or one.high < 0)  # type: ignore[attr-defined]

    for cell in findings.matrix.cells.values():
        yield "cell: excludes zero", FALSE, off_zero(cell.change)
    lost = any(one.harmed for one in findings.summaries)
    yield "grids with a gain announced", AT_MOST, float(any(one.gains for one in findings.signals))
    yield "grids with a harm announced", AT_MOST, float(lost or any(one.loses for one in findings.signals))
    yield "grids with a harm announced: a single cell", "", float(lost)
    for one in findings.summaries:
        if one.gain is not None:
            yield "treatment: gain excludes zero", FALSE, off_zero(one.gain)
    for harm in findings.treatment_harm:
        yield "treatment: other tasks exclude zero", FALSE, off_zero(harm.off)
        if harm.excess is not None:
            yield "treatment: at equal gain excludes zero", FALSE, off_zero(harm.excess)
    for regime in findings.regimes:
        yield "regime: mean excludes zero", FALSE, off_zero(regime.estimate)
    for level in findings.contrasts[0].levels if findings.contrasts else ():
        if level.low is not None:
            yield f"contrast: {level.level} exclude zero", FALSE, off_zero(level)
    for noise in findings.base_noise:
        yield "mean change elsewhere excludes zero", FALSE, off_zero(noise.uplift)
        yield "cells expected above zero", "0", noise.positive / 100
        for recipient in noise.recipients:
            yield "recipient: mean excludes zero", FALSE, off_zero(recipient.raw)
    for table in findings.roles:
        if isinstance(table, Roles):
            name = f"{table.of}, {table.side}"
            for role in table.roles:
                yield f"{name}: score excludes zero", FALSE, off_zero(role.score)
            if table.same_set is not None:
                yield (
                    f"{name}: a first with P > .95",
                    AT_MOST,
                    float(any((role.first or 0) > 0.95 for role in table.roles)),
                )
    for agreement in findings.consistency:
        if agreement.rankers == "models" and agreement.chance is not None and agreement.index is not None:
            yield "models agree: index beyond chance", FALSE, float(agreement.index > agreement.chance.highest)
    for one in findings.coverage:
        yield "targets helped with P > .9", "10", one.helped / one.targets
    for gate in findings.gates:
        if gate.name in ("dead targets", "sister languages", CLUSTERED):
            yield f"gate fails: {gate.name}", "", float(not gate.fine)


def power(findings: Findings, grid: OtherGrid, plant: str) -> Iterator[Number]:
    """Where what is planted is named: in the first paragraph, and among the means that are tested."""
    first, target = findings.sentences[0], grid.points[-1]
    if plant.startswith("donor"):
        name = grid.row(0, 0).name
        table = next(
            one for one in findings.roles if isinstance(one, Roles) and (one.of, one.side) == ("points", "donor")
        )
        top = table.roles[0]
        yield f"{plant}: first of the donors", POWER, float(top.name == name)
        yield f"{plant}: first with P > .95", POWER, float(top.name == name and (top.first or 0) > 0.95)
        own = next(one for one in table.roles if one.name == name)
        yield f"{plant}: its score excludes zero", POWER, float(own.score.low > 0)
        yield f"{plant}: a significant gain", POWER, float(any(s.gains for s in findings.signals if s.name == name))
        yield f"{plant}: named on the first screen", POWER, named_as_source(name, first)
    elif plant.startswith("target"):
        yield f"{plant}: named on the first screen", POWER, float(str(target) in first)
        tested = [one for one in findings.signals if one.kind == "target" and one.name == str(target)]
        yield f"{plant}: a significant loss", POWER, float(any(one.loses for one in tested))
        yield f"{plant}: most brittle of its model", POWER, np.mean([
            next(one for one in findings.target_harm if one.model == model).target == target
            for model in dict.fromkeys(one.model for one in findings.target_harm)
        ])  # fmt: skip
        for one in (one for noise in findings.base_noise for one in noise.recipients if one.target == target):
            yield f"{plant}: its mean is below zero", POWER, float(one.raw.high < 0)
    else:
        name = grid.row(0, 1).name
        yield f"{plant}: named on the first screen", POWER, named_as_source(name, first)
        own = [one for one in findings.signals if one.kind == "same task" and one.name == name]
        yield f"{plant}: a significant loss", POWER, float(any(one.loses for one in own))


def named_as_source(name: str, text: str) -> float:
    """And not as a target."""
    return float(name in text.replace(f"on {name}", "").replace(f"target {name}", ""))
