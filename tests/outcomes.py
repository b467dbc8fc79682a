"""Measured outcomes without a model: jobs and records made by hand."""

from __future__ import annotations

import numpy as np

from crossgraft.core import Answers, Cell, Job, Pairing, Point, Record, Treatment
from crossgraft.transfer.matrix import TransferMatrix

HERE = Pairing("cpu", "sdpa", 1)
TARGET = Point("a", "de")
SOURCE = Point("a", "en")


def answers(right: list[int], items: tuple[str, ...] | None = None) -> Answers:
    """Four options an item; the right one is likeliest where ``right`` says so. Guessing would score .25."""
    n = len(right)
    loglik = np.where(np.array(right)[:, None] == 1, [[-1.0, -2.0, -2.0, -2.0]], [[-2.0, -1.0, -2.0, -2.0]])
    ones = np.ones((n, 4))
    columns = {"loglik": loglik, "gold": np.zeros(n, dtype=int), "tokens": ones, "characters": ones, "bytes": ones}
    return Answers("choice", items or tuple(f"i{k}" for k in range(n)), columns)


def measured(
    treatment: Treatment, outcome: Answers, target: Point = TARGET, metric: str = "accuracy"
) -> tuple[Job, Record]:
    name = f"{treatment}|{target}"
    job = Job(treatment, str(treatment), (Cell(target, name, "texts", "all", metric),))
    return job, Record(name, str(treatment), treatment, target, "all", "texts", outcome, HERE)


BASE = Treatment("m", "base", "control")


def trained(seed: int = 1) -> Treatment:
    return Treatment("m", str(SOURCE), "trained", SOURCE, (), seed)


def matrix_of(*pairs: tuple[Job, Record]) -> TransferMatrix:
    return TransferMatrix.from_records([job for job, _ in pairs], [record for _, record in pairs])
