"""``[merges]`` and ``scales``: adapters made from trained ones without training."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from crossgraft.core import Member
from crossgraft.errors import SpecError, did_you_mean
from crossgraft.identity import content_id

SCALE = "scale"  # the axis of a treatment that says by how much its adapter is scaled


@dataclass(frozen=True)
class Merge:
    """``[merges.NAME]``: a weighted sum of adapters of this study, of the same recipe and seed.

    ``sources`` are names of sources or of [adapters]; without ``weights`` it is their mean.
    """

    sources: tuple[str, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.sources or len(set(self.sources)) < len(self.sources):
            raise SpecError(f"expected different sources; got {list(self.sources)}", ("sources",))
        if self.weights and len(self.weights) != len(self.sources):
            raise SpecError(
                f"expected one weight for each of the {len(self.sources)} sources; got {len(self.weights)}",
                ("weights",),
            )
        if not all(self.weights):
            raise SpecError(f"expected weights other than 0; got {list(self.weights)}", ("weights",))

    @property
    def parts(self) -> tuple[tuple[str, float], ...]:
        """Every source with its weight."""
        weights = self.weights or (1 / len(self.sources),) * len(self.sources)
        return tuple(zip(self.sources, weights, strict=True))


def check_scales(scales: Sequence[float]) -> None:
    if len(set(scales)) < len(scales) or not all(math.isfinite(scale) and scale > 0 for scale in scales) or 1 in scales:
        raise SpecError(
            f"expected different scales above 0 and other than 1, which is the adapter itself; got {list(scales)}",
            ("scales",),
        )


def check_merge(name: str, merge: Merge, sources: Collection[str], adapters: Collection[str]) -> None:
    """The name of a merge is new, and each of its sources is known."""
    if name in sources or name in adapters:
        raise SpecError(
            f"{name!r} is the name of a source or an adapter already; give the merge another", ("merges", name)
        )
    for source in merge.sources:
        if source not in sources and source not in adapters:
            known = [*sources, *adapters]
            raise SpecError(
                f"{source!r} is neither a source that this grid trains on nor one of [adapters]{did_you_mean(source, known)}",
                ("merges", name, "sources"),
            )


def derived_id(members: Sequence[Member]) -> str:
    """The id of a treatment that is a weighted sum of others; their order is not in it."""
    return content_id(derived=sorted([member.job.treatment_id, member.weight] for member in members))
