"""The first reading of a study: what changed, the worst harm, how sure, what is missing.

Intervals of means come from the joint item bootstrap: items are drawn anew, the same for all
cells of a task, while models, treatments, seeds and targets stay those of the grid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from crossgraft.analysis.checks.gates import gates
from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.first import mappings
from crossgraft.analysis.first.floor import at_chance
from crossgraft.analysis.first.sentences import (
    doubts,
    headline,
    how_sure,
    nothing_yet,
    what_controls_did,
    what_harmed,
    what_helped,
    what_to_distrust,
    what_to_train,
)
from crossgraft.analysis.first.signals import LEVEL, Signal, signals
from crossgraft.analysis.first.summaries import Summary, harmed_cells, summaries
from crossgraft.analysis.intervals.draws import DRAWS, SEED, Draws, has_items
from crossgraft.analysis.intervals.unpaired import NO_ITEMS, cannot
from crossgraft.analysis.mappings.predicting import Prediction, predictions
from crossgraft.analysis.questions.base.noise import AgainstSham, BaseNoise, against_sham, base_noise
from crossgraft.analysis.questions.effects.axes import AxisEffect, axis_effects
from crossgraft.analysis.questions.effects.contrast import Contrast, contrasts
from crossgraft.analysis.questions.effects.harm import TargetHarm, TreatmentHarm, target_harm, treatment_harm
from crossgraft.analysis.questions.effects.regimes import RegimeSummary, regimes
from crossgraft.analysis.questions.paper.author_shares import shares_side_by_side
from crossgraft.analysis.questions.paper.authors import SideBySide, side_by_side
from crossgraft.analysis.questions.roles.asymmetry import Asymmetry, asymmetries
from crossgraft.analysis.questions.roles.consistency import Consistency, consistencies
from crossgraft.analysis.questions.roles.patterns import Pattern, patterns
from crossgraft.analysis.questions.roles.scores import Coverage, NoRoles, Roles, coverage, roles
from crossgraft.analysis.questions.roles.two_way import TwoWay, two_way
from crossgraft.analysis.questions.variance.components import Variance, variance
from crossgraft.core import Check, Labels, Point
from crossgraft.transfer.matrix import TransferMatrix

METHOD = (
    "Intervals of cells: Agresti–Min, 95 %, paired by item, the variance between seeds added. Intervals of means: joint item "
    f"bootstrap, {DRAWS} draws, seed {SEED}, the variance between seeds beyond that of single answers added. They are about new items, not "
    "about new models, tasks or languages, unless it says so. The first screen tests means of sources and targets over all models, and "
    f"effects of donors: gains and losses each at a false discovery rate of {LEVEL:.0%} (weighted Benjamini–Hochberg), single cells at {LEVEL:.0%} among all "
    "cells. What it names was chosen for being extreme: its value is shrunk and its interval simultaneous. Other intervals are not "
    "corrected for their number: of 100 cells without any change, about five exclude zero."
)


@dataclass(frozen=True)
class Findings:
    """Everything the first report shows, computed. A new finding needs no field here: its section computes it from ``evidence``."""

    evidence: Evidence
    sentences: tuple[str, ...]
    summaries: tuple[Summary, ...]  # of the treatments under study
    controls: tuple[Summary, ...]  # of shams
    signals: tuple[Signal, ...]  # what the first screen tests
    regimes: tuple[RegimeSummary, ...]
    contrasts: tuple[Contrast, ...]
    treatment_harm: tuple[TreatmentHarm, ...]
    target_harm: tuple[TargetHarm, ...]
    base_noise: tuple[BaseNoise, ...]
    against_sham: tuple[AgainstSham, ...]
    gates: tuple[Check, ...]
    roles: tuple[Roles | NoRoles, ...]
    variance: Variance | None  # none where treatments have no sources
    consistency: tuple[Consistency, ...]
    patterns: tuple[Pattern, ...]
    authors: tuple[SideBySide, ...]
    two_way: tuple[TwoWay, ...]
    asymmetries: tuple[Asymmetry, ...]
    coverage: tuple[Coverage, ...]
    axes: tuple[AxisEffect, ...]
    predictions: tuple[Prediction, ...]  # of downstream scores by lexicon induction
    notes: tuple[str, ...]
    method: str

    @property
    def study(self) -> str:
        return self.evidence.study

    @property
    def matrix(self) -> TransferMatrix:
        return self.evidence.matrix

    def _repr_html_(self) -> Markup:
        """In a notebook: the sentences of the first screen, and the matrix."""
        lines = Markup("").join(Markup("<p>{}</p>").format(sentence) for sentence in self.sentences)
        return lines + self.matrix._repr_html_()


def analyse(evidence: Evidence | TransferMatrix) -> Findings:
    """Read a matrix, alone or with all that was noted while it was made."""
    if isinstance(evidence, TransferMatrix):
        evidence = Evidence(evidence)
    matrix, draws, labels = evidence.matrix, evidence.draws, evidence.matrix.labels
    sourced, paired = any(cell.regime for cell in draws.cells), has_items(draws.cells)
    groups = [[row for row in matrix.rows if row.is_sham is sham] for sham in (False, True)]
    harms = [harmed_cells([cell for row in rows for cell in draws.cells_of(row)]) for rows in groups]
    rows, controls = (
        tuple(sorted(summaries(rows, draws, harm), key=_by_gain)) for rows, harm in zip(groups, harms, strict=True)
    )
    ranked, contrasted = roles(draws), tuple(contrasts(draws, labels))
    tested, looked = signals(draws, ranked), gates(matrix)
    parted = variance(draws, labels) if sourced else None
    predicted = predictions(matrix)
    notes = (*evidence.notes, *(f"{one.task}: {note}" for one in evidence.bli for note in one.notes))
    regime_means = tuple(regimes(draws))
    sentences: tuple[str, ...] = nothing_yet(matrix)
    if matrix.cells:
        own = next(
            (regime_mean.estimate for regime_mean in reversed(regime_means) if regime_mean.regime == "MT-ML"), None
        )  # all models are last
        paragraphs = (
            [*what_helped(tested, rows)],
            [*what_harmed(tested, harms[0], rows), at_chance(draws.cells), what_controls_did(controls, harms[1])],
            [what_to_train(tested, harms[0], own)],
            [*headline(contrasted), how_sure(matrix, harms[0])],
            [what_to_distrust(matrix, [*notes, *doubts(evidence.checks, looked)], evidence.failures)],
        )
        sentences = tuple(filter(None, (" ".join(filter(None, paragraph)) for paragraph in paragraphs)))
        if evidence.standings:
            sentences = mappings.paragraphs(evidence, predicted, sentences[-1])
    return Findings(
        evidence=evidence,
        sentences=sentences,
        summaries=rows,
        controls=controls,
        signals=tested,
        regimes=regime_means,
        contrasts=contrasted,
        treatment_harm=treatment_harm(matrix, draws),
        target_harm=tuple(target_harm(draws)),
        base_noise=tuple(base_noise(draws)),
        against_sham=tuple(against_sham(matrix, draws)),
        gates=looked,
        roles=ranked,
        variance=parted,
        consistency=tuple(consistencies(draws, labels)) if sourced else (),
        patterns=tuple(patterns(draws)) if sourced else (),
        authors=_beside_the_authors(draws, labels, parted) if evidence.as_published else (),
        two_way=tuple(two_way(draws)),
        asymmetries=tuple(asymmetries(draws)),
        coverage=tuple(coverage(draws)),
        axes=axis_effects(matrix, draws),
        predictions=predicted,
        notes=(*notes, *_shared_base(matrix), *(() if paired else cannot(matrix))),
        method=METHOD if paired else NO_ITEMS,
    )


def _beside_the_authors(draws: Draws, labels: Labels, parted: Variance | None) -> tuple[SideBySide, ...]:
    """The paper's figures and ours, the shares of variance last; treatments without a source have no shares."""
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
