"""The engines of scoring and training on a GPU in bfloat16, on random models of the shapes of Llama-3.2-1B and Llama-3.1-8B.

    make gpu-check                                            (or: python benchmarks/gpu_check.py)
    python benchmarks/gpu_check.py --device cpu --tiny        (whether the script runs; its numbers mean nothing)

For each model, with vocabularies of 128,256 and 256,000, and a LoRA adapter of rank 16 on all linear layers: whether the
self-test passes and which way it chooses; items a second of each way, and of lm-eval's HF backend (``_loglikelihood_tokens``,
at the better of two batch sizes; where lm-eval is not installed, what it does, rebuilt); the arithmetic that the items need at least, over the time
taken, as TFLOP/s and as a share of what a large matrix product reaches in the same process; peak memory above the
weights; how far log-likelihoods lie apart between ways and between sizes of batches, and how many answers that changes;
and whether an adapter of zeros changes nothing at all. Then training steps of LoRA of rank 32, 8 examples each: tokens a
second, the share of the limit by FLOPs, peak memory, of the engine and, where it is installed, of TRL: padded and
padding-free, with FlashAttention and Liger where those are installed.

Items are random tokens. What does not fit or fails is a line of the table. To cite a number, give the command, the
commit and the first lines. Written to standard output, and to $OUT/gpu-check.md where OUT is set.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

import numpy as np
import torch
import transformers
from flops import Weights, least_work, product_rate
from gpu_training import check_training
from material import RANK, fill_adapter
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from variants import harness_way

from crossgraft.adapters.engine.local import finished
from crossgraft.adapters.engine.requests import Request
from crossgraft.adapters.engine.scorer import Scorer
from crossgraft.adapters.spec.recipe import Recipe
from crossgraft.adapters.weights.lora import fresh_adapter
from crossgraft.core import Floats

try:
    from harness import Harness
except ImportError:  # lm-eval is not installed
    Harness = None  # type: ignore[assignment, misc]

T = TypeVar("T")

DTYPE = torch.bfloat16
WAYS = ("kept", "packed", "plain")
GIB = 2**30


@dataclass(frozen=True)
class Shape:
    """A Llama, and how many items it is asked."""

    name: str
    width: int
    layers: int
    heads: int
    kv_heads: int
    mlp: int
    tied: bool
    items: int
    vocabulary: int = 0

    def config(self) -> LlamaConfig:
        return LlamaConfig(
            vocab_size=self.vocabulary,
            hidden_size=self.width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            intermediate_size=self.mlp,
            tie_word_embeddings=self.tied,
            max_position_embeddings=8192,
            initializer_range=0.02,
            bos_token_id=None,
            eos_token_id=0,
            pad_token_id=None,
        )


SHAPES = (
    Shape("1B", 2048, 16, 32, 8, 8192, tied=True, items=512),
    Shape("8B", 4096, 32, 32, 8, 14336, tied=False, items=256),
)
VOCABULARIES = (128_256, 256_000)
TINY = (
    Shape("tiny", 64, 2, 8, 2, 128, tied=True, items=8),
    Shape("tiny, untied", 64, 2, 8, 2, 128, tied=False, items=8),
)
TINY_VOCABULARIES = (1_000, 2_000)


@dataclass
class Sheet:
    """Lines that are printed at once and kept, and the moment after which nothing new is begun."""

    until: float
    lines: list[str] = field(default_factory=list)

    def say(self, text: str = "") -> None:
        print(text, flush=True)
        self.lines.append(text)

    def row(self, *cells: str) -> None:
        self.say("| " + " | ".join(cells) + " |")

    def heads(self, *cells: str) -> None:
        self.say()
        self.row(*cells)
        self.say("|" + "---|" * len(cells))

    @property
    def late(self) -> bool:
        return time.monotonic() > self.until


# models and items


def random_model(shape: Shape, device: torch.device) -> Any:
    """Made where it is used, so that nothing large is written or moved."""
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(DTYPE)
    try:
        with device:
            model = LlamaForCausalLM(shape.config())
    finally:
        torch.set_default_dtype(before)
    return model.to(device).eval().requires_grad_(False)


def random_requests(kind: str, count: int, vocabulary: int) -> list[Request]:
    """Four options of 6 to 19 tokens after 60 to 140; few-shot: 370 tokens before all; letters: one token each after 165."""
    rng = np.random.default_rng(0)

    def drawn(size: int) -> tuple[int, ...]:
        return tuple(rng.integers(vocabulary, size=size).tolist())

    beginning = drawn(370) if kind == "few-shot" else ()
    letters = tuple((token,) for token in drawn(4))
    found = []
    for _ in range(max(4, count // 4) if kind == "few-shot" else count):
        context = beginning + drawn(int(rng.integers(60, 141)) + (65 if kind == "letters" else 0))
        options = letters if kind == "letters" else tuple(drawn(int(rng.integers(6, 20))) for _ in range(4))
        found.append(Request(context, options))
    return found


# measuring


@dataclass(frozen=True)
class Measured:
    """Seconds (the median of the repeats), the peak of memory above what lay there before, in bytes, and the numbers."""

    seconds: float
    peak: float
    loglik: Floats


def measured(run: Callable[[Sequence[Request]], Floats], requests: Sequence[Request], device: torch.device) -> Measured:
    """One short run to warm up, then up to three, fewer where they are long."""
    run(requests[: max(4, len(requests) // 8)])
    start = _reset_peak(device)
    times: list[float] = []
    while len(times) < 3 and sum(times) < 3:
        _wait(device)
        started = time.perf_counter()
        loglik = run(requests)
        _wait(device)
        times.append(time.perf_counter() - started)
    peak = torch.cuda.max_memory_allocated(device) - start if device.type == "cuda" else float("nan")
    return Measured(median(times), peak, loglik)


def _reset_peak(device: torch.device) -> int:
    if device.type != "cuda":
        return 0
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def attempt(sheet: Sheet, what: str, action: Callable[[], T]) -> T | None:
    """What fails is a line, not the end; None also when the time is up."""
    try:
        if not sheet.late:
            return action()
        sheet.row(what, "left out: the time is up")
    except Exception as error:
        lines = str(error).strip().splitlines()
        sheet.row(what, f"{type(error).__name__}: {lines[0][:150] if lines else ''}")
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


# what is checked


@dataclass(frozen=True)
class Checked:
    """A model with its adapter in it, and what everything is measured against."""

    sheet: Sheet
    shape: Shape
    model: Any
    device: torch.device
    rate: float  # FLOP/s of a large product

    def requests(self, kind: str) -> list[Request]:
        return random_requests(kind, self.shape.items, self.shape.vocabulary)

    def scorer(self, way: Any = "auto", tokens: int = 0) -> Scorer:
        return Scorer(self.model, way=way, tokens=tokens)


def run_of(scorer: Scorer) -> Callable[[Sequence[Request]], Floats]:
    return lambda requests: finished(scorer.score(requests)).loglik


def harness_run(model: Any, batch: int) -> Callable[[Sequence[Request]], Floats]:
    """The harness' own scoring of the same tokens, its tokenizer not used; without lm-eval, what it does, rebuilt."""
    if Harness is None:
        return lambda requests: harness_way(model, requests, batch)().reshape(len(requests), -1)
    words = Tokenizer(WordLevel({"a": 0}, unk_token="a"))
    lm = Harness(
        pretrained=model, tokenizer=PreTrainedTokenizerFast(tokenizer_object=words, eos_token="a"), batch_size=batch
    )

    def run(requests: Sequence[Request]) -> Floats:
        lm.asked = [(("", ""), list(one.context), list(option)) for one in requests for option in one.options]
        return lm.score(batch).reshape(len(requests), -1)

    return run


