"""lm-evaluation-harness on the same items: its HF backend, timed, with the tokens it asked for kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lm_eval
import numpy as np
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from material import Questions

from crossgraft.adapters.engine.requests import Request
from crossgraft.core import Floats

logging.getLogger("lm_eval").setLevel(logging.ERROR)

Asked = list[tuple[tuple[str, str], list[int], list[int]]]


class Harness(HFLM):
    """The HF backend as it is, remembering what it was last asked, so that this alone can be timed."""

    asked: Asked = []  # noqa: RUF012 - replaced, never changed

    def _loglikelihood_tokens(self, requests: Asked, *args: Any, **options: Any) -> list[tuple[float, bool]]:
        self.asked = list(requests)
        return super()._loglikelihood_tokens(requests, *args, **options)

    def score(self, batch: int) -> Floats:
        """The log-likelihoods of what it was last asked, in rows of a batch: everything but tokenising."""
        self.batch_size_per_gpu = batch
        answers = self._loglikelihood_tokens(self.asked, disable_tqdm=True)
        return np.array([answer for answer, _ in answers])


def task_of(questions: Questions, path: Path, cache: Path) -> dict[str, Any]:
    """A task over a local JSONL file, whose few shots are always the same."""
    task: dict[str, Any] = {
        "task": f"local-{questions.kind}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(path)}, "cache_dir": str(cache)},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{context}}",
        "doc_to_choice": "options",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
        "metadata": {"version": 1.0},
    }
    if questions.shots:
        samples = [
            {"id": shot.id, "context": shot.context, "options": list(shot.options), "answer": shot.answer}
            for shot in questions.shots
        ]
        task |= {"num_fewshot": len(samples), "fewshot_config": {"sampler": "first_n", "samples": samples}}
    return task


def evaluate(lm: Harness, task: dict[str, Any], tasks: TaskManager) -> dict[str, float]:
    """acc and acc_norm, by everything the harness does; no bootstrap of standard errors, no log."""
    found = lm_eval.simple_evaluate(
        model=lm, tasks=[dict(task)], task_manager=tasks, bootstrap_iters=0, log_samples=False
    )
    scores = found["results"][task["task"]]
    return {name: float(scores[f"{name},none"]) for name in ("acc", "acc_norm")}


def no_index() -> TaskManager:
    """Without the index of the tasks that come with the harness, which costs seconds and is not needed."""
    return TaskManager(include_defaults=False)


def same_tokens(asked: Asked, requests: Sequence[Request]) -> bool:
    """Whether both sides read the same tokens, option by option."""
    ours = [(list(request.context), list(option)) for request in requests for option in request.options]
    return ours == [(context, option) for _, context, option in asked]
