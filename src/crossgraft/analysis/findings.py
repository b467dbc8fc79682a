"""The first reading of a study: what changed, the worst harm, how sure, what is missing.

Intervals of means come from the joint item bootstrap: items are drawn anew, the same for all
cells of a task, while models, treatments, seeds and targets stay those of the grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from crossgraft.analysis.axes import AxisEffect, axis_effects
from crossgraft.analysis.baseline import AgainstSham, BaseNoise, against_sham, base_noise
from crossgraft.analysis.bli import BLIFindings
from crossgraft.analysis.checks.gates import gates
from crossgraft.analysis.consistency import Consistency, consistencies
from crossgraft.analysis.contrast import Contrast, contrasts
from crossgraft.analysis.first.floor import at_chance
from crossgraft.analysis.first.sentences import (
    doubts,
    headline,
    how_sure,
    nothing_yet,
    what_controls_did,
    what_to_distrust,
    what_was_found,
)
from crossgraft.analysis.first.signals import LEVEL, Signal, signals
from crossgraft.analysis.first.summaries import Summary, harmed_cells, summaries
from crossgraft.analysis.harm import TargetHarm, TreatmentHarm, target_harm, treatment_harm
from crossgraft.analysis.intervals.draws import DRAWS, SEED, Draws, has_items
from crossgraft.analysis.intervals.unpaired import NO_ITEMS, cannot
from crossgraft.analysis.paper.author_shares import shares_side_by_side
from crossgraft.analysis.paper.authors import SideBySide, side_by_side
from crossgraft.analysis.regimes import RegimeSummary, regimes
from crossgraft.analysis.roles.asymmetry import Asymmetry, asymmetries
from crossgraft.analysis.roles.patterns import Pattern, patterns
from crossgraft.analysis.roles.scores import Coverage, NoRoles, Roles, coverage, roles
from crossgraft.analysis.roles.two_way import TwoWay, two_way
from crossgraft.analysis.training import Training
from crossgraft.analysis.variance.components import Variance, variance
from crossgraft.core import Check, Labels, Point
from crossgraft.transfer.matrix import ControlCheck, Gap, TransferMatrix

METHOD = (
    "Intervals of cells: Agresti–Min, 95 %, paired by item, the variance between seeds added. Intervals of means: joint item "
    f"bootstrap, {DRAWS} draws, seed {SEED}, the variance between seeds beyond that of single answers added. They are about new items, not "
    "about new models, tasks or languages, unless it says so. The first paragraph tests means of sources and targets over all models, and "
    f"effects of donors: gains and losses each at a false discovery rate of {LEVEL:.0%} (weighted Benjamini–Hochberg), single cells at {LEVEL:.0%} among all "
    "cells. What it names was chosen for being extreme: its value is shrunk and its interval simultaneous. Other intervals are not "
    "corrected for their number: of 100 cells without any change, about five exclude zero."
)


@dataclass(frozen=True)
class Findings:
    """Everything the first report shows, computed."""

    study: str
    sentences: tuple[str, ...]
    summaries: tuple[Summary, ...]  # of the treatments under study
    signals: tuple[Signal, ...]  # what the first screen tests
    regimes: tuple[RegimeSummary, ...]
    matrix: TransferMatrix
    gaps: tuple[Gap, ...]
    control_checks: tuple[ControlCheck, ...]
    trust_checks: tuple[Check, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    treatment_harm: tuple[TreatmentHarm, ...] = ()
    target_harm: tuple[TargetHarm, ...] = ()
    axes: tuple[AxisEffect, ...] = ()
    base_noise: tuple[BaseNoise, ...] = ()
    against_sham: tuple[AgainstSham, ...] = ()
    gates: tuple[Check, ...] = ()
    roles: tuple[Roles | NoRoles, ...] = ()
    variance: Variance | None = None  # none where treatments have no sources
    consistency: tuple[Consistency, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    authors: tuple[SideBySide, ...] = ()
    two_way: tuple[TwoWay, ...] = ()
    asymmetries: tuple[Asymmetry, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    training: tuple[Training, ...] = ()
    controls: tuple[Summary, ...] = ()  # of shams
    bli: tuple[BLIFindings, ...] = ()  # one a task of ranked words; none in other studies
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    method: str = METHOD

    def _repr_html_(self) -> Markup:
        """In a notebook: the sentences of the first screen, and the matrix."""
        lines = Markup("").join(Markup("<p>{}</p>").format(sentence) for sentence in self.sentences)
        return lines + self.matrix._repr_html_()


def analyse(
    matrix: TransferMatrix,
    study: str = "",
    *,
    notes: Sequence[str] = (),
    failures: Sequence[str] = (),
    checks: Sequence[Check] = (),
    bli: Sequence[BLIFindings] = (),
    authors: bool = False,
) -> Findings:
    """Read a matrix: means by regime, the first table and its sentences."""
    draws = Draws(matrix)
    sourced = any(cell.regime for cell in draws.cells)
    treatments, shams = ([row for row in matrix.rows if row.is_sham is sham] for sham in (False, True))
    harm, sham_harm = (
        harmed_cells([cell for row in rows for cell in draws.cells_of(row)]) for rows in (treatments, shams)
    )
    rows, controls = summaries(treatments, draws, harm), summaries(shams, draws, sham_harm)
    ranked = roles(draws)
    tested = signals(draws, ranked)
    contrasted = tuple(contrasts(draws, matrix.labels))
    looked = gates(matrix)
    notes = [*notes, *(f"{one.task}: {note}" for one in bli for note in one.notes)]
    paired = has_items(draws.cells)
    parted = variance(draws, matrix.labels) if sourced else None
    sentences = nothing_yet(matrix)
    if matrix.cells:
        first = [*(one.sentence for one in bli), *what_was_found(tested, harm, rows), at_chance(draws.cells)]
        found = " ".join(filter(None, [*first, what_controls_did(controls, sham_harm)]))
        sure = " ".join([*headline(contrasted), how_sure(matrix, harm)])
        sentences = found, sure, what_to_distrust(matrix, [*notes, *doubts(checks, looked)], failures)
    return Findings(
        study=study,
        sentences=sentences,
        summaries=tuple(sorted(rows, key=_by_gain)),
        signals=tested,
        controls=tuple(sorted(controls, key=_by_gain)),
        regimes=tuple(regimes(draws)),
        contrasts=contrasted,
        treatment_harm=treatment_harm(matrix, draws),
        target_harm=tuple(target_harm(draws)),
        base_noise=tuple(base_noise(draws)),
        against_sham=tuple(against_sham(matrix, draws)),
        gates=looked,
        roles=ranked,
        variance=parted,
        consistency=tuple(consistencies(draws, matrix.labels)) if sourced else (),
        patterns=tuple(patterns(draws)) if sourced else (),
        authors=_beside_the_authors(draws, matrix.labels, parted) if authors else (),
        two_way=tuple(two_way(draws)),
        asymmetries=tuple(asymmetries(draws)),
        coverage=tuple(coverage(draws)),
        matrix=matrix,
        gaps=matrix.gaps,
        control_checks=matrix.control_checks,
        trust_checks=tuple(checks),
        axes=axis_effects(matrix, draws),
        bli=tuple(bli),
        notes=(*notes, *_shared_base(matrix), *(() if paired else cannot(matrix))),
        failures=tuple(failures),
        method=METHOD if paired else NO_ITEMS,
    )


def _beside_the_authors(draws: Draws, labels: Labels, parted: Variance | None) -> tuple[SideBySide, ...]:
    """Their figures and ours, the shares of variance last; of shares there are none without sources."""
    shares = shares_side_by_side(draws, labels, parted) if parted else ()
    return (*side_by_side(draws, labels), *shares)


def _by_gain(summary: Summary) -> tuple[str, float]:
    return summary.row.model, -(summary.gain.mean if summary.gain else -np.inf)


def _shared_base(matrix: TransferMatrix) -> Iterable[str]:
    if len({row for row, _ in matrix.cells}) > 1:
        yield (
            "All changes on a target are taken against the same answers of the control, so noise in the control's score moves all of them. "
            "Comparisons of treatments on the same target are not affected; means over targets and shares of positive cells are."
        )


def columns_of(matrix: TransferMatrix, model: str) -> tuple[Point, ...]:
    """The targets on which a model has any cell, in the order of the matrix."""
    return tuple(
        column
        for column in matrix.columns
        if any((row, column) in matrix.cells for row in matrix.rows if row.model == model)
    )
