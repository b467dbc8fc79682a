"""Donors and recipients, ranked, with the probability of each rank."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.roles.scores import NoRoles, Role, Roles
from crossgraft.analysis.wording import interval, signed
from crossgraft.report.pictures.kinds import Dots, Mark
from crossgraft.report.section import (
    HIDDEN,
    Column,
    Interval,
    Number,
    Section,
    Table,
    Value,
    columns,
    counted,
    estimate,
    percent,
    picked,
)

PLACE = 240
_MOST = 15  # rows on the page
_IN_CHART = 16
_NOTE = (
    "Simultaneous: the score shrunk for noise, with an interval that holds for all scores of the table at once; read it for the first and the "
    "last. Languages and tasks: as in the paper, in one regime each. Points: two-way model over the cells of treatments with one known "
    "source, except on the source itself."
)

_UNTESTED = "No test compares the others with the highest: read its simultaneous interval, and the probabilities of ranks where they are given."


def sections(findings: Findings) -> Iterator[Section]:
    if not findings.roles:
        return
    tables = [_none(role) if isinstance(role, NoRoles) else _table(role) for role in findings.roles]
    yield Section(
        "Donors and recipients",
        (*tables, *_shrunken(findings)),
        tuple(_coverage(findings)),
        _NOTE,
        charts=tuple(_dots(role) for role in findings.roles if isinstance(role, Roles) and len(role.roles) > 1),
        folded=True,
        shows="Which languages, tasks and points give, which take, and how sure the order is.",
        explained="reading-a-report#the-numbers",
    )


def _dots(roles: Roles) -> Dots:
    """The highest first; of many the highest and the lowest."""
    ranked = roles.roles
    left_out = max(0, len(ranked) - _IN_CHART)
    shown = (*ranked[: _IN_CHART // 2], *ranked[-_IN_CHART // 2 :]) if left_out else ranked
    marks = tuple(Mark(role.name, role.score.mean, role.score.low, role.score.high) for role in shown)
    more = f"; {left_out} between them are left out" if left_out else ""
    return Dots(
        f"{roles.of.capitalize()}, {roles.side}: {roles.way}{more}", "pp, with 95 % intervals", marks, roles.remark
    )


def _none(roles: NoRoles) -> Table:
    return Table("roles", (), (), f"{roles.of.capitalize()}: {roles.way}", f"None: {roles.why}.")


def _table(roles: Roles) -> Table:
    ranked = roles.same_set is not None
    head = [*(Column(HIDDEN, name) for name in ("of", "side", "way")), *columns("name", ("score, pp", "score"))]
    head += columns(
        "simultaneous", ("with new models", "new_models"), ("from", "rests_on"), (HIDDEN, "models"), (HIDDEN, "k")
    )
    if ranked:
        head += columns(("P(first)", "p_first"), (f"P(among {roles.k})", "p_among_k"))
    notes = [roles.remark, _UNTESTED]
    if roles.same_set is not None:
        notes.append(f"P(the {roles.k} highest are these) = {roles.same_set:.0%}.")
    elif roles.roles:
        notes.append(f"No probabilities of ranks: {roles.roles[0].why}.")
    title = f"{roles.of.capitalize()}, {roles.side}: {roles.way}"
    rows = tuple(_row(roles, role, ranked=ranked) for role in roles.roles)
    note, has_chart = " ".join(filter(None, notes)), len(rows) > 1
    return Table("roles", tuple(head), rows, title, note, most=_MOST, folded=has_chart)


def _row(roles: Roles, role: Role, *, ranked: bool) -> tuple[Value, ...]:
    wide = Interval(None, text="none: one model" if len(role.by_model) < 2 else f"only 2 models ({_both(role)})")
    if role.low is not None and role.high is not None:
        wide = Interval(role.score.mean, role.low, role.high, text=interval(role.low, role.high))
    rests = counted(role.score), Number(len(role.by_model), ""), Number(roles.k, "")
    row = (roles.of, roles.side, roles.way, role.name, estimate(role.score), picked(role.named), wide, *rests)
    return (*row, percent(role.first), percent(role.among)) if ranked else row


def _both(role: Role) -> str:
    return " and ".join(map(signed, role.by_model))


def _coverage(findings: Findings) -> Iterator[str]:
    if findings.coverage:
        best = max(findings.coverage, key=lambda one: one.helped / one.targets)
        yield (
            f"{best.row} helps the most targets: {best.helped} of {best.targets} with a probability above .9, each by its own interval."
        )


def _shrunken(findings: Findings) -> Iterator[Table]:
    """Every cell off the source, shrunk towards its donor and recipient; only in CSV."""
    rows = tuple(
        (way.model, cell.cell.row.label, str(cell.cell.target), Number(cell.raw, ""), Number(cell.shrunken, ""))
        for way in findings.two_way
        for cell in way.cells
    )
    if rows:
        yield Table("shrunken", columns("model", "treatment", "target", "change", "shrunken"), rows, most=0)
