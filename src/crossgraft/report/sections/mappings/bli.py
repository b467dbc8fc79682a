"""Embedding studies: methods over language pairs, tested against one another, and which pairs are weak."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isnan
from operator import itemgetter

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.mappings import BLIFindings, Comparison, MethodRow, PairMean, PairState, Slope
from crossgraft.analysis.mappings.standings import points
from crossgraft.analysis.mappings.subsets import BY_FREQUENCY
from crossgraft.analysis.wording import signed
from crossgraft.report.pictures.kinds import Curves, Heat, Line
from crossgraft.report.section import HIDDEN, Column, Interval, Number, Section, Table, Value, columns, decimals
from crossgraft.transfer.matrix import TransferMatrix

_ERRORS = 15  # on the page
_IN_CHART = 6  # lines
_ENDS = "A vertical line is the 95 % interval over new queries on these language pairs."
PLACE = 30
Rows = tuple[tuple[Value, ...], ...]
_MEAN = ("pairs_low", "pairs_high", "pairs", "queries", "clusters")


def sections(findings: Findings) -> Iterator[Section]:
    for one in findings.evidence.bli:
        tables = (
            _methods(one),
            _convergence(one),
            _sizes(one),
            _parts(one),
            _hubs(one),
            _errors(one),
            _compared(one),
            _pairs(one),
            _shapes(one),
            _measures(one),
        )
        yield Section(
            f"Embeddings: {one.task}",
            tuple(replace(table, folded=number > 0) for number, table in enumerate(tables) if table.rows),
            note=one.method,
            charts=(*_heat(findings.matrix, one), *_curves(one), *_frequencies(one)),
            shows="MAP of every method on every language pair, what a larger dictionary adds, and how much rare words cost.",
            explained="embeddings",
        )


def _heat(matrix: TransferMatrix, findings: BLIFindings) -> Iterator[Heat]:
    """Methods in the order of the table, language pairs in that of the matrix."""
    scores = {
        (row, target.lang): cell.treated
        for (row, target), cell in matrix.cells.items()
        if target.task == findings.task and row.kind == "mapping"
    }
    pairs = tuple(dict.fromkeys(pair for _, pair in scores))
    rows = [method.row for method in findings.rows]
    values = tuple(tuple(scores.get((row, pair)) for pair in pairs) for row in rows)
    if pairs and len(scores) > 1:
        about = "A deeper shade is a higher MAP; a stroke is a pair on which the method was not measured."
        yield Heat("MAP of methods on language pairs", tuple(row.label for row in rows), pairs, values, about=about)


def _curves(findings: BLIFindings) -> Iterator[Curves]:
    """Of methods with several dictionary sizes: MAP over the training pairs."""
    means: dict[str, list[tuple[float, PairMean]]] = {}
    for method in findings.rows:
        if not isnan(method.training) and method.training > 0:
            means.setdefault(method.row.name, []).append((method.training, method.all))
    lines = tuple(_line(name, sorted(at, key=itemgetter(0))) for name, at in means.items() if len(at) > 1)
    if lines:
        yield Curves("MAP by the size of the dictionary", "training pairs", "MAP", lines, _ENDS, doubling=True)


def _frequencies(findings: BLIFindings) -> Iterator[Curves]:
    """MAP in bands of the source word's frequency; of many methods those with the highest MAP."""
    parts = [part for part in findings.parts if part.by == BY_FREQUENCY]
    bands = list(dict.fromkeys(part.part for part in parts))
    best = [method.row for method in findings.rows[:_IN_CHART]]
    lines = tuple(
        _line(row.label, [(bands.index(part.part), part.mean) for part in parts if part.row == row]) for row in best
    )
    if len(bands) > 1:
        more = f"; the first {_IN_CHART} of {len(findings.rows)} methods" if len(findings.rows) > _IN_CHART else ""
        title = f"MAP by frequency of the source word{more}"
        yield Curves(title, "rank of the word in its vocabulary", "MAP", lines, _ENDS, steps=tuple(bands))


def _line(name: str, means: Sequence[tuple[float, PairMean]]) -> Line:
    return Line(name, tuple((at, mean.value) for at, mean in means), tuple((mean.low, mean.high) for _, mean in means))


def _methods(findings: BLIFindings) -> Table:
    head = columns(
        (HIDDEN, "task"),
        "method",
        ("training pairs", "training_pairs"),
        ("MAP, all pairs", "map"),
        ("from", "rests_on"),
        (f"MAP, filtered ({len(findings.filtered_pairs)})", "map_filtered"),
        ("successful", "successful"),
        ("commonest answer", "commonest"),
        *((HIDDEN, name) for name in _MEAN),
    )
    rows = tuple(_method(findings.task, row) for row in findings.rows)
    return Table("bli", head, rows, "MAP of the methods", leaders=_leaders(findings))


