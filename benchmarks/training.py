"""Training one adapter: crossgraft's engine, Transformers' Trainer, TRL's SFTTrainer, and the FLOP limit.

    python benchmarks/training.py [--quick] [--case options] [--repeats 3] [--threads 1]

The model is a random Llama in float32, the adapter LoRA of rank 32 on all linear layers, a step 8 examples. All sides begin
with the same adapter and take the same batches in the same order; the largest difference of a step's loss is printed,
and how far the loss moved, so that one sees what the check is worth. They take turns in one process, the order turning
round from one round to the next; a ratio is taken within a round. The first step, which also sets up, is not counted
on any side. Printed are the median ratio and its range, by CPU time of the process and by the clock.

The first lines change one thing at a time against a Trainer that pads to the longest of the batch: rows padded to 256 and
512 tokens, as the release of "Donors and Recipients" (2025) does, and back; then the engine's parts; the last is the engine itself.
TRL (pip install trl) is left out where it is not installed; it runs with padding to the longest and padding-free, both
without checkpointing, loss on answers only. Its fused head needs a GPU, so on a CPU this says nothing about TRL on one.

options: answers of about 12 tokens after texts of 60 to 140; letters: one token after the text and its four options.
start: what a process costs that trains one run, as the release starts one each. memory: each side in a process of its own.
To cite a number, give the command, the commit, and the line on the machine that is printed first.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
os.environ |= {"TQDM_DISABLE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

import numpy as np
import torch
import transformers
from flops import product_rate
from material import Kind, Shape, Texts, make_model, make_questions, make_tokenizer
from measuring import Cost, Turns, forget_peak, machine, peak_mib, spread, table, timed
from step_flops import StepWeights, StepWork
from trainers import HAS_TRL, Ran, Run, by_engine, by_parts, by_trainer, by_trl
from variants import EveryToken

from crossgraft.adapters.bases.loading import load_model
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.engine.body import Halves
from crossgraft.adapters.items.encoding import Reading
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.training.examples import examples
from crossgraft.adapters.training.loss import Example, StepLoss
from crossgraft.adapters.weights.lora import fresh_adapter
from crossgraft.core import Point
from crossgraft.study import Origin

CASES = ("options", "letters", "start", "memory")
KINDS: dict[str, Kind] = {"options": "zero-shot", "letters": "letters"}
CPU = torch.device("cpu")
ENGINE = "engine: one row, each text to itself, head where a token counts"
REFERENCE = "Trainer, padded to the longest"
THEIRS = 512  # the widest padding of the release


@dataclass(frozen=True)
class Settings:
    """How large everything is."""

    shape: Shape
    recipe: Recipe = Recipe(learning_rate=1e-3, warmup=0.0, steps=4)
    memory_shape: Shape = Shape(width=64, layers=2, heads=2, kv_heads=1, mlp=128)
    prompts: tuple[int, ...] = (100, 400, 1600)
    words: int = 300_000
    kinds: int = 60_000
    product: int = 2048
    repeats: int = 3


FULL = Settings(Shape(width=320, heads=5, kv_heads=1, mlp=1088))  # 20.6 M in the layers, a head of half of that
QUICK = Settings(
    Shape(vocabulary=2_000, width=48, layers=2, heads=6, mlp=96),
    Recipe(learning_rate=1e-3, warmup=0.0, steps=3),
    Shape(vocabulary=8_000, width=32, layers=2, heads=2, kv_heads=1, mlp=64),
    prompts=(50, 100),
    words=40_000,
    kinds=4_000,
    product=512,
    repeats=2,
)


@dataclass(frozen=True)
class World:
    """A folder with the model, and what it was made from."""

    folder: Path
    settings: Settings
    texts: Texts
    tokenizer: Any

    @property
    def place(self) -> Path:
        return self.folder / "model"

    def load(self) -> Any:
        return load_model("model", Model(path=str(self.place)), Origin(), "sdpa", CPU)

    def run(self, kind: Kind) -> Run:
        """As many examples as the steps need."""
        recipe = self.settings.recipe
        questions = make_questions(kind, self.texts, self.tokenizer, recipe.batch * recipe.steps)
        drawn = [(Point("questions", "en"), item) for item in questions.items()]
        return Run(examples(self.tokenizer, drawn, Reading(), recipe, 0).texts, recipe)


# speed


def sides(world: World, model: Any, run: Run) -> dict[str, Callable[[], Ran]]:
    """In the order of the table."""
    folder = world.folder / "trainer"
    found: dict[str, Callable[[], Ran]] = {
        f"Trainer, padded to {width}": lambda width=width: by_trainer(model, run, folder, width)
        for width in (THEIRS, 256)
    }
    found |= {
        REFERENCE: lambda: by_trainer(model, run, folder),
        "parts: padded rows, head on every token": lambda: by_parts(model, run, EveryToken, "padded"),
        "… head only where a token counts": lambda: by_parts(model, run, Halves, "padded"),
        "… packed rows": lambda: by_parts(model, run, EveryToken, "packed"),
        "… one row, each text to itself": lambda: by_parts(model, run, EveryToken, "apart"),
        "… packed rows, head only where a token counts": lambda: by_parts(model, run, Halves, "packed"),
        ENGINE: lambda: by_engine(model, run),
    }
    if HAS_TRL:
        found["TRL, padded to the longest"] = lambda: by_trl(world.load, world.tokenizer, run, folder)
        found["TRL, padding-free"] = lambda: by_trl(world.load, world.tokenizer, run, folder, padding_free=True)
    return found


def step_cost(run: Callable[[], Ran]) -> tuple[Ran, Cost]:
    ran, _ = timed(run)
    return ran, ran.cost


def speed(world: World, case: str) -> None:
    run, model = world.run(KINDS[case]), world.load()
    lengths = [len(one.ids) for one in run.data]
    counted = sum(one.counted for one in run.data)
    widest = sum(max(len(one.ids) for one in batch) * len(batch) for batch in run.batches())
    print(
        f"\n## {case}\n\n{len(run.data)} examples in {run.recipe.steps} steps of {run.recipe.batch}; {np.mean(lengths):.0f} "
        f"tokens each ({min(lengths)}-{max(lengths)}), of which {counted / len(run.data):.1f} count; rows as wide as the "
        f"longest are {1 - sum(lengths) / widest:.0%} padding. V = {model.config.vocab_size:,}. "
        f"{'' if HAS_TRL else 'TRL is not installed, so it is left out: pip install trl'}"
    )
    turns = Turns(sides(world, model, run), measure=step_cost).take(world.settings.repeats)
    expected = np.array(turns.results[REFERENCE].losses)
    rows = [
        [
            name,
            f"{turns.cpu(name) / (run.recipe.steps - 1):.2f}",
            f"{turns.wall(name) / (run.recipe.steps - 1):.2f}",
            spread(turns.ratios(name, REFERENCE)),
            spread(turns.wall_ratios(name, REFERENCE)),
            f"{np.abs(np.array(turns.results[name].losses) - expected).max():.1e}",
        ]
        for name in turns.runs
    ]
    table(("", "CPU s a step", "clock s", "× by CPU", "× by clock", "max abs Δ loss"), rows)
    moved = np.abs(np.array(untrained(model, run)) - expected).max()
    print(f"\nWithout training the losses of these steps differ by up to {moved:.3f}, so the check has power.")
    share_of_limit(world, model, run, turns)
    where_it_goes(model, run)


def untrained(model: Any, run: Run) -> tuple[float, ...]:
    """The losses of the same batches at a learning rate that moves nothing."""
    return by_engine(model, replace(run, recipe=replace(run.recipe, learning_rate=1e-12))).losses


def share_of_limit(world: World, model: Any, run: Run, turns: Turns) -> None:
    """Of the steps that are timed."""
    with fresh_adapter(model, run.recipe, 0) as wrapped:
        weights = StepWeights.of(wrapped)
    batches = run.batches()[1:]
    least = weights.flops(StepWork.total(StepWork.least(batch) for batch in batches))
    rate = product_rate(CPU, torch.float32, world.settings.product)
    print(
        f"\nHead to layers h = {weights.head / weights.layers:.2f}, adapter to layers {weights.adapter / weights.layers:.1%}. "
        f"A step needs at least {least / len(batches) / 1e9:.0f} GFLOP. At the rate of a large product here ({rate / 1e9:.0f} "
        f"GFLOP/s, one moment's) the engine does them at {least / turns.cpu(ENGINE) * torch.get_num_threads() / rate:.0%}."
    )
    rows = []
    for name, width in ((REFERENCE, 0), ("Trainer, padded to 256", 256), (f"Trainer, padded to {THEIRS}", THEIRS)):
        limit = weights.flops(StepWork.total(StepWork.padded(batch, width) for batch in batches)) / least
        reached = turns.ratios(ENGINE, name)
        rows.append([name, f"{limit:.2f}", spread(reached), f"{median(reached) / limit:.0%}"])
    trl = [name for name in turns.runs if name.startswith("TRL")]
    rows += [[name, "–", spread(turns.ratios(ENGINE, name)), "–"] for name in trl]
    table(("engine against", "limit by FLOPs", "× by CPU", "share of the limit"), rows)


def where_it_goes(model: Any, run: Run) -> None:
    """All steps of the engine under the profiler: time by kind of operation, told apart by name and shapes."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True) as profile:
        started = time.perf_counter()
        by_engine(model, run)
        wall = time.perf_counter() - started
    parts: dict[str, float] = {}
    for event in profile.key_averages(group_by_input_shape=True):
        kind = kind_of(event.key, event.input_shapes, model.config.vocab_size, run.recipe.rank)
        parts[kind] = parts.get(kind, 0.0) + event.self_cpu_time_total / 1e6
    parts["Python, and between operations"] = wall - sum(parts.values())
    print(f"\nWhere the engine's time goes ({run.recipe.steps} steps and its set-up under the profiler: {wall:.2f} s):")
    rows = [[kind, f"{s:.3f}", f"{s / wall:.1%}"] for kind, s in sorted(parts.items(), key=lambda one: -one[1])]
    table(("", "s", "share"), rows)


