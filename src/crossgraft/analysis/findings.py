"""The first reading of a study: what changed, the worst harm, how sure, what is missing.

Intervals of means come from the joint item bootstrap: items are drawn anew, the same for all
cells of a task, while models, treatments, seeds and targets stay those of the grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from crossgraft.analysis.axes import AxisEffect, axis_effects
from crossgraft.analysis.bli import BLIFindings
from crossgraft.analysis.draws import DRAWS, SEED, TINY, Draws, Estimate
from crossgraft.analysis.trust import TrustCheck
from crossgraft.core import REGIME_WORDS, Point, Regime, Treatment
from crossgraft.matrix import ChangeCell, ControlCheck, Gap, TransferMatrix


@dataclass(frozen=True)
class Summary:
    """One row of the first table: a treatment, what it brings elsewhere, the worst it does."""

    row: Treatment
    gain: Estimate | None  # mean change on the cells that ``gain_is`` names
    gain_is: str
    worst: ChangeCell | None
    harmed: int  # cells whose interval lies below zero
    cells: int


@dataclass(frozen=True)
class RegimeMean:
    """The mean change of all cells of a model in one regime, or of one task where there are no regimes."""

    model: str
    regime: Regime | str
    words: str
    estimate: Estimate
    positive: float  # share of cells with a change above zero


@dataclass(frozen=True)
class Findings:
    """Everything the first report shows, computed."""

    study: str
    sentences: tuple[str, ...]
    summaries: tuple[Summary, ...]
    regimes: tuple[RegimeMean, ...]
    matrix: TransferMatrix
    gaps: tuple[Gap, ...]
    control_checks: tuple[ControlCheck, ...]
    trust_checks: tuple[TrustCheck, ...] = ()
    axes: tuple[AxisEffect, ...] = ()
    bli: tuple[BLIFindings, ...] = ()  # one a task of ranked words; none in other studies
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    method: str = field(
        default=(
            f"Intervals of cells: Agresti–Min, 95 %, paired by item, the variance between seeds added. Intervals of "
            f"means: joint item bootstrap, {DRAWS} draws, seed {SEED}, the variance between seeds added; they are about new items, not about new models, "
            "tasks or languages. Cells are not corrected for their number: of 100 cells without any change, about "
            "five have an interval that excludes zero."
        )
    )


def analyse(
    matrix: TransferMatrix,
    study: str = "",
    *,
    notes: Sequence[str] = (),
    failures: Sequence[str] = (),
    checks: Sequence[TrustCheck] = (),
    bli: Sequence[BLIFindings] = (),
) -> Findings:
    """Read a matrix: means by regime, the first table and its sentences."""
    draws = Draws(matrix)
    summaries = tuple(_summary(row, matrix, draws) for row in matrix.rows)
    notes = [*notes, *(f"{one.task}: {note}" for one in bli for note in one.notes)]
    regimes = tuple(_regimes(matrix, draws))
    return Findings(
        study=study,
        sentences=tuple(_sentences(matrix, summaries, [*notes, *_doubts(checks)], failures)),
        summaries=tuple(sorted(summaries, key=_by_gain)),
        regimes=regimes,
        matrix=matrix,
        gaps=matrix.gaps,
        control_checks=matrix.control_checks,
        trust_checks=tuple(checks),
        axes=axis_effects(matrix, draws),
        bli=tuple(bli),
        notes=(*notes, *_shared_base(matrix)),
        failures=tuple(failures),
    )


def _summary(row: Treatment, matrix: TransferMatrix, draws: Draws) -> Summary:
    cells = [cell for (one, _), cell in matrix.cells.items() if one == row]
    gained, words = _where_it_should_gain(cells)
    off_source = [cell for cell in cells if cell.regime != "MT-ML" and cell.unit == "pp"]
    return Summary(
        row=row,
        gain=draws.mean(gained),
        gain_is=words,
        worst=min(off_source, key=lambda cell: cell.change.mean, default=None),
        harmed=sum(cell.change.high < 0 for cell in off_source),
        cells=len(off_source),
    )


def _where_it_should_gain(cells: Sequence[ChangeCell]) -> tuple[Sequence[ChangeCell], str]:
    """The cells a treatment is judged by first, and what to call them."""
    regimes: tuple[tuple[Regime, str], ...] = (
        ("MT-CL", "on the same task in other languages"),
        ("MT-ML", "on the source itself"),
    )
    for regime, words in regimes:
        if chosen := [cell for cell in cells if cell.regime == regime]:
            return chosen, words
    return cells, "over all targets"  # a mapping, an adapter of unknown source, a source that is no target


def _by_gain(summary: Summary) -> tuple[str, float]:
    return summary.row.model, -(summary.gain.mean if summary.gain else -np.inf)


def _regimes(matrix: TransferMatrix, draws: Draws) -> Iterable[RegimeMean]:
    models = dict.fromkeys(row.model for row in matrix.rows)
    for model in models:
        cells = [cell for cell in draws.cells if cell.row.model == model]
        groups: list[tuple[Regime | str, str, list[ChangeCell]]]
        if any(cell.regime for cell in cells):
            groups = [(r, words, [cell for cell in cells if cell.regime == r]) for r, words in REGIME_WORDS.items()]
        else:
            tasks = dict.fromkeys(cell.target.task for cell in cells)
            groups = [(task, "all pairs", [cell for cell in cells if cell.target.task == task]) for task in tasks]
        for regime, words, group in groups:
            estimate = draws.mean(group)
            if estimate is not None:
                positive = float(np.mean([cell.change.mean > TINY for cell in group]))
                yield RegimeMean(model, regime, words, estimate, positive)


def _sentences(
    matrix: TransferMatrix,
    summaries: Sequence[Summary],
    notes: Sequence[str],
    failures: Sequence[str],
) -> Iterable[str]:
    """What was found, how sure, what to distrust."""
    if not matrix.cells:
        yield "Nothing can be compared yet: no treatment has been measured together with its control."
        yield f"{len(matrix.gaps)} results are missing." if matrix.gaps else "The study has no results."
        yield "Run the study, then ask for the report again."
        return
    yield _what_was_found(summaries)
    yield _how_sure(matrix)
    yield _what_to_distrust(matrix, notes, failures)


def _what_was_found(summaries: Sequence[Summary]) -> str:
    known = [summary for summary in summaries if summary.gain is not None]
    gains = [summary for summary in known if summary.gain and summary.gain.verdict == "better"]
    harmful = [summary for summary in known if summary.worst is not None and summary.worst.change.high < 0]
    if gains:
        best = max(gains, key=lambda summary: summary.gain.mean if summary.gain else -np.inf)
        assert best.gain is not None
        text = (
            f"{len(gains)} of {len(known)} treatments gain{'s' if len(gains) == 1 else ''} {_common_words(known)}; the most "
            f"{best.row} ({best.gain.mean:+.1f} pp [{best.gain.low:+.1f}, {best.gain.high:+.1f}])"
        )
    else:
        text = f"None of {len(known)} treatments shows a gain that its items can tell from zero"
    if not harmful:
        return f"{text}; no cell elsewhere is harmed beyond its interval."
    worst = min(harmful, key=lambda summary: summary.worst.change.mean if summary.worst else np.inf)
    assert worst.worst is not None
    change = worst.worst.change
    return (
        f"{text}; {len(harmful)} harm{'s' if len(harmful) == 1 else ''} some other target, the worst {worst.row} on {worst.worst.target} "
        f"({change.mean:+.1f} pp [{change.low:+.1f}, {change.high:+.1f}])."
    )


def _common_words(summaries: Sequence[Summary]) -> str:
    """Where most of the treatments were looked at."""
    words = [summary.gain_is for summary in summaries]
    return max(words, key=words.count)


def _how_sure(matrix: TransferMatrix) -> str:
    cells = list(matrix.cells.values())
    counts = sorted(cell.change.n for cell in cells)
    clear = sum(cell.change.low > 0 or cell.change.high < 0 for cell in cells)
    smallest = float(np.median([cell.change.detectable for cell in cells if cell.unit == "pp"] or [np.nan]))
    seeds = sorted({len(cell.seeds) for cell in cells})
    items = f"{counts[0]}" if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
    runs = f"{seeds[0]}" if seeds[0] == seeds[-1] else f"{seeds[0]} to {seeds[-1]}"
    by_chance = len(cells) * 0.05
    return (
        f"{clear} of {len(cells)} cells have an interval that excludes zero (about {by_chance:.0f} would by chance alone); "
        f"a cell rests on {items} items and {runs} seed{'s' if seeds[-1] > 1 else ''}, "
        f"so changes below about {smallest:.1f} pp go unseen in a single cell."
    )


def _what_to_distrust(matrix: TransferMatrix, notes: Sequence[str], failures: Sequence[str]) -> str:
    doubts = []
    if failures:
        doubts.append(f"{len(failures)} jobs failed")
    missing = sum(gap.why == "missing" for gap in matrix.gaps)
    refused = len(matrix.gaps) - missing
    if missing:
        doubts.append(f"{missing} results are missing")
    if refused:
        doubts.append(f"{refused} results are refused because they were measured otherwise than their control")
    moved = [check for check in matrix.control_checks if check.variant.startswith("repeat") and check.change.mean]
    if moved:
        doubts.append(f"the base itself changed on {len(moved)} targets when it was measured again")
    if any(len(cell.seeds) == 1 and cell.row.kind == "trained" for cell in matrix.cells.values()):
        doubts.append("with one seed, the luck of a training run is not in the intervals")
    if notes:
        doubts.append(f"{len(notes)} notes on data and checks are listed below")
    if not doubts:
        doubts.append("the intervals are about new items, not about new models, tasks or languages")
    return f"To distrust: {'; '.join(doubts)}."


def _doubts(checks: Sequence[TrustCheck]) -> list[str]:
    return [f"{check.model}, {check.name}: {check.saw}" for check in checks if not check.fine]


def _shared_base(matrix: TransferMatrix) -> Iterable[str]:
    if len({row for row, _ in matrix.cells}) > 1:
        yield (
            "All changes in a column are taken against the same control answers, so an unlucky control moves the whole "
            "column: comparisons of treatments within a column are immune to this, means over targets and shares of "
            "positive cells are not."
        )


def columns_of(matrix: TransferMatrix, model: str) -> tuple[Point, ...]:
    """The targets on which a model has any cell, in the order of the matrix."""
    return tuple(
        column
        for column in matrix.columns
        if any((row, column) in matrix.cells for row in matrix.rows if row.model == model)
    )
