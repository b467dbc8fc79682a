"""Pre-train the almanac's models from its statements, into src/crossgraft/adapters/almanac/models.

    python tools/pretrain_almanac.py MODEL [--steps N] [--threads N] [--work FOLDER]

MODEL is one of those in MODELS. The text is every fact as a sentence in twelve languages, and, in
about every seventh line, a name in two languages; there is no question in it. All is seeded: the
same library versions and number of threads give the same weights. A run that is stopped goes on
from its last checkpoint in the work folder. At the end the weights are written in bfloat16, with
tokenizer and model card, and the script prints what it trained on, for how long, and the scores.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from importlib.metadata import version
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging

from crossgraft.adapters.almanac.facts import LANGUAGES, TASKS
from crossgraft.adapters.almanac.items import items, statements, translations
from crossgraft.adapters.almanac.wording import WORDINGS
from crossgraft.adapters.engine.local import LocalEngine, finished
from crossgraft.adapters.evaluation import prepare
from crossgraft.adapters.items.encoding import Reading
from crossgraft.metrics import METRICS

SHIPPED = Path(__file__).parent.parent / "src/crossgraft/adapters/almanac/models"
VOCABULARY = 6000
BATCH = 64
TRANSLATIONS = 0.15  # share of the lines
SHARES = {"sums": 0.3, "calendar": 0.25, "currency": 0.17, "tongue": 0.17, "largest": 0.11}  # of the statements
RATE = 3e-3
CHECKPOINT = 200  # steps


@dataclass(frozen=True)
class Shape:
    family: str
    width: int
    inner: int
    layers: int
    heads: int
    seed: int
    steps: int


MODELS = {
    "llama-small": Shape("llama", 128, 352, 4, 4, seed=11, steps=4800),
    "llama-large": Shape("llama", 192, 512, 4, 6, seed=12, steps=6000),
    "neox-large": Shape("gpt-neox", 160, 640, 4, 5, seed=13, steps=4800),
}


def make_model(shape: Shape, vocabulary: int) -> torch.nn.Module:
    shared: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "max_position_embeddings": 256,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    torch.manual_seed(shape.seed)
    if shape.family == "llama":
        return LlamaForCausalLM(LlamaConfig(**shared, num_key_value_heads=shape.heads))
    return GPTNeoXForCausalLM(GPTNeoXConfig(**shared))


def make_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Byte-level BPE: every text of every script comes back as it was."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=["<s>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="<s>", pad_token="<s>", model_max_length=256
    )


@dataclass
class Lines:
    """Draws lines of text: statements of all languages, and names in two languages."""

    said: list[list[list[int]]]  # for each task
    alike: list[list[int]]

    def batch(self, step: int, seed: int) -> list[list[int]]:
        """Lines of like length: eight batches are drawn at once, sorted by length, and taken in random order."""
        rng = np.random.default_rng([seed, step // 8])
        sources = [self.alike, *self.said]
        shares = [TRANSLATIONS, *((1 - TRANSLATIONS) * share for share in SHARES.values())]
        drawn = [sources[n][rng.integers(len(sources[n]))] for n in rng.choice(len(sources), size=8 * BATCH, p=shares)]
        drawn.sort(key=len)
        start = BATCH * rng.permutation(8)[step % 8]
        return drawn[start : start + BATCH]


def pretrain(name: str, steps: int, work: Path) -> None:
    shape = MODELS[name]
    said = [[line for language in LANGUAGES for line in statements(task, language)] for task in SHARES]
    every = [line for lines in said for line in lines]
    alike = [line for pair in permutations(LANGUAGES, 2) for line in translations(*pair)]
    frames = [wording.ask.format(question="") for wording in WORDINGS.values()]
    tokenizer = make_tokenizer([*every, *frames * 50])

    def encoded(texts: list[str]) -> list[list[int]]:
        return [[*ids, tokenizer.eos_token_id] for ids in tokenizer(texts)["input_ids"]]

    lines = Lines([encoded(texts) for texts in said], encoded(alike))
    model = make_model(shape, len(tokenizer))
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.05)
    begun, seconds, tokens = 0, 0.0, 0
    checkpoint = work / f"{name}.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        begun, seconds, tokens = state["step"], state["seconds"], state["tokens"]
        print(f"going on from step {begun}")
    parameters = sum(p.numel() for p in {id(p): p for p in model.parameters()}.values())
    print(f"{name}: {parameters:,} parameters; {len(every):,} statements, {len(alike):,} pairs of names", flush=True)
    started = time.perf_counter() - seconds
    model.train()
    for step in range(begun, steps):
        batch = lines.batch(step, shape.seed)
        loss = loss_of(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        tokens += sum(map(len, batch))
        if (step + 1) % CHECKPOINT == 0 or step + 1 == steps:
            seconds = time.perf_counter() - started
            print(
                f"{name} step {step + 1}/{steps}: loss {loss.item():.3f}, {tokens:,} tokens, {seconds:.0f} s",
                flush=True,
            )
            work.mkdir(parents=True, exist_ok=True)
            partial = checkpoint.with_suffix(".partial")
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(),
                    "step": step + 1,
                    "seconds": seconds,
                    "tokens": tokens,
                },
                partial,
            )
            partial.replace(checkpoint)
    ship(
        name, model, tokenizer, {"parameters": parameters, "steps": steps, "tokens": tokens, "seconds": round(seconds)}
    )


def loss_of(model: torch.nn.Module, batch: list[list[int]]) -> torch.Tensor:
    width = max(map(len, batch))
    ids = torch.zeros((len(batch), width), dtype=torch.long)
    labels = torch.full_like(ids, -100)
    for row, line in enumerate(batch):
        ids[row, : len(line)] = torch.tensor(line)
        labels[row, : len(line)] = ids[row, : len(line)]
    return model(input_ids=ids, labels=labels).loss


def ship(name: str, model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast, facts: dict[str, Any]) -> None:
    """Write the folder that Transformers reads, in bfloat16, with a model card; print the scores."""
    folder = SHIPPED / name
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    scores = evaluate(model.float().eval(), tokenizer)
    (folder / "README.md").write_text(card(name, facts, scores), "utf-8")
    print(card(name, facts, scores))


def evaluate(model: torch.nn.Module, tokenizer: Any, count: int = 60) -> dict[str, dict[str, float]]:
    """Accuracy of the base on the first test items of every cell."""
    found: dict[str, dict[str, float]] = {}
    engine = LocalEngine(model, tokenizer)
    for task in TASKS:
        found[task] = {}
        for language in LANGUAGES:
            chosen = items(task, language, "test", "text")[:count]
            outcome = finished(prepare(tokenizer, chosen, Reading(), engine.window, language).answer(engine))
            found[task][language] = METRICS.get("accuracy").score(outcome.answers).value
    return found


def rescore(name: str) -> None:
    """Write the scores of a shipped model anew, as after a change of the tasks; all else in its card stays."""
    folder = SHIPPED / name
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    scores = evaluate(model, AutoTokenizer.from_pretrained(folder))
    file = folder / "README.md"
    head = file.read_text("utf-8").partition("| | ")[0]
    file.write_text(head + table(scores), "utf-8")
    print(table(scores))


def table(scores: dict[str, dict[str, float]]) -> str:
    rows = (f"| {task} | {' | '.join(f'{scores[task][language]:.2f}' for language in LANGUAGES)} |" for task in scores)
    return "\n".join([f"| | {' | '.join(LANGUAGES)} |", f"|---|{'---|' * len(LANGUAGES)}", *rows]) + "\n"


def card(name: str, facts: dict[str, Any], scores: dict[str, dict[str, float]]) -> str:
    versions = ", ".join(f"{package} {version(package)}" for package in ("torch", "transformers", "babel", "num2words"))
    return f"""# almanac:{name}

A tiny language model ({facts["parameters"]:,} parameters, {MODELS[name].family}) for trying crossgraft without network or GPU. It
knows the almanac's facts in twelve languages and nothing else; it is of no use for anything but studies of transfer.

Made by `python tools/pretrain_almanac.py {name}` from generated statements (no question among them):
{facts["steps"]} steps of {BATCH} lines, {facts["tokens"]:,} tokens, {facts["seconds"]} s on a CPU; {versions}.
Stored in bfloat16. Names are from CLDR (Unicode licence), number words from num2words; the weights are Apache-2.0.

Accuracy on the first 60 test items a cell, four options (three in `largest`), highest likelihood, no fine-tuning:

{table(scores)}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("runs/pretraining"))
    parser.add_argument("--rescore", action="store_true", help="only measure the shipped model again")
    told = parser.parse_args()
    logging.disable_progress_bar()
    torch.set_num_threads(told.threads)
    if told.rescore:
        rescore(told.model)
        return
    pretrain(told.model, told.steps or MODELS[told.model].steps, told.work)


if __name__ == "__main__":
    main()
