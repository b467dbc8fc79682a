"""Models spread over devices that are pretended, beside the same models on the CPU: what differs, as JSON.

A process of its own, since the devices change PyTorch. ``accelerate`` spreads the models, as it does over GPUs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent / "training")]

import numpy as np
import torch
from accelerate import dispatch_model
from test_loop import FAMILIES, make, trained

from crossgraft.adapters.engine.local import LocalEngine, finished
from crossgraft.adapters.engine.scorer import Way
from crossgraft.adapters.engine.selftest import probe_requests
from crossgraft.adapters.tasks import Generation
from crossgraft.adapters.weights.placement import devices_of
from crossgraft.adapters.weights.snapshot import checksums
from pretended_devices import pretended_devices


def spread(model: Any, first: str, second: str) -> Any:
    """Embeddings and half of the layers on the first device, all else on the second: the head, too, unless it is the embeddings."""
    body = model.base_model
    count = model.config.num_hidden_layers
    layout = {}
    for name, module in body.named_children():
        if name == "layers":
            layout |= {f"{body_name(model)}.layers.{n}": (first, second)[n >= count // 2] for n in range(count)}
        elif next(module.parameters(), None) is not None or next(module.buffers(), None) is not None:
            layout[f"{body_name(model)}.{name}"] = second if "norm" in name else first
    output = model.get_output_embeddings()
    head = next(name for name, module in model.named_modules() if module is output)
    tied = output.weight is model.get_input_embeddings().weight
    cpu_is_a_device = (
        {"main_device": "cpu"} if "cpu" in (first, second) else {}
    )  # or else it is where weights are put off to
    return dispatch_model(model, {**layout, head: first if tied else second}, **cpu_is_a_device)


def body_name(model: Any) -> str:
    return next(name for name, module in model.named_modules() if module is model.base_model)


def scored(model: Any, way: Way) -> tuple[list[str], np.ndarray]:
    engine = LocalEngine(model, None, way=way)
    return [trial.path for trial in engine.test.trials], finished(engine.score(probe_requests(model))).loglik


def scores_differ(family: str, way: Way) -> dict[str, Any]:
    _, expected = scored(make(family), way)
    with pretended_devices():
        model = spread(make(family), "pretended:0", "pretended:1")
        tried, loglik = scored(model, way)
        return {
            "devices": [str(device) for device in devices_of(model)],
            "tried": tried,
            "difference": float(np.nanmax(np.abs(loglik - expected))),
            "same checksums": checksums(model) == checksums(make(family)),
        }


class Tokens:
    """A tokenizer of numbers."""

    eos_token_id, pad_token_id = None, 0

    def decode(self, ids: list[int], **_: Any) -> str:
        return " ".join(map(str, ids))


def written(model: Any) -> list[str]:
    prompts = [request.context for request in probe_requests(model)][:3]
    steps = LocalEngine(model, Tokens()).generate(prompts, Generation((), 12))
    return list(finished(steps).texts)


def answers_differ(family: str) -> dict[str, Any]:
    expected = written(make(family))
    with pretended_devices():
        return {"same": written(spread(make(family), "pretended:0", "pretended:1")) == expected, "texts": expected}


def training_differs(family: str, first: str, second: str) -> dict[str, Any]:
    """One of the two is the CPU: PyTorch's backward pass knows of one device of a kind only."""
    expected, weights = trained(make(family, "eager"))
    with pretended_devices():
        model = spread(make(family, "eager"), first, second)
        before = checksums(model)
        told, moved = trained(model)
        return {
            "base is as before": checksums(model) == before,
            "devices": sorted({str(weight.device) for weight in moved.values()}),
            "packed": told.packed,
            "losses": float(np.abs(np.subtract(told.curve.losses, expected.curve.losses)).max()),
            "weights": max(float((moved[name].cpu() - weight).abs().max()) for name, weight in weights.items()),
        }


if __name__ == "__main__":
    torch.set_num_threads(1)
    found = {f"score {family} {way}": scores_differ(family, way) for family in FAMILIES for way in ("packed", "kept")}
    for family in FAMILIES:
        found[f"write {family}"] = answers_differ(family)
        found[f"train {family} first"] = training_differs(family, "pretended:0", "cpu")
        found[f"train {family} last"] = training_differs(family, "cpu", "pretended:0")
    sys.stdout.write(json.dumps(found))
