"""The first reading of a study: what changed, the worst harm, how sure, what is missing.

Intervals of means come from the joint item bootstrap: items are drawn anew, the same for all
cells of a task, while models, treatments, seeds and targets stay those of the grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from crossgraft.analysis.asymmetry import Asymmetry, asymmetries
from crossgraft.analysis.author_shares import shares_side_by_side
from crossgraft.analysis.authors import SideBySide, side_by_side
from crossgraft.analysis.axes import AxisEffect, axis_effects
from crossgraft.analysis.baseline import AgainstSham, BaseLuck, against_sham, base_luck
from crossgraft.analysis.bli import BLIFindings
from crossgraft.analysis.consistency import Consistency, consistencies
from crossgraft.analysis.contrast import Contrast, contrasts
from crossgraft.analysis.draws import DRAWS, SEED, Draws, Estimate, has_items
from crossgraft.analysis.floor import at_chance, can_show_harm
from crossgraft.analysis.gates import CHANCE_FLOOR, Gate, gates
from crossgraft.analysis.harm import TargetHarm, TreatmentHarm, target_harm, treatment_harm
from crossgraft.analysis.regimes import RegimeSummary, regimes
from crossgraft.analysis.roles import Coverage, NoRoles, Roles, coverage, roles
from crossgraft.analysis.structure import Structure, structures
from crossgraft.analysis.training import Training
from crossgraft.analysis.trust import TrustCheck
from crossgraft.analysis.two_way import TwoWay, two_way
from crossgraft.analysis.unpaired import NO_ITEMS, cannot
from crossgraft.analysis.variance import Variance, variance
from crossgraft.analysis.wording import interval, number_of, signed
from crossgraft.core import Labels, Point, Regime, Treatment
from crossgraft.matrix import ChangeCell, ControlCheck, Gap, TransferMatrix
from crossgraft.stats.multiplicity import benjamini_hochberg

LEVEL = 0.05  # of false findings among those that are called findings
METHOD = (
    f"Intervals of cells: Agresti–Min, 95 %, paired by item, the variance between seeds added. Intervals of "
    f"means: joint item bootstrap, {DRAWS} draws, seed {SEED}, the variance between seeds beyond that of single answers added; they are about new items, not about new models, "
    "tasks or languages, unless it says so. What the first sentence counts as a gain is told from zero with at most "
    f"{LEVEL:.0%} false findings among the treatments (Benjamini–Hochberg); its own interval need not be. Cells are not corrected for their number: of 100 cells without any change, about "
    "five have an interval that excludes zero."
)


@dataclass(frozen=True)
class Summary:
    """One row of the first table: a treatment, what it brings elsewhere, the worst it does."""

    row: Treatment
    gain: Estimate | None  # mean change on the cells that ``gain_is`` names
    gain_is: str
    worst: ChangeCell | None  # of the cells elsewhere that can show harm
    harmed: int  # of these cells, those that lost: told from zero among all of the model
    cells: int  # how many these are
    at_chance: int = 0  # cells elsewhere on targets that can show no harm
    worst_is_harm: bool = False  # the worst cell is one of them
    adjusted: float = 1.0  # p of the gain, Benjamini–Hochberg over the treatments of the study

    @property
    def sure(self) -> str:
        """Told from zero by its own interval, and among as many treatments as were tried."""
        if self.gain is None:
            return "not measured"
        if self.gain.verdict == "not distinguishable" or self.adjusted <= LEVEL:
            return self.gain.verdict
        return f"{self.gain.verdict}, but not among {LEVEL:.0%} false findings"


@dataclass(frozen=True)
class Findings:
    """Everything the first report shows, computed."""

    study: str
    sentences: tuple[str, ...]
    summaries: tuple[Summary, ...]  # of the treatments under study
    regimes: tuple[RegimeSummary, ...]
    matrix: TransferMatrix
    gaps: tuple[Gap, ...]
    control_checks: tuple[ControlCheck, ...]
    trust_checks: tuple[TrustCheck, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    treatment_harm: tuple[TreatmentHarm, ...] = ()
    target_harm: tuple[TargetHarm, ...] = ()
    axes: tuple[AxisEffect, ...] = ()
    luck: tuple[BaseLuck, ...] = ()
    against_sham: tuple[AgainstSham, ...] = ()
    gates: tuple[Gate, ...] = ()
    roles: tuple[Roles | NoRoles, ...] = ()
    variance: Variance | None = None  # none where treatments have no sources
    consistency: tuple[Consistency, ...] = ()
    structures: tuple[Structure, ...] = ()
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


def analyse(
    matrix: TransferMatrix,
    study: str = "",
    *,
    notes: Sequence[str] = (),
    failures: Sequence[str] = (),
    checks: Sequence[TrustCheck] = (),
    bli: Sequence[BLIFindings] = (),
    authors: bool = False,
) -> Findings:
    """Read a matrix: means by regime, the first table and its sentences."""
    draws = Draws(matrix)
    sourced = any(cell.regime for cell in draws.cells)
    summaries = _summaries([row for row in matrix.rows if not row.is_sham], draws)
    controls = _summaries([row for row in matrix.rows if row.is_sham], draws)
    contrasted = tuple(contrasts(draws, matrix.labels))
    looked = gates(matrix)
    notes = [*notes, *(f"{one.task}: {note}" for one in bli for note in one.notes)]
    paired = has_items(draws.cells)
    parted = variance(draws, matrix.labels) if sourced else None
    sentences = _nothing_yet(matrix)
    if matrix.cells:
        first = [*(one.sentence for one in bli), _what_was_found(summaries), at_chance(draws.cells)]
        found = " ".join(filter(None, [*first, _what_controls_did(controls)]))
        sure = " ".join([*_headline(contrasted), _how_sure(matrix)])
        sentences = found, sure, _what_to_distrust(matrix, [*notes, *_doubts(checks, looked)], failures)
    return Findings(
        study=study,
        sentences=sentences,
        summaries=tuple(sorted(summaries, key=_by_gain)),
        controls=tuple(sorted(controls, key=_by_gain)),
        regimes=tuple(regimes(draws)),
        contrasts=contrasted,
        treatment_harm=treatment_harm(matrix, draws),
        target_harm=tuple(target_harm(draws)),
        luck=tuple(base_luck(draws)),
        against_sham=tuple(against_sham(matrix, draws)),
        gates=looked,
        roles=roles(draws),
        variance=parted,
        consistency=tuple(consistencies(draws, matrix.labels)) if sourced else (),
        structures=tuple(structures(draws)) if sourced else (),
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


def _summaries(rows: Sequence[Treatment], draws: Draws) -> tuple[Summary, ...]:
    """Of treatments, or of controls: each is tested among its own kind."""
    harm = _harmed([cell for row in rows for cell in draws.cells_of(row)])
    return _adjusted([_summary(row, draws, harm) for row in rows])


def _adjusted(summaries: Sequence[Summary]) -> tuple[Summary, ...]:
    """With the p of each gain adjusted for the number of treatments."""
    known = [summary for summary in summaries if summary.gain is not None]
    values = benjamini_hochberg(np.array([summary.gain.p for summary in known if summary.gain]))
    found = {summary.row: float(p) for summary, p in zip(known, values, strict=True)}
    return tuple(replace(summary, adjusted=found.get(summary.row, 1.0)) for summary in summaries)


def _harmed(cells: Iterable[ChangeCell]) -> set[int]:
    """Cells elsewhere that lost, with few false ones among them: Benjamini–Hochberg, a family a model.

    A family has the cells that can show harm.
    """
    found: set[int] = set()
    tested = [cell for cell in cells if cell.regime != "MT-ML" and cell.change.p is not None and can_show_harm(cell)]
    for model in dict.fromkeys(cell.row.model for cell in tested):
        own = [cell for cell in tested if cell.row.model == model]
        adjusted = benjamini_hochberg(np.array([cell.change.p for cell in own], dtype=float))
        found |= {id(cell) for cell, p in zip(own, adjusted, strict=True) if p <= LEVEL and cell.change.mean < 0}
    return found


def _summary(row: Treatment, draws: Draws, harm: set[int]) -> Summary:
    cells = draws.cells_of(row)
    gained, words = _where_it_should_gain(cells)
    off_source = [cell for cell in cells if cell.regime != "MT-ML"]
    seen = [cell for cell in off_source if can_show_harm(cell)]
    worst = min(seen, key=lambda cell: cell.change.mean, default=None)
    return Summary(
        row=row,
        gain=draws.mean(gained),
        gain_is=words,
        worst=worst,
        harmed=sum(id(cell) in harm for cell in seen),
        cells=len(seen),
        at_chance=len(off_source) - len(seen),
        worst_is_harm=id(worst) in harm,
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


def _nothing_yet(matrix: TransferMatrix) -> tuple[str, str, str]:
    return (
        "Nothing can be compared yet: no treatment has been measured together with its control.",
        f"{len(matrix.gaps)} results are missing." if matrix.gaps else "The study has no results.",
        "Run the study, then ask for the report again.",
    )


def _what_was_found(summaries: Sequence[Summary]) -> str:
    known = [summary for summary in summaries if summary.gain is not None]
    if not known:
        return "No treatment has been measured together with its control."
    gains = [summary for summary in known if summary.sure == "better"]
    only = len(known) == 1
    if gains:
        which = "The only treatment" if only else f"{len(gains)} of {len(known)} treatments"
        text = (
            f"{which} gain{'s' if len(gains) == 1 else ''} {_common_words(known)}{': ' if only else ', most of all '}"
            f"{_most_gain(gains, known)}"
        )
    elif only:
        text = "The only treatment shows no gain that can be told from zero"
    else:
        text = f"None of {len(known)} treatments shows a gain that can be told from zero among so many"
    harmful = [summary for summary in summaries if summary.worst_is_harm]
    if not harmful:
        return f"{text}; {_no_harm(known)}."
    who = "it" if only else str(len(harmful))
    return f"{text}; {who} harm{'s' if len(harmful) == 1 else ''} some other target, the worst {_most_harm(harmful, known)}."


def _no_harm(summaries: Sequence[Summary]) -> str:
    """As far as it could be seen."""
    if not any(summary.cells for summary in summaries):
        unseen = any(summary.at_chance for summary in summaries)
        return "no other target could show harm" if unseen else "no other target was measured"
    if any(summary.at_chance for summary in summaries):
        return "no significant harm on the other targets that could show it"
    return "no significant harm on any other target"


def _most_gain(gains: Sequence[Summary], among: Sequence[Summary]) -> str:
    best = max(gains, key=lambda summary: summary.gain.mean if summary.gain else -np.inf)
    assert best.gain is not None
    return f"{_called(best.row, among)} ({signed(best.gain.mean)} pp {interval(best.gain.low, best.gain.high)})"


def _most_harm(harmful: Sequence[Summary], among: Sequence[Summary]) -> str:
    worst = min(harmful, key=lambda summary: summary.worst.change.mean if summary.worst else np.inf)
    assert worst.worst is not None
    change = worst.worst.change
    return (
        f"{_called(worst.row, among)} on {worst.worst.target} "
        f"({signed(change.mean)} pp {interval(change.low, change.high)})"
    )


def _what_controls_did(controls: Sequence[Summary]) -> str:
    """Of sources that teach a format at most: what they gain or harm, the content of a treatment did not."""
    if not controls:
        return ""
    kinds = " and ".join(dict.fromkeys(one.row.source_variant for one in controls))
    gains = [one for one in controls if one.sure == "better"]
    harmful = [one for one in controls if one.worst_is_harm]
    parts = []
    if gains:
        parts.append(f"{len(gains)} gain{'s' if len(gains) == 1 else ''}, the most {_most_gain(gains, controls)}")
    if harmful:
        parts.append(
            f"{len(harmful)} harm{'s' if len(harmful) == 1 else ''} some target, the worst {_most_harm(harmful, controls)}"
        )
    told = "; ".join(parts) or f"no significant gain, {_no_harm(controls)}"
    return f"{number_of(len(controls), 'control source')} ({kinds}): {told}."


def _called(row: Treatment, among: Sequence[Summary]) -> str:
    """With its model, if there are several."""
    return str(row) if len({one.row.model for one in among}) > 1 else row.label


def _headline(contrasted: Sequence[Contrast]) -> Iterable[str]:
    """On-task less off-task transfer, over everything, and whether it would hold with other models and tasks."""
    if not contrasted:
        return
    first, *_ = contrasted
    found = first.estimate
    wider = [
        f"{one.level} {interval(one.low, one.high)}"
        if one.low is not None and one.high is not None
        else f"{one.level}: {one.why}"
        for one in first.levels[1:]
    ]
    yield (
        f"Training on a task changes that task in other languages by {signed(found.mean)} pp {interval(found.low, found.high)} "
        f"against training on other tasks ({'; '.join(wider)})."
    )


def _common_words(summaries: Sequence[Summary]) -> str:
    """Where most of the treatments were looked at."""
    words = [summary.gain_is for summary in summaries]
    return max(words, key=words.count)


def _how_sure(matrix: TransferMatrix) -> str:
    cells = [cell for cell in matrix.cells.values() if not cell.row.is_sham]
    if not cells:
        return "No cell belongs to a treatment."
    if not has_items(cells):
        return _how_sure_of_scores(cells)
    counts = sorted(cell.change.n for cell in cells)
    clear = sum(cell.change.low > 0 or cell.change.high < 0 for cell in cells)
    seeds = sorted({len(cell.seeds) for cell in cells})
    items, runs = _from_to(counts, "item"), _from_to(seeds, "seed")
    have = "cell has" if len(cells) == 1 else "cells have"
    return (
        f"{clear} of {len(cells)} {have} an interval that excludes zero ({_by_chance(len(cells))}); "
        f"a cell rests on {items} and {runs}{_unseen(cells)}."
    )


def _from_to(counts: Sequence[int], noun: str) -> str:
    """Of sorted counts."""
    if counts[0] == counts[-1]:
        return number_of(counts[0], noun)
    return f"{counts[0]} to {number_of(counts[-1], noun)}"


def _by_chance(cells: int) -> str:
    expected = cells * LEVEL
    return f"about {expected:.0f} would by chance alone" if expected >= 1 else "by chance alone fewer than one would"


def _unseen(cells: Sequence[ChangeCell]) -> str:
    """What a cell could not have shown; nothing of cells in other units than points."""
    sizes = [cell.change.detectable for cell in cells if cell.unit == "pp"]
    if not sizes:
        return ""
    smallest = float(np.median(sizes))
    if smallest >= 100:
        return ", so no change whatever can be seen in a single cell"
    return f", so changes below about {smallest:.1f} pp go unseen in a single cell"


def _how_sure_of_scores(cells: Sequence[ChangeCell]) -> str:
    known = [cell for cell in cells if not cell.change.why]
    if not known:
        return f"Nothing can be called significant: {cells[0].change.why}."
    clear = sum(cell.change.low > 0 or cell.change.high < 0 for cell in known)
    none = f"; {len(cells) - len(known)} have no interval" if len(known) < len(cells) else ""
    return (
        f"{clear} of {len(known)} cells have an interval that excludes zero{none}; only scores are known, so intervals are as wide as "
        f"the binomial distribution allows{_unseen(known)}."
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
        doubts.append(f"{refused} results are refused, as they cannot be compared with their control")
    moved = [check for check in matrix.control_checks if check.variant.startswith("repeat") and check.change.mean]
    if moved:
        doubts.append(f"the base itself changed on {len(moved)} targets when it was measured again")
    if any(len(cell.seeds) == 1 and cell.row.kind == "trained" for cell in matrix.cells.values()):
        doubts.append("with one seed, the luck of a training run is not in the intervals")
    if not has_items(matrix.cells.values()):
        doubts.append("only scores are known, so nothing is paired by item and the shared base is not corrected for")
    if notes:
        doubts.append(notes[0] if len(notes) == 1 else f"{len(notes)} notes on data and checks, the first: {notes[0]}")
    if not doubts:
        doubts.append("the intervals are about new items, not about new models, tasks or languages")
    return f"To distrust: {'; '.join(doubts)}."


def _doubts(checks: Sequence[TrustCheck], looked: Sequence[Gate]) -> list[str]:
    """Targets at chance are not among them: the first sentence names these."""
    both: list[TrustCheck | Gate] = [*checks, *(gate for gate in looked if gate.name != CHANCE_FLOOR)]
    return [f"{check.model}, {check.name}: {check.saw}" for check in both if not check.fine]


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