def _leaders(findings: BLIFindings) -> tuple[int, ...]:
    """The best method and those that do not differ from it, where it was tested against any."""
    tied = set(findings.tied)
    return (0, *(n for n, row in enumerate(findings.rows) if row.row in tied)) if findings.against_best else ()


def _method(task: str, row: MethodRow) -> tuple[Value, ...]:
    return (
        task,
        row.row.label,
        _whole(row.training),
        _mean(row.all),
        f"{row.all.pairs} pairs, {row.all.queries} queries, {row.all.concepts} clusters",
        _mean(row.filtered),
        f"{row.succeeded} of {row.all.pairs} pairs, {row.runs_succeeded} of {row.runs} runs",
        _percent(row.commonest),
        *_hidden(row.all),
    )


def _convergence(findings: BLIFindings) -> Table:
    head = columns(
        "method",
        "runs",
        "converged and successful",
        "converged and not successful",
        "not converged but successful",
        "neither",
        "pairs without success",
    )
    rows = tuple(
        (
            convergence.row.label,
            str(convergence.runs),
            str(convergence.converged_right),
            str(convergence.converged_wrong),
            str(convergence.failed_right),
            str(convergence.failed_wrong),
            ", ".join(convergence.failed) or "none",
        )
        for convergence in findings.convergences
    )
    return Table("bli-convergence", head, rows, "Unsupervised runs: reported convergence and success")


def _measures(findings: BLIFindings) -> Table:
    names = list(dict.fromkeys(name for row in findings.rows for name, _ in row.measures))
    head = columns("method", *((name, name) for name in names))
    rows: Rows = tuple(
        (row.row.label, *(_level(dict(row.measures).get(name)) for name in names)) for row in findings.rows
    )
    return Table("bli-measures", head, rows if names else (), "Other measures and conventions, means over all pairs")


def _sizes(findings: BLIFindings) -> Table:
    head = columns("method", ("training pairs", "training_pairs"), ("MAP per doubling, points", "map_per_doubling"))
    rows = tuple(map(_slope, findings.slopes))
    return Table("bli-sizes", head, rows, "The gain from a larger dictionary")


def _slope(slope: Slope) -> tuple[Value, ...]:
    return slope.method, ", ".join(_whole(size).text for size in slope.sizes), _points(slope.doubling)


def _compared(findings: BLIFindings) -> Table:
    head = columns(
        (HIDDEN, "task"),
        ("method", "first"),
        ("against", "second"),
        ("difference in MAP, points", "value"),
        ("from", ""),
        "p",
        ("Holm", "holm"),
        ("Bonferroni", "bonferroni"),
        "verdict",
        (HIDDEN, "leading"),
        *((HIDDEN, name) for name in _MEAN),
    )
    leading = set(findings.leading)
    # those of the best method first, which are on the page; all in the file
    every = [*findings.leading, *(comparison for comparison in findings.comparisons if comparison not in leading)]
    rows = tuple(_comparison(findings.task, found, leading=found in leading) for found in every)
    title = "The best of each dictionary size against the others"
    return Table("bli-comparisons", head, rows, title, most=len(findings.leading))


def _comparison(task: str, comparison: Comparison, *, leading: bool) -> tuple[Value, ...]:
    return (
        task,
        comparison.first.label,
        comparison.second.label,
        _points(comparison.difference),
        f"{comparison.difference.pairs} pairs",
        *(_p(p) for p in (comparison.p, comparison.holm, comparison.bonferroni)),
        _verdict(comparison),
        "yes" if leading else "",
        *_hidden(comparison.difference),
    )


def _parts(findings: BLIFindings) -> Table:
    names = list(dict.fromkeys((part.by, part.part) for part in findings.parts))
    found = {(part.row, part.by, part.part): part.mean for part in findings.parts}
    asked = {(part.by, part.part): part.mean.queries for part in reversed(findings.parts)}
    head = columns("method", *((f"{by}: {part} ({asked[by, part]:,} queries)", f"{by}: {part}") for by, part in names))
    rows: Rows = tuple(
        (row.row.label, *(_band(found.get((row.row, *name))) for name in names)) for row in findings.rows
    )
    return Table(
        "bli-subsets",
        head,
        rows if names else (),
        "MAP by frequency of the source word, and by spelling of the translation",
    )


def _band(mean: PairMean | None) -> Interval:
    if mean is None:
        return Interval(None)
    return Interval(mean.value, mean.low, mean.high, text=f"{mean.value:.3f} [{mean.low:.3f}, {mean.high:.3f}]")


