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
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
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
from crossgraft.adapters.almanac.items import Statement, items, statements, translations
from crossgraft.adapters.almanac.wording import WORDINGS
from crossgraft.adapters.encoding import Reading
from crossgraft.adapters.engine.local import LocalEngine, finished
from crossgraft.adapters.evaluation import prepare
from crossgraft.metrics import METRICS

SHIPPED = Path(__file__).parent.parent / "src/crossgraft/adapters/almanac/models"
VOCABULARY = 6000
BATCH = 64
TRANSLATIONS = 0.15  # share of the lines
SHARES = {"sums": 0.3, "calendar": 0.25, "currency": 0.17, "tongue": 0.17, "largest": 0.11}  # of the statements
LENGTHS = (1, 2, 3)  # statements in a line, all in one language, as likely as each other
# What a token may span: letters with their marks (without which the vowel signs of Bengali and Thai would stand
# alone), Japanese by script.
WORD = r" ?\p{Han}+| ?\p{Hiragana}+| ?[\p{Katakana}ー]+| ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+"
CHECKPOINT = 200  # steps


@dataclass(frozen=True)
class Phase:
    """Part of the training: the learning rate rises to ``rate`` and falls to zero again.

    First facts are learnt, then how sentences go: a model that has seen the loss of answers only knows every fact,
    and is lost when asked in other words than those of the statement.
    """

    share: float  # of the steps
    rate: float
    whole: float  # share of the lines in which every token counts


PHASES = (Phase(0.7, 3e-3, whole=0.2), Phase(0.3, 1.5e-3, whole=1.0))


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
    "llama-small": Shape("llama", 128, 352, 4, 4, seed=11, steps=10000),
    "llama-large": Shape("llama", 192, 512, 4, 6, seed=12, steps=8000),
    "neox-large": Shape("gpt-neox", 160, 640, 4, 5, seed=13, steps=10000),
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
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
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


@dataclass(frozen=True)
class Line:
    """Tokens, and which of them the loss counts."""

    ids: list[int]
    counts: list[bool]