def kind_of(name: str, shapes: Sequence[Any], vocabulary: int, rank: int) -> str:
    sizes = {size for shape in shapes if isinstance(shape, (list, tuple)) for size in shape}
    if name.endswith("mm"):
        if vocabulary in sizes:
            return "head: matrix products"
        return "adapter: matrix products" if rank in sizes else "layers: matrix products"
    if "attention" in name:
        return "attention"
    if "foreach" in name or "adam" in name or ("norm" in name and "linalg" in name):
        return "optimizer and clipping"
    if vocabulary in sizes and "embedding" not in name and "index_select" not in name:
        return "loss: softmax and its gradient"
    return "element by element, copies, masks"


# what a process costs


def start(world: World) -> None:
    """A process that imports and loads, against an adapter put into a base that is there."""
    print("\n## start\n")
    model = world.load()
    here, there, tried = [], [], []
    run = world.run("zero-shot")
    for _ in range(world.settings.repeats):
        here.append(timed(lambda: put_in(model, run))[1].wall)
        tried.append(timed(lambda: StepLoss(model, run.data))[1].wall)
        there.append(timed(lambda: in_a_process({"side": "start", "model": str(world.place)}))[1].wall)
    print(
        f"By the clock: a process that imports PyTorch, Transformers and PEFT and loads this model ({folder_mib(world.place):.0f} "
        f"MiB) takes {spread(there)} s, once a run in the release, once a worker here. A fresh adapter in a base that is there takes "
        f"{spread(here)} s a run, and trying its layout of rows against padded ones {spread(tried)} s a run."
    )


