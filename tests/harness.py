"""What lm-evaluation-harness itself computes: the numbers ours are held against."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from crossgraft.adapters.tasks.harness import quiet

ACCURACIES = ("acc", "acc_norm", "acc_bytes")


@dataclass(frozen=True)
class HarnessScores:
    """An item a row, in the order of the data; K is the largest number of choices, NaN fills the rest."""

    requests: tuple[tuple[tuple[Any, ...], ...], ...]  # (context, continuation) of each choice
    loglik: np.ndarray  # (n, K), summed over the continuation; (n, 0) for generate_until
    greedy: np.ndarray  # (n, K), 1 where the continuation is what greedy decoding would write
    acc: np.ndarray  # (n,), of the highest likelihood; of ties the first
    acc_norm: np.ndarray  # (n,), divided by characters of the choice without delimiter
    acc_bytes: np.ndarray  # (n,), divided by its UTF-8 bytes
    texts: tuple[str, ...]  # what was written, for generate_until


def harness_scores(
    model_folder: Path | str, task_config: Mapping[str, Any], *, adapter: Path | str | None = None, batch_size: int = 1
) -> HarnessScores:
    """The harness' own evaluation of a model folder, and a PEFT folder on it, on one task; float32 on the CPU.

    ``task_config`` is what stands in the YAML, includes resolved, with absolute paths in ``data_files``.
    """
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    with quiet(), _muted(), TemporaryDirectory() as cache:
        model = HFLM(
            pretrained=str(model_folder),
            tokenizer=str(model_folder),
            batch_size=batch_size,
            device="cpu",
            dtype="float32",
            peft=str(adapter) if adapter else None,
        )
        tasks = TaskManager(include_defaults=False).load([_task(task_config, Path(cache))])
        # the inside of simple_evaluate, without the second in which it notes versions; a test holds them equal
        found = evaluate(model, task_dict=tasks, cache_requests=False, bootstrap_iters=0, log_samples=True)
    (samples,) = found["samples"].values()
    return _scores(samples)


def _task(config: Mapping[str, Any], cache: Path) -> Any:
    from lm_eval.api.task import ConfigurableTask

    given = {"cache_dir": str(cache), "keep_in_memory": True, **config.get("dataset_kwargs", {})}
    config = {**config, "dataset_kwargs": given}
    if config.get("output_type") == "multiple_choice":
        config["metric_list"] = [{"metric": name} for name in ACCURACIES]
    return ConfigurableTask(config=config)


def _scores(samples: Sequence[Mapping[str, Any]]) -> HarnessScores:
    samples = sorted(samples, key=lambda sample: sample["doc_id"])
    answers = [[one[0] for one in sample["resps"]] for sample in samples]
    chosen = [[one for one in row if isinstance(one, tuple)] for row in answers]
    width = max(map(len, chosen))
    loglik, greedy = (np.full((len(samples), width), np.nan) for _ in range(2))
    for place, row in enumerate(chosen):
        for number, (value, is_greedy) in enumerate(row):
            loglik[place, number], greedy[place, number] = value, is_greedy
    acc, acc_norm, acc_bytes = (np.array([sample.get(name, np.nan) for sample in samples]) for name in ACCURACIES)
    return HarnessScores(
        requests=tuple(tuple(map(tuple, sample["arguments"])) for sample in samples),
        loglik=loglik,
        greedy=greedy,
        acc=acc,
        acc_norm=acc_norm,
        acc_bytes=acc_bytes,
        texts=tuple(row[0] for row in answers if isinstance(row[0], str)),
    )


@contextlib.contextmanager
def _muted() -> Any:
    """Without the progress bars and warnings of the model, which go to the terminal directly."""
    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere:
        warnings.simplefilter("ignore")
        with contextlib.redirect_stderr(nowhere), contextlib.redirect_stdout(nowhere):
            yield
