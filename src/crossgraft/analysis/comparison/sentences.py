"""What a comparison says: what was compared, which cells, means and base scores changed, and what cannot be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from crossgraft.analysis.comparison.compare import BaseDifference, CellDifference, Comparison, MeanDifference
from crossgraft.analysis.comparison.matching import Pairing
from crossgraft.analysis.wording import interval, listed, number_of, signed
from crossgraft.stats.cells.student import quantile
from crossgraft.transfer.matrix import ChangeCell

_NAMED = 3  # changes in a sentence


def sentences(comparison: Comparison) -> tuple[str, ...]:
    unknown = _nothing_known(comparison.cells)
    found = (unknown,) if unknown else (_means(comparison.means), _cells(comparison.cells), _bases(comparison))
    every = (
        _what(comparison),
        _seeds(comparison.cells),
        *found,
        _pairing(comparison),
        _left_out(comparison),
    )
    return tuple(filter(None, every))


def _what(comparison: Comparison) -> str:
    pairs = comparison.matched.pairs
    same = sum(pair.unchanged for pair in pairs)
    text = f"A is {comparison.a.name}, B is {comparison.b.name}; both have {number_of(len(pairs), 'cell')}"
    for first, second in comparison.matched.renamed.items():
        text += f" (the model is {first} in A, {second} in B)"
    if same == len(pairs):
        return f"{text}, and all of them rest on the same records: nothing can differ."
    return f"{text}, {same} of which rest on the same records." if same else f"{text}."


def _nothing_known(cells: Sequence[CellDifference]) -> str:
    """Where no difference has a standard error, nothing was tested."""
    if not cells or any(np.isfinite(cell.estimate.error) for cell in cells):
        return ""
    why = next((one.change.why for cell in cells for one in (cell.pair.a, cell.pair.b) if one.change.why), "")
    return f"Nothing can be called significant: {why or 'the noise of the differences is not known'}."


def _means(means: Sequence[MeanDifference]) -> str:
    tested = [mean for mean in means if mean.tested]
    if not tested:
        return ""
    changed = [mean for mean in tested if mean.significant]
    if not changed:
        return f"No mean by regime changed significantly (FDR 5 % over all that is compared; {number_of(len(tested), 'mean')})."
    parts = [
        f"{signed(mean.estimate.mean)} {interval(mean.estimate.low, mean.estimate.high)} pp {mean.words} ({mean.model})"
        for mean in changed[:_NAMED]
    ]
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    return f"The mean change differs significantly, B less A: {'; '.join(parts)}{more}."


def _cells(cells: Sequence[CellDifference]) -> str:
    cells = [cell for cell in cells if cell.tested]
    if not cells:
        return ""
    changed = sorted((cell for cell in cells if cell.significant), key=lambda cell: -abs(cell.estimate.mean))
    if not changed:
        return f"None of the {number_of(len(cells), 'cell')} tested changed significantly.{_power(cells)}"
    up = sum(cell.estimate.mean > 0 for cell in changed)
    how = "shrunk, " if all(cell.estimate.items for cell in cells) else ""
    parts = [
        f"{where(cell.pair.a)} {signed(cell.named.value)} {interval(cell.named.low, cell.named.high)} {cell.pair.a.unit}"
        for cell in changed[:_NAMED]
    ]
    return (
        f"{len(changed)} of the {number_of(len(cells), 'cell')} tested changed significantly, {up} up and {len(changed) - up} down; "
        f"the largest ({how}with simultaneous intervals): {'; '.join(parts)}."
    )


def _power(cells: Sequence[CellDifference]) -> str:
    sizes = [
        (quantile(cell.estimate.df) + quantile(cell.estimate.df, 0.8)) * cell.estimate.error
        for cell in cells
        if cell.pair.a.unit == "pp"
    ]
    typical = float(np.median(sizes)) if sizes else np.inf
    if not np.isfinite(typical):
        return ""
    return f" One cell, tested alone, would show a difference of {typical:.1f} pp with a probability of .8 (median)."


def _bases(comparison: Comparison) -> str:
    same = len({(pair.a.row.model, pair.a.target) for pair in comparison.matched.pairs}) - len(comparison.bases)
    if not comparison.bases:
        return "The base's scores are the same records in both."
    changed = sorted((base for base in comparison.bases if base.significant), key=lambda base: -abs(base.change.mean))
    of = f"the {number_of(len(comparison.bases), 'target')} on which the base was measured anew" if same else (
        number_of(len(comparison.bases), "target")
    )  # fmt: skip
    if not changed:
        return f"The base's score changed significantly on none of {of}."
    parts = listed([_base(base) for base in changed])
    return f"The base's score changed significantly on {len(changed)} of {of}: {parts}. Changes on these targets are taken against another base."


def _base(base: BaseDifference) -> str:
    cell = base.pair.a
    return f"{cell.row.model} on {cell.target} {signed(base.change.mean)} {cell.unit}"


def _pairing(comparison: Comparison) -> str:
    counts = Counter(cell.pair.pairing for cell in comparison.cells)
    words: dict[Pairing, str] = {
        "same items": "are paired on the same items",
        "some items in common": "have some items in common and are paired on those",
        "no items in common": "have no item in common: A and B are compared as independent samples",
        "scores only": "have no outcomes of items: A and B are compared as independent samples",
    }
    parts = [f"{number_of(counts[kind], 'cell')} {text}" for kind, text in words.items() if counts[kind]]
    return f"{'; '.join(parts)}." if parts else ""


def _seeds(cells: Sequence[CellDifference]) -> str:
    """What single seeds leave unknown, and what they take from other treatments."""
    return " ".join(filter(None, (_untested(cells), _borrowed(cells))))


def _untested(cells: Sequence[CellDifference]) -> str:
    untested = [cell for cell in cells if not cell.tested and np.isfinite(cell.estimate.error)]
    if not untested:
        return ""
    off = sum(cell.estimate.low > 0 or cell.estimate.high < 0 for cell in untested)
    return (
        f"{_of_trained(len(untested))} cannot be tested: A or B has a single seed, so the noise of training is not known. "
        f"The intervals hold the noise of items alone; {off} of {len(untested)} exclude zero, which another run of the same recipe can do as well. "
        "To tell a change from the noise of training, train both with three seeds."
    )


def _of_trained(cells: int) -> str:
    return "1 cell of a trained adapter" if cells == 1 else f"{cells} cells of trained adapters"


def _borrowed(cells: Sequence[CellDifference]) -> str:
    borrowed = sum(cell.tested and any(noise and noise.borrowed for noise in cell.training) for cell in cells)
    if not borrowed:
        return ""
    return (
        f"Where A or B has a single seed ({_of_trained(borrowed)}), the noise of training is that of other treatments "
        "of the same model on the same task, which have several seeds."
    )


def _left_out(comparison: Comparison) -> str:
    matched = comparison.matched
    counts = {
        "only in A": matched.only_a,
        "only in B": matched.only_b,
        "measured with different metrics": matched.other_metric,
    }
    parts = [f"{len(cells)} {words}" for words, cells in counts.items() if cells]
    return f"Cells left out: {', '.join(parts)}." if parts else ""


def where(cell: ChangeCell) -> str:
    return f"{cell.row.model}, {cell.row.label} on {cell.target}"


def lines_only(comparison: Comparison) -> Iterator[tuple[str, ChangeCell]]:
    """The cells that only one side has, with its letter."""
    yield from (("A", cell) for cell in comparison.matched.only_a)
    yield from (("B", cell) for cell in comparison.matched.only_b)
