"""Feed every reader of user input with damaged files: each must end in a value or in one of our errors.

python tools/fuzz.py [--count 1000] [--first 0] [--seconds 500] [READER …]
python tools/fuzz.py --show READER SEED   (writes the input to a folder, and reads it with its traceback)
python tools/fuzz.py --guided READER [--count 1000] [--seconds 500]   (by coverage; needs: pip install atheris)

An input is a small valid one with flipped bits, cut ends, spliced parts, hostile words and numbers; its seed makes it
again. A process of its own reads a batch, with 1 GiB of memory above what it needs for good input and ten seconds of
processor time an input. Printed are a count for every reader and every distinct failure with its seed; the exit code is 1 if there is one.
"""

from __future__ import annotations

import argparse
import faulthandler
import gzip
import io
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq

from crossgraft.errors import CrossgraftError, MissingExtra
from crossgraft.study import Origin

MEMORY = 1 << 30  # bytes above what good input takes
SECONDS = 10  # of processor time, an input
PATIENCE = 90  # seconds by the clock, where nothing is computed
BATCH = 250  # inputs a process

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Case:
    """Good files, those of them that are damaged, and how they are read."""

    files: Files
    damaged: tuple[str, ...]
    read: Callable[[Path], object]


class Hang(BaseException):
    """An input took too long; no reader catches it."""


# good input


ROWS = b"".join(
    json.dumps({"id": f"x{n}", "text": f"Is {n} small?", "options": ["yes", "no"], "answer": n % 2}).encode() + b"\n"
    for n in range(6)
)
TALKS = b"".join(
    json.dumps(
        {"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": "yes"}], "answer": ["a"]}
    ).encode()
    + b"\n"
    for n in range(4)
)
TEXT = "Ein Absatz.\n\nNoch einer, länger.\n\nEin dritter.\n".encode()
SCORES = (
    b"model,source,target,score,base,change,sd,seeds,n,billions\n"
    b"m,a/en,a/de,0.61,0.55,6.0,1.2,3,100,0.5\nm,a/en,b/de,0.5,0.52,-2.0,0.7,3,100,0.5\nm,a/de,a/en,0.7,0.65,5.0,1.0,3,100,0.5\n"
)
WIDE = b"model,source,seed,a/en,a/de,b/en\nm,base,,0.5,0.5,0.4\nm,a/en,1,0.6,0.5,0.4\nm,a/en,2,0.62,0.53,0.45\n"
OUTCOMES = b"model,treatment,source,target,seed,item,score,group\n" + b"".join(
    f"m,{name},{source},qa/de,{seed},{item},{(item * seed) % 2},g{item // 2}\n".encode()
    for name, source in (("", ""), ("a", "qa/en"))
    for seed in (1, 2)
    for item in range(6)
)
PAIRS = "Haus\thouse\nHund\tdog\nBär\tbear\n# Kommentar\nKatze\tcat\n".encode()
VECTORS = b"5 3\n" + b"".join(b"w%d 0.5 -1.25 %d.0\n" % (n, n) for n in range(5))
BARE = VECTORS.partition(b"\n")[2]
WORDS = b"".join(b"w%d\n" % n for n in range(5))
BINARY = b"5 3\n" + b"".join(b"w%d " % n + np.array([0.5, n, 1], "<f4").tobytes() + b"\n" for n in range(5))
ADAPTER_SPEC = b"""study = "adapters"
name = "tiny"
seeds = [1, 2]
limit = 5

[models]
tiny = { path = "model", family = "llama", billions = 0.00001 }

[tasks.intent]
files = "data/{language}.{split}.jsonl"
languages = ["en", "sw", "no"]
prompt = { en = "{text} Intent:", sw = "{text}", no = "{text}" }
options = ["yes", "no"]
answer = "label"
test_share = 0.4

[adapters]
old = { path = "old", model = "tiny", trained_on = "intent/en" }

[grid]
sources = ["intent/en"]
targets = ["intent/*"]
shots = 1

[recipe]
rank = 2
learning_rate = 1e-2
axes = { rank = [2, 4] }
"""
EMBEDDING_SPEC = b"""study = "embeddings"
name = "planted"

[spaces]
files = "{language}.vec"
languages = ["de", "en", "fi"]
top = 1000

[pairs]
all = true

[lexicon]
train = "{pair}.train.tsv"
sizes = [20, 60]

[methods]
use = ["procrustes", "vecmap:unsupervised"]

[tasks.bli]
test = "{pair}.test.tsv"
retrieval = "csls"
"""
DICTIONARIES = {f"{pair}.{part}.tsv": PAIRS for pair in ("de-en", "de-fi", "en-fi") for part in ("train", "test")}
DEFINITION = b"""task: colours
dataset_path: json
dataset_kwargs: { data_files: { test: rows.jsonl } }
test_split: test
output_type: multiple_choice
doc_to_text: "Q: {{text}} A:"
doc_to_choice: ["{{options[0]}}", "no"]
doc_to_target: answer
metric_list: [{ metric: acc, aggregation: mean, higher_is_better: true }]
filter_list: [{ name: none, filter: [{ function: take_first }] }]
generation_kwargs: { until: ["\\n"], max_gen_toks: 16, do_sample: false }
include: more.yaml
"""
MORE = b"description: 'Answer. '\ntarget_delimiter: ' '\nnum_fewshot: 2\nrepeats: 1\n"
CONFIG = json.dumps(
    {
        "peft_type": "LORA",
        "r": 4,
        "lora_alpha": 8,
        "target_modules": ["q_proj", "v_proj"],
        "rank_pattern": {"v_proj": 4},
        "layers_to_transform": [0, 1],
        "layers_pattern": "layers",
        "modules_to_save": None,
        "exclude_modules": ".*lm_head",
        "init_lora_weights": True,
    }
).encode()


