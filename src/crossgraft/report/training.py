"""What the page shows of training runs: a line a run, one for the mean of its seeds, a small curve of the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.training import Training, TrainingRun

_MOST = 100  # treatments on the page
WIDTH, HEIGHT = 120, 24  # of a curve, in pixels
_PLACES = 60  # points of a curve


@dataclass(frozen=True)
class TrainingView:
    model: str
    treatment: str
    seed: str
    steps: str
    tokens: str
    first: str
    last: str
    kept: str
    curve: str = ""  # points of an SVG polyline


def shown(findings: Findings) -> list[TrainingView]:
    return [line for one in findings.training[:_MOST] for line in _lines(one)]


def left_out(findings: Findings) -> int:
    """How many treatments are only in ``training.csv``."""
    return max(0, len(findings.training) - _MOST)


def _lines(one: Training) -> Iterator[TrainingView]:
    model, label = one.row.model, one.row.label
    for run in one.runs:
        yield TrainingView(
            model,
            label,
            str(run.treatment.seed),
            f"{run.steps:,}",
            _tokens(run),
            f"{run.first_loss:.4g}",
            f"{run.last_loss:.4g}",
            "last" if run.kept_epoch is None else str(run.kept_epoch),
            curve(run.losses),
        )
    if len(one.runs) > 1:
        mean = f"mean of {len(one.runs)}"
        yield TrainingView(model, label, mean, "", "", f"{one.first_loss:.4g}", f"{one.last_loss:.4g}", "")


def _tokens(run: TrainingRun) -> str:
    counted = "" if run.counted is None else f", {run.counted:,} counted"
    parts = ", ".join(f"{part} {count:,}" for part, count in run.tokens_of.items()) if len(run.tokens_of) > 1 else ""
    return f"{run.tokens:,}{counted}{f' ({parts})' if parts else ''}"


def curve(losses: Sequence[float]) -> str:
    """The losses from left to right, the highest at the top; of long runs the means of neighbouring steps.

    >>> curve([3.0, 2.0, 1.0])
    '0,1 60,12 120,23'
    """
    count = min(len(losses), _PLACES)
    edges = [round(place * len(losses) / count) for place in range(count + 1)]
    means = [sum(losses[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    span = high - low or 1.0
    return " ".join(
        f"{place * WIDTH / max(1, count - 1):.4g},{1 + (high - value) / span * (HEIGHT - 2):.3g}"
        for place, value in enumerate(means)
    )
