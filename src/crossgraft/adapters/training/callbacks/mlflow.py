"""MLflow, in a local database: ``mlflow ui --backend-store-uri sqlite:///OUT/crossgraft-1/followed/mlflow.db`` shows it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from crossgraft.adapters.training.callbacks import CALLBACKS, Run

_BATCH = 500  # numbers written at a time


@CALLBACKS.register
class Mlflow:
    """An experiment a study, a run a training run; numbers are written in batches."""

    package: ClassVar[str] = "mlflow"
    _client: Any = None
    _run_id: str = ""

    def __init__(self) -> None:
        self._waiting: list[Any] = []

    def started(self, run: Run) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient

        run.folder.mkdir(parents=True, exist_ok=True)
        self._client = MlflowClient(tracking_uri=f"sqlite:///{run.folder.resolve() / 'mlflow.db'}")
        known = self._client.get_experiment_by_name(run.study)
        experiment = known.experiment_id if known else self._client.create_experiment(run.study)
        self._run_id = self._client.create_run(experiment, run_name=run.name).info.run_id
        told = {"model": run.model, "source": run.source, "seed": run.seed, **run.recipe}
        for name, value in told.items():
            self._client.log_param(self._run_id, name, value)

    def measured(self, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        self._waiting += [Metric(name, value, now, step) for name, value in values.items()]
        if len(self._waiting) >= _BATCH:
            self._write()

    def ended(self, facts: Mapping[str, Any]) -> None:
        self._write()
        for name, value in facts.items():
            self._client.set_tag(self._run_id, name, value)
        self._client.set_terminated(self._run_id, "FINISHED" if facts else "FAILED")

    def _write(self) -> None:
        for first in range(0, len(self._waiting), _BATCH):
            self._client.log_batch(self._run_id, self._waiting[first : first + _BATCH])
        self._waiting = []