def safetensors() -> bytes:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for layer in range(2):
        for side, shape in (("A", [4, 8]), ("B", [8, 4])):
            name = f"base_model.model.model.layers.{layer}.self_attn.q_proj.lora_{side}.weight"
            header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + 128]}
            at += 128
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + b"\0" * at


def gguf() -> bytes:
    """Version 3, with a text, a number, a list of each, and two tensors in float32."""

    def text(value: bytes) -> bytes:
        return struct.pack("<Q", len(value)) + value

    facts = [
        text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama"),
        text(b"general.alignment") + struct.pack("<II", 4, 32),
        text(b"tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 3) + text(b"a") + text(b"b") + text(b"ab"),
        text(b"tokenizer.ggml.scores") + struct.pack("<IIQ3f", 9, 6, 3, 0.0, -1.0, -2.0),
    ]
    tensors = [
        text(b"token_embd.weight") + struct.pack("<IQQIQ", 2, 4, 3, 0, 0),
        text(b"blk.0.attn_q.weight") + struct.pack("<IQQIQ", 2, 4, 4, 0, 64),
    ]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts)) + b"".join([*facts, *tensors])
    return head + bytes(-len(head) % 32 + 128)


def fasttext() -> bytes:
    head = struct.pack("<ii", 793712314, 12) + struct.pack("<12id", 3, 5, 5, 1, 5, 1, 1, 1, 10, 2, 4, 100, 1e-4)
    words = b"".join(b"w%d\0" % n + struct.pack("<qb", 9 - n, 0) for n in range(5))
    numbers = np.linspace(-1, 1, 45, dtype="<f4").tobytes()
    return head + struct.pack("<iiiqq", 5, 5, 0, 99, -1) + words + b"\0" + struct.pack("<qq", 15, 3) + numbers


def npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.arange(15, dtype=np.float32).reshape(5, 3))
    return stream.getvalue()


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("content", content)
    return stream.getvalue()


def packed(content: bytes) -> Iterator[bytes]:
    yield from (content, gzip.compress(content, mtime=0), zipped(content))