def put_in(model: Any, run: Run) -> None:
    with fresh_adapter(model, run.recipe, 0):
        pass


def folder_mib(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.iterdir()) / 2**20


# memory: each side in a process of its own


def memory(world: World) -> None:
    """The peak of two steps above what was there before, with the head and, as good as, without it."""
    shape, batch = world.settings.memory_shape, 2
    print(
        f"\n## memory\n\nTwo steps of {batch} examples with answers of 12 tokens after prompts that grow; d = {shape.width}, {shape.layers} "
        f"layers; peak resident set above that before, each in a process of its own. The head's part is the peak at V = "
        f"{shape.vocabulary:,} less that at V = 512. One float32 copy of all logits is examples × tokens × V × 4 bytes."
    )
    rows = []
    for prompt in world.settings.prompts:
        copy = batch * (prompt + 12) * shape.vocabulary * 4 / 2**20
        for side in ("Trainer", "engine"):
            told = {"side": side, "prompt": prompt, "batch": batch}
            whole, body = (
                in_a_process({**told, "shape": vars(replace(shape, vocabulary=size))})
                for size in (shape.vocabulary, 512)
            )
            rows.append([str(prompt), side, f"{copy:,.0f}", f"{whole:,.0f}", f"{body:,.0f}", f"{whole - body:,.0f}"])
    table(("prompt", "", "logits MiB", "peak MiB", "without head MiB", "head's part MiB"), rows)


