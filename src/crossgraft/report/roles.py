"""Donors and recipients as plain texts and as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.roles import NoRoles, Role, Roles
from crossgraft.analysis.wording import interval
from crossgraft.report.tables import as_csv, numbers, parts
from crossgraft.report.view import counted, estimate, picked

_WITHOUT_RANKS = ("", "score, pp", "if picked out", "with new models", "from")
PICKED = "“If picked out” is the score shrunk for noise, with an interval that holds for all scores of the table at once: read it for the first and the last."
_NOTICEABLE = 0.05  # an asymmetry of which it is worth saying what it is made of
_MOST = 15  # rows of a table; the CSV has all


@dataclass(frozen=True)
class Table:
    """A ranking, the highest first, and what to know of it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str


def tables(findings: Findings) -> Iterator[Table]:
    """A table a kind of score, or the reason why there is none."""
    for one in findings.roles:
        if isinstance(one, NoRoles):
            yield Table(f"{one.of.capitalize()}: {one.way}", (), (), f"None: {one.why}.")
        else:
            yield _table(one)


def _table(one: Roles) -> Table:
    ranked = one.same_set is not None
    header = (*_WITHOUT_RANKS, "first", f"among {one.k}") if ranked else _WITHOUT_RANKS
    rows = tuple(_row(role, ranked=ranked) for role in one.roles[:_MOST])
    remarks = [one.remark, PICKED]
    if one.same_set is not None:
        remarks.append(f"That the {one.k} highest are these has a probability of {one.same_set:.0%}.")
    elif one.roles:
        remarks.append(f"No probability of ranks: {one.roles[0].why}.")
    if len(one.roles) > _MOST:
        remarks.append(f"{len(one.roles) - _MOST} more are in roles.csv.")
    return Table(f"{one.of.capitalize()}, {one.side}: {one.way}", header, rows, " ".join(filter(None, remarks)))


def _row(role: Role, *, ranked: bool) -> tuple[str, ...]:
    wide = interval(role.low, role.high) if role.low is not None and role.high is not None else "none: one model"
    told = (role.name, estimate(role.score), picked(role.named), wide, counted(role.score))
    if not ranked:
        return told
    return (*told, *("–" if share is None else f"{share:.0%}" for share in (role.first, role.among)))


def structure(findings: Findings) -> Iterator[str]:
    """The two-way model and the asymmetry of every model, in a sentence each."""
    for one in findings.two_way:
        if one.explained is None:
            yield f"{one.model}: no two-way model: {one.why or 'the cells do not vary'}."
            continue
        known = one.sources is not None and one.targets is not None
        alone = f" (donors alone {one.sources:.0%}, recipients alone {one.targets:.0%})" if known else ""
        both = "" if one.correlation is None else f"; donors and recipients correlate by {one.correlation:.2f}"
        ends = f" [{one.low:.2f}, {one.high:.2f}]" if one.low is not None and one.high is not None else ""
        why = f" ({one.why})" if one.why else ""
        yield f"{one.model}: donor and recipient effects explain {one.explained:.0%} of the variance between cells, noise included{alone}{both}{ends}{why}."
    for index in findings.asymmetries:
        if index.index is None:
            yield f"{index.model}: no asymmetry index: {index.why}."
            continue
        ends = f" [{index.low:.2f}, {index.high:.2f}]" if index.low is not None and index.high is not None else ""
        why = f" ({index.why})" if index.why else ""
        ranking = ""
        if index.ranking is not None and index.index >= _NOTICEABLE:
            ranking = f" Of the asymmetric part, {index.ranking:.0%} is a ranking (some points give more than they take); the rest runs in cycles."
        yield (
            f"{index.model}: asymmetry {index.index:.2f}{ends} over {index.pairs} pairs, noise subtracted{why}: 0 is mutual transfer, "
            f"1 is one-way.{ranking}"
        )
    if findings.coverage:
        best = max(findings.coverage, key=lambda one: one.helped / one.targets)
        yield f"Most targets are helped by {best.row}: {best.helped} of {best.targets} with a probability above .9, each by its own interval."


def roles_csv(findings: Findings) -> str:
    """One row a score."""
    header = [
        "of",
        "side",
        "way",
        "name",
        *parts("score"),
        "shrunken",
        "simultaneous_low",
        "simultaneous_high",
        "models",
        "low_new_models",
        "high_new_models",
    ]
    header += ["probability_first", "k", "probability_among_k", "interval_over", "why_not"]
    return as_csv(
        header,
        (
            [
                one.of,
                one.side,
                one.way,
                role.name,
                *numbers(role.score),
                role.named.value,
                role.named.low,
                role.named.high,
                role.models,
                role.low,
                role.high,
                role.first,
                one.k,
                role.among,
                role.score.basis,
                role.score.why or role.why,
            ]
            for one in findings.roles
            if isinstance(one, Roles)
            for role in one.roles
        ),
    )


def shrunken_csv(findings: Findings) -> str:
    """One row a cell off the source: as it is, and drawn towards its donor and recipient."""
    return as_csv(
        ["model", "treatment", "target", "change", "shrunken"],
        (
            [one.model, cell.cell.row.label, str(cell.cell.target), cell.raw, cell.shrunken]
            for one in findings.two_way
            for cell in one.cells
        ),
    )
