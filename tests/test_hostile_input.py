"""Files made to break a reader, and paths that lead nowhere, end in one sentence, without hanging or filling memory."""

from __future__ import annotations

import gzip
import json
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crossgraft.adapters.bases.models import check_given_folder
from crossgraft.adapters.items.data import read_rows
from crossgraft.adapters.tasks.choice import Choice
from crossgraft.adapters.tasks.text import Text
from crossgraft.adapters.weights.tensors import weight_shapes
from crossgraft.analysis.external.score_table import read_table
from crossgraft.cli import main
from crossgraft.embeddings.lexicon import read_lexicon
from crossgraft.embeddings.spaces.space import read_space
from crossgraft.errors import CrossgraftError, DataError, SpecError
from crossgraft.runs.fingerprints import fingerprint
from crossgraft.spec import load_study, parse_study
from crossgraft.study import Input, Origin

ROW = b'{"id": "x", "text": "?"}\n'
DIGITS = b"9" * 5000


def flipped(content: bytes) -> bytes:
    return content[:20] + bytes([content[20] ^ 0xFF]) + content[21:]


def bomb(line: bytes, copies: int = 1 << 23) -> bytes:
    return gzip.compress(line * copies, compresslevel=9)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[" * 3000 + b"]" * 3000, "line 1: expected JSON of at most 64 levels; it is nested deeper"),
        (b'{"a":' * 99 + b"1" + b"}" * 99, "line 1: expected JSON of at most 64 levels; it is nested deeper"),
        (b'{"id": ' + DIGITS + b"}", "line 1: not valid JSON: a number has more than 4,300 digits"),
        (ROW + b'{"id": "\\ud800"}', "line 2: expected Unicode text; an escape such as \\ud800 is half of a surrogate pair"),
        (gzip.compress(ROW * 99, mtime=0)[:-20], "damaged, cut short or cannot be read"),
        (flipped(gzip.compress(bytes(range(99)), mtime=0)), "damaged, cut short or cannot be read"),
        (b"\x1f\x8b no gzip at all", "damaged, cut short or cannot be read"),
        (b"neither gzip nor JSON", "line 1: not valid JSON"),
        (bomb(b"\n"), "it unpacks to more than 200 times its size"),
        (b" " * (17 << 20), "line 1: expected lines of at most 16 MiB"),
    ],
)  # fmt: skip
def test_a_hostile_file_of_rows(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "en.jsonl.gz"
    file.write_bytes(content)

    with pytest.raises(DataError) as caught:
        list(read_rows(file))

    assert sentence in str(caught.value)


def test_rows_are_unpacked_whatever_the_file_is_called(tmp_path: Path) -> None:
    (tmp_path / "packed").write_bytes(gzip.compress(ROW))
    (tmp_path / "plain.gz").write_bytes(ROW)

    assert [len(list(read_rows(tmp_path / name))) for name in ("packed", "plain.gz")] == [1, 1]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"options": ["a"] * 60_000, "answer": 60_000}, "a letter from A to Z"),
        ({"options": ["a", "b"], "answer": "²"}, "got '²'"),
        ({"options": ["a", "b"], "answer": "9" * 5000}, "an index from 0 to 1"),
        ({"options": ["a" * 100_000], "answer": 0}, "expected at least two options"),
    ],
)
def test_a_hostile_row_of_options(tmp_path: Path, row: dict[str, object], sentence: str) -> None:
    (tmp_path / "en").write_text(json.dumps({"id": "x", **row}))
    task = Choice(files="{language}", languages=("en",), prompt="?", test_share=1.0)

    with pytest.raises(DataError) as caught:
        task.items("en", "test", Origin(tmp_path))

    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (bomb(b"a\tb\n", 1 << 21), "it unpacks to more than 200 times its size"),
        (b"a\tb" * (8 << 20), "expected lines of at most 16 MiB"),
    ],
)
def test_a_hostile_dictionary(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "pairs.tsv").write_bytes(content)

    with pytest.raises(DataError, match=sentence):
        read_lexicon(tmp_path / "pairs.tsv")


