"""The training runs: one row per run, with a small curve of the loss."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

from markupsafe import Markup

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.questions.training import Training, TrainingRun
from crossgraft.report.pictures.kinds import Curves, Line
from crossgraft.report.section import HIDDEN, Number, Picture, Section, Table, Value, columns

PLACE = 280
_MOST = 25  # rows on the page
WIDTH, HEIGHT = 120, 24  # of a curve, in pixels
_CHARTS, _LINES = 3, 6  # models with a chart, treatments in it
_PLACES = 60  # points of a curve
_HEAD = columns(
    "model",
    "treatment",
    "seed",
    "steps",
    "tokens",
    ("loss, first step", "first_loss"),
    ("last", "last_loss"),
    ("kept epoch", "kept_epoch"),
    ("loss over the steps", ""),
    (HIDDEN, "counted_tokens"),
    (HIDDEN, "tokens_of"),
)
_NOTE = "Losses: nats, mean over the tokens that count. Each curve has its own scale. Tokens are summed over all steps, each epoch counted again."


def sections(findings: Findings) -> Iterator[Section]:
    rows = tuple(row for one in findings.evidence.training for row in _rows(one))
    if rows:
        yield Section(
            "Training",
            (Table("training", _HEAD, rows, most=_MOST),),
            note=_NOTE,
            charts=tuple(_curves(findings.evidence.training)),
            folded=True,
            shows="What each run cost, and how its loss fell.",
            explained="training",
        )


def _curves(trainings: Sequence[Training]) -> Iterator[Curves]:
    """One chart per model: the first seed of each of its first treatments."""
    for model in list(dict.fromkeys(training.row.model for training in trainings))[:_CHARTS]:
        of_model = [training for training in trainings if training.row.model == model]
        lines = tuple(
            Line(training.row.label, tuple(_means(training.runs[0].losses))) for training in of_model[:_LINES]
        )
        more = f"; the first {_LINES} of {len(of_model)} treatments" if len(of_model) > _LINES else ""
        yield Curves(f"{model}: loss over the steps, first seed{more}", "step", "nats", lines)


def _means(losses: Sequence[float]) -> Iterator[tuple[float, float]]:
    """The losses, or of long runs the means of neighbouring steps, at the middle of each."""
    count = min(len(losses), _PLACES)
    edges = [round(place * len(losses) / count) for place in range(count + 1)]
    for first, last in pairwise(edges):
        yield (first + last + 1) / 2, sum(losses[first:last]) / (last - first)


def _rows(training: Training) -> Iterator[tuple[Value, ...]]:
    model, label = training.row.model, training.row.label
    for run in training.runs:
        yield (
            model,
            label,
            str(run.treatment.seed),
            Number(run.steps, f"{run.steps:,}"),
            Number(run.tokens, _tokens(run)),
            _loss(run.first_loss),
            _loss(run.last_loss),
            "last" if run.kept_epoch is None else str(run.kept_epoch),
            Picture(None, "", _drawn(curve(run.losses))),
            Number(run.counted, ""),
            json.dumps(run.tokens_of, ensure_ascii=False),
        )


def _loss(value: float) -> Number:
    return Number(value, f"{value:.4g}")


def _tokens(run: TrainingRun) -> str:
    counted = "" if run.counted is None else f", {run.counted:,} counted"
    parts = ", ".join(f"{part} {count:,}" for part, count in run.tokens_of.items()) if len(run.tokens_of) > 1 else ""
    return f"{run.tokens:,}{counted}{f' ({parts})' if parts else ''}"


def _drawn(points: str) -> Markup:
    return Markup(
        '<svg width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="loss over the steps">'
        '<polyline fill="none" class="curve" points="{}"></polyline></svg>'
    ).format(WIDTH, HEIGHT, WIDTH, HEIGHT, points)


def curve(losses: Sequence[float]) -> str:
    """The losses from left to right, the highest at the top; for long runs the means of neighbouring steps.

    >>> curve([3.0, 2.0, 1.0])
    '0,1 60,12 120,23'
    """
    means = [mean for _, mean in _means(losses)]
    count = len(means)
    low, high = min(means), max(means)
    span = high - low or 1.0
    return " ".join(
        f"{place * WIDTH / max(1, count - 1):.4g},{1 + (high - value) / span * (HEIGHT - 2):.3g}"
        for place, value in enumerate(means)
    )