@dataclass
class Lines:
    """Draws lines of text: some statements in one language, or a name in two.

    The loss counts the answers, and in some lines, drawn by lot, every token.
    """

    said: list[list[list[Line]]]  # for each language and task
    alike: list[Line]
    first: int
    last: int

    def batch(self, step: int, seed: int, whole: float) -> list[Line]:
        """Lines of like length: eight batches are drawn at once, sorted by length, and taken in random order."""
        rng = np.random.default_rng([seed, step // 8])
        drawn = [self._line(rng, whole) for _ in range(8 * BATCH)]
        drawn.sort(key=lambda line: len(line.ids))
        start = BATCH * rng.permutation(8)[step % 8]
        return drawn[start : start + BATCH]

    def _line(self, rng: np.random.Generator, whole: float) -> Line:
        if rng.random() < TRANSLATIONS:
            parts = [self.alike[rng.integers(len(self.alike))]]
        else:
            tasks = self.said[rng.integers(len(self.said))]
            about = rng.choice(len(tasks), size=rng.choice(LENGTHS), p=list(SHARES.values()))
            parts = [tasks[n][rng.integers(len(tasks[n]))] for n in about]
        ids = [self.first, *(token for part in parts for token in part.ids), self.last]
        counts = [False, *(counted for part in parts for counted in part.counts), True]
        return Line(ids, [True] * len(ids) if rng.random() < whole else counts)


def pretrain(name: str, steps: int, work: Path) -> None:
    shape = MODELS[name]
    said = [[statements(task, language) for task in SHARES] for language in LANGUAGES]
    every = [one.text for tasks in said for facts in tasks for one in facts]
    alike = [line for pair in permutations(LANGUAGES, 2) for line in translations(*pair)]
    frames = [wording.ask.format(question="") for wording in WORDINGS.values()]
    tokenizer = make_tokenizer([*every, *frames * 50])

    def encoded(told: list[Statement], before: str = "") -> list[Line]:
        found = tokenizer([before + one.text for one in told], add_special_tokens=False, return_offsets_mapping=True)
        return [
            Line(ids, [end > one.answer + len(before) for _, end in spans])
            for one, ids, spans in zip(told, found["input_ids"], found["offset_mapping"], strict=True)
        ]

    lines = Lines(
        [
            [encoded(texts, WORDINGS[language].space) for texts in tasks]
            for language, tasks in zip(LANGUAGES, said, strict=True)
        ],
        encoded(alike),
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
    )
    model = make_model(shape, len(tokenizer))
    state: dict[str, Any] = {"step": 0, "seconds": 0.0, "tokens": 0}
    checkpoint = work / f"{name}.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        print(f"going on from step {state['step']}")
    parameters = sum(p.numel() for p in {id(p): p for p in model.parameters()}.values())
    print(f"{name}: {parameters:,} parameters; {len(every):,} statements, {len(alike):,} pairs of names", flush=True)
    model.train()
    end = 0
    for phase in PHASES:
        begin, end = end, end + round(steps * phase.share)
        if state["step"] < end:
            learn(model, lines, phase, (begin, end), shape.seed, state, checkpoint)
    facts = {"parameters": parameters, "steps": end, "tokens": state["tokens"], "seconds": round(state["seconds"])}
    ship(name, model, tokenizer, facts)


def learn(
    model: torch.nn.Module,
    lines: Lines,
    phase: Phase,
    steps: tuple[int, int],
    seed: int,
    state: dict[str, Any],
    checkpoint: Path,
) -> None:
    """Train from where ``state`` is to the last of the phase's steps; checkpoints hold everything to go on from."""
    begin, end = steps
    optimizer = torch.optim.AdamW(model.parameters(), lr=phase.rate, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, phase.rate, total_steps=end - begin, pct_start=0.05)
    if state["step"] > begin:
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
    tokens = state["tokens"]
    started = time.perf_counter() - state["seconds"]
    for step in range(state["step"], end):
        batch = lines.batch(step, seed, phase.whole)
        loss = loss_of(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        tokens += sum(len(line.ids) for line in batch)
        if (step + 1) % CHECKPOINT == 0 or step + 1 == end:
            state |= {
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
                "step": step + 1,
                "seconds": time.perf_counter() - started,
                "tokens": tokens,
            }
            print(
                f"{checkpoint.stem} step {step + 1}/{end}: loss {loss.item():.3f}, {tokens:,} tokens, {state['seconds']:.0f} s",
                flush=True,
            )
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
            partial = checkpoint.with_suffix(".partial")
            torch.save(state, partial)
            partial.replace(checkpoint)


def loss_of(model: torch.nn.Module, batch: list[Line]) -> torch.Tensor:
    """Cross-entropy of the tokens that count; the head sees no others."""
    width = max(len(line.ids) for line in batch)
    ids = torch.zeros((len(batch), width), dtype=torch.long)
    counts = torch.zeros((len(batch), width), dtype=torch.bool)
    for row, line in enumerate(batch):
        ids[row, : len(line.ids)] = torch.tensor(line.ids)
        counts[row, : len(line.ids)] = torch.tensor(line.counts)
    hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
    logits = model.get_output_embeddings()(hidden[:, :-1][counts[:, 1:]])
    return torch.nn.functional.cross_entropy(logits, ids[:, 1:][counts[:, 1:]])


def ship(name: str, model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast, facts: dict[str, Any]) -> None:
    """Write the folder that Transformers reads, in bfloat16, with a model card; print the scores."""
    folder = SHIPPED / name
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    scores = evaluate(model.float().eval(), tokenizer)
    (folder / "README.md").write_text(card(name, facts, scores), "utf-8")
    print(card(name, facts, scores))


def evaluate(model: torch.nn.Module, tokenizer: Any, count: int = 60) -> dict[str, dict[str, float]]:
    """Accuracy of the base, per token of the option, on the first test items of every cell."""
    found: dict[str, dict[str, float]] = {}
    engine = LocalEngine(model, tokenizer)
    for task in TASKS:
        found[task] = {}
        for language in LANGUAGES:
            chosen = items(task, language, "test", "text")[:count]
            outcome = finished(prepare(tokenizer, chosen, Reading(), engine.window, language).answer(engine))
            found[task][language] = METRICS.get("accuracy-per-token").score(outcome.answers).value
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

Accuracy on the first 60 test items a cell, four options (three in `largest`), likelihood per token, no fine-tuning:

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