def check_self_test(checked: Checked) -> Scorer:
    """Which way is chosen, and what each of them differs by from one text at a time."""
    started = time.perf_counter()
    scorer = checked.scorer()
    took = time.perf_counter() - started
    checked.sheet.say(
        f"\nSelf-test: **{scorer.path.name}** is chosen ({took:.1f} s; noise {scorer.test.noise:.2g} nats; batches of "
        f"{scorer.tokens:,} tokens). By way:"
    )
    for way in WAYS:
        trial = checked.scorer(way).test.trials[0]
        checked.sheet.say(
            f"- {trial.path}: {'passes' if trial.passed else '**does not pass**'}, largest difference {trial.largest:.2g} nats, "
            f"mean {trial.mean:.2g} {trial.why}"
        )
    return scorer


def check_speed(checked: Checked, kind: str) -> None:
    """Items a second of every way, plain first because the others are compared with it, and of the harness."""
    requests = checked.requests(kind)
    tried = [
        attempt(checked.sheet, f"{kind}, {way}", lambda way=way: speed_of(checked, way, requests))
        for way in reversed(WAYS)
    ]
    tried += [
        attempt(checked.sheet, f"{kind}, rows of {rows}", lambda rows=rows: harness_speed(checked, rows, requests))
        for rows in (16, 64)
    ]
    show_speed(checked, f"{kind} ({len(requests)})", requests, dict(one for one in tried if one is not None))