def npy(header: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 64


@pytest.mark.parametrize(
    "content",
    [
        DIGITS + b" 3\nw 1 2 3\n",
        b"3 " + DIGITS + b"\nw " + bytes(range(12)),
        b"1 999999999999\nw " + bytes(range(12)),
        b"w" + b" 1" * 40_000 + b"\n",
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + DIGITS + b", 3)}"),
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3)}"),
        npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (5, 0)}"),
        npy(b"{'descr': [('a', '<f4')] * 9, 'fortran_order': 0, 'shape': 5}"),
        npy(b"(" * 5000),
    ],
)
def test_a_hostile_header_of_vectors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    (tmp_path / "x.words.txt").write_text("a\nb\nc\nd\ne\n")

    with pytest.raises(DataError):
        read_space(tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("seeds", "1e8", "line 2, seeds: expected a number from 1 to 10000; got '1e8'"),
        ("sd", "1e308", "line 2, sd: expected a number from 0 to 1000; got '1e308'"),
        ("n", "1e300", "line 2, n: expected a number from 1 to 1e\\+15; got '1e300'"),
        ("seed", "9" * 5000, "line 2, seed: expected a number; got '999"),
    ],
)
def test_a_hostile_number_in_a_table(tmp_path: Path, column: str, value: str, sentence: str) -> None:
    (tmp_path / "scores.csv").write_text(f"model,source,target,score,base,{column}\nm,a/en,a/de,0.6,0.5,{value}\n")

    with pytest.raises(DataError, match=sentence):
        read_table(tmp_path / "scores.csv")


@pytest.mark.parametrize("header", ["x" * 70_000 + ",y", "model,source,a/" + "x" * 70_000, "model,source," * 9_000])
def test_a_hostile_header_of_a_table(tmp_path: Path, header: str) -> None:
    (tmp_path / "scores.csv").write_text(f"{header}\n{','.join(['?'] * (header.count(',') + 1))}\n")

    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "scores.csv")

    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("text", "override", "sentence"),
    [
        ("", f"seeds=[{'9' * 5000}]", "seeds: expected whole numbers of at most 64 bits"),
        ("", f"seeds=[0x{'f' * 5000}]", "seeds: expected whole numbers of at most 64 bits"),
        ("", f"seeds={'[' * 3000}", "seeds: expected TOML of at most 64 levels"),
        ("", "name=\udcff", "expected key=value in UTF-8"),
        (f"limit = {'9' * 5000}", "", "spec: expected whole numbers of at most 64 bits"),
        (f"{'a.' * 20_000}a = 1", "", "spec: expected lines with at most 1,000 dots"),
        (f"limit = {'[' * 3000}", "", "spec: expected TOML of at most 64 levels"),
        (f"{'9' * 5000} = 1", "", "unknown key '9999"),
        (f"limit = {'[' * 99 + ']' * 99}", "", "spec: expected TOML of at most 64 levels"),
        ("", f"study='{'x' * 70_000}'", "no kind of study is called 'xxx"),
        (f"[tasks.a]\nfiles = 'a'\nlanguages = ['{'x' * 70_000}']\nprompt = 'a'\noptions = ['a']", "", "BCP 47"),
    ],
)
def test_a_hostile_spec(text: str, override: str, sentence: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_study(f'study = "adapters"\n{text}', folder=Path(), overrides=[override] if override else [])

    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 1000


ADAPTER: dict[str, object] = {"peft_type": "LORA", "r": 4, "target_modules": ["q_proj"]}


def write_weights(folder: Path, header: object) -> None:
    raw = json.dumps(header).encode()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(raw)) + raw + b"\0" * 128)


