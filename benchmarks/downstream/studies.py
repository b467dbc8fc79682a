"""The parts of downstream_pairs.py, each a study, as the TOML of its spec."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

LANGUAGES = ("en", "de", "fr", "ru", "tr", "it", "hr", "fi")  # a pair has the first as its source
XNLI = ("en", "de", "fr", "ru", "tr")
XQUAD = ("en", "de", "ru", "tr")
QUICK = (
    "least-squares", "procrustes", "cca", "cca:released", "proc-b", "dlv", "fipp", "rcsls", "vecmap:supervised",
)  # fmt: skip
SLOW = ("c1", "vecmap:unsupervised", "muse", "icp", "gromov-wasserstein:refined")
SETTINGS = {  # less than the authors' settings, for one core
    "dlv": "{ search = 2000, rounds = 10 }",
    "vecmap:unsupervised": "{ cutoff = 3000 }",
    "c1": "{ steps = 20, negatives = 60 }",
    "gromov-wasserstein:refined": "{ words = 1000, more_words = 3000 }",
    "icp": "{ words = 2000, more_words = 3000, restarts = 20 }",
    "muse": (
        "{ epochs = 3, samples = 64_000, frequent = 6000, rate = 0.2, judged = 3000, paired = 6000, "
        "game = { hidden = 128, guesses = 1, beta = 0.05 } }"
    ),
}


def pairs_of(languages: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{source}:{target}" for source, target in combinations(languages, 2))


FROM_ENGLISH = tuple(f"en:{target}" for target in LANGUAGES[1:])
INFERENCE = tuple(f"en:{target}" for target in XNLI[1:])  # the paper's pairs of XNLI


@dataclass(frozen=True)
class Task:
    """A table of ``[tasks]``, without its name; {data} and {texts} stand for folders."""

    table: str
    languages: tuple[str, ...] = LANGUAGES  # of its data

    def covers(self, pair: str) -> bool:
        return set(pair.split(":")) <= set(self.languages)


def labelled(data_set: str, kind: str, *settings: str) -> str:
    """A task whose training, dev and test texts are in one file of each language."""
    file = f'"{{data}}/tasks/{data_set}/{{language}}.jsonl.gz"'
    files = [f"{split} = {file}" for split in ("train", "dev", "test")]
    return "\n".join([f'kind = "{kind}"', *files, 'split_field = "split"', *settings])


def collection(topics: str, documents: str, qrels: str, *settings: str) -> str:
    files = [f'topics = "{topics}"', f'documents = "{documents}"', f'qrels = "{qrels}"']
    return "\n".join(['kind = "clir"', *files, *settings])


TASKS = {
    "bli": Task('test = "{data}/bli/wiktionary/{pair}.test.tsv"'),
    "premises": Task(
        collection("{texts}/premises.{language}.tsv", "{texts}/premises.{language}.tsv", "{texts}/premises.qrels.txt"),
        XNLI,
    ),
    "xquad": Task(
        collection(
            "{texts}/xquad.queries.{language}.tsv",
            "{data}/retrieval/xquad/docs.{language}.tsv.gz",
            "{data}/retrieval/xquad/qrels.txt",
            "transductive = true",
        ),
        XQUAD,
    ),
    "ntrex": Task(
        collection(
            "{data}/retrieval/ntrex/queries.{language}.tsv",
            "{data}/retrieval/ntrex/docs.{language}.tsv.gz",
            "{data}/retrieval/ntrex/qrels.txt",
            "transductive = true",
        )
    ),
    "sib200": Task(labelled("sib200", "cldc", "transductive = true")),
    "sib200-cnn": Task(
        labelled(
            "sib200",
            "cldc",
            "transductive = true",
            'model = "cnn"',
            "cnn = { training = { epochs = 40, patience = 10, rate = 5e-3 } }",  # the best of three on English dev texts
        )
    ),
    "xnli": Task(
        labelled("xnli", "nli", "decomposable = { hidden = 50, training = { epochs = 5, patience = 2, batch = 64 } }"),
        XNLI,
    ),
    "xnli-esim": Task(
        labelled(
            "xnli",
            "nli",
            'model = "esim"',
            "esim = { hidden = 50, dropout = 0.2, training = { epochs = 20, patience = 8, rate = 2e-3 } }",
        ),
        XNLI,
    ),
}
LIGHT = ("bli", "premises", "xquad", "ntrex", "sib200")


@dataclass(frozen=True)
class Part:
    """A study: its pairs, methods and tasks; ``lexicon`` is the training dictionary."""

    pairs: tuple[str, ...]
    methods: tuple[str, ...] = QUICK
    tasks: tuple[str, ...] = LIGHT
    sizes: tuple[int, ...] = (0,)
    shuffled: tuple[str, ...] = ()
    lexicon: str = "{data}/bli/wiktionary/{pair}.train.tsv"

    def among(self, pairs: Sequence[str]) -> tuple[str, ...]:
        """Its pairs, or those of them that are asked for."""
        return tuple(pair for pair in self.pairs if not pairs or pair in pairs)


NETWORKS = ("sib200", "sib200-cnn", "xnli", "xnli-esim")
PARTS = {
    "sizes": Part(FROM_ENGLISH, sizes=(1000, 0)),
    "xnli": Part(INFERENCE, tasks=(*LIGHT, "xnli"), shuffled=("procrustes",)),
    "pairs": Part(pairs_of(LANGUAGES)),
    "methods": Part(INFERENCE, (*QUICK, *SLOW), (*LIGHT, "xnli"), shuffled=("procrustes",)),
    "networks": Part(
        INFERENCE, ("procrustes", "rcsls", "vecmap:supervised"), ("bli", *NETWORKS), shuffled=("procrustes",)
    ),
    "monolingual": Part(("en:en",), ("procrustes",), NETWORKS, lexicon="identical"),
}


def spec(part: str, data: Path, texts: Path, *, pairs: Sequence[str] = (), top: int = 5000) -> str:
    """A part as a study, on all its pairs or some of them, with so many words of each language."""
    study = PARTS[part]
    chosen = study.among(pairs)
    tasks = [table for name in study.tasks if (table := task_table(name, chosen))]
    tables = [head(part, study, chosen, top), methods(study), *tasks]
    return "\n".join(tables).replace("{data}", str(data)).replace("{texts}", str(texts))


def head(name: str, study: Part, pairs: Sequence[str], top: int) -> str:
    return f"""study = "embeddings"
name = "downstream-{name}"
seeds = [1, 2, 3]

[spaces]
files = "{{data}}/vectors/{{language}}.vec.gz"
languages = {json.dumps(LANGUAGES)}
case = "lower"
top = {top}

[pairs]
use = {json.dumps(pairs)}

[lexicon]
train = "{study.lexicon}"
sizes = {json.dumps(study.sizes)}
"""


def methods(study: Part) -> str:
    settings = [f'"{name}" = {value}' for name, value in SETTINGS.items() if name in study.methods]
    lines = ["[methods]", f"use = {json.dumps(study.methods)}", f"shuffled = {json.dumps(study.shuffled)}"]
    return "\n".join([*lines, *(["", "[methods.settings]", *settings] if settings else []), ""])


def task_table(name: str, pairs: Sequence[str]) -> str:
    """The table of a task, with its pairs where its data do not cover all; nothing where they cover none."""
    covered = [pair for pair in pairs if TASKS[name].covers(pair)]
    named = [] if len(covered) == len(pairs) else [f"pairs = {json.dumps(covered)}"]
    return "\n".join([f"[tasks.{name}]", TASKS[name].table, *named, ""]) if covered else ""
