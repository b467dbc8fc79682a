"""Rows in the layout of the aligned data sets of the hub, made up for the tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

OPTIONS = {"option_a": "red", "option_b": "green [x]", "option_c": "blue", "option_d": "grey"}


def arc(n: int) -> dict[str, Any]:
    return {"id": f"arc-{n}", "instruction": f"What is [sic] item {n}?", **OPTIONS, "answer": "ABCD"[n % 4]}


def mmlu(n: int) -> dict[str, Any]:
    return {"sample_id": f"mmlu/{n}", "question": f" Which is {n}? ", **OPTIONS, "answer": "ABCD"[n % 4]}


def hellaswag(n: int) -> dict[str, Any]:
    endings = ["goes out.", "sits [substeps] down.", "sings.", "sleeps."]
    return {"id": n, "ctx_a": f"A man {n} stands. [title] Then", "ctx_b": "he", "activity_label": "Standing", "endings": endings, "label": str(n % 4)}  # fmt: skip


def truthfulqa(n: int) -> dict[str, Any]:
    choices, labels = [f"It is {n}.", "It is not.", "Nobody knows."], [0, 0, 0]
    labels[n % 3] = 1
    return {"truth_id": n, "question": f"Is it {n}?", "mc1_targets_choices": choices, "mc1_targets_labels": labels}


ROWS = {"arc-challenge": arc, "global-mmlu": mmlu, "hellaswag": hellaswag, "truthfulqa": truthfulqa}


def write_data_set(folder: Path, name: str, languages: tuple[str, ...], items: Mapping[str, int]) -> Path:
    """As the hub lays it out: a folder a language, a Parquet file a split; ids of the splits are apart."""
    for language in languages:
        (folder / language).mkdir(parents=True, exist_ok=True)
        for offset, (split, count) in enumerate(items.items()):
            rows = [ROWS[name](1000 * offset + n) for n in range(count)]
            pq.write_table(pa.Table.from_pylist(rows), folder / language / f"{split}-00000-of-00001.parquet")
    return folder
