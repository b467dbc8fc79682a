"""Make the demo's data: planted word spaces, number tasks in three languages, and a tiny model.

    python examples/make_demo.py FOLDER

The spaces are rotations of one another with noise, so that the right answer is known. The
language model is a two-layer Llama that is trained here, for about a minute, on statements about
numbers ("three plus four is seven .") in English, German and French; the tasks ask for them.
"""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path

import numpy as np

NUMBERS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn zwanzig",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf vingt",
}
STATEMENTS = {  # sum, comparison
    "en": ("{a} plus {b} is {c} .", "of {a} and {b} the larger is {c} ."),
    "de": ("{a} plus {b} ist {c} .", "von {a} und {b} ist größer {c} ."),
    "fr": ("{a} plus {b} font {c} .", "de {a} et {b} le plus grand est {c} ."),
}
QUESTIONS = {
    "en": ("question : what is {a} plus {b} ? answer :", "question : which is larger , {a} or {b} ? answer :"),
    "de": ("frage : was ist {a} plus {b} ? antwort :", "frage : was ist größer , {a} oder {b} ? antwort :"),
    "fr": (
        "question : combien font {a} plus {b} ? réponse :",
        "question : lequel est plus grand , {a} ou {b} ? réponse :",
    ),
}

ADAPTERS = """\
study = "adapters"
name = "demo-adapters"
seeds = [1, 2]

[models]
tiny = { path = "model", family = "llama", billions = 0.0003 }

[tasks.sums]
files = "tasks/sums.{language}.jsonl"
languages = ["en", "de", "fr"]
prompt = "{question}"

[tasks.larger]
files = "tasks/larger.{language}.jsonl"
languages = ["en", "de", "fr"]
prompt = "{question}"

[grid]
sources = ["sums/de", "larger/fr"]
targets = ["*"]
test_items = 60
base_repeats = 2

[recipe]
rank = 8
alpha = 16
learning_rate = 2e-3
epochs = 4
"""

EMBEDDINGS = """\
study = "embeddings"
name = "demo-embeddings"

[spaces]
files = "spaces/{language}.vec"
languages = ["de", "en", "fi", "hr"]

[pairs]
all = true

[lexicon]
train = "spaces/{pair}.train.tsv"
sizes = [50, 400]

[methods]
use = ["procrustes"]

[tasks.bli]
test = "spaces/{pair}.test.tsv"
"""


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapters.toml").write_text(ADAPTERS, "utf-8")
    (folder / "embeddings.toml").write_text(EMBEDDINGS, "utf-8")
    make_spaces(folder / "spaces")
    make_tasks(folder / "tasks")
    if not (folder / "model" / "model.safetensors").exists():
        train_model(folder / "model")


def make_spaces(folder: Path, words: int = 1000, width: int = 40) -> None:
    """Rotations of one space; Finnish gets more noise than the others, so its pairs are harder."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(words, width))
    noise = {"de": 0.4, "en": 0.4, "fi": 0.9, "hr": 0.5}
    for language, spread in noise.items():
        rotation, _ = np.linalg.qr(rng.normal(size=(width, width)))
        vectors = (shared + spread * rng.normal(size=shared.shape)) @ rotation
        rows = [f"{language}-{n} {' '.join(f'{value:.4f}' for value in row)}\n" for n, row in enumerate(vectors)]
        (folder / f"{language}.vec").write_text(f"{words} {width}\n{''.join(rows)}", "utf-8")
    order = rng.permutation(words)
    for source, target in product(noise, noise):
        if source < target:
            pairs = [f"{source}-{n}\t{target}-{n}\n" for n in order]
            (folder / f"{source}-{target}.train.tsv").write_text("".join(pairs[:400]), "utf-8")
            (folder / f"{source}-{target}.test.tsv").write_text("".join(pairs[400:700]), "utf-8")


def make_tasks(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for language, names in NUMBERS.items():
        words = names.split()
        for task, rows in (("sums", sums(words)), ("larger", comparisons(words))):
            question = QUESTIONS[language][task == "larger"]
            with (folder / f"{task}.{language}.jsonl").open("w", encoding="utf-8") as stream:
                for a, b, options in rows:
                    item = {"id": f"{a}-{b}", "question": question.format(a=words[a], b=words[b]), **options}
                    stream.write(json.dumps(item, ensure_ascii=False) + "\n")


def sums(words: list[str]) -> list[tuple[int, int, dict[str, object]]]:
    rng = np.random.default_rng(2)
    found = []
    for a, b in product(range(11), repeat=2):
        near = [n for n in range(max(0, a + b - 4), min(20, a + b + 4) + 1) if n != a + b]
        options = [a + b, *rng.choice(near, size=3, replace=False)]
        order = rng.permutation(4)
        found.append((a, b, {"options": [words[options[place]] for place in order], "answer": int(np.argmin(order))}))
    return found


def comparisons(words: list[str]) -> list[tuple[int, int, dict[str, object]]]:
    return [
        (a, b, {"options": [words[a], words[b]], "answer": int(b > a)})
        for a, b in product(range(21), repeat=2)
        if a != b
    ]


def statements() -> list[str]:
    found = []
    for language, names in NUMBERS.items():
        words = names.split()
        plus, larger = STATEMENTS[language]
        found += [plus.format(a=words[a], b=words[b], c=words[a + b]) for a, b in product(range(11), repeat=2)]
        pairs = product(range(21), repeat=2)
        found += [larger.format(a=words[a], b=words[b], c=words[max(a, b)]) for a, b in pairs if a != b]
    return found


def train_model(folder: Path, steps: int = 900) -> None:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    texts = statements()
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    everything = [*texts, *(question for pair in QUESTIONS.values() for question in pair)]
    backend.train_from_iterator(
        everything,
        trainers.BpeTrainer(
            vocab_size=600,
            special_tokens=["<s>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="<s>", pad_token="<s>")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=backend.get_vocab_size(),
        hidden_size=96,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=128,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = LlamaForCausalLM(config)
    ids = [torch.tensor(tokenizer(text)["input_ids"]) for text in texts]
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    order = np.random.default_rng(3)
    for step in range(1, steps + 1):
        batch = [ids[n] for n in order.integers(len(ids), size=64)]
        padded = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True, padding_value=0)
        lengths = torch.tensor([len(one) for one in batch])
        labels = padded.masked_fill(torch.arange(padded.shape[1]) >= lengths[:, None], -100)
        loss = model(input_ids=padded, labels=labels).loss
        loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % 150 == 0:
            print(f"pre-training step {step} of {steps}: loss {loss.item():.3f}", flush=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/demo"))