def speed_of(checked: Checked, way: str, requests: Sequence[Request]) -> tuple[str, Measured]:
    """Named by the way that was really taken, with the tokens of a batch after whatever did not fit."""
    scorer = checked.scorer(way)
    found = measured(run_of(scorer), requests, checked.device)
    taken = way if scorer.path.name == way else f"{way} refused, so {scorer.path.name}"
    return f"{taken}, batches of {scorer.tokens:,} tokens", found


def harness_speed(checked: Checked, rows: int, requests: Sequence[Request]) -> tuple[str, Measured]:
    name = "harness" if Harness is not None else "harness' way, rebuilt"
    return f"{name}, rows of {rows}", measured(harness_run(checked.model, rows), requests, checked.device)


def show_speed(checked: Checked, kind: str, requests: Sequence[Request], found: dict[str, Measured]) -> None:
    weights = Weights.of(checked.model)
    flops = weights.flops(least_work(requests))
    harness = [one.seconds for name, one in found.items() if name.startswith("harness")]
    plain = next((one for name, one in found.items() if name.startswith("plain")), None)
    checked.sheet.heads(
        "items", "by", "items/s", "least TFLOP/s", "of a large product", "× harness", "peak GiB above weights",
        "Δ to plain: max (mean) nats", "other answers than plain",
    )  # fmt: skip
    for name, one in found.items():
        checked.sheet.row(
            kind,
            name,
            f"{len(requests) / one.seconds:.1f}",
            f"{flops / one.seconds / 1e12:.3g}",
            f"{flops / one.seconds / checked.rate:.1%}",
            f"{min(harness) / one.seconds:.2f}" if harness else "–",
            "–" if np.isnan(one.peak) else f"{one.peak / GIB:.2f}",
            *difference(one.loglik, plain),
        )
    limit = f"{weights.limit(requests):.2f}"
    checked.sheet.row(kind, "limit by FLOPs, against the harness", "", "", "", limit, "", "", "")


def difference(loglik: Floats, reference: Measured | None) -> tuple[str, str]:
    if reference is None:
        return "–", "–"
    apart = np.abs(loglik - reference.loglik)
    return f"{apart.max():.2g} ({apart.mean():.2g})", others(loglik, reference.loglik)


def others(loglik: Floats, reference: Floats) -> str:
    return f"{int((loglik.argmax(1) != reference.argmax(1)).sum())} of {len(loglik)}"


def check_batches(checked: Checked, scorer: Scorer) -> None:
    """What the size of batches does to numbers in half precision, and near-ties."""
    sheet = checked.sheet
    requests = checked.requests("zero-shot")
    reference = run_of(scorer)(requests)
    again = np.abs(run_of(scorer)(requests) - reference).max()
    sheet.heads(
        f"zero-shot, against batches of {scorer.tokens:,} tokens", "max abs Δ nats", "mean abs Δ", "to the bit the same",
        "other answers",
    )  # fmt: skip

    def compare(name: str, tokens: int, count: int) -> None:
        found = run_of(checked.scorer(scorer.path.name, tokens))(requests[:count])
        apart = np.abs(found - reference[:count])
        same = f"{(apart == 0).mean():.0%}"
        sheet.row(name, f"{apart.max():.2g}", f"{apart.mean():.2g}", same, others(found, reference[:count]))

    attempt(sheet, "8,192 tokens", lambda: compare("8,192 tokens", 8192, len(requests)))
    attempt(sheet, "1,024 tokens", lambda: compare("1,024 tokens", 1024, len(requests)))
    attempt(sheet, "one item", lambda: compare("one item", 1, 64))
    best = np.sort(reference, axis=1)
    margins = best[:, -1] - best[:, -2]
    sheet.say(
        f"\nThe same run again differs by {again:.2g} nats. Exact ties for the best option: {int((margins == 0).sum())} of "
        f"{len(margins)}; decided by less than the engine's noise: {int((margins < scorer.test.noise).sum())}; median margin "
        f"{np.median(margins):.2g} nats, median log-likelihood {np.median(reference):.0f}."
    )


