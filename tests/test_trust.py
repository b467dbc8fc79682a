"""What records tell about their own reliability."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from crossgraft.analysis.checks.trust import trust
from crossgraft.core import Answers, Check
from outcomes import BASE, answers, measured, trained

FACTS: dict[str, Any] = {"noise": 1e-5, "path": "packed", "bos": 1, "boundary_shifted": 0, "truncated": 0}


def look(*records: tuple[Any, dict[str, Any]], outcome: Answers | None = None) -> dict[str, Check]:
    """The checks by name, of records of the given treatments with the given facts."""
    pairs = [
        (job, replace(record, provenance={**FACTS, **facts}))
        for treatment, facts in records
        for job, record in [measured(treatment, outcome or answers([0, 1] * 15))]
    ]
    return {check.name: check for check in trust([job for job, _ in pairs], [record for _, record in pairs])}


def test_clean_records_pass_every_check() -> None:
    checks = look((BASE, {"requests": "a"}), (trained(), {"requests": "a", "effect": 0.4}))

    assert all(check.fine for check in checks.values())
    assert "no item was cut" in checks["fits the window"].saw


def test_an_adapter_without_effect_is_found() -> None:
    check = look((BASE, {}), (trained(), {"effect": 0.0}))["adapters applied"]

    assert not check.fine
    assert "change nothing at all (such as m: a/en seed 1)" in check.saw


def test_a_base_that_an_earlier_adapter_changed_is_found() -> None:
    check = look((BASE, {"base_drift": 0.0}), (trained(), {"base_drift": 0.3}))["base unchanged"]

    assert not check.fine
    assert "up to 3.0e-01 nats from what it did when it was loaded, before m: a/en seed 1" in check.saw


def test_base_and_adapter_must_have_read_the_same_tokens() -> None:
    check = look((BASE, {"requests": "a"}), (trained(), {"requests": "b", "effect": 1.0}))["same tokens"]

    assert (check.fine, check.saw) == (False, "1 of 1 item sets were tokenised differently")


def test_margins_within_the_noise_are_counted() -> None:
    outcome = answers([1] * 40)
    outcome.columns["loglik"][:4, :2] = [-1.0, -1.0 - 1e-6]

    check = look((BASE, {}), outcome=outcome)["near-ties"]

    assert (check.fine, check.saw) == (False, "4 of 40 answers (10.0%) within the numerical noise")


def test_the_noise_of_half_precision_is_told_with_what_it_may_do_and_what_takes_it_away() -> None:
    outcome = answers([1] * 40)
    outcome.columns["loglik"][:4, :2] = [-1.0, -1.3]

    check = look((BASE, {"noise": 0.24, "model": {"dtype": "bfloat16"}}), outcome=outcome)["near-ties"]

    assert check.saw.endswith(
        'of bfloat16 (0.24 nats an option): up to 10.0 pp of any change; dtype "float32" takes it away'
    )


def test_a_margin_per_token_is_compared_in_nats() -> None:
    """Divided by length, a margin looks small that is not."""
    outcome = answers([1] * 40)
    outcome.columns["loglik"][:, :2] = [-1.0, -1.001]
    outcome.columns["tokens"][:] = 1000.0
    job, record = measured(BASE, outcome, metric="accuracy-per-token")

    checks = trust([job], [replace(record, provenance={**FACTS, "noise": 1e-4})])

    assert next(check for check in checks if check.name == "near-ties").fine


def test_two_beginnings_of_sequence_are_found() -> None:
    check = look((BASE, {"bos": 2}))["beginning of sequence"]

    assert (check.fine, check.saw) == (False, "2 in a row: a template adds a second one")


def test_items_cut_are_counted_by_language_and_once() -> None:
    check = look((BASE, {"truncated": 3}), (trained(), {"truncated": 3, "effect": 1.0}))["fits the window"]

    assert (check.fine, check.saw) == (False, "items cut on the left, by language: de 3")


def test_a_boundary_moved_often_is_told_with_its_target() -> None:
    check = look((BASE, {"boundary_shifted": 15}))["token boundary"]

    assert not check.fine
    assert "a/de 50%" in check.saw


def test_always_the_same_option_is_a_collapse_unless_it_is_always_right() -> None:
    same = answers([1] * 30)  # always the first option
    spread = Answers(same.kind, same.items, {**same.columns, "gold": np.arange(30) % 2})

    assert not look((BASE, {}), outcome=spread)["option collapse"].fine
    assert look((BASE, {}), outcome=same)["option collapse"].fine


def test_embedding_records_are_not_asked_these_questions() -> None:
    job, record = measured(BASE, answers([1]))

    assert trust([job], [record]) == ()