def write_adapter(folder: Path, config: str) -> None:
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    write_weights(folder, {name: {"dtype": "F32", "shape": [4, 8], "data_offsets": [0, 128]}})
    (folder / "adapter_config.json").write_text(config)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("", "adapter_config.json: not valid JSON"),
        ("[]", "adapter_config.json: expected a JSON object; got []"),
        ("null", "adapter_config.json: expected a JSON object; got None"),
        ("{}", "peft_type: expected a text, such as 'LORA'; got None"),
        (json.dumps({**ADAPTER, "r": 10**6}), "r: expected a rank, a whole number of at most 1,024"),
        (json.dumps({**ADAPTER, "r": "4"}), "got '4'"),
        (json.dumps({**ADAPTER, "r": 8}), "its configuration says rank 8, but the weight base_model."),
        (json.dumps({**ADAPTER, "rank_pattern": {"v": 10**6}}), "v: expected a rank, a whole number of at most 1,024"),
        (json.dumps({**ADAPTER, "rank_pattern": [4]}), "rank_pattern: expected a table of numbers by module; got [4]"),
        (json.dumps({**ADAPTER, "target_modules": 5}), "target_modules: expected a text or a list of texts; got 5"),
        (json.dumps({**ADAPTER, "target_modules": "("}), "no regular expression of module names: '('"),
        (json.dumps({**ADAPTER, "target_modules": "(.*)*x"}), "takes more than 3 seconds; write target_modules as a list"),
        (json.dumps({**ADAPTER, "num_virtual_tokens": 10**9}), "expected an adapter that changes weights"),
    ],
)  # fmt: skip
def test_a_hostile_configuration_of_an_adapter(tmp_path: Path, config: str, sentence: str) -> None:
    write_adapter(tmp_path, config)

    with pytest.raises(DataError) as caught:
        check_given_folder(tmp_path, "adapters.old")

    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "more", [{}, {"target_modules": r".*\.(q_proj|v_proj)"}, {"r": 8, "rank_pattern": {"q_proj": 4}}]
)
def test_an_ordinary_configuration_of_an_adapter_is_taken(tmp_path: Path, more: dict[str, object]) -> None:
    write_adapter(tmp_path, json.dumps(ADAPTER | more))

    check_given_folder(tmp_path, "adapters.old")


@pytest.mark.parametrize(
    "header",
    [
        *([], None, {"w": 5}, {"w": {}}, {"w": {"dtype": "F32", "shape": 4, "data_offsets": [0, 128]}}),
        {"w": {"dtype": "F32", "shape": [4, "8"], "data_offsets": [0, 128]}},
        {"w": {"dtype": "F32", "shape": [-4, -8], "data_offsets": [0, 128]}},
        {"w": {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 128]}},
        {"w": {"dtype": "F32", "shape": [4, 8], "data_offsets": [0, 10**9]}},
    ],
)
def test_a_hostile_header_of_weights(tmp_path: Path, header: object) -> None:
    write_weights(tmp_path, header)

    with pytest.raises(DataError, match="is no (whole )?safetensors file"):
        list(weight_shapes(tmp_path))


def a_loop(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


def a_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def a_folder(folder: Path) -> Path:
    (folder / "folder").mkdir()
    return folder / "folder"


WAYS: dict[str, Callable[[Path], object]] = {
    "rows": lambda path: list(read_rows(path)),
    "text": lambda path: Text(files=f"{path}.txt", languages=("en",)).items("en", "test", Origin()),
    "dictionary": read_lexicon,
    "vectors": read_space,
    "table": read_table,
    "spec": load_study,
    "input": lambda path: fingerprint([Input("file", str(path), "tasks.x")]),
    "adapter": lambda path: check_given_folder(path, "adapters.old"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "path",
    [
        *(lambda d: d / "a\0b", lambda d: d / ("x" * 300), lambda d: d / "\udcff", lambda d: d / "\ud800"),
        *(a_loop, a_pipe, a_folder, lambda _: Path("/dev/zero"), lambda d: d / "nothing"),
    ],
    ids=["nul", "long", "not-utf8", "surrogate", "loop", "pipe", "folder", "device", "nothing"],
)
def test_a_path_that_is_no_file_is_a_sentence(tmp_path: Path, path: Callable[[Path], Path], way: str) -> None:
    with pytest.raises(CrossgraftError):
        WAYS[way](path(tmp_path))


@pytest.mark.parametrize(
    "arguments",
    [("read", "x" * 300), ("read", "\udcff.csv"), ("plan", "x" * 300), ("map", "/dev/zero", "/dev/zero", "--out", "m")],
)
def test_a_path_on_the_command_line_that_cannot_be_is_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["crossgraft", *arguments])

    with pytest.raises(SystemExit) as stop:
        main()

    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("crossgraft: ")


def test_a_file_whose_name_is_not_utf8_is_read(tmp_path: Path) -> None:
    file = tmp_path / "\udcff.vec"
    file.write_bytes(b"a 1 2\nb 3 4\n")

    assert np.array_equal(read_space(file).vectors, [[1, 2], [3, 4]])
