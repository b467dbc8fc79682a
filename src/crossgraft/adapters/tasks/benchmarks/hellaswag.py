"""HellaSwag (Zellers et al., 2019): which sentence goes on, four options, machine-translated."""

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
    texts_of,
)


@dataclass(frozen=True)
class HellaSwag:
    hub: str = "Dr4kl3s/hellaswag_coregrid_seed42"
    id: str = "id"
    metric: Metric = "accuracy-per-char"
    translated: Literal["human", "machine"] = "machine"
    items: tuple[int, int] = (300, 400)
    typical: Asked = Asked("q" * 230, ("o" * 110,) * 4, 0)

    def read(self, row: Row) -> Asked:
        second = row["ctx_b"]
        if not isinstance(second, str):  # it may be empty
            raise row.error(f"expected a text in 'ctx_b'; got {str(second)[:60]!r}")
        context = f"{text_of(row, 'activity_label')}: {text_of(row, 'ctx_a')} {second.capitalize()}"
        options = tuple(cleaned(one) for one in texts_of(row, "endings"))
        return Asked(cleaned(context), options, index_of(row, "label", len(options)))

    def harness(self, asked: Asked) -> Shown:
        """The text of the ending follows the context, without "Answer:"."""
        return Shown(asked.question, spaced(asked.options))

    def release(self, asked: Asked) -> Shown:
        return lettered(asked.question, asked.options, "{}) {}")


BENCHMARKS.add("hellaswag", HellaSwag())
