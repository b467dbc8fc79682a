"""The input embeddings of a language model as a word space."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from crossgraft.analysis.results import load_matrix
from crossgraft.embeddings.readers.language_model import embedded, embedding_table
from crossgraft.embeddings.spaces.space import read_model_space
from crossgraft.errors import DataError, SpecError
from crossgraft.runs.campaign import Settings, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study

tokenizers = pytest.importorskip("tokenizers")

PIECES = ("[UNK]", "sun", "moon", "##light", "##s", "Sonne", "Mond")
NAME = "model.embed_tokens.weight"


def write_weights(file: Path, table: np.ndarray, kind: str, name: str = NAME) -> None:
    raw = table.tobytes()
    header = {
        name: {"dtype": kind, "shape": list(table.shape), "data_offsets": [0, len(raw)]},
        "__metadata__": {"a": "b"},
    }
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + raw)


def make_model(folder: Path, table: np.ndarray, kind: str = "F32", pieces: tuple[str, ...] = PIECES) -> Path:
    """A WordPiece tokenizer, and nothing of the model but its input embeddings."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text("{}")
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))
    write_weights(folder / "model.safetensors", table, kind)
    return folder


TABLE = np.arange(14, dtype=np.float32).reshape(7, 2)


def test_a_word_of_one_piece_has_its_vector_and_one_of_several_their_mean(tmp_path: Path) -> None:
    found = embedded(make_model(tmp_path / "model", TABLE), ["sun", "moonlights", "Mond"])

    assert found.words == ("sun", "moonlights", "Mond")
    assert found.vectors.tolist() == [[2, 3], [np.mean([4, 6, 8]), np.mean([5, 7, 9])], [12, 13]]
    assert (found.several, found.without) == (1, 0)


def test_words_the_tokenizer_does_not_know_have_no_vector(tmp_path: Path) -> None:
    found = embedded(make_model(tmp_path / "model", TABLE), ["étoile", "sun"])

    assert (found.words, found.without) == (("sun",), 1)


def test_words_of_several_pieces_can_be_left_out(tmp_path: Path) -> None:
    found = embedded(make_model(tmp_path / "model", TABLE), ["sunlight", "sun"], "single")

    assert (found.words, found.without) == (("sun",), 1)


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
def test_every_stored_type_gives_the_same_numbers(tmp_path: Path, kind: str) -> None:
    stored = {"F32": TABLE, "F16": TABLE.astype(np.float16), "BF16": (TABLE.view(np.uint32) >> 16).astype(np.uint16)}

    found = embedded(make_model(tmp_path / "model", stored[kind], kind), ["sun", "Mond"])

    assert found.vectors.dtype == np.float32
    assert found.vectors.tolist() == [[2, 3], [12, 13]]


def test_a_byte_level_tokenizer_splits_words_as_within_a_text(tmp_path: Path, tiny_model: Path) -> None:
    """The space before a word belongs to its first piece."""
    import torch
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    found = embedded(tiny_model, ["blue", "xq"])

    table = next(
        weights[name] for file in tiny_model.glob("*.safetensors") for weights in (load_file(file),) for name in weights
        if name.endswith("embed_tokens.weight")
    )  # fmt: skip
    tokenizer = Tokenizer.from_file(str(tiny_model / "tokenizer.json"))
    for word, vector in zip(found.words, found.vectors, strict=True):
        ids = tokenizer.encode(f" {word}", add_special_tokens=False).ids
        alone = tokenizer.encode(word, add_special_tokens=False).ids
        chosen = ids if len(ids) <= len(alone) else alone
        assert vector == pytest.approx(table[chosen].to(torch.float32).mean(dim=0).numpy(), abs=1e-6)


def test_the_space_says_how_many_words_are_means(tmp_path: Path) -> None:
    space = read_model_space(make_model(tmp_path / "model", TABLE), ["Sun", "sun", "sunlight", "xyz"], case="lower")

    assert space.words == ("sun", "sunlight")
    assert space.notes == ("1 of 2 words are means of several pieces", "1 words of the list have no vector")


def break_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def break_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def break_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")


def lose_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def rename_weight(folder: Path) -> None:
    write_weights(folder / "model.safetensors", TABLE, "F32", "lm_head.weight")


