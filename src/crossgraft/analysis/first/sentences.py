"""The first screen: what helped, what harmed, what to train, how sure that is, what to distrust. Words only; nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from crossgraft.analysis.checks.gates import CHANCE_FLOOR
from crossgraft.analysis.first.signals import LEVEL, Kind, Signal
from crossgraft.analysis.first.summaries import Harmed, Summary
from crossgraft.analysis.intervals.draws import has_items
from crossgraft.analysis.intervals.estimate import Estimate
from crossgraft.analysis.intervals.extremes import Named
from crossgraft.analysis.questions.effects.contrast import Contrast
from crossgraft.analysis.wording import interval, number_of, signed
from crossgraft.core import Check
from crossgraft.transfer.matrix import ChangeCell, TransferMatrix

_WHERE: dict[Kind, str] = {  # the first of these that there is comes first
    "same task": "on the same task in other languages",
    "all targets": "over all targets",
    "other tasks": "on other tasks",
}


def nothing_yet(matrix: TransferMatrix) -> tuple[str, str, str]:
    return (
        "Nothing can be compared yet: no treatment has been measured together with its control.",
        f"{len(matrix.gaps)} results are missing." if matrix.gaps else "The study has no results.",
        "Run the study, then ask for the report again.",
    )


def what_helped(signals: Sequence[Signal], summaries: Sequence[Summary]) -> Iterator[str]:
    """Gains on the same task in other languages; the best donor where none is significant."""
    if not any(summary.gain for summary in summaries):
        yield "No treatment has a change in percentage points."
        return
    first = _first(signals)
    if first:
        yield _gains(first, len({summary.row.model for summary in summaries}))
    if not any(one.gains for one in first):
        yield from _other_gains([signal for signal in signals if signal not in first])


def what_harmed(signals: Sequence[Signal], harmed: Harmed, summaries: Sequence[Summary]) -> Iterator[str]:
    """Losses of sources, else of targets and donors; then the cells that lose."""
    if not any(summary.gain for summary in summaries):
        return
    first = _first(signals)
    tested = signals if len(first) > 1 else [signal for signal in signals if signal not in first]
    losses = [*_losses_of_sources(tested)] or [*_losses_of_others(tested)]
    losses += _lost_cells(harmed, summaries)
    yield from losses or [_no_loss(harmed, summaries)]


def what_to_train(signals: Sequence[Signal], harmed: Harmed, own: Estimate | None) -> str:
    """A first answer without a goal: the largest significant gain, and what it harms."""
    gains = [signal for signal in _first(signals) if signal.gains]
    if not gains:
        if own is None or own.verdict != "better":
            return ""
        return f"To train: each target on itself, {_estimate(own)} on average; no source is better than the base elsewhere."
    lost = {gain.name: _lost_by(gain, harmed) for gain in gains}
    safe = [gain for gain in gains if not lost[gain.name]]
    best = max(safe or gains, key=lambda one: one.named.value)
    verb = "use" if best.cells[0].row.kind in ("mapping", "derived") else "train"
    if safe:
        return (
            f"To {verb}: {best.name}, {_number(best.named)} {_WHERE[best.kind]}; none of its cells loses significantly."
        )
    return (
        f"To {verb}: {best.name} gains most, {_number(best.named)}, but {number_of(lost[best.name], 'cell')} of it "
        f"{'loses' if lost[best.name] == 1 else 'lose'} significantly; look at these first."
    )


def _first(signals: Sequence[Signal]) -> list[Signal]:
    """The means of the kind that the study is made for."""
    kind = next((kind for kind in _WHERE if any(signal.kind == kind for signal in signals)), None)
    return [signal for signal in signals if signal.kind == kind]


def _lost_by(signal: Signal, harmed: Harmed) -> int:
    """How many cells of the treatments behind a mean lose significantly."""
    rows = {cell.row for cell in signal.cells}
    return sum(cell.row in rows for cell in harmed.cells)


def _gains(tested: Sequence[Signal], models: int) -> str:
    where = _WHERE[tested[0].kind]
    over = f"Over {models} models, " if models > 1 else ""
    if len(tested) == 1:
        (one,) = tested
        word = (
            "gains significantly"
            if one.gains
            else "loses significantly"
            if one.loses
            else "does not change significantly"
        )
        return f"{over}{one.name} {word} {where}: {_raw(one)}."
    gains = [signal for signal in tested if signal.gains]
    noun = _noun(tested)
    if not gains:
        return f"{over or ''}{'none' if over else 'None'} of the {len(tested)} {noun} gains significantly {where}."
    best = max(gains, key=lambda gain: gain.named.value)
    return f"{over}{len(gains)} of {len(tested)} {noun} {_verb(gains, 'gain')} significantly {where}; the largest is {_effect(best)}."


def _other_gains(signals: Sequence[Signal]) -> Iterator[str]:
    for signal, rest in _named_of(signals, "donor", gain=True):
        yield f"The best donor is {_effect(signal)} against the average source{_and(rest)}."
    for signal, rest in _named_of(signals, "other tasks", gain=True):
        yield f"On other tasks, {_effect(signal, 'changes scores by')}{_and(rest)}."
    for signal, rest in _named_of(signals, "target", gain=True):
        yield f"The target {_effect(signal, 'changes by')} averaged over treatments{_and(rest)}."


def _losses_of_sources(signals: Sequence[Signal]) -> Iterator[str]:
    for kind in ("same task", "all targets"):
        for signal, rest in _named_of(signals, kind, gain=False):
            yield f"{signal.name} loses significantly {_WHERE[kind]}: {_significant(signal)}{_and(rest)}."
    for signal, rest in _named_of(signals, "other tasks", gain=False):
        low = sum(cell.change.high < 0 for cell in signal.cells)
        verb = "excludes" if low == 1 else "exclude"
        yield f"On other tasks, {_effect(signal, 'changes scores by')}; {low} of its {len(signal.cells)} cells {verb} zero{_and(rest)}."


def _losses_of_others(signals: Sequence[Signal]) -> Iterator[str]:
    for signal, rest in _named_of(signals, "target", gain=False):
        yield f"The target {_effect(signal, 'changes by')} averaged over treatments{_and(rest)}."
    for signal, rest in _named_of(signals, "donor", gain=False):
        yield f"The worst donor is {_effect(signal)} against the average source{_and(rest)}."


def _named_of(signals: Sequence[Signal], kind: Kind, *, gain: bool) -> Iterator[tuple[Signal, int]]:
    """The most extreme significant mean of a kind, and how many others there are; nothing if no mean is significant."""
    found = [signal for signal in signals if signal.kind == kind and (signal.gains if gain else signal.loses)]
    if found:
        yield (max if gain else min)(found, key=lambda one: one.named.value), len(found) - 1


def _lost_cells(harmed: Harmed, summaries: Sequence[Summary]) -> Iterator[str]:
    if not harmed.cells:
        return
    worst = min(harmed.cells, key=lambda cell: cell.change.mean)
    largest = f"{_row(worst, summaries)} on {worst.target}: {_cell(worst, harmed)}"
    count = len(harmed.cells)
    what = "One cell loses" if count == 1 else f"{count} single cells lose"
    yield f"{what} significantly{':' if count == 1 else ', the worst'} {largest}."


def _no_loss(harmed: Harmed, summaries: Sequence[Summary]) -> str:
    """With the size of a loss that would have been seen."""
    if not any(summary.cells for summary in summaries):
        unseen = any(summary.at_chance for summary in summaries)
        return "No other target could show a loss." if unseen else "No other target was measured."
    if harmed.smallest is None:
        return "No loss is significant after correction."
    return f"No loss is significant after correction; losses under {harmed.smallest:.1f} pp in a single cell would often be missed."


def what_controls_did(controls: Sequence[Summary], harmed: Harmed) -> str:
    """What changes under a source without content is the effect of the format."""
    if not controls:
        return ""
    kinds = " and ".join(dict.fromkeys(control.row.source_variant for control in controls))
    gains = [control for control in controls if control.sure == "better"]
    parts = []
    if gains:
        best = max(gains, key=lambda gain: gain.gain.mean if gain.gain else -np.inf)
        assert best.gain is not None
        change = f"{signed(best.gain.mean)} pp {interval(best.gain.low, best.gain.high)}"
        parts.append(f"{len(gains)} {_verb(gains, 'gain')}, the most {best.row.label}: {change}")
    if harmed.cells:
        worst = min(harmed.cells, key=lambda cell: cell.change.mean)
        worst_loss = f"{worst.row.label} on {worst.target}: {_cell(worst, harmed)}"
        parts.append(f"{number_of(len(harmed.cells), 'cell')} {_verb(harmed.cells, 'lose')}, the worst {worst_loss}")
    outcome = "; ".join(parts) or "no significant gain and no significant loss"
    return f"{number_of(len(controls), 'control source')} ({kinds}): {outcome}."


def _noun(tested: Sequence[Signal]) -> str:
    return "sources" if all(cell.row.source for signal in tested for cell in signal.cells) else "treatments"


def _verb(several: Sequence[object], verb: str) -> str:
    return f"{verb}s" if len(several) == 1 else verb


def _effect(signal: Signal, verb: str = "") -> str:
    return f"{signal.name} {verb} {_significant(signal)}" if verb else f"{signal.name}: {_significant(signal)}"


def _significant(signal: Signal) -> str:
    """A mean that is significant at the false-discovery rate; with its own interval where the simultaneous one contains zero."""
    named = signal.named
    if not named.low <= 0 <= named.high:
        return _number(named)
    return f"{_raw(signal)} unadjusted"


def _cell(cell: ChangeCell, harmed: Harmed) -> str:
    """A cell that loses significantly, in the same way."""
    named, change = harmed.named[id(cell)], cell.change
    if not named.low <= 0 <= named.high:
        return _number(named)
    return f"{signed(change.mean)} pp {interval(change.low, change.high)} unadjusted"


def _number(named: Named) -> str:
    return f"{signed(named.value)} pp {interval(named.low, named.high)}"


def _raw(signal: Signal) -> str:
    return _estimate(signal.raw)


def _estimate(estimate: Estimate) -> str:
    return f"{signed(estimate.mean)} pp {interval(estimate.low, estimate.high)}"


def _and(rest: int) -> str:
    """How many more are significant."""
    return f" ({number_of(rest, 'other')} significant)" if rest else ""


def _row(cell: ChangeCell, among: Sequence[Summary]) -> str:
    """With its model, if there are several."""
    return str(cell.row) if len({summary.row.model for summary in among}) > 1 else cell.row.label


# how sure


def headline(contrasted: Sequence[Contrast]) -> Iterator[str]:
    """On-task and off-task transfer, then their difference, and whether it would hold with other models and tasks."""
    if not contrasted:
        return
    first, *_ = contrasted
    estimate = first.estimate
    yield (
        f"Training on a task changes it in other languages by {signed(first.on.mean)} pp, and other tasks by "
        f"{signed(first.off.mean)} pp."
    )
    known = [level for level in first.levels if level.low is not None and level.high is not None]
    intervals = [
        f"{interval(inference.low or 0.0, inference.high or 0.0)} for {inference.level}" for inference in known
    ]
    yield f"The difference is {signed(estimate.mean)} pp{': ' if intervals else ''}{', '.join(intervals)}."
    if unknown := [f"{level.level}: {level.why}" for level in first.levels if level not in known]:
        yield f"No interval for {'; '.join(unknown)}."


def how_sure(matrix: TransferMatrix, harmed: Harmed) -> str:
    cells = [cell for cell in matrix.cells.values() if not cell.row.is_sham]
    if not cells:
        return "No cell belongs to a treatment."
    if not has_items(cells):
        return _how_sure_of_scores(cells)
    counts = sorted(cell.change.n for cell in cells)
    clear = sum(cell.change.low > 0 or cell.change.high < 0 for cell in cells)
    seeds = sorted({len(cell.seeds) for cell in cells})
    items, runs = _from_to(counts, "item"), _from_to(seeds, "seed")
    have = f"{'cell' if len(cells) == 1 else 'cells'} {'has' if clear == 1 or len(cells) == 1 else 'have'}"
    return (
        f"{clear} of {len(cells)} {have} an interval that excludes zero ({_by_chance(len(cells))}). "
        f"A cell rests on {items} and {runs}{_unseen(harmed)}."
    )


def _from_to(counts: Sequence[int], noun: str) -> str:
    """Of sorted counts."""
    if counts[0] == counts[-1]:
        return number_of(counts[0], noun)
    return f"{counts[0]} to {number_of(counts[-1], noun)}"


def _by_chance(cells: int) -> str:
    expected = cells * LEVEL
    return f"about {expected:.0f} would by chance alone" if expected >= 1 else "by chance alone fewer than one would"


def _unseen(harmed: Harmed) -> str:
    """The change that a cell would show, unless the sentence about losses has said it."""
    if not harmed.cells or harmed.smallest is None:
        return ""
    return f"; changes below {harmed.smallest:.1f} pp in a single cell would often be missed"


def _how_sure_of_scores(cells: Sequence[ChangeCell]) -> str:
    known = [cell for cell in cells if not cell.change.why]
    if not known:
        return f"Nothing can be called significant: {cells[0].change.why}."
    clear = sum(cell.change.low > 0 or cell.change.high < 0 for cell in known)
    none = f"; {len(cells) - len(known)} have no interval" if len(known) < len(cells) else ""
    return f"{clear} of {len(known)} cells exclude zero{none}; without items, intervals use the binomial bound."


# what to distrust


def what_to_distrust(matrix: TransferMatrix, notes: Sequence[str], failures: Sequence[str]) -> str:
    doubts = []
    if failures:
        doubts.append(f"{len(failures)} jobs failed")
    missing = sum(gap.why == "missing" for gap in matrix.gaps)
    refused = len(matrix.gaps) - missing
    if missing:
        doubts.append(f"{missing} results are missing")
    if refused:
        doubts.append(f"{refused} results are refused, as they cannot be compared with their control")
    moved = [check for check in matrix.control_checks if check.is_repeat and check.change.mean]
    if moved:
        doubts.append(f"the base itself changed on {len(moved)} targets when it was measured again")
    if any(len(cell.seeds) == 1 and cell.row.kind == "trained" for cell in matrix.cells.values()):
        doubts.append("with one seed, the noise of a training run is not in the intervals")
    if not has_items(matrix.cells.values()):
        doubts.append("nothing is paired by item")
    if notes:
        doubts.append(notes[0] if len(notes) == 1 else f"{len(notes)} notes, the first: {notes[0]}")
    if not doubts:
        doubts.append("the intervals are about new items, not about new models, tasks or languages")
    return f"To distrust: {'; '.join(doubts)}."


def doubts(checks: Sequence[Check], looked: Sequence[Check]) -> list[str]:
    """Targets at chance are not among them: the second paragraph names these."""
    both: list[Check] = [*checks, *(gate for gate in looked if gate.name != CHANCE_FLOOR)]
    return [f"{check.model}, {check.name}: {check.saw}" for check in both if not check.fine]