# how it is read


def read_task(kind: str, file: str, **settings: Any) -> Callable[[Path], object]:
    def read(folder: Path) -> object:
        from crossgraft.adapters.tasks import TASKS

        told = {"files": file, "languages": ("en",), "test_share": 0.5, **settings}
        task = TASKS.get(kind)(**told)
        for split in ("train", "test"):
            with suppress(CrossgraftError):  # both splits, also where the first is refused
                task.items("en", split, Origin(folder))
        return None

    return read


def read_scores(folder: Path) -> object:
    from crossgraft.analysis.evidence import Evidence
    from crossgraft.analysis.external.score_table import read_table
    from crossgraft.analysis.findings import analyse
    from crossgraft.report.about import About
    from crossgraft.report.html import html

    matrix = read_table(folder / "scores.csv")
    if len(matrix.cells) % 3:  # the analysis takes long: of some
        return None
    return html(analyse(Evidence(matrix, "scores")), About())


def read_vectors(folder: Path) -> object:
    from crossgraft.embeddings.readers import peek
    from crossgraft.embeddings.spaces.space import read_space

    (file,) = (file for file in folder.iterdir() if not file.name.endswith(".txt"))
    peek(file)
    space = read_space(file)
    return space.subwords and space.subwords.embed(["never", "seen" * 20])


def read_dictionary(folder: Path) -> object:
    from crossgraft.embeddings.lexicon import leaks, read_lexicon

    lexicon = read_lexicon(folder / "pairs.tsv", case="lower")
    return leaks(lexicon, lexicon).notes


def read_spec(folder: Path) -> object:
    from crossgraft.spec import load_study

    told = (folder / "set.txt").read_bytes().decode("utf-8", "surrogateescape")
    study = load_study(folder / "study.toml", [told] if told else [])
    return study.jobs(dict.fromkeys(study.inputs(), "0"))


def read_adapter(folder: Path) -> object:
    from crossgraft.adapters.bases.models import adapter_bytes, check_given_folder
    from crossgraft.adapters.weights.tensors import weight_shapes

    check_given_folder(folder, "adapters.old")
    return adapter_bytes(weight_shapes(folder), 8, ["all-linear"])


def read_gguf(folder: Path) -> object:
    from crossgraft.adapters.bases.gguf.header import check_whole, read_header
    from crossgraft.adapters.bases.models import Model, adapter_bytes

    header = read_header(folder / "x.gguf")
    with suppress(MissingExtra):  # without the package gguf, the sizes of blocks are not known
        check_whole(header)
    return header.parameters, adapter_bytes(Model(path="x.gguf").shapes(Origin(folder)), 8, ["all-linear"])


def read_definition(folder: Path) -> object:
    from crossgraft.adapters.tasks.lm_eval import LmEval

    origin = Origin(folder)
    task = LmEval(use="lm-eval:colours", languages=("en",), folder=".", origin=origin)
    list(task.notes())
    return task.items("en", "test", origin)


def read_outcomes(folder: Path) -> object:
    from crossgraft.analysis.external.outcomes import matrix_from_outcomes

    return [matrix_from_outcomes(file).change for file in folder.iterdir()]


