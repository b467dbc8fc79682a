"""What exports are made of: each treatment of a study with its records, their scores and the texts of their items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from crossgraft.analysis.questions.base.scores import BaseScore, score_of
from crossgraft.analysis.results import require_study
from crossgraft.core import Floats, Record, Texts, Treatment
from crossgraft.errors import StoreError
from crossgraft.metrics import METRICS, Metric
from crossgraft.runs.storage.store import Store


@dataclass(frozen=True, eq=False)
class Result:
    """One record of a run with the metric by which the study reads it."""

    record: Record
    metric: Metric
    texts: Texts | None

    @cached_property
    def score(self) -> BaseScore:
        return score_of(self.record.target, self.metric, self.record.answers)

    @property
    def item_scores(self) -> Floats:
        """One value an item, NaN for an item that does not count; only of metrics that are means."""
        statistics = self.metric.statistics(self.record.answers)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(statistics[:, 0] / statistics[:, -1])


@dataclass(frozen=True, eq=False)
class Run:
    """A treatment with its seed, or a base, and all that was measured with it."""

    study: str
    treatment: Treatment
    results: tuple[Result, ...]

    @property
    def model(self) -> dict[str, Any]:
        """What its records say of the model: hub, path, revision; empty where they say nothing."""
        said = self.results[0].record.provenance.get("model")
        return dict(said) if isinstance(said, dict) else {}

    @property
    def name(self) -> str:
        """The model's name, with the treatment and its seed where there is one."""
        if self.treatment.is_control:
            return self.treatment.model
        seed = "" if self.treatment.seed is None else f", seed {self.treatment.seed}"
        return f"{self.treatment.model} with {self.treatment.label}{seed}"


def runs(store: Store, study: str) -> Iterator[Run]:
    """In the order of the study, without repeats and variants of the base; of several pairings, the first."""
    manifest = require_study(store, study)
    known: dict[str, Record] = {}
    for record in store.read(cell.record_id for job in manifest.jobs for cell in job.cells)[0]:
        known.setdefault(record.id, record)
    if not known:
        raise StoreError(
            f"{manifest.name}: expected results to export; it has none yet: 'crossgraft run' computes them"
        )
    texts = cache(store.texts)  # many runs answer the same items
    for job in manifest.jobs:
        results = tuple(
            Result(known[cell.record_id], METRICS.get(cell.metric), texts(cell.texts_id))
            for cell in job.cells
            if cell.record_id in known
        )
        if results and not job.treatment.variant:
            yield Run(manifest.name, job.treatment, results)
