"""Scoring of options: crossgraft's engine against lm-evaluation-harness' HF backend, and against the FLOP limit.

    python benchmarks/scoring.py [--quick] [--case zero-shot] [--repeats 3] [--threads 1]

Both sides read the same items (the script checks that they read the same tokens) with the same model object, a random
Llama in float32 with a LoRA adapter of rank 16 on all linear layers. They take turns in one process, the order turning
round from one round to the next; a ratio is taken within a round. Printed are the median ratio and its range, by CPU
time of the process and by the clock, the largest difference of a log-likelihood, and whether the best option is the same.

The harness runs at the best of the batch sizes that are tried first, once each. In the cases zero-shot, few-shot, letters
and vocabulary only its ``_loglikelihood_tokens`` is timed, which leaves out its tokenising, and our engine without ours;
the engine's self-test, once a model, is printed apart. In the case adapters everything is timed on both sides: loading, tokenising,
scoring, metrics; the harness has one TaskManager without the index of its own tasks, and, in a line of its own, makes that
index anew for every adapter, as its simple_evaluate does when it is given none. The case memory runs each side in a process of its own.

The first variants change one thing against plain rows, that is, what the harness does, rebuilt from the engine's parts;
the last ones are the engine itself, on the way named. To cite a number, give the command, the commit, and the lines on
the machine that are printed first. Without --text FOLDER, the text is made up of invented words.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
os.environ |= {"TQDM_DISABLE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

import lm_eval
import numpy as np
import torch
import transformers
from flops import Weights, least_work, plain_work, product_rate
from lm_eval.tasks import TaskManager
from material import RANK, Kind, Questions, Shape, Texts, make_model, make_questions, make_tokenizer
from measuring import Turns, forget_peak, machine, peak_mib, spread, table, timed
from variants import EveryToken, Variant

from crossgraft.adapters.bases.loading import load_model, load_tokenizer
from crossgraft.adapters.bases.models import Model
from crossgraft.adapters.engine.body import Body, Halves
from crossgraft.adapters.engine.evaluation import Choices, prepare
from crossgraft.adapters.engine.local import LocalEngine, finished, window_of
from crossgraft.adapters.engine.paths import KeptContext, PackedRow, PlainRows
from crossgraft.adapters.engine.requests import Request, shared_beginning
from crossgraft.adapters.engine.rows import Windows
from crossgraft.adapters.engine.scorer import Scorer
from crossgraft.adapters.items.encoding import Reading
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.weights.lora import fresh_adapter, merged, saved_adapter
from crossgraft.core import Answers, Floats
from crossgraft.metrics import METRICS
from crossgraft.study import Origin
from harness import Harness, evaluate, no_index, same_tokens, task_of

CASES = ("zero-shot", "few-shot", "letters", "adapters", "vocabulary", "memory")
KINDS: tuple[Kind, ...] = ("zero-shot", "few-shot", "letters")
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Settings:
    """How large everything is."""

    shape: Shape
    items: Mapping[str, int]
    adapters: int = 8
    batches: tuple[int, ...] = (1, 4, 8, 16, 32)
    vocabularies: tuple[int, ...] = (128_000, 256_000)
    memory_rows: tuple[int, ...] = (4, 16)  # of a batch of the harness
    memory_width: int = 64
    words: int = 600_000
    kinds: int = 60_000
    product: int = 2048
    repeats: int = 3


FULL = Settings(
    Shape(), {"zero-shot": 60, "few-shot": 16, "letters": 60, "adapters": 60, "vocabulary": 12, "memory": 16}
)
QUICK = Settings(
    Shape(vocabulary=2_000, width=48, layers=2, heads=6, mlp=96),
    dict.fromkeys(FULL.items, 6),
    adapters=2,
    batches=(1, 8),
    vocabularies=(8_000,),
    memory_rows=(8,),
    memory_width=32,
    words=40_000,
    kinds=4_000,
    product=512,
    repeats=2,
)


@dataclass(frozen=True)
class World:
    """The folder with everything made, and what it was made from."""

    folder: Path
    settings: Settings
    texts: Texts
    tokenizer: Any

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def model(self, name: str = "model", shape: Shape | None = None, adapters: int = 1) -> tuple[Path, list[Path]]:
        """The folder of a model and those of its adapters, made on first use."""
        place = self.folder / name
        made = sorted(self.folder.glob(f"{name}-adapter-*"))
        if not place.is_dir() or len(made) < adapters:
            made = make_model(shape or self.settings.shape, place, self.tokenizer, max(adapters, len(made)))
        return place, made[:adapters]

    def questions(self, kind: Kind, case: str) -> tuple[Questions, Path]:
        questions = make_questions(kind, self.texts, self.tokenizer, self.settings.items[case])
        return questions, questions.write(self.folder / f"{case}.jsonl")


def variants(model: Any, requests: Sequence[Request], kind: Kind, batch: int) -> dict[str, Callable[[], Floats]]:
    """One thing changed at a time, where the case has it. Plain rows of letters would be read four times: left out."""
    windows = Windows.of(model.config)
    assert windows is not None
    every: Body = EveryToken(model)
    kept, packed = (way(every, windows, model.dtype) for way in (KeptContext, PackedRow))
    found: dict[str, Callable[[], Floats]] = {}
    if kind != "letters":
        found["plain rows, logits of every token (the harness' way)"] = Variant(PlainRows(every), requests, batch)
        found["… head only where needed"] = Variant(PlainRows(Halves(model)), requests, batch)
        found["… batches by tokens"] = Variant(PlainRows(every), requests)
        found["… kept context"] = Variant(kept, requests, batch)
        found["… packed rows"] = Variant(packed, requests, batch)
    else:
        found["one row an item, logits of every token"] = Variant(packed, requests, batch)
        found["… head only where needed"] = Variant(PackedRow(Halves(model), windows, model.dtype), requests, batch)
        found["… batches by tokens"] = Variant(packed, requests)
    if kind == "few-shot":
        found["… packed rows and shared beginning"] = Variant(packed, requests, batch, share=True)
    return found


def scored(scorer: Scorer, requests: Sequence[Request]) -> Callable[[], Floats]:
    return lambda: finished(scorer.score(requests)).loglik.reshape(-1)


def engines(model: Any, requests: Sequence[Request]) -> dict[str, Callable[[], Floats]]:
    """The engine on each way, and as it chooses."""
    found = {}
    for way in ("plain", "kept", "packed"):
        scorer = Scorer(model, way=way)
        found[f"engine: {scorer.path.name}"] = scored(scorer, requests)
    return found


# cases


@contextmanager
def adapted(folder: Path, adapter: Path) -> Iterator[tuple[Any, Any]]:
    """A tokenizer, and a model with an adapter in its layers."""
    model = load_model("model", Model(path=str(folder)), Origin(), "sdpa", CPU)
    tokenizer = load_tokenizer("model", Model(path=str(folder)), Origin())
    with saved_adapter(model, adapter):
        yield model, tokenizer


def best_batch(lm: Harness, batches: Sequence[int]) -> tuple[int, str]:
    """The batch size at which the harness takes least CPU time, and what each took."""
    lm.score(batches[-1])  # the first run in a process is slower
    took = {batch: timed(lambda batch=batch: lm.score(batch))[1].cpu for batch in batches}
    return min(took, key=lambda batch: took[batch]), ", ".join(f"{batch}: {s:.2f} s" for batch, s in took.items())


def show_turns(turns: Turns, reference: str) -> None:
    theirs = turns.results[reference]
    rows = []
    for name in turns.runs:
        mine = turns.results[name]
        best = (mine.reshape(-1, 4).argmax(1) == theirs.reshape(-1, 4).argmax(1)).sum()
        rows.append(
            [
                name,
                f"{turns.cpu(name):.2f}",
                f"{turns.wall(name):.2f}",
                spread(turns.ratios(name, reference)),
                spread(turns.wall_ratios(name, reference)),
                f"{np.abs(mine - theirs).max():.1e}",
                f"{best} of {len(mine) // 4}",
            ]
        )
    table(("", "CPU s", "clock s", "× by CPU", "× by clock", "max abs Δ nats", "same best"), rows)


def share_of_limit(world: World, model: Any, requests: Sequence[Request], turns: Turns, engine: str) -> None:
    weights = Weights.of(model)
    plain, least = plain_work(requests), least_work(requests)
    limit = weights.limit(requests)
    ratio = median(turns.ratios(engine, "harness"))
    rate = product_rate(CPU, torch.float32, world.settings.product)

    def seconds(name: str) -> float:
        return turns.cpu(name) / torch.get_num_threads()

    print(
        f"\nTokens through the layers {plain.body:,} → {least.body:,}; through the head {plain.head:,} → {least.head:,}. "
        f"Head to layers h = {weights.head / weights.body:.2f}.\n"
        f"Limit by FLOPs {limit:.2f}×, reached {ratio:.2f}×: **{ratio / limit:.0%} of the limit**.\n"
        f"Of the rate of a large matrix product here ({rate / 1e9:.0f} GFLOP/s), in CPU time: the engine does its least "
        f"arithmetic at {weights.flops(least) / seconds(engine) / rate:.0%}, the harness all of its own at "
        f"{weights.flops(plain) / seconds('harness') / rate:.0%}."
    )


def answers_of(prepared: Choices, engine: LocalEngine) -> Answers:
    return finished(prepared.answer(engine)).answers


def accuracies(answers: Answers) -> dict[str, float]:
    names = {"acc": "accuracy", "acc_norm": "accuracy-per-char"}
    return {name: METRICS.get(ours).score(answers).value for name, ours in names.items()}


def show_accuracies(harness: Mapping[str, float], ours: Mapping[str, float]) -> None:
    same = all(abs(harness[name] - ours[name]) < 1e-12 for name in ours)
    told = ", ".join(f"{name} {harness[name]:.4f} and {ours[name]:.4f}" for name in ours)
    print(f"Harness and engine: {told}: {'the same' if same else '**NOT THE SAME**'}.")


def one_treatment(world: World, kind: Kind) -> None:
    """Zero-shot, few-shot or letters: one adapter, every trick."""
    folder, adapters = world.model()
    questions, path = world.questions(kind, kind)
    with adapted(folder, adapters[0]) as (model, tokenizer):
        prepared = choices_of(questions, model, tokenizer)
        requests = prepared.requests
        lm = Harness(pretrained=model, tokenizer=tokenizer, batch_size=8)
        theirs = evaluate(lm, task_of(questions, path, world.cache), no_index())
        if not same_tokens(lm.asked, requests):
            raise SystemExit(f"{kind}: the two sides do not read the same tokens")
        batch, tried = best_batch(lm, world.settings.batches)
        lengths = [len(request.context) for request in requests]
        options = [len(option) for request in requests for option in request.options]
        print(
            f"\n## {kind}\n\n{len(requests)} items, 4 options; contexts of {np.mean(lengths):.0f} tokens, options of "
            f"{np.mean(options):.1f}; the contexts share {len(shared_beginning(requests))}. V = {model.config.vocab_size:,}.\n"
            f"Harness by batch size: {tried}. Used: {batch}."
        )
        engine, setup = timed(lambda: LocalEngine(model, tokenizer))
        chosen = f"engine: {engine.test.path.name}"
        runs = engines(model, requests)
        ordered = {
            "harness": lambda: lm.score(batch),
            chosen: runs.pop(chosen),
            **variants(model, requests, kind, batch),
            **runs,
        }
        turns = Turns(ordered).take(world.settings.repeats)
        show_turns(turns, "harness")
        print(
            f"\nThe engine chooses {engine.test.path.name}; {'; '.join(engine.test.lines())}. Self-test: {setup.wall:.2f} s."
        )
        share_of_limit(world, model, requests, turns, chosen)
        show_accuracies(theirs, accuracies(answers_of(prepared, engine)))
        where_it_goes(model, scored(Scorer(model), requests), turns.wall(chosen))
    bare = load_model("model", Model(path=str(folder)), Origin(), "sdpa", CPU)
    without = Turns({"bare": scored(Scorer(bare), requests)}).take(world.settings.repeats)
    print(
        f"\nThe whole adapter: {turns.cpu(chosen):.2f} s of CPU time with it, {without.cpu('bare'):.2f} s on the bare model."
    )


def where_it_goes(model: Any, run: Callable[[], Any], usual: float) -> None:
    """One run under the profiler: time by kind of operation, told apart by name and shapes."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True) as profile:
        started = time.perf_counter()
        run()
        wall = time.perf_counter() - started
    parts: dict[str, float] = {}
    for event in profile.key_averages(group_by_input_shape=True):
        kind = kind_of(event.key, event.input_shapes, model.config.vocab_size)
        parts[kind] = parts.get(kind, 0.0) + event.self_cpu_time_total / 1e6
    parts["Python, and between operations"] = wall - sum(parts.values())
    print(f"\nWhere the engine's time goes (one run under the profiler: {wall:.2f} s; {usual:.2f} s without it):")
    rows = [[kind, f"{s:.3f}", f"{s / wall:.1%}"] for kind, s in sorted(parts.items(), key=lambda one: -one[1])]
    table(("", "s", "share"), rows)