def store_files() -> Files:
    """A store of four records: two in a pack, one in a file of its own, and one as it was before there were seals."""
    from crossgraft.core import Cell, Job, Point, Texts, Treatment
    from crossgraft.errors import JobFailed
    from crossgraft.runs.storage.compaction import compact
    from crossgraft.runs.storage.layout import Manifest, record_table
    from crossgraft.runs.storage.store import Store
    from crossgraft.study import Failed
    from crossgraft.testing import Fake

    cells = tuple(Cell(Point("qa", f"{c}{c}"), c * 32, "f" * 32, "all", "accuracy") for c in "abcd")
    job = Job(Treatment("m", "base", "control"), "d" * 32, cells, "e" * 32)
    with tempfile.TemporaryDirectory() as place:
        store = Store(place)
        store.manifests.save(Manifest("many", ADAPTER_SPEC.decode(), (), (job,)))
        store.failures.add(Failed(job, JobFailed("no room")))
        records = [Fake().record(job, cell) for cell in cells]
        for record in records[:2]:
            store.take(record, Texts("f" * 32, record.answers.items, {"prompt": list(record.answers.items)}))
        list(compact(store, size=2))
        store.take(records[2])
        store.take(records[3])
        table = record_table(records[3])
        facts = {key: value for key, value in table.schema.metadata.items() if key != b"sealed"}
        pq.write_table(table.replace_schema_metadata(facts), store.record_file(records[3]))
        files = {str(file.relative_to(place)): file.read_bytes() for file in Path(place).rglob("*") if file.is_file()}
        return {name: content for name, content in files.items() if content}


def read_store(folder: Path) -> object:
    from crossgraft.runs.storage.store import Store

    store = Store(folder)
    records, damages = store.read()
    studies = [store.study(name).jobs for name in store.studies()]
    texts = [store.texts(record.texts_id) for record in records]
    return store.done(), store.times(), store.failures.read(), store.manifests.read(), studies, texts, damages


def store_cases() -> list[Case]:
    files = store_files()
    return [Case(files, (name,), read_store) for name in files]


def outcome_cases() -> list[Case]:
    stream = io.BytesIO()
    pq.write_table(pyarrow.csv.read_csv(io.BytesIO(OUTCOMES)), stream)
    return [
        *(Case({"x.csv": OUTCOMES}, ("x.csv",), read_outcomes) for _ in range(2)),
        Case({"x.parquet": stream.getvalue()}, ("x.parquet",), read_outcomes),
    ]


READERS: Mapping[str, Callable[[], list[Case]]] = {
    "jsonl": lambda: (
        [
            Case({"en": content}, ("en",), read)
            for content in packed(ROWS)
            for read in (
                read_task("choice", "{language}", prompt="{text}"),
                read_task("open", "{language}", prompt="{text} {options}", answer="options", group="answer"),
            )
        ]
        + [Case({"en": content}, ("en",), read_task("messages", "{language}")) for content in packed(TALKS)]
    ),
    "text": lambda: [
        Case({"en.txt": TEXT}, ("en.txt",), read_task("text", "{language}.txt")),
        *(Case({"en": content}, ("en",), read_task("text", "{language}")) for content in packed(ROWS)),
    ],
    "csv": lambda: [Case({"scores.csv": content}, ("scores.csv",), read_scores) for content in (SCORES, WIDE)],
    "vectors": lambda: [
        *(Case({"x": content}, ("x",), read_vectors) for whole in (VECTORS, BARE, BINARY) for content in packed(whole)),
        *(Case({"x": fasttext()}, ("x",), read_vectors) for _ in range(4)),
        *(Case({"x.npy": npy(), "x.words.txt": WORDS}, ("x.npy",), read_vectors) for _ in range(4)),
        Case({"x.npy": npy(), "x.words.txt": WORDS}, ("x.words.txt",), read_vectors),
    ],
    "dictionary": lambda: [
        Case({"pairs.tsv": content}, ("pairs.tsv",), read_dictionary)
        for whole in (PAIRS, PAIRS.replace(b"\t", b" "))
        for content in packed(whole)
    ],
    "spec": lambda: [
        Case({"study.toml": text, "set.txt": told, **DICTIONARIES}, damaged, read_spec)
        for text, told in ((ADAPTER_SPEC, b"recipe.rank=16"), (EMBEDDING_SPEC, b"seeds=[1]"))
        for damaged in (("study.toml",), ("study.toml",), ("set.txt",))
    ],
    "adapter": lambda: [
        Case({"adapter_config.json": CONFIG, "adapter_model.safetensors": safetensors()}, (name,), read_adapter)
        for name in ("adapter_config.json", "adapter_model.safetensors")
    ],
    "outcomes": outcome_cases,
    "store": store_cases,
    "gguf": lambda: [Case({"x.gguf": gguf()}, ("x.gguf",), read_gguf)],
    "harness": lambda: [
        Case({"colours.yaml": DEFINITION, "more.yaml": MORE, "rows.jsonl": ROWS}, (name,), read_definition)
        for name in ("colours.yaml", "colours.yaml", "more.yaml", "rows.jsonl")
    ],
}

