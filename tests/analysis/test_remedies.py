"""Gain against harm by scale, merge, checkpoint and mixture, on grids whose truth is planted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import analyse
from crossgraft.analysis.questions.effects.remedies import Curve, curves
from crossgraft.core import Floats, Point, Treatment
from crossgraft.report.sections.answer import remedies as section
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid

TARGETS = tuple(Point(task, language) for task in ("a", "b") for language in ("en", "de"))
WHOLE = Treatment("m", "a/en", "trained", TARGETS[0])
HALF = replace(WHOLE, kind="derived", recipe=(("scale", 0.5),))
MERGE = Treatment("m", "both", "derived")
SPEC = '[merges]\nboth = { sources = ["a/en", "b/de"] }\n[sources.mix]\npoints = { "a/en" = 3, "b/en" = 1 }\n'


@dataclass(frozen=True)
class Planted(SyntheticGrid):
    """Treatments whose true changes on the targets are given."""

    treatments: tuple[Treatment, ...] = ()
    changes: tuple[tuple[float, ...], ...] = ()

    @property
    def points(self) -> tuple[Point, ...]:
        return TARGETS

    def rows(self, model: int) -> tuple[Treatment, ...]:
        return self.treatments

    def truth(self, seed: int) -> Floats:
        return np.array(self.changes)


def matrix(changes: dict[Treatment, tuple[float, ...]], seed: int = 1, items: int = 1500) -> TransferMatrix:
    grid = Planted(
        models=1,
        tasks=2,
        languages=2,
        items=items,
        fragile=0.6,
        treatments=tuple(changes),
        changes=tuple(changes.values()),
    )
    return grid.matrix(seed)


def only(changes: dict[Treatment, tuple[float, ...]], spec: str = "", **how: int) -> Curve:
    (curve,) = curves(Evidence(matrix(changes, **how), spec=spec))
    return curve


def test_a_scale_that_keeps_the_gain_without_the_harm_is_found() -> None:
    curve = only({WHOLE: (16.0, -12.0, -12.0, -12.0), HALF: (14.0, 0.0, 0.0, 0.0)})

    (half,) = curve.remedies
    assert (half.way, half.is_better) == ("scale", True)
    assert curve.whole.elsewhere.mean < -8


def test_on_the_straight_line_to_the_base_nothing_is_gained() -> None:
    curve = only({WHOLE: (16.0, -12.0, -12.0, -12.0), HALF: (8.0, -6.0, -6.0, -6.0)})

    assert not curve.remedies[0].is_better


def test_the_excess_is_the_distance_from_the_line() -> None:
    curve = only({WHOLE: (16.0, -12.0, -9.0, -12.0), HALF: (10.0, -2.0, -4.0, 0.0)})

    half, whole = curve.remedies[0], curve.whole
    line = half.gain.mean / whole.gain.mean * whole.elsewhere.mean
    assert half.excess is not None
    assert np.isclose(half.excess.mean, half.elsewhere.mean - line)


def test_its_error_is_that_of_many_grids_and_the_line_is_seldom_called_better() -> None:
    """Delta method against the spread over 60 grids; one in forty may be called better by chance."""
    found = [
        only({WHOLE: (16.0, -9.0, -9.0, -9.0), HALF: (8.0, -4.5, -4.5, -4.5)}, seed=seed, items=400).remedies[0]
        for seed in range(60)
    ]

    excess = [half.excess for half in found if half.excess]
    assert 0.8 < np.mean([one.error for one in excess]) / np.std([one.mean for one in excess]) < 1.5
    assert sum(half.is_better for half in found) <= 5


def test_merges_and_mixtures_are_matched_by_the_spec() -> None:
    mix = Treatment("m", "mix", "trained")
    flat = (8.0, 0.0, 0.0, 0.0)

    curve = only({WHOLE: (16.0, -9.0, -9.0, -9.0), MERGE: flat, mix: flat}, spec=SPEC)

    assert {variant.way for variant in curve.remedies} == {"merge", "mixture"}


def test_checkpoints_are_compared_with_the_end_of_their_run() -> None:
    end, early = (replace(WHOLE, recipe=(("after", after),)) for after in (0.0, 1.0))

    curve = only({end: (16.0, -9.0, -9.0, -9.0), early: (10.0, 0.0, 0.0, 0.0)})

    assert curve.whole.row == end
    assert [(variant.way, variant.row) for variant in curve.remedies] == [("checkpoint", early)]


def test_without_a_gain_nothing_is_compared_at_equal_gain() -> None:
    curve = only({WHOLE: (0.0, -9.0, -9.0, -9.0), HALF: (0.0, 0.0, 0.0, 0.0)})

    assert curve.remedies[0].excess is None


def test_a_study_without_remedies_has_no_curve() -> None:
    assert curves(Evidence(matrix({WHOLE: (16.0, 0.0, 0.0, 0.0)}))) == ()


def test_the_report_says_which_remedy_lowers_harm_at_equal_gain() -> None:
    good = matrix({WHOLE: (16.0, -12.0, -12.0, -12.0), HALF: (14.0, 0.0, 0.0, 0.0)})
    none = matrix({WHOLE: (16.0, -12.0, -12.0, -12.0), HALF: (8.0, -6.0, -6.0, -6.0)})

    (found,) = section.sections(analyse(good))
    (nothing,) = section.sections(analyse(none))

    assert found.sentences[0].startswith("1 of 1 remedies lower harm at equal gain significantly")
    assert "scale 0.5" in found.sentences[0]
    assert nothing.sentences[0].startswith("No remedy lowers harm at equal gain significantly")
    assert [row[2] for row in found.tables[0].rows] == ["scale 0.5", "none (as trained)"]
