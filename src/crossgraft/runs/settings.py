"""How to run a study, as opposed to what is in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How to run, as opposed to what: none of this changes a result's id."""

    executor: str = "inline"
    device: str = "auto"
    threads: int = 0  # 0: all cores
    only: tuple[str, ...] = ()
    retry: bool = False
    budget: float | None = None  # seconds; a run stops after the target in which they end
    limit: float | None = None  # seconds; no job is begun that would not end within them
    by_model: bool = False  # one base model after the other, instead of a few jobs of each in turn
    workers: int = 0  # processes, for executors that have several; 0: one for so many GPUs, or as many as threads allow
    gpus_each: int = 1  # GPUs that each of several workers sees
