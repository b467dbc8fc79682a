"""Do models agree on which targets gain: the paper's index, of all sources and of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.roles.consistency import Consistency
from crossgraft.report.pictures.kinds import Dots, Mark
from crossgraft.report.section import HIDDEN, Interval, Number, Section, Table, Value, columns, decimals

PLACE = 270
_HEAD = columns(
    "among",
    "regime",
    "sources",
    "index",
    ("by chance", "chance_95"),
    ("ceiling by noise", "ceiling"),
    ("correlation of true changes", "rho"),
    ("ICC", "icc"),
    ("signs", "signs"),
    (HIDDEN, "p"),
    (HIDDEN, "w"),
    (HIDDEN, "w_p"),
    (HIDDEN, "why"),
)
_NOTE = (
    "Index: mean Kendall τ-b over pairs of models, the median over sources (the paper's). By chance: recipients shuffled within models. Ceiling: "
    "the index if true changes were the same in all models, given the noise. ICC: share of the variance between cells that all models have "
    "in common. Signs: share of models that agree on the sign. Cells: those of treatments trained in this study on one source, except on the source itself."
)


def sections(findings: Findings) -> Iterator[Section]:
    tables = []
    if findings.consistency:
        whys = dict.fromkeys(
            f"{consistency.rankers}, {consistency.regime}: {consistency.why}."
            for consistency in findings.consistency
            if consistency.why
        )
        rows = tuple(map(_row, findings.consistency))
        title = "Is the order of recipients the same in every model?"
        tables.append(Table("consistency", _HEAD, rows, title, " ".join([_NOTE, *whys])))
        tables.append(_by_source(findings.consistency))
    if tables:
        yield Section(
            "Agreement of models",
            tuple(tables),
            charts=tuple(_chart(findings.consistency)),
            folded=True,
            shows="Whether models agree on which targets gain from a source.",
            explained="statistics",
        )


def _chart(consistencies: Iterable[Consistency]) -> Iterator[Dots]:
    marks = tuple(
        Mark(
            f"{consistency.rankers}, {consistency.regime}",
            consistency.index,
            consistency.low,
            consistency.high,
            strong=consistency.chance is not None and consistency.index > consistency.chance.highest,
        )
        for consistency in consistencies
        if consistency.index is not None
    )
    if marks:
        yield Dots("Index of agreement; bold: above 95 % of shuffles", "mean Kendall τ-b, with 95 % intervals", marks)


def _by_source(consistencies: Iterable[Consistency]) -> Table:
    """Of models; the lowest and the highest are on the page."""
    rows = [
        (consistency.regime, *of)
        for consistency in consistencies
        if consistency.rankers == "models"
        for of in consistency.of_sources
    ]
    head = columns("regime", "source", "index")
    ranked = sorted(rows, key=lambda row: -row[2])
    title = "The index of each source, the highest first"
    return Table("consistency_of_sources", head, tuple((*row[:2], decimals(row[2])) for row in ranked), title, most=12)


def _row(consistency: Consistency) -> tuple[Value, ...]:
    noise, chance, signs = consistency.noise, consistency.chance, consistency.signs
    ends = (
        f" [{consistency.low:.2f}, {consistency.high:.2f}]"
        if consistency.low is not None and consistency.high is not None
        else ""
    )
    rho = Interval(None)
    if noise is not None and noise.rho is not None:
        bounds = "" if noise.low is None or noise.high is None else f" [{noise.low:.2f}, {noise.high:.2f}]"
        rho = Interval(noise.rho, noise.low, noise.high, text=f"{noise.rho:.2f}{bounds}")
    agreed = "–" if signs is None else f"{signs.agreement:.2f} (chance {signs.chance:.2f}, {signs.cells} cells)"
    return (
        f"{len(consistency.levels)} {consistency.rankers}" if len(consistency.levels) > 1 else "1 model",
        str(consistency.regime),
        str(consistency.sources),
        Interval(
            consistency.index,
            consistency.low,
            consistency.high,
            text="–" if consistency.index is None else f"{consistency.index:.2f}{ends}",
        ),
        Number(chance.highest if chance else None, "–" if chance is None else f"below {chance.highest:.2f} in 95 %"),
        decimals(noise.ceiling if noise else None),
        rho,
        decimals(consistency.icc),
        Number(signs.agreement if signs else None, agreed),
        Number(chance.p if chance else None, ""),
        Number(consistency.w, ""),
        Number(consistency.w_p, ""),
        consistency.why,
    )
