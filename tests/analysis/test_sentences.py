"""Seven grids after one look: what a reader should take from the first screen stands beside each."""

from __future__ import annotations

import re

import pytest

from crossgraft.analysis.findings import analyse
from other_grids import Effects, OtherGrid, Planted, as_scores

STRONG = OtherGrid(effects=Effects(same_task=8, cell=1, source=0.5))
NULL = OtherGrid()
HARMFUL = OtherGrid(effects=Effects(same_task=2), planted=Planted(ruinous=1))
LOSSES = OtherGrid(planted=Planted(ruinous=6, ruin=-8))
SPARSE = OtherGrid(missing=0.75, items=60, seeds=1, effects=Effects(same_task=4))
ONE_MODEL = OtherGrid(models=1, effects=Effects(same_task=5))
SCORES = OtherGrid(effects=Effects(same_task=8), planted=Planted(ruinous=1))


def sentences(grid: OtherGrid, seed: int = 1) -> tuple[str, str, str]:
    """What helped, what harmed and what to train in one; how sure that is; what to distrust."""
    drawn = grid.draw(seed)
    *found, sure, doubt = analyse((as_scores(drawn) if grid is SCORES else drawn).matrix).sentences
    return " ".join(found), sure, doubt


def test_a_strong_effect() -> None:
    """Every source helps its task in other languages, by about 7 points; one loses a point on other tasks."""
    found, sure, _ = sentences(STRONG)

    assert found.startswith("Over 2 models, 6 of 6 sources gain significantly on the same task in other languages")
    assert "the largest is skill3/sw: +7.5 pp [" in found
    assert "On other tasks, skill1/ta changes scores by -1.1 pp [-3.1, -0.2]" in found
    assert (
        "To train: skill3/sw, +7.5 pp [+5.1, +11.4] on the same task in other languages; none of its cells loses"
        in found
    )
    assert "The difference is +7.4 pp: [+6." in sure
    assert "No interval for new models: only 2 models" in sure


def test_nothing_transfers() -> None:
    """Nothing was found, and no loss of less than about 6 points could have been."""
    found, sure, _ = sentences(NULL)

    assert found.startswith("Over 2 models, none of the 6 sources gains significantly")
    assert (
        "No loss is significant after correction; losses under 5.9 pp in a single cell would often be missed" in found
    )
    assert "skill" not in found  # no source and no target is named
    assert "To train" not in found
    assert "3 of 144 cells have an interval that excludes zero (about 7 would by chance alone)" in sure


def test_one_harmful_adapter() -> None:
    """One source, skill1/ta, loses about 13 points nearly everywhere; another gains a little."""
    found, *_ = sentences(HARMFUL)

    assert "1 of 6 sources gains significantly on the same task in other languages; the largest is skill2/ta" in found
    assert "skill1/ta loses significantly on the same task in other languages: -14.7 pp" in found
    assert "On other tasks, skill1/ta changes scores by -13.0 pp" in found
    assert "16 of its 18 cells exclude zero" in found
    assert "To train: skill2/ta" in found
    assert re.search(r"20 single cells lose significantly, the worst lm\d: skill1/ta on ", found)


def test_losses_everywhere() -> None:
    """All sources lose, on their task and on others, and all targets do; nothing gains."""
    found, sure, _ = sentences(LOSSES)

    assert "none of the 6 sources gains significantly" in found
    assert found.count("(5 others significant)") == 2  # of six sources, on the same task and on other tasks
    assert "No loss" not in found
    assert "in other languages by -7.3 pp, and other tasks by -7.0 pp" in sure


def test_a_sparse_grid() -> None:
    """Too little was measured to see anything but huge effects, and with one seed."""
    found, sure, doubt = sentences(SPARSE)

    assert "none of the 4 sources gains significantly" in found
    assert "losses under 12.7 pp in a single cell would often be missed" in found
    assert "A cell rests on 60 items and 1 seed" in sure
    assert "1 of 36 cells has an interval" in sure
    assert "one seed" in doubt


def test_one_model() -> None:
    """Most sources help their task in other languages, in this model; of other models nothing is known."""
    found, sure, _ = sentences(ONE_MODEL)

    assert found.startswith("5 of 6 sources gain significantly on the same task in other languages")
    assert "models" not in found
    assert "No interval for new models: only one model" in sure


def test_scores_only() -> None:
    """Most sources gain and skill1/ta loses much on other tasks; without items the intervals are wide."""
    found, sure, doubt = sentences(SCORES, seed=3)

    assert found.startswith("Over 2 models, 4 of 6 sources gain significantly")
    assert "On other tasks, skill1/ta changes scores by -13.1 pp" in found
    assert "without items, intervals use the binomial bound" in sure
    assert "seed" not in sure.rpartition(". ")[2]
    assert "nothing is paired by item" in doubt


@pytest.mark.parametrize("grid", [STRONG, NULL, HARMFUL, LOSSES, SPARSE, ONE_MODEL, SCORES])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_minute_is_enough(grid: OtherGrid, seed: int) -> None:
    """Two hundred words at most, in sentences of twenty-five, without jargon that says nothing."""
    read = sentences(grid, seed)

    words = [len(sentence.split()) for text in read[:2] for sentence in text.split(". ")]
    assert max(words) <= 25
    assert len(read[0].split()) <= 120
    assert sum(len(text.split()) for text in read[:2]) <= 210
    assert not re.search(r"luck|told from|nan|\binf\b", " ".join(read))
