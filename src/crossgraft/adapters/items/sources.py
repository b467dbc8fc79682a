"""What an adapter is trained on: a point, a mixture of points, or a version of either that can teach less."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from crossgraft.adapters.tasks import AnyItem, Item, OpenItem, TextItem, choose
from crossgraft.core import Point, SourceVariant
from crossgraft.errors import DataError, SpecError, did_you_mean
from crossgraft.identity import item_hash

Drawn = tuple[Point, AnyItem]  # an item to train on, and the part of the source it is from


@dataclass(frozen=True)
class Mixture:
    """``[sources.NAME]``: points with weights; ``adapter`` is one of [adapters] that training goes on from."""

    points: dict[str, float]
    adapter: str = ""

    def __post_init__(self) -> None:
        if not self.points or any(not weight > 0 for weight in self.points.values()):
            raise SpecError('expected points with weights above 0, such as { "intent/sw" = 1 }', ("points",))


@dataclass(frozen=True)
class Source:
    """Points with the share of each, and what is done to their items.

    "sham" has answers drawn at random: it can teach what an answer looks like, and when which options are usual.
    "format-only" has prompts without their content too: it can teach what an answer looks like, and nothing else.
    """

    name: str
    parts: tuple[tuple[Point, float], ...]
    variant: SourceVariant = ""
    adapter: str = ""

    @property
    def label(self) -> str:
        return f"{self.name} ({self.variant})" if self.variant else self.name

    @property
    def point(self) -> Point | None:
        """The point it teaches; none for a mixture, and none for what can teach nothing of it."""
        return self.parts[0][0] if len(self.parts) == 1 and not self.variant else None

    def items(self, of: Callable[[Point], Sequence[AnyItem]], count: int) -> tuple[Drawn, ...]:
        """``count`` items (0: all, or as many as the shares allow), a fixed choice of each part."""
        points = [point for point, _ in self.parts]
        pools = [of(point) for point in points]
        if len(pools) == 1:
            return _varied([(points[0], item) for item in choose(pools[0], count)], self.variant)
        whole = sum(weight for _, weight in self.parts)
        shares = [weight / whole for _, weight in self.parts]
        most = min(len(pool) / share for pool, share in zip(pools, shares, strict=True))
        total = min(count, most) if count else most
        chosen = [choose(pool, max(1, int(total * share))) for pool, share in zip(pools, shares, strict=True)]
        drawn = [(point, item) for point, items in zip(points, chosen, strict=True) for item in items]
        return _varied(drawn, self.variant)


def sources(
    patterns: Sequence[str],
    points: Sequence[Point],
    mixtures: Mapping[str, Mixture],
    variants: Sequence[SourceVariant],
) -> tuple[Source, ...]:
    """What the patterns of ``grid.sources`` stand for, each in every variant."""
    plain = [Source(str(point), ((point, 1.0),)) for point in points]
    mixed = [Source(name, _parts(name, mixture, points), adapter=mixture.adapter) for name, mixture in mixtures.items()]
    every = [*plain, *mixed]
    chosen: dict[Source, None] = {}
    for pattern in patterns:
        chosen.update(dict.fromkeys(source for source in every if fnmatchcase(source.name, pattern)))
    return tuple(replace(source, variant=variant) for source in every if source in chosen for variant in variants)


def _parts(name: str, mixture: Mixture, points: Sequence[Point]) -> tuple[tuple[Point, float], ...]:
    known = {str(point): point for point in points}
    for text in mixture.points:
        if text not in known:
            raise SpecError(
                f"{text!r} is no task/language of this study{did_you_mean(text, known)}", ("sources", name, "points")
            )
    return tuple((known[text], weight) for text, weight in mixture.points.items())


def _varied(drawn: Sequence[Drawn], variant: SourceVariant) -> tuple[Drawn, ...]:
    if not variant:
        return tuple(drawn)
    with_answers = [(point, item) for point, item in drawn if not isinstance(item, TextItem)]
    if len(with_answers) < len(drawn):
        raise DataError(f"running text has no {variant} version: it has no answers")
    tail = _shared_end([item.prompt for _, item in with_answers])
    others = sorted(with_answers, key=lambda with_answer: item_hash(with_answer[1].id, 5))
    found: list[Drawn] = []
    for (point, item), (_, other) in zip(
        sorted(with_answers, key=lambda with_answer: item_hash(with_answer[1].id, 6)), others, strict=True
    ):
        changed: Item | OpenItem = item
        if isinstance(item, Item):
            changed = replace(item, gold=item_hash(item.id, 2) % len(item.options))
        elif isinstance(other, OpenItem):
            changed = replace(item, references=other.references)
        found.append((point, replace(changed, prompt=tail) if variant == "format-only" else changed))
    return tuple(sorted(found, key=lambda one: one[1].id))


def _shared_end(prompts: Sequence[str]) -> str:
    """What all prompts end with ("Answer:"); a colon where they share nothing."""
    length = 0
    while length < min(map(len, prompts)) and len({prompt[-1 - length] for prompt in prompts}) == 1:
        length += 1
    return prompts[0][len(prompts[0]) - length :].lstrip() or ":"
