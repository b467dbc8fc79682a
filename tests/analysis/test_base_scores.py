"""The scores of a base by itself: what their intervals are about, and whether guessing would do as well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossgraft.analysis.questions.base.scores import BaseScore, base_scores
from crossgraft.core import Answers
from crossgraft.identity import content_id
from crossgraft.runs.storage.layout import Manifest
from crossgraft.runs.storage.store import Store
from outcomes import BASE, answers, measured, trained


def scored(folder: Path, outcome: Answers) -> BaseScore:
    store = Store(folder)
    jobs = []
    for treatment in (BASE, trained()):
        job, record = measured(treatment, outcome)
        record_id = content_id(treatment=str(treatment))
        cells = (replace(job.cells[0], record_id=record_id),)
        jobs.append(replace(job, treatment_id=content_id(name=str(treatment)), cells=cells))
        store.take(replace(record, id=record_id))
    store.manifests.save(Manifest("s", "", (), tuple(jobs)))
    (found,) = base_scores(store, "s")
    return found


def test_a_score_has_wilsons_interval_and_chance(tmp_path: Path) -> None:
    found = scored(tmp_path, answers([1] * 15 + [0] * 5))

    assert (found.value, found.n, found.chance, found.verdict) == (0.75, 20, 0.25, "above chance")
    assert (found.low, found.high) == pytest.approx((0.531, 0.888), abs=5e-4)  # 15 of 20, as R's prop.test gives it


def test_items_that_are_right_together_count_as_fewer(tmp_path: Path) -> None:
    outcome = answers([1] * 9 + [0] * 11)
    grouped = Answers("choice", outcome.items, {**outcome.columns, "group": np.repeat([*"abcd"], 5).astype(object)})

    alone, together = scored(tmp_path / "a", outcome), scored(tmp_path / "b", grouped)

    assert together.high - together.low > 1.5 * (alone.high - alone.low)
    assert together.verdict == "not significantly different from chance"
