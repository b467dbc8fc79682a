"""A study of adapters: each trained on one source, each evaluated on all targets, against the base."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from crossgraft.adapters import preflight
from crossgraft.adapters.check.sample import amounts, sample
from crossgraft.adapters.forecast.cost import cost
from crossgraft.adapters.jobs import jobs
from crossgraft.adapters.spec.study_spec import AdapterSpec
from crossgraft.core import Job
from crossgraft.study import Amount, Cost, Fingerprints, PreviewItem, Worker, Workplace


@dataclass(frozen=True)
class AdapterStudy(AdapterSpec):
    """The study of a spec: its jobs, and the worker that does them."""

    def jobs(self, fingerprints: Fingerprints) -> tuple[Job, ...]:
        return jobs(self, fingerprints)

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[Worker]:
        from crossgraft.adapters.worker import AdapterWorker

        worker = AdapterWorker(self, workplace)
        try:
            yield worker
        finally:
            worker.close()

    def check(self) -> Sequence[str]:
        return preflight.check(self)

    def fetch(self) -> None:
        preflight.fetch(self)

    def preview(self, count: int) -> Iterator[PreviewItem]:
        return preflight.preview(self, count)

    def smoke(self) -> AdapterStudy:
        """One source a model and recipe, one step, one item a target."""
        first = tuple(source.name for source in self.training_sources[:1])
        grid = replace(self.grid, sources=first, scaled=("*",), train_items=self.recipe.batch)
        recipe = replace(self.recipe, steps=1, axes={k: v for k, v in self.recipe.axes.items() if k != "steps"})
        return replace(self, grid=grid, recipe=recipe, merges={}, seeds=self.seeds[:1], limit=1, callbacks=())

    def adapter_bytes(self, jobs: Sequence[Job]) -> int | None:
        return preflight.bytes_of_adapters(self, jobs)

    def cost(self, jobs: Sequence[Job]) -> Cost | None:
        return cost(self, jobs)

    def sample(self, models: Collection[str]) -> AdapterStudy | None:
        return sample(self, models)

    def amounts(self, jobs: Sequence[Job]) -> tuple[Amount, ...]:
        return amounts(self, jobs)
