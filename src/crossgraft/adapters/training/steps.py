"""Which examples make up each optimiser step: decided before training, from lengths and a seed only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, pi

import numpy as np

from crossgraft.adapters.spec.recipe import Recipe


@dataclass(frozen=True)
class Schedule:
    """The steps of a run: the examples of each, and after which steps an epoch ends."""

    steps: tuple[tuple[int, ...], ...]
    epoch_ends: tuple[int, ...]  # numbers of steps done

    def __len__(self) -> int:
        return len(self.steps)

    def after(self, epochs: float) -> int:
        """How many steps are done after so many epochs."""
        whole = int(epochs)
        if whole >= len(self.epoch_ends):
            return len(self)
        begin = self.epoch_ends[whole - 1] if whole else 0
        return round(begin + (epochs - whole) * (self.epoch_ends[whole] - begin))


def plan_steps(lengths: Sequence[int], recipe: Recipe, seed: int) -> Schedule:
    """Epoch after epoch in a new order, until the budget is spent.

    A batch of examples ends with its epoch, as in the usual trainers; so does a batch of tokens.
    """
    steps: list[tuple[int, ...]] = []
    ends: list[int] = []
    examples = tokens = 0
    epoch = 0
    while not _spent(recipe, epoch, len(steps), examples, tokens):
        order = np.random.default_rng([seed, epoch]).permutation(len(lengths))
        for batch in _batches(order.tolist(), lengths, recipe):
            if _spent(recipe, epoch, len(steps), examples, tokens):
                break
            steps.append(tuple(batch))
            examples += len(batch)
            tokens += sum(lengths[n] for n in batch)
        ends.append(len(steps))
        epoch += 1
    return Schedule(tuple(steps), tuple(ends))


def _spent(recipe: Recipe, epochs: int, steps: int, examples: int, tokens: int) -> bool:
    if recipe.steps:
        return steps >= recipe.steps
    if recipe.examples:
        return examples >= recipe.examples
    if recipe.tokens:
        return tokens >= recipe.tokens
    return epochs >= recipe.epochs


def _batches(order: Sequence[int], lengths: Sequence[int], recipe: Recipe) -> Iterator[list[int]]:
    if not recipe.batch_tokens:
        for start in range(0, len(order), recipe.batch):
            yield list(order[start : start + recipe.batch])
        return
    batch: list[int] = []
    filled = 0
    for n in order:
        if batch and filled + lengths[n] > recipe.batch_tokens:
            yield batch
            batch, filled = [], 0
        batch.append(n)
        filled += lengths[n]
    if batch:
        yield batch


def rate(recipe: Recipe, done: int, total: int) -> float:
    """Share of the learning rate: rises over the warm-up, then falls to 0 at the end (or stays)."""
    rising = int(np.ceil(total * recipe.warmup))
    if done < rising:
        return done / max(1, rising)
    if recipe.schedule == "constant":
        return 1.0
    left = max(0.0, (total - done) / max(1, total - rising))
    return left if recipe.schedule == "linear" else 0.5 * (1.0 + cos(pi * (1.0 - left)))


def rows_of(lengths: Sequence[int]) -> list[list[int]]:
    """The examples of a step put into rows no wider than the longest of them, the longest first."""
    width = max(lengths)
    rows: list[list[int]] = []
    room: list[int] = []
    for n in sorted(range(len(lengths)), key=lambda n: (-lengths[n], n)):
        place = next((row for row, left in enumerate(room) if left >= lengths[n]), None)
        if place is None:
            rows.append([n])
            room.append(width - lengths[n])
        else:
            rows[place].append(n)
            room[place] -= lengths[n]
    return rows
