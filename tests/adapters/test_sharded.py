"""Bases whose weights lie in several files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from crossgraft.adapters.bases.models import Model, check_model_folder
from crossgraft.errors import DataError
from crossgraft.runs.fingerprints import fingerprint
from crossgraft.study import Origin

torch = pytest.importorskip("torch")


@pytest.fixture
def shards(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model in a dozen files."""
    from transformers import AutoModelForCausalLM

    folder = tmp_path / "sharded"
    AutoModelForCausalLM.from_pretrained(tiny_model).save_pretrained(folder, max_shard_size="10KB")
    for file in tiny_model.glob("tokenizer*"):
        shutil.copy(file, folder)
    assert len(list(folder.glob("model-*.safetensors"))) > 3
    return folder


def content(folder: Path) -> str:
    return fingerprint([Model(path=str(folder)).input("m", Origin())]).popitem()[1]


def test_a_sharded_model_is_the_whole_one(tiny_model: Path, shards: Path) -> None:
    from crossgraft.adapters.bases.loading import load_model

    cpu = torch.device("cpu")
    models = [load_model("m", Model(path=str(path)), Origin(), "sdpa", cpu) for path in (tiny_model, shards)]

    whole, sharded = (model(torch.arange(40)[None]).logits.numpy() for model in models)
    np.testing.assert_array_equal(whole, sharded)


def test_shapes_of_a_sharded_model_are_those_of_the_whole_one(tiny_model: Path, shards: Path) -> None:
    whole, sharded = (sorted(Model(path=str(path)).shapes(Origin())) for path in (tiny_model, shards))

    assert whole == sharded


def test_a_byte_of_any_shard_is_part_of_the_identity(shards: Path) -> None:
    before = content(shards)

    for shard in sorted(shards.glob("model-*.safetensors")):
        original = shard.read_bytes()
        shard.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
        assert content(shards) != before
        shard.write_bytes(original)

    assert content(shards) == before


def test_a_missing_shard_is_named(shards: Path) -> None:
    first, *others = sorted(shards.glob("model-*.safetensors"))
    first.unlink()

    with pytest.raises(
        DataError, match=f"models.m: .* lacks 1 of the {len(others) + 1} files .*such as {first.name}.; get the missing"
    ):
        check_model_folder(shards, "models.m")


def test_a_shard_of_another_model_is_found(shards: Path) -> None:
    first, second, *_ = sorted(shards.glob("model-*.safetensors"))
    shutil.copy(second, first)

    with pytest.raises(DataError, match="names the weight '.*', which no file in .* holds"):
        check_model_folder(shards, "models.m")


@pytest.mark.parametrize("told", [{}, {"weight_map": []}, {"weight_map": {"w": 1}}])
def test_a_broken_index_is_one_sentence(shards: Path, told: dict[str, object]) -> None:
    (shards / "model.safetensors.index.json").write_text(json.dumps(told))

    with pytest.raises(DataError, match="models.m: .*index.json: expected weight_map"):
        check_model_folder(shards, "models.m")
