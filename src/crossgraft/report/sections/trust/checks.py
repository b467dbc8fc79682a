"""The control measured again, and everything that was examined before a number is trusted."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.wording import TINY, interval, number_of, signed
from crossgraft.report.section import Interval, Section, Table, Value, columns
from crossgraft.transfer.matrix import ControlCheck

PLACE = 50
_AGAIN = columns("control", ("targets that moved", "moved"), ("largest change, pp", "largest"), ("on", "target"), "n")
_LOOKED = columns("model", "check", ("result", "result"), "seen")


def sections(findings: Findings) -> Iterator[Section]:
    groups: dict[tuple[str, str], list[ControlCheck]] = {}
    for check in findings.matrix.control_checks:
        groups.setdefault((check.model, check.variant), []).append(check)
    if groups:
        rows = tuple(_row(f"{model}: {variant}", group) for (model, variant), group in groups.items())
        yield Section(
            "What is suspect: the control, measured again",
            (Table("control_checks", _AGAIN, rows),),
            shows="How far the control moves by itself, when it is repeated or its prompt varied.",
            explained="reading-a-report#checks",
        )
    looked = sorted([*findings.gates, *findings.evidence.checks], key=lambda check: check.fine)
    if looked:
        found = tuple((one.model, one.name, "fine" if one.fine else "look into this", one.saw) for one in looked)
        failed = sum(not check.fine for check in looked)
        yield Section(
            "What is suspect: can the numbers be trusted?",
            (Table("checks", _LOOKED, found, most=failed or None, folded=not failed),),
            shows=_shows(failed, len(looked)),
            explained="reading-a-report#checks",
        )


def _shows(failed: int, looked: int) -> str:
    if not failed:
        return f"Nothing: all {looked} checks are fine." if looked > 1 else "Nothing: the check is fine."
    return f"{failed} of {number_of(looked, 'check')} {'asks' if failed == 1 else 'ask'} to be looked into."


def _row(name: str, group: list[ControlCheck]) -> tuple[Value, ...]:
    moved = [check for check in group if abs(check.change.mean) > TINY]
    most = max(group, key=lambda check: abs(check.change.mean))
    change = most.change
    if not moved:
        return name, f"0 of {len(group)}", Interval(0.0, text="none"), "", ""
    text = f"{signed(change.mean)} {interval(change.low, change.high)}"
    largest = Interval(change.mean, change.low, change.high, text=text)
    return name, f"{len(moved)} of {len(group)}", largest, str(most.target), str(change.n)