# damage


WORDS_OF_DAMAGE = [
    *(b"null", b"[]", b"{}", b'""', b"true", b"-1", b"0", b"1e308", b"-1e308", b"1e999", b"nan", b"inf", b"NaN", b"Infinity"),
    *(b"100000000", b"2147483648", b"9223372036854775808", b"18446744073709551615", b"0x7fffffffffffffff", b"1_000"),
    *(b"9" * 5000, b"0x" + b"f" * 5000, b"0." + b"3" * 5000, b"[" * 3000, b'{"a":' * 3000, b"{a=" * 200, b"a." * 500 + b"a"),
    *(b'"\\ud800"', b"\\udfff", b"\\u0000", b"\\x00", b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80"),
    *(b"\r", b"\n", b"\r\n", b"\n\n", b"\t", b" ", b'"', b"'", b'"""', b"\\", b",", b":", b"=", b"#", b"[", b"]", b"{", b"}", b"/"),
    *(b"\x1b[31m", b"\xe2\x80\xae", b"=cmd|' /C calc'!A0", b"<script>", b"{{", b"}}", b"{% for x in y %}", b"{0}", b"{text.__class__}"),
    *(b"/dev/zero", b"/dev/stdin", b"/proc/self/mem", b"../../..", b"~nobody/x", b"a/" * 300, b"x" * 300, b"x" * 70000, b"/"),
    *(b"!function x.y", b"!!python/object:os.system", b"&a", b"*a", b"<<: *a", b"include: colours.yaml", b"|", b">", b"---", b"?"),
    *(b"\x1f\x8b\x08", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"shape", b"data_offsets", b"dtype", b"F32", b"'descr'", b"(1, 2)"),
    *(b"100000000 100000000\n", b"99999999999999 1\n", b"1 99999999999999\n", b"study", b"models", b"tasks", b"grid", b"lm-eval:arc"),
    *(b"{ 'a' * 99999999999 }", b"{{ ''.__class__ }}", b"(a|b|ab)*", b".*" * 3, b"base", b"a/en", b"en", b"2026-01-01", b"_"),
]  # fmt: skip


def damage(content: bytes, rng: random.Random) -> bytes:
    """One change; archives are also damaged before they are packed."""
    if content[:2] == b"\x1f\x8b" and rng.random() < 0.4:
        with suppress(Exception):
            return gzip.compress(damage(gzip.decompress(content), rng), mtime=0)
    if content[:4] == b"PK\x03\x04" and rng.random() < 0.4:
        with suppress(Exception), zipfile.ZipFile(io.BytesIO(content)) as archive:
            return zipped(damage(archive.read("content"), rng))
    at, end = sorted((rng.randrange(len(content) + 1), rng.randrange(len(content) + 1)))
    size = rng.choice((1, 2, 4, 8))
    match rng.randrange(10):
        case 0 if content:
            flipped = bytearray(content)
            for _ in range(rng.choice((1, 1, 2, 8, 64))):
                flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
            return bytes(flipped)
        case 1:
            return content[:at]
        case 2:
            return content[:at] + content[end:]
        case 3:
            return content[:end] + content[at:]
        case 4:
            there = rng.randrange(len(content) + 1)
            return content[:there] + content[at:end] + content[there:]
        case 5:
            return content[:at] + content[at:end] * rng.choice((2, 10, 300)) + content[end:]
        case 6:
            return content[:at] + rng.randbytes(size) + content[at + size :]
        case 7:
            number = rng.choice((0, 1, -1, 2**31 - 1, -(2**31), 2**62, -(2**63), 255, 65536))
            raw = (number % 2 ** (8 * size)).to_bytes(size, "little")
            return content[:at] + raw + content[at + size :]
        case 8:
            return content[:at] + rng.choice(WORDS_OF_DAMAGE) + content[at:]
        case _:
            return replaced(content, rng.choice(WORDS_OF_DAMAGE), rng)


def replaced(content: bytes, word: bytes, rng: random.Random) -> bytes:
    """A word or number of the content gives way to a hostile one."""
    starts = [at for at in range(len(content)) if content[at : at + 1].isalnum() and not content[at - 1 : at].isalnum()]
    if not starts:
        return content + word
    at = end = rng.choice(starts)
    while content[end : end + 1].isalnum():
        end += 1
    return content[:at] + word + content[end:]


def make(reader: str, seed: int, folder: Path, cases: list[Case]) -> Case:
    """Write the input of a seed into the folder."""
    rng = random.Random(f"{reader}:{seed}")
    case = rng.choice(cases)
    files = dict(case.files)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        name = rng.choice(case.damaged)
        files[name] = damage(files[name], rng)[: 1 << 20]
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return case


# the process that reads


@dataclass(frozen=True)
class Failure:
    reader: str
    what: str  # kind of error and where
    seed: int
    detail: str


def read_batch(reader: str, first: int, count: int, progress: Path) -> None:
    """Read inputs one by one; failures are lines of JSON in the progress file, as is the input that comes next."""
    faulthandler.enable()
    cases = READERS[reader]()
    with tempfile.TemporaryDirectory() as place, progress.open("w", encoding="utf-8") as told:
        for number, case in enumerate(cases):
            fill(Path(place) / f"good-{number}", case)
            with _quietly():
                case.read(Path(place) / f"good-{number}")
        limit = _virtual() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for number in (signal.SIGALRM, signal.SIGPROF):
            signal.signal(number, _hang)
        for seed in range(first, first + count):
            told.write(f"{seed}\n")
            told.flush()
            if error := _error(reader, seed, Path(place) / "input", cases):
                told.write(json.dumps(error) + "\n")
                told.flush()
        told.write("end\n")


def fill(folder: Path, case: Case) -> None:
    folder.mkdir()
    for name, content in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _error(reader: str, seed: int, folder: Path, cases: list[Case]) -> tuple[str, str] | None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    case = make(reader, seed, folder, cases)
    signal.alarm(PATIENCE)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with _quietly():
            case.read(folder)
    except CrossgraftError as error:
        str(error).encode("utf-8", "backslashreplace")
        return ("an error of more than 10,000 characters", str(error)[:200]) if len(str(error)) > 10_000 else None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        frames = [one for one in traceback.extract_tb(error.__traceback__) if "crossgraft" in one.filename]
        at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        return f"{type(error).__name__} at {at}", str(error)[:200]
    finally:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None


def _hang(*_: object) -> None:
    raise Hang(f"more than {SECONDS} seconds of processor time, or {PATIENCE} by the clock")


def _quietly() -> Any:
    if sys.stderr is sys.__stderr__ and "--loud" in sys.argv:
        return nullcontext()
    return _both()


class _both:  # noqa: N801 - a context of two
    def __enter__(self) -> None:
        self._out, self._err = redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO())
        self._out.__enter__()
        self._err.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._err.__exit__(*error)
        self._out.__exit__(*error)


