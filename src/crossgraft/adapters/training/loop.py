"""One training run: AdamW over the planned steps; it can be killed at any step, and goes on as if it had not been."""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from crossgraft.adapters.engine.scorer import is_out_of_memory
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.training.loss import Example, StepLoss
from crossgraft.adapters.training.steps import Schedule, plan_steps, rate
from crossgraft.adapters.weights.placement import gpus_of
from crossgraft.adapters.weights.stored import state_damage
from crossgraft.errors import JobFailed
from crossgraft.safety.files import remove, whole_file
from crossgraft.safety.seals import append_seal

_SAVE_EVERY = 60.0  # seconds
_EXPLODED = 3.0  # times the first loss, on average over …
_LAST = 10  # steps

Watch = Callable[[int, Mapping[str, float]], None]  # step, what was measured
Weights = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Seeds:
    """What is drawn from what: the adapter's first weights, the order of the examples, dropout."""

    init: int
    order: int
    dropout: int

    @classmethod
    def of(cls, recipe: Recipe, seed: int) -> Seeds:
        own = (recipe.init_seed, recipe.order_seed, recipe.dropout_seed)
        return cls(*(seed if one < 0 else one for one in own))


@dataclass
class Curve:
    """What is measured on the way."""

    losses: list[float] = field(default_factory=list)  # a step, mean over the tokens that count
    held_out: list[float] = field(default_factory=list)  # an epoch, on the items held out
    protected: list[float] = field(default_factory=list)  # an epoch, largest fall in percentage points


@dataclass(frozen=True)
class Trained:
    """What a run did. ``states`` are the trained weights after so many epochs; 0.0 is those that are kept."""

    states: dict[float, Weights]
    steps: int
    tokens: int
    curve: Curve
    kept_epoch: int | None  # None: the last
    packed: bool
    why_not: str
    tokens_of: Mapping[str, int]  # the same tokens, by the part of the source they are from
    counted: int  # of them, those that the loss counts


@dataclass(frozen=True)
class Task:
    """Everything a run needs beside the model: examples to train on and to hold out, and where to save."""

    data: Sequence[Example]
    held_out: Sequence[Example] = ()
    snapshots: Sequence[float] = ()  # epochs
    protected: Callable[[], float] | None = None  # the largest fall of a protected point, in percentage points
    state: Path | None = None  # a file to go on from
    watch: Watch | None = None


@dataclass
class _Progress:
    """Where a run is; all of it survives a kill."""

    done: int = 0
    tokens: int = 0
    curve: Curve = field(default_factory=Curve)
    best: float = math.inf
    kept: int | None = None
    stopped: bool = False
    states: dict[float, Weights] = field(default_factory=dict)


