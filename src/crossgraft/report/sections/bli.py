"""Embedding studies: methods over language pairs, tested against one another, and which pairs are weak."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from crossgraft.analysis.bli import BLIFindings, Comparison, MethodRow, PairMean, PairState, Slope
from crossgraft.analysis.findings import Findings
from crossgraft.report.section import HIDDEN, Column, Interval, Number, Section, Table, Value, columns, decimals

PLACE = 150
Rows = tuple[tuple[Value, ...], ...]
_MEAN = ("pairs_low", "pairs_high", "pairs", "queries", "clusters")


def sections(findings: Findings) -> Iterator[Section]:
    for one in findings.evidence.bli:
        tables = (
            _methods(one),
            _convergence(one),
            _measures(one),
            _sizes(one),
            _compared(one),
            _parts(one),
            _pairs(one),
            _shapes(one),
        )
        yield Section(f"Embeddings: {one.task}", tuple(table for table in tables if table.rows), note=one.method)


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
    head = columns("method", *((f"{by}: {part}", f"{by}: {part}") for by, part in names))
    rows: Rows = tuple(
        (row.row.label, *(_level(found.get((row.row, *name))) for name in names)) for row in findings.rows
    )
    return Table("bli-subsets", head, rows if names else (), "MAP on subsets of the queries")


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
    low, high = (f"{100 * value:+.1f}" for value in (mean.low, mean.high))
    new_pairs = "" if isnan(mean.pairs_low) else f" ({100 * mean.pairs_low:+.1f}, {100 * mean.pairs_high:+.1f})"
    return Interval(mean.value, mean.low, mean.high, text=f"{100 * mean.value:+.1f} [{low}, {high}]{new_pairs}")


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