def in_a_process(told: dict[str, Any]) -> float:
    command = [sys.executable, __file__, "--inside", json.dumps(told), "--threads", str(torch.get_num_threads())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{told['side']} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return float(done.stdout.splitlines()[-1])


def inside(told: dict[str, Any]) -> None:
    """One side; prints MiB above what was there before the steps."""
    if told["side"] == "start":
        load_model("model", Model(path=told["model"]), Origin(), "sdpa", CPU)
        print(0)
        return
    recipe = Recipe(learning_rate=1e-3, warmup=0.0, steps=2, batch=told["batch"])
    rng = np.random.default_rng(0)
    drawn = rng.integers(512, size=(recipe.batch * recipe.steps, told["prompt"] + 12)).tolist()
    run = Run([Example(tuple(ids), told["prompt"]) for ids in drawn], recipe)
    config = Shape(**told["shape"]).config()
    config.max_position_embeddings = 4096
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(config).eval().requires_grad_(False)
    before = forget_peak()
    if told["side"] == "engine":
        by_engine(model, run)
    else:
        with tempfile.TemporaryDirectory() as name:
            by_trainer(model, run, Path(name))
    print(peak_mib() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--case", choices=[*CASES, "all"], default="all")
    parser.add_argument("--repeats", type=int, help="rounds of turns")
    parser.add_argument("--steps", type=int, help="of a turn, the first of which is not counted")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes, to see that it runs; its numbers mean nothing"
    )
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.steps is not None and told.steps < 2:
        parser.error(f"expected at least 2 steps, for the first is not counted; got {told.steps}")
    torch.set_num_threads(told.threads)
    warnings.simplefilter("ignore", FutureWarning)  # PEFT and TRL use what Transformers is about to rename
    transformers.utils.logging.disable_progress_bar()
    if told.inside:
        inside(json.loads(told.inside))
        return
    settings = QUICK if told.quick else FULL
    recipe = replace(settings.recipe, steps=told.steps or settings.recipe.steps)
    settings = replace(settings, recipe=recipe, repeats=told.repeats or settings.repeats)
    versions = []
    if HAS_TRL:
        import trl

        versions.append(f"trl {trl.__version__}")
    print(f"# Training: engine, Trainer, TRL\n\n`{' '.join(['python', *sys.argv])}`\n\n{machine(*versions)}")
    with tempfile.TemporaryDirectory() as name:
        texts = Texts.made(settings.words, settings.kinds)
        world = World(Path(name), settings, texts, make_tokenizer(texts, settings.shape.vocabulary))
        make_model(settings.shape, world.place, world.tokenizer)
        for case in CASES if told.case == "all" else (told.case,):
            if case in KINDS:
                speed(world, case)
            else:
                {"start": start, "memory": memory}[case](world)


if __name__ == "__main__":
    main()
