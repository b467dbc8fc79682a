"""What noise in the base's score does to recipients and to the variance between targets."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.findings import Findings
from crossgraft.analysis.intervals.estimate import SHARE_CELLS
from crossgraft.analysis.questions.base.noise import BaseNoise
from crossgraft.report.section import Number, Section, Table, Value, change, columns, estimate

PLACE = 230
_MODELS = columns(
    "model",
    ("mean change elsewhere, pp", "mean"),
    ("cells above zero, measured", "positive"),
    ("expected above zero", "expected_positive"),
    ("variance between targets", "between_pp2"),
    ("without noise of the base", "corrected_pp2"),
)
_TARGETS = columns(
    "model",
    "target",
    ("mean change over treatments, pp", "mean"),
    ("shrunk for noise of the base", "shrunken"),
    ("noise of the base, one sd", "noise_sd"),
)
_NOTE = (
    "All changes on a target subtract the same answers of the base, so noise in these answers alone makes targets differ. That noise is "
    "estimated from the items and subtracted from the variance between targets. Expected above zero: each cell judged by its own noise and by "
    "all other cells. Cells: all except those on the treatment's own source."
)


def sections(findings: Findings) -> Iterator[Section]:
    if findings.base_noise:
        models = Table("base_noise", _MODELS, tuple(map(_row, findings.base_noise)))
        targets = Table(
            "recipient_means", _TARGETS, tuple(row for noise in findings.base_noise for row in _targets(noise))
        )
        yield Section(
            "Recipients, and noise of the base",
            (models, targets),
            note=_NOTE,
            folded=True,
            shows="How much of the differences between targets is noise in the score of the base.",
            explained="reading-a-report#the-numbers",
        )


def _row(noise: BaseNoise) -> tuple[Value, ...]:
    cells = noise.uplift.cells
    few = cells < SHARE_CELLS
    return (
        noise.model,
        estimate(noise.uplift),
        Number(
            noise.raw_positive,
            f"{round(noise.raw_positive * cells / 100)} of {cells}" if few else f"{noise.raw_positive:.0f} %",
        ),
        Number(noise.positive, "–" if few else f"{noise.positive:.0f} %"),
        Number(noise.between, f"{noise.between:.2f} pp² ({noise.share:.0f} %)"),
        Number(noise.corrected, f"{noise.corrected:.2f} pp² ({noise.corrected_share:.0f} %)"),
    )


def _targets(base_noise: BaseNoise) -> Iterator[tuple[Value, ...]]:
    """The best first."""
    for target in sorted(base_noise.recipients, key=lambda target: -target.corrected):
        noise = Number(target.noise, f"±{target.noise:.1f}")
        yield base_noise.model, str(target.target), estimate(target.raw), change(target.corrected), noise