def kind_of(name: str, shapes: Sequence[Any], vocabulary: int) -> str:
    flat = {size for shape in shapes if isinstance(shape, (list, tuple)) for size in shape}
    if name.endswith("mm"):
        weight = shapes[1] if len(shapes) > 1 and isinstance(shapes[1], (list, tuple)) else ()
        if vocabulary in flat:
            return "head: matrix products"
        return "adapter: matrix products" if RANK in weight else "layers: matrix products"
    if "attention" in name:
        return "attention"
    if vocabulary in flat and "embedding" not in name and "index_select" not in name:
        return "log-softmax and choice of tokens"
    return "element by element, copies, masks"


def all_adapters(world: World) -> None:
    """The base and its adapters on the same items: load, tokenise, score, metrics."""
    folder, adapters = world.model(adapters=world.settings.adapters)
    questions, path = world.questions("zero-shot", "adapters")
    task = task_of(questions, path, world.cache)
    print(f"\n## base + {len(adapters)} adapters\n\n{len(questions.rows)} items; everything but the imports is timed.")
    with adapted(folder, adapters[0]) as (model, tokenizer):
        lm = Harness(pretrained=model, tokenizer=tokenizer, batch_size=8)
        evaluate(lm, task, no_index())
        batch, tried = best_batch(lm, world.settings.batches)
        del lm
    print(f"Harness by batch size: {tried}. Used: {batch}.")

    def theirs(*, index: bool = False) -> tuple[Floats, list[dict[str, float]]]:
        found, scores = [], []
        tasks = no_index()
        for adapter in (None, *adapters):
            told = {"peft": str(adapter)} if adapter else {}
            lm = Remembering(pretrained=str(folder), device="cpu", dtype="float32", batch_size=batch, **told)
            scores.append(evaluate(lm, task, TaskManager() if index else tasks))
            found.append(lm.answered)
        return np.array(found), scores

    def ours(*, merge: bool = False) -> tuple[Floats, list[dict[str, float]]]:
        told = Model(path=str(folder))
        tokenizer = load_tokenizer("model", told, Origin())
        model = load_model("model", told, Origin(), "sdpa", CPU)
        engine = LocalEngine(model, tokenizer)
        items = Questions.read(path, "zero-shot").items()
        prepared = prepare(tokenizer, items, Reading(), window_of(model), "en")
        with fresh_adapter(model, Recipe(rank=RANK), seed=0) as wrapped, wrapped.eval().disable_adapter():
            answers = [answers_of(prepared, engine)]
        for adapter in adapters:
            before = engine.probe()
            with saved_adapter(model, adapter) as wrapped:  # noqa: SIM117 - one line would be too long
                with merged(wrapped) if merge else nullcontext():
                    engine.probe_difference(before)
                    answers.append(answers_of(prepared, engine))
        return np.array([one.columns["loglik"].reshape(-1) for one in answers]), [accuracies(one) for one in answers]

    runs = {
        "harness, a fresh HFLM each": theirs,
        "harness, and its own index of tasks each time, as simple_evaluate does": lambda: theirs(index=True),
        "engine, loaded once": ours,
        "engine, adapters merged": lambda: ours(merge=True),
    }
    turns = Turns(runs).take(world.settings.repeats)
    reference = next(iter(runs))
    expected, scores = turns.results[reference]
    rows = []
    for name in runs:
        found, own = turns.results[name]
        best = (found.reshape(-1, 4).argmax(1) == expected.reshape(-1, 4).argmax(1)).sum()
        same = all(abs(a[key] - b[key]) < 1e-12 for a, b in zip(scores, own, strict=True) for key in a)
        rows.append(
            [
                name,
                f"{turns.cpu(name):.2f}",
                f"{turns.wall(name):.2f}",
                spread(turns.ratios(name, reference)),
                spread(turns.wall_ratios(name, reference)),
                f"{np.abs(found - expected).max():.1e}",
                f"{best} of {expected.size // 4}",
                "the same" if same else "**not the same**",
            ]
        )
    table(("", "CPU s", "clock s", "× by CPU", "× by clock", "max abs Δ nats", "same best", "acc, acc_norm"), rows)
    print(
        f"\nThe adapters change the base by up to {np.abs(expected[1:] - expected[0]).max():.2f} nats, so the check has power. "
        + "; ".join(f"{key} " + " ".join(f"{one[key]:.3f}" for one in scores) for key in ("acc", "acc_norm"))
    )


