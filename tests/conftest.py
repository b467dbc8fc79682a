"""Fixtures: specs with their data beside them."""

from __future__ import annotations

import signal
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from parts import ADAPTER_SPEC, EMBEDDING_SPEC, make_choice_files, make_spaces, make_tiny_model, write_spec


@pytest.fixture(autouse=True)
def signals_as_they_were() -> Iterator[None]:
    """The command line keeps its handlers until the process ends, which here is pytest's."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of some thousand random weights with a byte-level tokenizer, as a Transformers folder."""
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def adapter_spec(tmp_path: Path, tiny_model: Path) -> Path:
    """A spec with its data beside it, over the tiny model."""
    make_choice_files(tmp_path / "data")
    return write_spec(tmp_path / "study.toml", ADAPTER_SPEC.replace("MODEL", str(tiny_model)))


@pytest.fixture
def adapter_spec_without_model(tmp_path: Path) -> Path:
    """The same for tests that never load the model: the folder only looks like one."""
    model = tmp_path / "model"
    model.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (model / name).write_text("{}")
    (model / "model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    make_choice_files(tmp_path / "data")
    return write_spec(tmp_path / "study.toml", ADAPTER_SPEC.replace("MODEL", "model"))


@pytest.fixture
def embedding_spec(tmp_path: Path) -> Path:
    """Spaces that are noisy rotations of each other, with dictionaries, and a spec."""
    make_spaces(tmp_path)
    return write_spec(tmp_path / "study.toml", EMBEDDING_SPEC)
