"""What the ids of items give away: leaks between splits, languages that do not hold the same items."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.adapters.tasks import AnyItem
from crossgraft.core import Point


def leaks(train: dict[Point, tuple[AnyItem, ...]], test: dict[Point, tuple[AnyItem, ...]]) -> Iterator[str]:
    """Items of parallel tasks are the same items in every language: an id in train must not be in test."""
    for task in dict.fromkeys(point.task for point in train):
        trained = {item.id for point, items in train.items() if point.task == task for item in items}
        tested = {item.id for point, items in test.items() if point.task == task for item in items}
        if shared := sorted(trained & tested):
            yield (
                f"{task}: {len(shared)} ids (such as {shared[0]!r}) are in the train split of one language and the test "
                "split of the same or another; if equal ids mean equal items, gains on this task are partly memory"
            )


def unequal_ids(test: dict[Point, tuple[AnyItem, ...]]) -> Iterator[str]:
    """Tasks whose languages share fewer than 95 % of their ids."""
    for task in dict.fromkeys(point.task for point in test):
        sets = [{item.id for item in items} for point, items in test.items() if point.task == task]
        shared = set.intersection(*sets)
        if (share := len(shared) / max(map(len, sets))) < 0.95:
            yield f"{task}: only {share:.0%} of the test ids are in all its languages; means over languages compare different items"