class Remembering(Harness):
    """Keeps what it answered."""

    answered: Floats = np.empty(0)

    def _loglikelihood_tokens(self, *args: Any, **options: Any) -> list[tuple[float, bool]]:
        answers = super()._loglikelihood_tokens(*args, **options)
        self.answered = np.array([answer for answer, _ in answers])
        return answers


def choices_of(questions: Questions, model: Any, tokenizer: Any) -> Choices:
    prepared = prepare(tokenizer, questions.items(), Reading(), window_of(model), "en")
    assert isinstance(prepared, Choices)
    return prepared


def large_vocabularies(world: World) -> None:
    """Zero-shot with heads several times as large as the layers: harsher than any real model."""
    questions, path = world.questions("zero-shot", "vocabulary")
    for vocabulary in world.settings.vocabularies:
        folder, adapters = world.model(f"model-{vocabulary}", replace(world.settings.shape, vocabulary=vocabulary))
        with adapted(folder, adapters[0]) as (model, tokenizer):
            requests = choices_of(questions, model, tokenizer).requests
            lm = Harness(pretrained=model, tokenizer=tokenizer, batch_size=1)
            evaluate(lm, task_of(questions, path, world.cache), no_index())
            if not same_tokens(lm.asked, requests):
                raise SystemExit("the two sides do not read the same tokens")
            batch, tried = best_batch(lm, [size for size in world.settings.batches if size <= 8])
            print(f"\n## V = {vocabulary:,}\n\n{len(requests)} items. Harness by batch size: {tried}. Used: {batch}.")
            runs = engines(model, requests)
            turns = Turns({"harness": lambda: lm.score(batch), "engine: packed": runs.pop("engine: packed"), **runs})  # noqa: B023 - used at once
            turns.take(world.settings.repeats)
            show_turns(turns, "harness")
            share_of_limit(world, model, requests, turns, "engine: packed")