def check_precision(checked: Checked, scorer: Scorer) -> None:
    """How far half precision is from float32: the same weights, copied."""
    requests = checked.requests("zero-shot")[:64]
    single = copy.deepcopy(checked.model).float()
    exact = run_of(Scorer(single, way="plain", tokens=8192))(requests)
    del single
    runs = {f"engine, {scorer.path.name}": run_of(scorer)}
    runs["harness" if Harness is not None else "harness' way, rebuilt"] = harness_run(checked.model, 16)
    checked.sheet.heads(
        "zero-shot, against float32", "max abs Δ nats", "mean abs Δ", "other answers", "ties for the best"
    )
    for name, run in runs.items():
        found = run(requests)
        apart = np.abs(found - exact)
        ties = int(((found == found.max(1, keepdims=True)).sum(1) > 1).sum())
        checked.sheet.row(name, f"{apart.max():.2g}", f"{apart.mean():.2g}", others(found, exact), str(ties))


def check_adapter(checked: Checked, wrapped: Any, scorer: Scorer) -> None:
    """What the adapter costs as PEFT loads it (float32 in a half-precision model), in the model's dtype, and switched off."""
    requests = checked.requests("zero-shot")
    run = run_of(scorer)
    weights = [weight for name, weight in wrapped.named_parameters() if "lora_" in name]
    kept = [weight.data for weight in weights]
    as_loaded = measured(run, requests, checked.device)
    with wrapped.disable_adapter():
        bare = measured(run, requests, checked.device)
    try:
        for weight in weights:
            weight.data = weight.data.to(DTYPE)
        in_half = measured(run, requests, checked.device)
    finally:
        for weight, data in zip(weights, kept, strict=True):
            weight.data = data
    checked.sheet.say(
        f"\nZero-shot by {scorer.path.name}, seconds: adapter as PEFT has it ({str(kept[0].dtype).removeprefix('torch.')}) "
        f"{as_loaded.seconds:.3g}, adapter in bfloat16 {in_half.seconds:.3g}, switched off {bare.seconds:.3g}. The adapter changes "
        f"log-likelihoods by up to {np.abs(as_loaded.loglik - bare.loglik).max():.2g} nats; its dtype by up to "
        f"{np.abs(as_loaded.loglik - in_half.loglik).max():.2g}."
    )


def check_zero_adapter(checked: Checked, wrapped: Any) -> None:
    """An untrained adapter, whose second half is zeros, against the same model with it switched off."""
    requests = checked.requests("zero-shot")[:64]
    run = run_of(checked.scorer())
    with_zeros = run(requests)
    with wrapped.disable_adapter():
        without = run(requests)
    apart = np.abs(with_zeros - without).max()
    told_so = "changes nothing at all" if apart == 0 else f"**changes log-likelihoods by up to {apart:.2g} nats**"
    checked.sheet.say(f"\nAn adapter of zeros {told_so} ({len(requests)} items).")


def check_time(checked: Checked, scorer: Scorer, kind: str) -> None:
    """Where the time goes: kernels by kind, and how long none ran."""
    requests = checked.requests(kind)[:128]
    run = run_of(scorer)
    run(requests)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        _wait(checked.device)
        started = time.perf_counter()
        run(requests)
        _wait(checked.device)
        wall = time.perf_counter() - started
    kernels = [(event.key, event.self_device_time_total / 1e6) for event in profile.key_averages()]
    parts: dict[str, float] = {}
    for name, seconds in kernels:
        parts[kind_of(name)] = parts.get(kind_of(name), 0.0) + seconds
    parts["no kernel runs"] = wall - sum(parts.values())
    shares = ", ".join(f"{part} {s / wall:.0%}" for part, s in sorted(parts.items(), key=lambda one: -one[1]))
    checked.sheet.say(
        f"\nWhere the time of {kind} goes ({wall:.2f} s, {len(requests)} items, by {scorer.path.name}): {shares}."
    )
    for name, seconds in sorted(kernels, key=lambda one: -one[1])[:8]:
        checked.sheet.say(f"- {seconds / wall:.1%} `{name[:110]}`")


