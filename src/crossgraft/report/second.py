"""The second screen: is it the model, the source or the target; do models agree; what shape has the grid. As plain texts."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.authors import SideBySide
from crossgraft.analysis.consistency import Consistency
from crossgraft.analysis.findings import Findings
from crossgraft.analysis.patterns import Pattern
from crossgraft.analysis.variance import VarianceFit
from crossgraft.analysis.wording import signed
from crossgraft.report.roles import Table
from crossgraft.report.tables import as_csv

_VARIANCE = ("factor", "levels", "variance, pp²", "of it noise", "share", "for others of the kind", "")
_AGREEMENT = (
    "among",
    "regime",
    "sources",
    "index",
    "by chance",
    "noise allows",
    "correlation of true changes",
    "ICC",
    "signs",
)


def tables(findings: Findings) -> Iterator[Table]:
    """Variance crossed and nested, then agreement; what cannot be said has a remark instead of rows."""
    if findings.variance is not None:
        for fit in (findings.variance.crossed, findings.variance.nested):
            if fit is not None:
                yield _variance(fit, findings.variance.notes if fit.name == "crossed" else ())
        if findings.variance.why:
            yield Table("Shares of variance", (), (), f"None: {findings.variance.why}.")
    if findings.consistency:
        rows = tuple(_agreement(one) for one in findings.consistency)
        yield Table("Is the order of recipients the same in every model", _AGREEMENT, rows, _agreement_remark(findings))
    if findings.authors:
        rows = tuple(_beside(one) for one in findings.authors)
        yield Table("The authors' way and ours", ("what", "unit", "theirs", "ours", "why they differ"), rows, "")


def sentences(findings: Findings) -> Iterator[str]:
    """The shape of every model's grid."""
    for one in findings.patterns:
        yield f"{one.model}: {_pattern(one)}"


def _pattern(one: Pattern) -> str:
    if one.share is None:
        return f"no pattern beyond donors and recipients: {one.why}."
    if not one.real:
        return "no pattern beyond donors and recipients is larger than chance and item noise."
    sources, targets = (", ".join(map(str, points[:3])) for points in (one.sources, one.targets))
    return (
        f"beyond donors and recipients, {sources} help {targets} more than the two-way model predicts. "
        f"This pattern explains {one.share:.0%} of the residual variance; chance explains at most {one.shuffled:.0%}."
    )


def variance_csv(findings: Findings) -> str:
    """One row a factor and fit."""
    header = ["fit", "factor", "levels", "raw_pp2", "noise_pp2", "component_pp2", "share", "low", "high", "note"]
    fits = [findings.variance.crossed, findings.variance.nested] if findings.variance else []
    rows = [
        [fit.name, one.factor, one.levels, one.raw, one.noise, one.component, one.share, one.low, one.high, one.note]
        for fit in fits
        if fit is not None
        for one in fit.shares
    ]
    return as_csv(header, rows)


def consistency_csv(findings: Findings) -> str:
    """One row a regime and kind of ranker."""
    header = [
        "among",
        "regime",
        "sources",
        "index",
        "low",
        "high",
        "chance_95",
        "p",
        "ceiling",
        "rho",
        "w",
        "w_p",
        "icc",
        "why",
    ]
    rows = [
        [
            one.rankers,
            one.regime,
            one.sources,
            one.index,
            one.low,
            one.high,
            one.chance.highest if one.chance else None,
            one.chance.p if one.chance else None,
            one.noise.ceiling if one.noise else None,
            one.noise.rho if one.noise else None,
            one.w,
            one.w_p,
            one.icc,
            one.why,
        ]
        for one in findings.consistency
    ]
    return as_csv(header, rows)


def _variance(fit: VarianceFit, notes: tuple[str, ...]) -> Table:
    rows = tuple(
        (
            one.factor,
            str(one.levels),
            f"{one.raw:.3f}",
            f"{one.noise:.3f}",
            f"{one.share:.0%}",
            "–" if one.low is None or one.high is None else f"[{one.low:.0%}, {one.high:.0%}]",
            one.note,
        )
        for one in fit.shares
    )
    fixed = "; ".join(
        f"{one.name} {signed(one.effect.value)} [{signed(one.effect.low)}, {signed(one.effect.high)}] pp"
        for one in fit.fixed
    )
    remark = ". ".join(filter(None, [f"From {fit.cells} cells", f"Fixed effects: {fixed}" if fixed else "", *notes]))
    return Table(f"Shares of variance, {fit.name}: {fit.words}", _VARIANCE, rows, f"{remark}.")


def _agreement(one: Consistency) -> tuple[str, ...]:
    noise, chance = one.noise, one.chance
    ends = f" [{one.low:.2f}, {one.high:.2f}]" if one.low is not None and one.high is not None else ""
    rho = "–"
    if noise is not None and noise.rho is not None:
        rho = f"{noise.rho:.2f}"
        if noise.low is not None and noise.high is not None:
            rho += f" [{noise.low:.2f}, {noise.high:.2f}]"
    return (
        f"{len(one.levels)} {one.rankers}" if len(one.levels) > 1 else "1 model",
        str(one.regime),
        str(one.sources),
        "–" if one.index is None else f"{one.index:.2f}{ends}",
        "–" if chance is None else f"below {chance.highest:.2f} in 95 %",
        "–" if noise is None else f"{noise.ceiling:.2f}",
        rho,
        "–" if one.icc is None else f"{one.icc:.2f}",
        "–"
        if one.signs is None
        else f"{one.signs.agreement:.2f} (chance {one.signs.chance:.2f}, {one.signs.cells} cells)",
    )


def _agreement_remark(findings: Findings) -> str:
    whys = dict.fromkeys(f"{one.rankers}, {one.regime}: {one.why}" for one in findings.consistency if one.why)
    return (
        "Index: mean Kendall τ-b over pairs of models, the median over sources (the paper's). By chance: recipients shuffled within "
        "models. Noise allows: what it would be if true changes were the same in all models. ICC: share of the variance of "
        f"cells that all models have in common. {' '.join(f'{why}.' for why in whys)}"
    )


def _beside(one: SideBySide) -> tuple[str, ...]:
    def told(value: float | None) -> str:
        return "–" if value is None else signed(value, 3) if one.unit == "pp" else f"{value:.3f}"

    return one.what, one.unit, told(one.authors), told(one.ours), one.why