# memory: each side in a process of its own


def memory(world: World) -> None:
    """The peak of the resident set while scoring, and by how much it lies above what is there after loading."""
    questions, path = world.questions("zero-shot", "memory")
    sizes = (world.settings.shape.vocabulary, world.settings.vocabularies[-1])
    print(
        f"\n## memory\n\nPeak resident set while scoring, each in a process of its own; d = {world.settings.memory_width}, {len(questions.rows)} items. "
        "The engine gets the budget of tokens that as many rows of the harness hold. One float32 copy of all logits of "
        "a batch is rows × 128 tokens × V × 4 bytes."
    )
    rows = []
    for vocabulary in sizes:
        shape = replace(
            world.settings.shape, vocabulary=vocabulary, width=world.settings.memory_width, heads=2, kv_heads=1
        )
        folder, adapters = world.model(f"thin-{vocabulary}", shape)
        for count in world.settings.memory_rows:
            for side in ("harness", "engine"):
                told = {"side": side, "model": str(folder), "adapter": str(adapters[0]), "rows": count}
                told |= {"questions": str(path), "cache": str(world.cache)}
                found = in_a_process(told)
                logits = count * 128 * vocabulary * 4 / 2**20
                rows.append(
                    [side, f"{vocabulary:,}", str(count), f"{logits:,.0f}", f"{found['peak']:,.0f}",
                     f"{found['peak'] - found['loaded']:,.0f}"]
                )  # fmt: skip
    table(("", "V", "rows", "logits MiB", "peak MiB", "above loading MiB"), rows)