def _virtual() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()


# the process that watches


def fuzz(readers: list[str], first: int, count: int, seconds: float) -> tuple[dict[str, int], list[Failure]]:
    """How many inputs each reader took, and the first failure of every kind.

    The readers take turns, so that all have had their share when the time is up.
    """
    counts = dict.fromkeys(readers, 0)
    failures: dict[tuple[str, str], Failure] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end and (waiting := [reader for reader in readers if counts[reader] < count]):
        for reader in waiting:
            if time.monotonic() >= end:
                break
            done, found = _watched(reader, first + counts[reader], min(BATCH, count - counts[reader]))
            counts[reader] += done
            for failure in found:
                failures.setdefault((reader, failure.what), failure)
    return counts, list(failures.values())


def _watched(reader: str, first: int, count: int) -> tuple[int, list[Failure]]:
    with tempfile.NamedTemporaryFile(suffix=".progress") as file:
        command = [sys.executable, __file__, "--batch", reader, str(first), str(count), file.name]
        offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        try:
            ended = subprocess.run(
                command, env=os.environ | offline, capture_output=True, text=True, timeout=60 + count * SECONDS / 4
            ).returncode
        except subprocess.TimeoutExpired:
            ended = -1
        lines = Path(file.name).read_text("utf-8").splitlines()
    seeds = [int(line) for line in lines if line.isdigit()]
    found = []
    for place, line in enumerate(lines):
        if line.startswith("["):
            what, detail = json.loads(line)
            found.append(Failure(reader, what, int(lines[place - 1]), detail))
    if not lines or lines[-1] != "end":
        seed = seeds[-1] if seeds else first
        found.append(Failure(reader, f"the process ended with {ended}", seed, "or was ended, as it did not go on"))
        return max(len(seeds), 1), found
    return count, found


