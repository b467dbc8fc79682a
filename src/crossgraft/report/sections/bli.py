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


def _methods(one: BLIFindings) -> Table:
    head = columns(
        (HIDDEN, "task"),
        "method",
        ("training pairs", "training_pairs"),
        ("MAP, all pairs", "map"),
        ("from", "rests_on"),
        (f"MAP, filtered ({len(one.filtered_pairs)})", "map_filtered"),
        ("successful", "successful"),
        ("commonest answer", "commonest"),
        *((HIDDEN, name) for name in _MEAN),
    )
    return Table("bli", head, tuple(_method(one.task, row) for row in one.rows), "MAP of the methods")


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


def _convergence(one: BLIFindings) -> Table:
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
            found.row.label,
            str(found.runs),
            str(found.converged_right),
            str(found.converged_wrong),
            str(found.failed_right),
            str(found.failed_wrong),
            ", ".join(found.failed) or "none",
        )
        for found in one.convergences
    )
    return Table("bli-convergence", head, rows, "Unsupervised runs: reported convergence and success")


def _measures(one: BLIFindings) -> Table:
    names = list(dict.fromkeys(name for row in one.rows for name, _ in row.measures))
    head = columns("method", *((name, name) for name in names))
    rows: Rows = tuple((row.row.label, *(_level(dict(row.measures).get(name)) for name in names)) for row in one.rows)
    return Table("bli-measures", head, rows if names else (), "Other measures and conventions, means over all pairs")


def _sizes(one: BLIFindings) -> Table:
    head = columns("method", ("training pairs", "training_pairs"), ("MAP per doubling, points", "map_per_doubling"))
    rows = tuple(map(_slope, one.slopes))
    return Table("bli-sizes", head, rows, "The gain from a larger dictionary")


def _slope(slope: Slope) -> tuple[Value, ...]:
    return slope.method, ", ".join(_whole(size).text for size in slope.sizes), _points(slope.doubling)


def _compared(one: BLIFindings) -> Table:
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
    leading = set(one.leading)
    # those of the best method first, which are on the page; all in the file
    every = [*one.leading, *(found for found in one.comparisons if found not in leading)]
    rows = tuple(_comparison(one.task, found, leading=found in leading) for found in every)
    title = "The best of each dictionary size against the others"
    return Table("bli-comparisons", head, rows, title, most=len(one.leading))


def _comparison(task: str, found: Comparison, *, leading: bool) -> tuple[Value, ...]:
    return (
        task,
        found.first.label,
        found.second.label,
        _points(found.difference),
        f"{found.difference.pairs} pairs",
        *(_p(p) for p in (found.p, found.holm, found.bonferroni)),
        _verdict(found),
        "yes" if leading else "",
        *_hidden(found.difference),
    )


def _parts(one: BLIFindings) -> Table:
    names = list(dict.fromkeys((part.by, part.part) for part in one.parts))
    found = {(part.row, part.by, part.part): part.mean for part in one.parts}
    head = columns("method", *((f"{by}: {part}", f"{by}: {part}") for by, part in names))
    rows: Rows = tuple((row.row.label, *(_level(found.get((row.row, *name))) for name in names)) for row in one.rows)
    return Table("bli-subsets", head, rows if names else (), "MAP on subsets of the queries")


def _pairs(one: BLIFindings) -> Table:
    names = [name for name, _ in one.shapes]
    head = (
        *columns((HIDDEN, "task"), "pair", "queries", "coverage", ("MAP unmapped", "map_unmapped")),
        *columns(("best method", "best_method"), ("its MAP", "map_best"), ("too weak to compare", "weak")),
        *(Column(name, name) for name in names),
        Column(HIDDEN, "map_mean"),
    )
    rows = tuple(_pair(one.task, state, names) for state in one.pairs)
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


def _shapes(one: BLIFindings) -> Table:
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
        for name, found in one.shapes
        if not isnan(found.value)
    )
    return Table("bli-shapes", head, rows, "Shape of the spaces and success")


def _hidden(one: PairMean) -> tuple[Number, ...]:
    values = (one.pairs_low, one.pairs_high, one.pairs, one.queries, one.concepts)
    return tuple(Number(value, "") for value in values)


def _mean(one: PairMean | None) -> Interval:
    if one is None:
        return Interval(None)
    new_pairs = "" if isnan(one.pairs_low) else f" ({one.pairs_low:.3f}, {one.pairs_high:.3f})"
    return Interval(one.value, one.low, one.high, text=f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]{new_pairs}")


def _level(one: PairMean | None) -> Interval:
    return Interval(None) if one is None else Interval(one.value, one.low, one.high, text=f"{one.value:.3f}")


def _points(one: PairMean) -> Interval:
    low, high = (f"{100 * value:+.1f}" for value in (one.low, one.high))
    new_pairs = "" if isnan(one.pairs_low) else f" ({100 * one.pairs_low:+.1f}, {100 * one.pairs_high:+.1f})"
    return Interval(one.value, one.low, one.high, text=f"{100 * one.value:+.1f} [{low}, {high}]{new_pairs}")


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
