"""The shared base: in grids in which nothing transfers, and in those in which targets really differ."""

from __future__ import annotations

import numpy as np
import pytest

from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.base.noise import BaseNoise, against_sham, base_noise
from crossgraft.core import Point, Treatment
from crossgraft.metrics import METRICS
from crossgraft.transfer.changes import Measured, Place, change_cells
from crossgraft.transfer.matrix import TransferMatrix
from crossgraft.transfer.synthetic import SyntheticGrid
from outcomes import BASE, answers, matrix_of, measured


def null_luck(grids: int) -> list[BaseNoise]:
    grid = SyntheticGrid(models=1, tasks=4, languages=4, seeds=2, items=400)
    return [next(iter(base_noise(Draws(grid.matrix(seed))))) for seed in range(grids)]


@pytest.mark.slow
def test_over_many_null_grids_no_variance_between_targets_is_left() -> None:
    """Row 9: raw about 1.2 pp² at 400 items, corrected within .15 of zero; a grid's own varies by .6 about that."""
    found = null_luck(60)

    assert np.mean([one.between for one in found]) > 1
    assert abs(np.mean([one.corrected for one in found])) < 0.15


def test_in_a_null_grid_the_variance_between_targets_is_all_luck() -> None:
    found = null_luck(6)

    assert 0.7 < np.mean([one.between for one in found]) < 2.2
    assert abs(np.mean([one.corrected for one in found])) < 0.25
    assert np.mean([one.corrected_share for one in found]) < np.mean([one.share for one in found]) / 2


def test_what_targets_really_differ_by_is_kept() -> None:
    found = [
        next(iter(base_noise(Draws(SyntheticGrid(models=1, tasks=4, languages=4, items=400, target=2.5).matrix(seed)))))
        for seed in range(6)
    ]

    assert np.mean([one.corrected for one in found]) == pytest.approx(2.5**2, rel=0.35)


def test_a_recipient_is_drawn_to_the_mean_by_what_luck_explains() -> None:
    (noise,) = base_noise(Draws(SyntheticGrid(models=1, tasks=2, languages=3, items=300).matrix(1)))

    raw = np.array([one.raw.mean for one in noise.recipients])
    corrected = np.array([one.corrected for one in noise.recipients])
    assert np.ptp(corrected) < np.ptp(raw)
    assert all(0.5 < one.noise < 3 for one in noise.recipients)


def test_the_share_of_gains_in_a_null_grid_is_no_half() -> None:
    """Raw, many cells lie above zero; judged by their noise, hardly any is expected to."""
    (noise,) = base_noise(Draws(SyntheticGrid(models=1, tasks=2, languages=4, items=300).matrix(2)))

    assert noise.raw_positive > 30
    assert noise.positive < 20


def test_graded_outcomes_and_passages_have_no_variance_between_targets_left_either() -> None:
    """Nothing is planted. With p(1 - p), graded scores had far more noise taken off than they have; passages had too little."""
    for kind in ("graded", "passages"):
        found = [next(iter(base_noise(Draws(null_grid(kind, seed))))) for seed in range(1000, 1012)]

        assert np.mean([one.between for one in found]) > 0.4
        assert abs(np.mean([one.corrected for one in found])) < 0.4 * np.mean([one.between for one in found])


def null_grid(kind: str, seed: int, *, targets: int = 12, treatments: int = 5, items: int = 150) -> TransferMatrix:
    """The base and every treatment draw their scores from the same items, anew; on passages, five items a draw."""
    rng = np.random.default_rng(seed)
    passage = 5 if kind == "passages" else 1
    measured_cells: dict[Place, Measured] = {}
    for number in range(targets):
        target = Point(f"t{number}", "en")
        centre = rng.uniform(0.3, 0.7, (1, items))
        noise = np.repeat(rng.standard_normal((treatments + 1, items // passage)), passage, axis=1)
        scores = (noise > 0).astype(float) if kind == "passages" else np.clip(centre + 0.15 * noise, 0, 1)
        rows = [np.stack([one, np.ones(items)], axis=-1)[None] for one in scores]
        groups = tuple(f"p{n // passage}" for n in range(items)) if passage > 1 else ()
        for place, treated in enumerate(rows[1:]):
            row = Treatment("m", f"s/{place}", "trained", Point(f"s{place}", "en"))
            names = tuple(f"{n:03}" for n in range(items))
            measured_cells[row, target] = Measured(METRICS.get("f1"), (1,), treated, rows[0], names, groups)
    cells = change_cells(measured_cells)
    return TransferMatrix(
        tuple(dict.fromkeys(row for row, _ in cells)), tuple(dict.fromkeys(t for _, t in cells)), cells
    )


def test_the_contrast_with_the_sham_is_what_the_content_adds() -> None:
    en, de = Point("a", "en"), Point("a", "de")
    rows = {
        Treatment("m", "a/en", "trained", en, (), 1): 30,
        Treatment("m", "a/en (sham)", "trained", None, (), 1, source_variant="sham"): 25,
    }
    pairs = [measured(BASE, answers([1] * 20 + [0] * 20), de)]
    pairs += [measured(row, answers([1] * right + [0] * (40 - right)), de) for row, right in rows.items()]
    matrix = matrix_of(*pairs)

    (found,) = against_sham(matrix, Draws(matrix))

    assert (found.sham, found.where) == ("a/en (sham)", "same task, other languages")
    assert found.estimate.mean == pytest.approx(12.5)