def _hubs(findings: BLIFindings) -> Table:
    near = f"among the {findings.hubs[0].neighbours} nearest" if findings.hubs else ""
    head = columns(
        "method",
        ("skewness", "skewness"),
        (f"target words {near} of no query", "never"),
        ("largest hub", "hub"),
        ("on", "pair"),
        ("share of the queries near to it", "share"),
    )
    rows: Rows = tuple(
        (row.row.label, decimals(row.skewness), _percent(row.never), row.hub, row.pair, _percent(row.share))
        for row in findings.hubs
    )
    return Table("bli-hubs", head, rows, "Hubs: target words that are near to many queries")


def _errors(findings: BLIFindings) -> Table:
    head = columns(
        "pair",
        "method",
        ("source word", "query"),
        ("its rank in the vocabulary", "frequency"),
        ("translations in the dictionary", "translations"),
        ("ranked first", "answer"),
        ("rank of the best translation", "rank"),
    )
    rows: Rows = tuple(
        (
            word.pair,
            word.row.label,
            word.query,
            _whole(word.frequency),
            ", ".join(word.golds),
            word.answer,
            _whole(word.rank),
        )
        for word in findings.errors
    )
    title = "Wrong words of the best method of each pair, drawn at random"
    return Table("bli-errors", head, rows, title, most=_ERRORS)


def _pairs(findings: BLIFindings) -> Table:
    names = [name for name, _ in findings.shapes]
    head = (
        *columns((HIDDEN, "task"), "pair", "queries", "coverage", ("MAP unmapped", "map_unmapped")),
        *columns(("best method", "best_method"), ("its MAP", "map_best"), ("too weak to compare", "weak")),
        *(Column(name, name) for name in names),
        Column(HIDDEN, "map_mean"),
    )
    rows = tuple(_pair(findings.task, state, names) for state in findings.pairs)
    return Table("bli-pairs", head, rows, "Language pairs")


def _pair(task: str, state: PairState, names: list[str]) -> tuple[Value, ...]:
    best = state.best_level
    text = f"{best.mean:.3f} [{best.low:.3f}, {best.high:.3f}]"
    distances = [state.distances.get(name) for name in names]
    return (
        task,
        state.pair,
        str(state.queries),
        _percent(state.coverage),
        decimals(state.control, 3),
        state.best.label,
        Interval(best.mean, best.low, best.high, text=text),
        "; ".join(state.weak) or "no",
        *(Number(value, "–" if value is None else f"{value:.3g}") for value in distances),
        Number(state.mean, ""),
    )


def _shapes(findings: BLIFindings) -> Table:
    head = columns(
        ("distance of the spaces", "distance"),
        ("rank correlation with the mean MAP", "rho"),
        ("95 %", ""),
        ("from", "pairs"),
    )
    rows = tuple(
        (
            name,
            Interval(found.value, found.low, found.high, text=_rho(found.value)),
            f"[{_rho(found.low)}, {_rho(found.high)}]",
            f"{found.n} pairs",
        )
        for name, found in findings.shapes
        if not isnan(found.value)
    )
    return Table("bli-shapes", head, rows, "Shape of the spaces and success")


def _hidden(mean: PairMean) -> tuple[Number, ...]:
    values = (mean.pairs_low, mean.pairs_high, mean.pairs, mean.queries, mean.concepts)
    return tuple(Number(value, "") for value in values)


def _mean(mean: PairMean | None) -> Interval:
    if mean is None:
        return Interval(None)
    new_pairs = "" if isnan(mean.pairs_low) else f" ({mean.pairs_low:.3f}, {mean.pairs_high:.3f})"
    return Interval(
        mean.value, mean.low, mean.high, text=f"{mean.value:.3f} [{mean.low:.3f}, {mean.high:.3f}]{new_pairs}"
    )


def _level(mean: PairMean | None) -> Interval:
    return Interval(None) if mean is None else Interval(mean.value, mean.low, mean.high, text=f"{mean.value:.3f}")


def _points(mean: PairMean) -> Interval:
    new_pairs = "" if isnan(mean.pairs_low) else f" ({signed(100 * mean.pairs_low)}, {signed(100 * mean.pairs_high)})"
    return Interval(mean.value, mean.low, mean.high, text=f"{points(mean)}{new_pairs}")


def _verdict(compared: Comparison) -> str:
    if not compared.is_told:
        return "not distinguishable"
    return "higher" if compared.difference.value > 0 else "lower"


def _p(value: float) -> Number:
    return Number(value, f"{value:.4f}" if value >= 0.0001 else "below 0.0001")


def _rho(value: float) -> str:
    return "–" if isnan(value) else f"{value:+.2f}"


def _whole(value: float) -> Number:
    return Number(None, "–") if isnan(value) else Number(value, f"{value:,.0f}")


def _percent(value: float) -> Number:
    return Number(None, "–") if isnan(value) else Number(value, f"{value:.0%}")