def pack_weight(folder: Path) -> None:
    write_weights(folder / "model.safetensors", TABLE.astype(np.int8), "I8")


def cut_rows(folder: Path) -> None:
    write_weights(folder / "model.safetensors", TABLE[:3], "F32")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_config, "it has no config.json"),
        (break_weights, "has no \\*.safetensors"),
        (break_tokenizer, "no tokenizer of the library tokenizers"),
        (lose_tokenizer, "has no tokenizer.json"),
        (rename_weight, "no weight is called like input embeddings .*; the first are lm_head.weight"),
        (pack_weight, "are stored as I8; expected F32"),
        (cut_rows, "has a piece of number 6, but the input embeddings model.embed_tokens.weight have 3 rows"),
    ],
)
def test_a_folder_that_gives_no_embeddings_is_one_sentence(tmp_path: Path, damage: object, message: str) -> None:
    folder = make_model(tmp_path / "model", TABLE)
    damage(folder)  # type: ignore[operator]

    with pytest.raises(DataError, match=message):
        embedded(folder, ["Mond"])


def test_the_shorter_name_is_the_input_embedding_of_a_model_with_several(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", TABLE)
    write_weights(folder / "other.safetensors", TABLE, "F32", "model.vision.embed_tokens.weight")

    assert embedding_table(folder).name == NAME


SPEC = """
study = "embeddings"
name = "from a model"

[spaces]
model = "model"
languages = ["de", "en"]
normalise = ["unit"]

[pairs]
all = true

[lexicon]
train = "{pair}.train.tsv"

[methods]
use = ["procrustes"]

[tasks.bli]
test = "{pair}.test.tsv"
"""


@pytest.fixture
def model_spec(tmp_path: Path) -> Path:
    """The German half of the table is the English half, turned."""
    rng = np.random.default_rng(0)
    words = rng.normal(size=(40, 6))
    turned = words @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    pieces = ("[UNK]", *(f"e{n}" for n in range(40)), *(f"d{n}" for n in range(40)))
    table = np.concatenate([np.zeros((1, 6)), words, turned]).astype(np.float32)
    make_model(tmp_path / "model", table, pieces=pieces)
    for name, numbers in (("train", range(20)), ("test", range(20, 40))):
        (tmp_path / f"de-en.{name}.tsv").write_text("".join(f"d{n}\te{n}\n" for n in numbers))
    file = tmp_path / "study.toml"
    file.write_text(SPEC)
    return file


def test_a_study_maps_the_words_of_its_dictionaries_within_a_model(model_spec: Path, tmp_path: Path) -> None:
    summary = run(load_study(model_spec), tmp_path / "out", settings=Settings(threads=1))

    assert summary.failed == []
    (cell,) = load_matrix(Store(tmp_path / "out")).cells.values()
    assert cell.control < 0.5
    assert cell.treated == pytest.approx(1.0)


def test_a_list_of_words_is_the_vocabulary_and_part_of_the_result(model_spec: Path, tmp_path: Path) -> None:
    model_spec.write_text(SPEC.replace('model = "model"', 'model = "model"\nwords = "{language}.words.txt"'))
    for language, letter in (("de", "d"), ("en", "e")):
        (tmp_path / f"{language}.words.txt").write_text("".join(f"{letter}{n}\n" for n in range(30)))

    run(load_study(model_spec), tmp_path / "out", settings=Settings(threads=1))

    record = Store(tmp_path / "out").read()[0][0]
    scores = {score.metric: score.value for score in record.scores}
    assert record.provenance["vocabulary"] == [30, 30]
    assert scores["coverage"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('model = "model"', "", "expected either files = .* or model = .*; got neither"),
        ('model = "model"', 'model = "model"\nfiles = "{language}.vec"', "got both"),
        ('model = "model"', 'model = "model"\nwords = "words.txt"', "expected a file name with {language}"),
        ('model = "model"', 'files = "{language}.vec"\npieces = "single"', "words and pieces are of a model"),
    ],
)
def test_a_mistake_in_the_spaces_is_named(model_spec: Path, old: str, new: str, message: str) -> None:
    model_spec.write_text(SPEC.replace(old, new))

    with pytest.raises(SpecError, match=message):
        load_study(model_spec)
