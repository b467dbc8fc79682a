"""ARC-Challenge (Clark et al., 2018): science questions for schools, four options, machine-translated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crossgraft.adapters.items.data import Row
from crossgraft.adapters.tasks.benchmarks import (
    BENCHMARKS,
    Asked,
    Metric,
    Shown,
    cleaned,
    index_of,
    lettered,
    spaced,
    text_of,
)

_FIELDS = ("option_a", "option_b", "option_c", "option_d")


@dataclass(frozen=True)
class ArcChallenge:
    hub: str = "Dr4kl3s/arc_challenge_core_grid_seed42"
    id: str = "id"
    metric: Metric = "accuracy-per-char"
    translated: Literal["human", "machine"] = "machine"
    items: tuple[int, int] = (300, 400)
    typical: Asked = Asked("q" * 130, ("o" * 28,) * 4, 0)

    def read(self, row: Row) -> Asked:
        options = tuple(text_of(row, field) for field in _FIELDS)
        return Asked(text_of(row, "instruction"), options, index_of(row, "answer", len(options)))

    def harness(self, asked: Asked) -> Shown:
        """Cleaned as HellaSwag is; the text of the option is the answer."""
        return Shown(
            f"Question: {cleaned(asked.question)}\nAnswer:", spaced([cleaned(option) for option in asked.options])
        )

    def release(self, asked: Asked) -> Shown:
        return lettered(f"Question: {asked.question}", asked.options, "{}) {}")


BENCHMARKS.add("arc-challenge", ArcChallenge())
