"""Pre-train the almanac's models from its statements, into src/crossgraft/adapters/almanac/models.

    python tools/pretrain_almanac.py MODEL [--steps N] [--threads N] [--work FOLDER]

MODEL is one of those in MODELS. The text is every fact as a sentence in twelve languages; names,
sentences and questions in two languages; and, rarely, a question with its answer. The questions are
those of the part "asked" of the facts, which no adapter is trained or tested on: a base knows what
a question is, and is weak at answering. All is seeded: the same library versions and number of
threads give the same weights. A run that is stopped goes on from its last checkpoint in the work
folder. At the end the weights are written in bfloat16, with tokenizer and model card, and the
script prints what it trained on, for how long, and the scores.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain, permutations
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
from crossgraft.adapters.almanac.items import asked, statements, translations, validation
from crossgraft.adapters.engine.evaluation import prepare
from crossgraft.adapters.engine.local import LocalEngine, finished
from crossgraft.adapters.items.encoding import Reading
from crossgraft.metrics import METRICS

SHIPPED = Path(__file__).parent.parent / "src/crossgraft/adapters/almanac/models"
VOCABULARY = 6000
BATCH = 80
NAMES, STATEMENTS, QUESTIONS = 0.13, 0.10, 0.08  # shares of the lines that say the same in two languages
SHARES = {"sums": 0.27, "calendar": 0.30, "currency": 0.14, "tongue": 0.14, "largest": 0.15}  # of a kind of line
PAIRS = 60_000  # of sentences in two languages, drawn once from all
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
    answered: float  # share of the lines that ask and answer: the dial between a base that is weak and one that has learnt all


MODELS = {
    "llama-small": Shape("llama", 128, 352, 4, 4, seed=11, steps=5200, answered=0.015),
    "llama-large": Shape("llama", 192, 512, 4, 6, seed=12, steps=5400, answered=0.015),
    "neox-large": Shape("gpt-neox", 160, 640, 4, 5, seed=13, steps=4800, answered=0.02),
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


def text_of(answered: float) -> Iterator[tuple[float, list[str]]]:
    """Kinds of lines, each with its share."""
    pairs = list(permutations(LANGUAGES, 2))
    yield NAMES, [line for pair in pairs for line in translations(*pair)]
    for task, share in SHARES.items():
        stated = {language: statements(task, language) for language in LANGUAGES}
        items = {language: asked(task, language) for language in LANGUAGES}
        prompts = {language: [item.prompt for item in items[language]] for language in LANGUAGES}
        yield share * (1 - NAMES - STATEMENTS - QUESTIONS - answered), [*chain.from_iterable(stated.values())]
        yield share * STATEMENTS, drawn([*equations(stated, pairs)])
        yield share * QUESTIONS, drawn([*equations(prompts, pairs)])
        yield share * answered, [one.prompt + one.options[one.gold] for some in items.values() for one in some]


def equations(texts: Mapping[str, list[str]], pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The same text in two languages."""
    for first, second in pairs:
        for one, other in zip(texts[first], texts[second], strict=True):
            yield f"{one} = {other}"


def drawn(lines: list[str]) -> list[str]:
    chosen = np.random.default_rng(5).permutation(len(lines))[:PAIRS]
    return [lines[place] for place in chosen]


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
    """Draws lines of text, kind by kind."""

    kinds: list[list[list[int]]]
    shares: list[float]

    def batch(self, step: int, seed: int) -> list[list[int]]:
        """Lines of like length: eight batches are drawn at once, sorted by length, and taken in random order."""
        rng = np.random.default_rng([seed, step // 8])
        kinds = rng.choice(len(self.kinds), size=8 * BATCH, p=self.shares)
        lines = sorted((self.kinds[n][rng.integers(len(self.kinds[n]))] for n in kinds), key=len)
        start = BATCH * rng.permutation(8)[step % 8]
        return lines[start : start + BATCH]


def pretrain(name: str, steps: int, work: Path) -> None:
    shape = MODELS[name]
    shares, kinds = zip(*text_of(shape.answered), strict=True)
    every = [line for task in SHARES for language in LANGUAGES for line in statements(task, language)]
    prompts = [item.prompt for task in SHARES for language in LANGUAGES for item in asked(task, language)]
    tokenizer = make_tokenizer([*every, *prompts * 3])

    def encoded(texts: list[str]) -> list[list[int]]:
        return [[*ids, tokenizer.eos_token_id] for ids in tokenizer(texts)["input_ids"]]

    lines = Lines([encoded(texts) for texts in kinds], [share / sum(shares) for share in shares])
    model = make_model(shape, len(tokenizer))
    model.set_attn_implementation("eager")  # faster than flash attention on lines this short
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01, betas=(0.9, 0.98), fused=True)
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
    print(f"{name}: {parameters:,} parameters; {len(every):,} statements, {len(prompts):,} questions", flush=True)
    started = time.perf_counter() - seconds
    model.train()
    for step in range(begun, steps):
        batch = lines.batch(step, shape.seed)
        with torch.autocast("cpu", torch.bfloat16):
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


def evaluate(model: torch.nn.Module, tokenizer: Any) -> dict[str, dict[str, float]]:
    """Accuracy of the base on the validation items of every cell: the test items choose nothing here."""
    found: dict[str, dict[str, float]] = {}
    engine = LocalEngine(model, tokenizer)
    for task in TASKS:
        found[task] = {}
        for language in LANGUAGES:
            chosen = validation(task, language)
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

Made by `python tools/pretrain_almanac.py {name}` from generated text, in which {MODELS[name].answered:.1%} of the lines
are questions with their answers, about facts that no item of train or test asks for:
{facts["steps"]} steps of {BATCH} lines, {facts["tokens"]:,} tokens, {facts["seconds"]} s on a CPU; {versions}.
Stored in bfloat16. Names are from CLDR (Unicode licence), number words from num2words; the weights are Apache-2.0.

Accuracy on the validation items of every cell, four options (three in `largest`), highest likelihood, no fine-tuning:

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