def guided(reader: str, count: int, seconds: float) -> None:
    """Atheris looks for inputs that reach new lines of ours; the first failure ends it with its traceback."""
    import atheris

    corpus = Path(tempfile.mkdtemp())
    with tempfile.TemporaryDirectory() as place, atheris.instrument_imports(include=["crossgraft"]), _quietly():
        cases = READERS[reader]()
        for number, case in enumerate(cases):  # to read good input imports what is to be instrumented
            fill(Path(place) / f"good-{number}", case)
            case.read(Path(place) / f"good-{number}")
            (corpus / str(number)).write_bytes(bytes([number]) + case.files[case.damaged[0]])

    def read(data: bytes) -> None:
        case = cases[data[0] % len(cases)] if data else cases[0]
        with tempfile.TemporaryDirectory() as place:
            fill(Path(place) / "input", Case({**case.files, case.damaged[0]: data[1:]}, case.damaged, case.read))
            with _quietly(), suppress(CrossgraftError):
                case.read(Path(place) / "input")

    limits = [f"-runs={count}", f"-max_total_time={round(seconds)}", f"-timeout={SECONDS}", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *limits, "-max_len=100000", str(corpus)], read)
    atheris.Fuzz()


def show(reader: str, seed: int) -> None:
    folder = Path(tempfile.mkdtemp())
    case = make(reader, seed, folder, READERS[reader]())
    print(f"{folder}:", *(f"{file.name} ({file.stat().st_size} bytes)" for file in folder.iterdir()))
    case.read(folder)


def main() -> int:
    if sys.argv[1:2] == ["--batch"]:
        reader, first, count, progress = sys.argv[2:6]
        read_batch(reader, int(first), int(count), Path(progress))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", default=[])
    parser.add_argument("--count", type=int, default=1000, help="inputs a reader")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seconds", type=float, default=500, help="stop after so long")
    parser.add_argument("--show", nargs=2, metavar=("READER", "SEED"))
    parser.add_argument("--guided", choices=READERS, metavar="READER", help="by coverage, with Atheris")
    told = parser.parse_args()
    if told.guided:
        guided(told.guided, told.count, told.seconds)
        return 0
    if told.show:
        show(told.show[0], int(told.show[1]))
        return 0
    counts, failures = fuzz(told.readers or list(READERS), told.first, told.count, told.seconds)
    for reader, count in counts.items():
        print(f"{reader}: {count} inputs, {sum(one.reader == reader for one in failures)} kinds of failure")
    for one in failures:
        print(f"{one.reader}, seed {one.seed}: {one.what}: {one.detail}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