def kind_of(kernel: str) -> str:
    """By the words in a kernel's name; products in float32 are those of an adapter kept in it."""
    name = kernel.lower()
    if any(word in name for word in ("fmha", "flash", "attention", "sdpa")):
        return "attention"
    if any(word in name for word in ("gemm", "nvjet", "cutlass", "cublas", "gemv", "splitk")):
        is_single = any(word in name for word in ("sgemm", "f32f32_f32f32", "s1688", "tf32", "simt"))
        return "float32 products" if is_single else "products"
    if "memcpy" in name or "memset" in name or "copy" in name:
        return "copies"
    return "element by element"


def check_model(sheet: Sheet, shape: Shape, device: torch.device, rate: float) -> None:
    sheet.say(f"\n## {shape.name}, V = {shape.vocabulary:,}")
    started = time.perf_counter()
    model = random_model(shape, device)
    weights = Weights.of(model)
    sheet.say(
        f"\n{weights.body / 1e9:.3g} G weights in the layers, {weights.head / 1e9:.3g} G in the head, made in "
        f"{time.perf_counter() - started:.0f} s."
    )
    checked = Checked(sheet, shape, model, device, rate)
    with fresh_adapter(model, Recipe(rank=RANK, alpha=2.0 * RANK), seed=0) as wrapped:
        wrapped.eval()
        attempt(sheet, "adapter of zeros", lambda: check_zero_adapter(checked, wrapped))
        fill_adapter(wrapped, seed=0)
        scorer = check_self_test(checked)
        for kind in ("zero-shot", "few-shot", "letters"):
            check_speed(checked, kind)
        attempt(sheet, "sizes of batches", lambda: check_batches(checked, scorer))
        attempt(sheet, "float32", lambda: check_precision(checked, scorer))
        attempt(sheet, "cost of the adapter", lambda: check_adapter(checked, wrapped, scorer))
        for kind in ("zero-shot", "few-shot") if device.type == "cuda" else ():
            attempt(sheet, f"profile of {kind}", lambda kind=kind: check_time(checked, scorer, kind))
    check_training(model, sheet, rate, partial(attempt, sheet))


def first_lines(sheet: Sheet, device: torch.device, rate: float) -> None:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    libraries = [f"torch {torch.__version__}", f"transformers {transformers.__version__}"]
    libraries.append(
        "lm-eval's HF backend for comparison"
        if Harness is not None
        else "lm-eval is not installed, so what it does is rebuilt from the engine's parts"
    )
    sheet.say("# The engine in bfloat16\n")
    sheet.say(f"`{' '.join(['python', *sys.argv])}`\n")
    sheet.say(f"{name}; {', '.join(libraries)}. A large matrix product reaches {rate / 1e12:.3g} TFLOP/s.")
    sheet.say(
        "\n“Least TFLOP/s” counts what the items need at least (every context once, the shared beginning once, the head only "
        "where an option's token is predicted; no attention), whatever the way really computes."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="tiny models, to see that it runs")
    parser.add_argument("--minutes", type=float, default=7.5, help="after so long nothing new is begun")
    asked = parser.parse_args()
    if asked.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit("gpu_check needs a GPU that PyTorch can use through CUDA; without one: --device cpu --tiny")
    if not asked.device.startswith("cuda") and not asked.tiny:
        sys.exit(f"models of this size are for a GPU; on {asked.device!r} add --tiny")
    device = torch.device(asked.device)
    warnings.simplefilter("ignore", FutureWarning)
    sheet = Sheet(time.monotonic() + 60 * asked.minutes)
    rate = product_rate(device, DTYPE, 512 if asked.tiny else 8192)
    first_lines(sheet, device, rate)
    vocabularies = TINY_VOCABULARIES if asked.tiny else VOCABULARIES
    for shape in TINY if asked.tiny else SHAPES:
        for vocabulary in vocabularies:
            this = replace(shape, vocabulary=vocabulary)
            attempt(
                sheet, f"{shape.name}, V = {vocabulary:,}", lambda this=this: check_model(sheet, this, device, rate)
            )
    if os.environ.get("OUT"):
        Path(os.environ["OUT"], "gpu-check.md").write_text("\n".join(sheet.lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
