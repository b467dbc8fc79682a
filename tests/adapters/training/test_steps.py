"""Which examples make a step: a matter of lengths and seeds alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.training.steps import plan_steps, rate, rows_of

LENGTHS = [10, 20, 30, 40, 50, 60, 70]


def test_every_epoch_sees_every_example_once_in_another_order() -> None:
    schedule = plan_steps(LENGTHS, Recipe(epochs=3, batch=3), 1)

    epochs = [sum(schedule.steps[n : n + 3], ()) for n in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len(set(epochs)) == 3
    assert schedule.epoch_ends == (3, 6, 9)


@pytest.mark.parametrize(
    ("budget", "steps"),
    [({"steps": 5}, 5), ({"examples": 10}, 4), ({"tokens": 300}, None), ({"epochs": 2}, 6)],
)
def test_a_run_is_as_long_as_its_budget_says(budget: dict[str, int], steps: int | None) -> None:
    schedule = plan_steps(LENGTHS, Recipe(batch=3, **budget), 1)  # type: ignore[arg-type]

    if steps is not None:
        assert len(schedule) == steps
    else:
        tokens = [sum(LENGTHS[n] for n in step) for step in schedule.steps]
        assert sum(tokens[:-1]) < 300 <= sum(tokens)


def test_a_batch_of_tokens_holds_no_more_than_asked_for() -> None:
    schedule = plan_steps(LENGTHS, Recipe(epochs=1, batch_tokens=100), 1)

    assert all(sum(LENGTHS[n] for n in step) <= 100 for step in schedule.steps)
    assert sorted(sum(schedule.steps, ())) == list(range(7))


def test_the_order_depends_on_the_seed_only() -> None:
    recipe = Recipe(epochs=2, batch=2)

    assert plan_steps(LENGTHS, recipe, 1) == plan_steps(LENGTHS, recipe, 1)
    assert plan_steps(LENGTHS, recipe, 1) != plan_steps(LENGTHS, recipe, 2)


def test_half_an_epoch_is_half_its_steps() -> None:
    schedule = plan_steps(list(range(1, 21)), Recipe(epochs=3, batch=2), 1)

    assert [schedule.after(epochs) for epochs in (0.5, 1, 1.5, 3, 9)] == [5, 10, 15, 30, 30]


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_the_learning_rate_is_that_of_transformers(schedule: str) -> None:
    torch = pytest.importorskip("torch")
    from transformers import get_scheduler

    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    theirs = get_scheduler(schedule, optimizer, num_warmup_steps=4, num_training_steps=37)
    recipe = Recipe(warmup=0.1, schedule=schedule)  # type: ignore[arg-type]

    for done in range(37):
        assert rate(recipe, done, 37) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-12)
        optimizer.step()
        theirs.step()


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_rows_hold_everything_and_are_no_wider_than_the_longest(lengths: list[int]) -> None:
    rows = rows_of(lengths)

    assert sorted(n for row in rows for n in row) == list(range(len(lengths)))
    assert all(sum(lengths[n] for n in row) <= max(lengths) for row in rows)
