"""The section of embedding studies: methods over language pairs, tested against one another, and which pairs are weak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from typing import Any

from crossgraft.analysis.bli import BLIFindings, Comparison, PairMean, Slope
from crossgraft.analysis.findings import Findings
from crossgraft.report.tables import as_csv

Row = tuple[str, ...]


@dataclass(frozen=True)
class TableView:
    title: str
    header: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class SectionView:
    """The tables of one task, and how their numbers came about."""

    task: str
    tables: tuple[TableView, ...]
    method: str


def sections(findings: Findings) -> Iterator[SectionView]:
    for one in findings.bli:
        tables = (
            _methods(one),
            _beliefs(one),
            _measures(one),
            _sizes(one),
            _compared(one),
            _parts(one),
            _pairs(one),
            _shapes(one),
        )
        yield SectionView(one.task, tuple(table for table in tables if table.rows), one.method)


def _methods(one: BLIFindings) -> TableView:
    kept = len(one.filtered_pairs)
    header = (
        "method",
        "training pairs",
        "MAP, all pairs",
        "from",
        f"MAP, filtered ({kept})",
        "successful",
        "commonest answer",
    )
    rows = tuple(
        (
            row.row.label,
            _whole(row.training),
            _mean(row.all),
            f"{row.all.pairs} pairs, {row.all.queries} queries, {row.all.concepts} clusters",
            _mean(row.filtered),
            f"{row.succeeded} of {row.all.pairs} pairs, {row.runs_succeeded} of {row.runs} runs",
            _percent(row.commonest),
        )
        for row in one.rows
    )
    return TableView("MAP of the methods", header, rows)


def _beliefs(one: BLIFindings) -> TableView:
    header = (
        "method",
        "runs",
        "believed, successful",
        "believed, not successful",
        "doubted, successful",
        "doubted, not successful",
        "pairs without success",
    )
    rows = tuple(
        (
            found.row.label,
            str(found.runs),
            str(found.believed_right),
            str(found.believed_wrong),
            str(found.doubted_right),
            str(found.doubted_wrong),
            ", ".join(found.failed) or "none",
        )
        for found in one.beliefs
    )
    return TableView("without a dictionary: what the runs believed and what they reached", header, rows)


def _measures(one: BLIFindings) -> TableView:
    names = list(dict.fromkeys(name for row in one.rows for name, _ in row.measures))
    rows = tuple((row.row.label, *(_level(dict(row.measures).get(name)) for name in names)) for row in one.rows)
    return TableView("other measures and conventions, means over all pairs", ("method", *names), rows if names else ())


def _sizes(one: BLIFindings) -> TableView:
    rows = tuple((slope.method, ", ".join(map(_whole, slope.sizes)), _points(slope.doubling)) for slope in one.slopes)
    return TableView("what a larger dictionary adds", ("method", "training pairs", "MAP a doubling, points"), rows)


def _compared(one: BLIFindings) -> TableView:
    header = ("method", "against", "difference in MAP, points", "from", "p", "Holm", "Bonferroni", "")
    rows = tuple(
        (
            compared.first.label,
            compared.second.label,
            _points(compared.difference),
            f"{compared.difference.pairs} pairs",
            *(_p(p) for p in (compared.p, compared.holm, compared.bonferroni)),
            _verdict(compared),
        )
        for compared in one.leading
    )
    return TableView("the best of each dictionary size against the others", header, rows)


def _parts(one: BLIFindings) -> TableView:
    names = list(dict.fromkeys((part.by, part.part) for part in one.parts))
    found = {(part.row, part.by, part.part): part.mean for part in one.parts}
    rows = tuple((row.row.label, *(_level(found.get((row.row, *name))) for name in names)) for row in one.rows)
    header = ("method", *(f"{by}: {part}" for by, part in names))
    return TableView("MAP on parts of the queries", header, rows if names else ())


def _pairs(one: BLIFindings) -> TableView:
    names = [name for name, _ in one.shapes]
    header = ("pair", "queries", "coverage", "MAP unmapped", "best method", "its MAP", "too weak to compare", *names)
    rows = tuple(
        (
            state.pair,
            str(state.queries),
            _percent(state.coverage),
            f"{state.control:.3f}",
            state.best.label,
            f"{state.best_level.mean:.3f} [{state.best_level.low:.3f}, {state.best_level.high:.3f}]",
            "; ".join(state.weak) or "no",
            *(f"{state.distances[name]:.3g}" if name in state.distances else "–" for name in names),
        )
        for state in one.pairs
    )
    return TableView("language pairs", header, rows)


def _shapes(one: BLIFindings) -> TableView:
    rows = tuple(
        (name, _rho(found.value), f"[{_rho(found.low)}, {_rho(found.high)}]", f"{found.n} pairs")
        for name, found in one.shapes
        if not isnan(found.value)
    )
    header = ("distance of the spaces", "rank correlation with the mean MAP", "95 %", "from")
    return TableView("shape of the spaces and success", header, rows)


def _mean(one: PairMean | None) -> str:
    if one is None:
        return "–"
    new_pairs = "" if isnan(one.pairs_low) else f" ({one.pairs_low:.3f}, {one.pairs_high:.3f})"
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]{new_pairs}"


def _level(one: PairMean | None) -> str:
    return "–" if one is None else f"{one.value:.3f}"


def _points(one: PairMean) -> str:
    low, high = (f"{100 * value:+.1f}" for value in (one.low, one.high))
    new_pairs = "" if isnan(one.pairs_low) else f" ({100 * one.pairs_low:+.1f}, {100 * one.pairs_high:+.1f})"
    return f"{100 * one.value:+.1f} [{low}, {high}]{new_pairs}"


def _verdict(compared: Comparison) -> str:
    if not compared.is_told:
        return "not distinguishable"
    return "higher" if compared.difference.value > 0 else "lower"


def _p(value: float) -> str:
    return f"{value:.4f}" if value >= 0.0001 else "below 0.0001"


def _rho(value: float) -> str:
    return "–" if isnan(value) else f"{value:+.2f}"


def _whole(value: float) -> str:
    return "–" if isnan(value) else f"{value:,.0f}"


def _percent(value: float) -> str:
    return "–" if isnan(value) else f"{value:.0%}"


# the same with full precision

_MEAN = ["value", "low", "high", "pairs_low", "pairs_high", "pairs", "queries", "clusters"]


def _plain(one: PairMean) -> list[Any]:
    return [one.value, one.low, one.high, one.pairs_low, one.pairs_high, one.pairs, one.queries, one.concepts]


def means_csv(findings: Findings) -> str:
    """One row a mean over language pairs: of what measure, over which pairs or queries."""
    header = [
        "task",
        "method",
        "training_pairs",
        "measure",
        "over",
        *_MEAN,
        "successful_pairs",
        "successful_runs",
        "runs",
    ]
    lines: list[list[Any]] = []
    for one in findings.bli:
        for row in one.rows:
            start, end = [one.task, row.row.label, row.training], [row.succeeded, row.runs_succeeded, row.runs]
            lines.append([*start, "MAP", "all pairs", *_plain(row.all), *end])
            if row.filtered:
                lines.append([*start, "MAP", "filtered pairs", *_plain(row.filtered), *end])
            lines += [[*start, name, "all pairs", *_plain(mean), *end] for name, mean in row.measures]
            own = [part for part in one.parts if part.row == row.row]
            lines += [[*start, "MAP", f"{part.by}: {part.part}", *_plain(part.mean), *end] for part in own]
        lines += [_doubling(one.task, slope) for slope in one.slopes]
    return as_csv(header, lines)


def _doubling(task: str, slope: Slope) -> list[Any]:
    return [task, slope.method, "", "MAP a doubling", "all pairs", *_plain(slope.doubling), "", "", ""]


def comparisons_csv(findings: Findings) -> str:
    """One row a comparison of two methods, all of them."""
    header = ["task", "first", "second", *_MEAN, "p", "holm", "bonferroni"]
    return as_csv(
        header,
        (
            [
                one.task,
                found.first.label,
                found.second.label,
                *_plain(found.difference),
                found.p,
                found.holm,
                found.bonferroni,
            ]
            for one in findings.bli
            for found in one.comparisons
        ),
    )


def pairs_csv(findings: Findings) -> str:
    """One row a language pair: what can be told on it, and how alike the spaces are."""
    names = list(dict.fromkeys(name for one in findings.bli for name, _ in one.shapes))
    header = ["task", "pair", "queries", "coverage", "map_unmapped", "best_method", "map_best", "low", "high"]
    return as_csv(
        [*header, "map_mean", "weak", *names],
        (
            [
                one.task,
                state.pair,
                state.queries,
                state.coverage,
                state.control,
                state.best.label,
                state.best_level.mean,
                state.best_level.low,
                state.best_level.high,
                state.mean,
                "; ".join(state.weak),
                *(state.distances.get(name, "") for name in names),
            ]
            for one in findings.bli
            for state in one.pairs
        ),
    )
