"""A base that is at chance is named as soon as it has been evaluated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossgraft.adapters.bases.guessing import guessing
from crossgraft.core import Point, Record
from crossgraft.metrics import all_scores
from crossgraft.runs.campaign import Campaign, Settings
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Remark
from outcomes import BASE, answers, measured

ACCURACY = {"a": "accuracy"}


def record(language: str, right: int, of: int = 100) -> Record:
    _, seen = measured(BASE, answers([1] * right + [0] * (of - right)), Point("a", language))
    return replace(seen, scores=all_scores(seen.answers))


def test_a_base_at_chance_on_most_targets_is_named() -> None:
    said = guessing([record("de", 26), record("tr", 30), record("en", 60)], ACCURACY, chat=True)

    assert said.startswith(
        "the base is at chance on 2 of 3 targets with options (a/de, a/tr): no loss can be seen there"
    )
    assert said.endswith("try it without the chat template (chat = false)")


def test_a_base_that_knows_half_of_its_targets_is_not_named() -> None:
    assert guessing([record("de", 26), record("en", 60)], ACCURACY, chat=False) == ""


def test_few_items_are_not_above_chance() -> None:
    """6 of 12 with four options: two standard errors above .25 are .5."""
    assert guessing([record("de", 6, of=12)], ACCURACY, chat=False)


def test_a_run_says_it_after_the_base(adapter_spec: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    study = load_study(adapter_spec, ["grid.sources=[]"])

    events = list(Campaign(study, Store(tmp_path / "out"), Settings(device="cpu", threads=1)))

    (remark,) = [event for event in events if isinstance(event, Remark)]
    assert remark.job.treatment.is_control
    assert "at chance" in remark.text
