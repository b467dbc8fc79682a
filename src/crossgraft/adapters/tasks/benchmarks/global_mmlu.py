"""Global-MMLU-Lite (Singh et al., 2025): questions of 57 subjects, four options, translated by people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crossgraft.adapters.items.data import Row
from crossgraft.adapters.tasks.benchmarks import BENCHMARKS, Asked, Metric, Shown, index_of, lettered, text_of

_FIELDS = ("option_a", "option_b", "option_c", "option_d")


@dataclass(frozen=True)
class GlobalMMLU:
    hub: str = "Dr4kl3s/global_mmlu_lite_core_grid_seed42"
    id: str = "sample_id"
    metric: Metric = "accuracy"
    translated: Literal["human", "machine"] = "human"
    items: tuple[int, int] = (215, 400)
    typical: Asked = Asked("q" * 320, ("o" * 45,) * 4, 0)

    def read(self, row: Row) -> Asked:
        options = tuple(text_of(row, field) for field in _FIELDS)
        return Asked(text_of(row, "question").strip(), options, index_of(row, "answer", len(options)))

    def harness(self, asked: Asked) -> Shown:
        """The letter is the answer: the only one of the four that is evaluated so."""
        return lettered(asked.question, asked.options, "{}. {}")

    def release(self, asked: Asked) -> Shown:
        return self.harness(asked)


BENCHMARKS.add("global-mmlu", GlobalMMLU())