def train(
    model: Any, weights: Weights, task: Task, recipe: Recipe, seeds: Seeds
) -> Generator[tuple[int, int], None, Trained]:
    """Train ``weights``, which are parameters of the model, in place, yielding steps done and total.

    The same seeds on the same machine, with the same number of threads, give the same bits, whether or not the
    run was interrupted.
    """
    schedule = plan_steps([len(example.ids) for example in task.data], recipe, seeds.order)
    total = len(schedule)
    optimizer = torch.optim.AdamW(weights.values(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    progress = _Progress()
    model.eval()  # dropout would make the two losses differ that StepLoss compares
    loss_of = StepLoss(_inner(model), task.data)
    with _dropout(seeds.dropout, gpus_of(model)):
        _resume(progress, weights, optimizer, task.state)
        model.train()
        saved = time.monotonic()
        while progress.done < total and not progress.stopped:
            batch = [task.data[n] for n in schedule.steps[progress.done]]
            now = recipe.learning_rate * rate(recipe, progress.done, total)
            for group in optimizer.param_groups:
                group["lr"] = now
            loss = _step(loss_of, batch, weights, optimizer, recipe, model.device)
            progress.done += 1
            progress.tokens += sum(len(example.ids) for example in batch)
            progress.curve.losses.append(loss)
            _check(progress, total, recipe)
            if task.watch is not None:
                task.watch(progress.done, {"loss": loss, "learning_rate": now})
            _at_epoch_end(model, weights, loss_of, progress, task, recipe, schedule)
            if task.state is not None and time.monotonic() - saved > _SAVE_EVERY:
                _save(progress, weights, optimizer, task.state)
                saved = time.monotonic()
            yield progress.done, total
    model.eval()
    _finite(weights)
    progress.states.setdefault(0.0, _copy(weights))
    tokens_of, counted = _seen(task.data, schedule, progress.done)
    return Trained(
        progress.states,
        progress.done,
        progress.tokens,
        progress.curve,
        progress.kept,
        loss_of.packed,
        loss_of.why,
        tokens_of,
        counted,
    )


def _seen(data: Sequence[Example], schedule: Schedule, done: int) -> tuple[dict[str, int], int]:
    """Tokens of the steps that were done: by part, and those that the loss counted. Every epoch counts anew."""
    tokens_of: dict[str, int] = {}
    counted = 0
    for example in (data[n] for step in schedule.steps[:done] for n in step):
        tokens_of[example.part] = tokens_of.get(example.part, 0) + len(example.ids)
        counted += example.counted
    return dict(sorted(tokens_of.items())), counted


def _step(
    loss_of: StepLoss,
    batch: Sequence[Example],
    weights: Weights,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    device: torch.device,
) -> float:
    """One optimiser step; the loss is the mean over all tokens of the step that count, however it is divided."""
    counted = sum(example.counted for example in batch)
    while True:
        try:
            whole = 0.0
            for part in _parts(batch, loss_of):
                with torch.autocast(device.type, torch.bfloat16) if recipe.autocast else nullcontext():
                    loss = loss_of(part) / counted
                loss.backward()
                whole += float(loss.detach())
            break
        except RuntimeError as error:
            if not is_out_of_memory(error) or loss_of.most_tokens < max(len(example.ids) for example in batch):
                raise
            optimizer.zero_grad()
            loss_of.most_tokens //= 2
    if recipe.clip:
        torch.nn.utils.clip_grad_norm_(list(weights.values()), recipe.clip)
    optimizer.step()
    optimizer.zero_grad()
    return whole


def _parts(batch: Sequence[Example], loss_of: StepLoss) -> Iterator[Sequence[Example]]:
    """The step in pieces that fit into memory: gradients of sums add up to the gradient of the whole."""
    part: list[Example] = []
    filled = 0
    for example in batch:
        if part and filled + len(example.ids) > loss_of.most_tokens:
            yield part
            part, filled = [], 0
        part.append(example)
        filled += len(example.ids)
    yield part


def _check(progress: _Progress, total: int, recipe: Recipe) -> None:
    losses = progress.curve.losses
    recent = losses[-_LAST:]
    exploded = len(losses) > 2 * _LAST and sum(recent) / _LAST > _EXPLODED * max(losses[0], 1.0)
    if not math.isfinite(losses[-1]) or exploded:
        what = f"the loss of step {progress.done} of {total} is {losses[-1]:.4g}, that of the first was {losses[0]:.4g}"
        raise JobFailed(
            f"training diverged: {what}; lower recipe.learning_rate ({recipe.learning_rate:g})", deterministic=True
        )


def _at_epoch_end(
    model: Any,
    weights: Weights,
    loss_of: StepLoss,
    progress: _Progress,
    task: Task,
    recipe: Recipe,
    schedule: Schedule,
) -> None:
    """Snapshots, and what chooses the epoch that is kept."""
    for epochs in task.snapshots:
        if progress.done == schedule.after(epochs):
            progress.states[epochs] = _copy(weights)
    if progress.done not in schedule.epoch_ends:
        return
    epoch = schedule.epoch_ends.index(progress.done) + 1
    if task.held_out:
        loss = held_out_loss(model, loss_of, task.held_out)
        progress.curve.held_out.append(loss)
        if task.watch is not None:
            task.watch(progress.done, {"held_out_loss": loss})
        if loss < progress.best:
            progress.best, progress.kept = loss, epoch
            progress.states[0.0] = _copy(weights)
    elif task.protected is not None:
        model.eval()
        fall = task.protected()
        model.train()
        progress.curve.protected.append(fall)
        if task.watch is not None:
            task.watch(progress.done, {"protected_fall": fall})
        if fall > recipe.tolerance:
            progress.stopped = True
            progress.states.setdefault(0.0, _copy(weights))  # the first epoch harms already: there is nothing better
        else:
            progress.kept = epoch
            progress.states[0.0] = _copy(weights)


def held_out_loss(model: Any, loss_of: StepLoss, examples: Sequence[Example]) -> float:
    """Mean over the tokens that count."""
    model.eval()
    with torch.no_grad():
        sums = [float(loss_of(examples[first : first + 8])) for first in range(0, len(examples), 8)]
    model.train()
    return sum(sums) / sum(example.counted for example in examples)


def _finite(weights: Weights) -> None:
    if not all(torch.isfinite(weight).all() for weight in weights.values()):
        raise JobFailed("training diverged: the adapter has weights that are not finite", deterministic=True)


def _copy(weights: Weights) -> Weights:
    return {name: weight.detach().to("cpu", copy=True) for name, weight in weights.items()}


def _inner(model: Any) -> Any:
    """The Transformers model inside a PEFT wrapper; the adapter's layers are in it."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


@contextmanager
def _dropout(seed: int, gpus: Sequence[torch.device]) -> Iterator[None]:
    """Dropout draws from the global generator: it is seeded here, and restored."""
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        yield


def _save(progress: _Progress, weights: Weights, optimizer: torch.optim.Optimizer, file: Path) -> None:
    """Keep where the run is. Without room on the disk the last state stays, and the training goes on."""
    with suppress(OSError, RuntimeError), whole_file(file) as partial:
        torch.save(
            {
                "progress": {name: value for name, value in vars(progress).items() if name != "curve"},
                "curve": vars(progress.curve),
                "weights": _copy(weights),
                "optimizer": optimizer.state_dict(),
                "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            },
            partial,
        )
        append_seal(partial)


def _resume(progress: _Progress, weights: Weights, optimizer: torch.optim.Optimizer, file: Path | None) -> None:
    """Go on from a file, if it is there and as it was written; a damaged one goes, and costs the steps it held."""
    if file is None or not file.exists():
        return
    if state_damage(file):
        remove(file)
        return
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, EOFError, ValueError, pickle.UnpicklingError):
        remove(file)
        return
    for name, value in state["progress"].items():
        setattr(progress, name, value)
    progress.curve = Curve(**state["curve"])
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(state["weights"][name])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    if state["random_cuda"]:
        torch.cuda.set_rng_state_all(state["random_cuda"])
