"""Weights & Biases, offline: runs lie under the output folder until ``wandb sync`` is called on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from crossgraft.adapters.training.callbacks import CALLBACKS, Run


@CALLBACKS.register
class Wandb:
    """A run a training run; nothing goes over the network."""

    package: ClassVar[str] = "wandb"
    _run: Any = None

    def started(self, run: Run) -> None:
        import wandb

        run.folder.mkdir(parents=True, exist_ok=True)
        quiet = wandb.Settings(silent=True, console="off", disable_git=True, save_code=False)
        config = {"model": run.model, "source": run.source, "seed": run.seed, **run.recipe}
        self._run = wandb.init(
            project=run.study,
            name=run.name,
            dir=str(run.folder),
            mode="offline",
            config=config,
            reinit="create_new",
            settings=quiet,
        )

    def measured(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def ended(self, facts: Mapping[str, Any]) -> None:
        self._run.summary.update(dict(facts))
        self._run.finish(exit_code=0 if facts else 1)
