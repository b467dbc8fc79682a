"""Weights & Biases: the cells of the matrix as a table of one offline run, kept in a folder until ``wandb sync`` is called on it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from crossgraft.errors import MissingExtra
from crossgraft.transfer.matrix import TIDY_COLUMNS, TransferMatrix


def log_cells(matrix: TransferMatrix, study: str, folder: Path) -> None:
    """Nothing goes over the network."""
    if find_spec("wandb") is None:
        raise MissingExtra("export --to wandb", "wandb")
    import wandb

    folder.mkdir(parents=True, exist_ok=True)
    quiet = wandb.Settings(silent=True, console="off", disable_git=True, save_code=False)
    run = wandb.init(
        project=study, name=f"{study}: results", dir=str(folder), mode="offline", reinit="create_new", settings=quiet
    )
    rows = [[row[name] for name in TIDY_COLUMNS] for row in matrix.tidy()]
    run.log({"cells": wandb.Table(columns=list(TIDY_COLUMNS), data=rows, allow_mixed_types=True)})
    run.finish()