def in_a_process(told: Mapping[str, Any]) -> dict[str, float]:
    command = [sys.executable, __file__, "--inside", json.dumps(told), "--threads", str(torch.get_num_threads())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{told['side']} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def inside(told: Mapping[str, Any]) -> None:
    """One side, for its memory; prints MiB as JSON."""
    questions = Questions.read(Path(told["questions"]), "zero-shot")
    with adapted(Path(told["model"]), Path(told["adapter"])) as (model, tokenizer):
        requests = choices_of(questions, model, tokenizer).requests
        lm = Harness(pretrained=model, tokenizer=tokenizer, batch_size=told["rows"])
        lm.asked = [(("", ""), list(one.context), list(option)) for one in requests for option in one.options]
        loaded = forget_peak()
        if told["side"] == "harness":
            lm.score(told["rows"])
        else:
            finished(Scorer(model, tokens=128 * told["rows"]).score(requests))
    print(json.dumps({"loaded": loaded, "peak": peak_mib()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--case", choices=[*CASES, "all"], default="all")
    parser.add_argument("--repeats", type=int, help="rounds of turns")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--items", type=int, help="items of each case")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes, to see that it runs; its numbers mean nothing"
    )
    parser.add_argument("--text", type=Path, help="a folder of text files instead of invented words")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    told = parser.parse_args()
    torch.set_num_threads(told.threads)
    warnings.simplefilter("ignore", FutureWarning)  # the harness and PEFT use what Transformers is about to rename
    transformers.utils.logging.disable_progress_bar()
    if told.inside:
        inside(json.loads(told.inside))
        return
    settings = QUICK if told.quick else FULL
    settings = replace(settings, repeats=told.repeats or settings.repeats)
    if told.items:
        settings = replace(settings, items=dict.fromkeys(settings.items, told.items))
    print(
        f"# Scoring: engine and harness\n\n`{' '.join(['python', *sys.argv])}`\n\n{machine(f'lm-eval {lm_eval.__version__}')}"
    )
    with tempfile.TemporaryDirectory() as name:
        texts = Texts.read(told.text) if told.text else Texts.made(settings.words, settings.kinds)
        world = World(Path(name), settings, texts, make_tokenizer(texts, settings.shape.vocabulary))
        for case in CASES if told.case == "all" else (told.case,):
            if case in KINDS:
                one_treatment(world, case)
            else:
                {"adapters": all_adapters, "vocabulary": large_vocabularies, "memory": memory}[case](world)


if __name__ == "__main__":
    main()
