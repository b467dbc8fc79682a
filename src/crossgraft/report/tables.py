"""The tables as CSV, with full precision."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from crossgraft.analysis.draws import Estimate
from crossgraft.analysis.findings import Findings
from crossgraft.matrix import TIDY_COLUMNS


def cells_csv(findings: Findings) -> str:
    """One row a cell of the matrix."""
    return as_csv(TIDY_COLUMNS, ([row[name] for name in TIDY_COLUMNS] for row in findings.matrix.tidy()))


def regimes_csv(findings: Findings) -> str:
    """One row a model and regime."""
    names = ["estimate", "median", "trimmed", "positive", "gained", "harmed"]
    header = ["model", "regime", "meaning", "cells", "items"]
    header += [part for name in names for part in parts("mean" if name == "estimate" else name)]
    return as_csv(
        header,
        (
            [one.model, one.regime, one.words, one.estimate.cells, one.estimate.items]
            + [value for name in names for value in numbers(getattr(one, name))]
            for one in findings.regimes
        ),
    )


def contrasts_csv(findings: Findings) -> str:
    """One row a group and question: on-task less off-task transfer."""
    header = ["over", "difference", "question", "low", "high", "units", "why_not"]
    return as_csv(
        header,
        (
            [one.over, one.estimate.mean, level.level, level.low, level.high, level.units, level.why]
            for one in findings.contrasts
            for level in one.levels
        ),
    )


def harm_csv(findings: Findings) -> str:
    """One row a treatment: gain on its task elsewhere, change and harm off it."""
    names = ["gain", "off", "harmed", "excess"]
    header = ["model", "treatment", *(part for name in names for part in parts(name)), "mean_loss", "worst_tenth"]
    return as_csv(
        header,
        (
            [one.row.model, one.row.label]
            + [value for name in names for value in numbers(getattr(one, name))]
            + [one.mass, one.tail]
            for one in findings.treatment_harm
        ),
    )


def recipients_csv(findings: Findings) -> str:
    """One row a target of a model: how many treatments harm it."""
    header = ["model", "target", *parts("harmed"), "worst_tenth", "worst_treatment", "worst_change"]
    return as_csv(
        header,
        (
            [one.model, str(one.target), *numbers(one.harmed), one.tail, one.worst.row.label, one.worst.change.mean]
            for one in findings.target_harm
        ),
    )


def parts(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]


def numbers(one: Estimate | None) -> list[float | None]:
    if one is None:
        return [None, None, None]
    return [one.mean, *((None, None) if one.why else (one.low, one.high))]


def axes_csv(findings: Findings) -> str:
    """One row an effect of an axis of the recipe."""
    header = ["model", "axis", "levels", "references", "outcome", "sets", "cells", "items", "difference", "low", "high"]
    return as_csv(
        header,
        (
            [
                one.model,
                one.axis,
                ", ".join(str(value) for _, value in one.levels),
                ", ".join(str(value) for _, value in one.references),
                one.outcome,
                one.sets,
                one.estimate.cells,
                one.estimate.items,
                *numbers(one.estimate),
            ]
            for one in findings.axes
        ),
    )


def training_csv(findings: Findings) -> str:
    """One row a training run; ``tokens_of`` is JSON, by part of the source."""
    header = ["model", "treatment", "seed", "steps", "tokens", "counted_tokens", "tokens_of"]
    return as_csv(
        [*header, "first_loss", "last_loss", "kept_epoch"],
        (
            [
                one.row.model,
                one.row.label,
                run.treatment.seed,
                run.steps,
                run.tokens,
                run.counted,
                json.dumps(run.tokens_of, ensure_ascii=False),
                run.first_loss,
                run.last_loss,
                run.kept_epoch,
            ]
            for one in findings.training
            for run in one.runs
        ),
    )


def gaps_csv(findings: Findings) -> str:
    """One row a result that is missing or refused."""
    header = ["model", "treatment", "seed", "target", "why", "reason"]
    return as_csv(
        header,
        ([gap.row.model, gap.row.label, gap.row.seed, str(gap.target), gap.why, gap.reason] for gap in findings.gaps),
    )


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
