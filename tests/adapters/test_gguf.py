"""A GGUF file as the base of a study: the same model as the folder it came from, dequantised once."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossgraft.adapters.bases.gguf.choice import gguf_file
from crossgraft.adapters.bases.gguf.header import read_header
from crossgraft.adapters.bases.models import Model, check_model
from crossgraft.adapters.forecast.architectures import architecture
from crossgraft.errors import DataError, MissingExtra, SpecError
from crossgraft.runs.campaign import Campaign, Settings, describe_study, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import parse_study
from crossgraft.study import Origin, Remark
from gguf_files import make_gguf
from parts import ADAPTER_SPEC


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSGRAFT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gguf"


@pytest.fixture
def tiny_gguf(tiny_model: Path, tmp_path: Path) -> Path:
    return make_gguf(tiny_model, tmp_path / "tiny.gguf")


def loaded(model: Model) -> tuple[Any, Any]:
    torch = pytest.importorskip("torch")
    from crossgraft.adapters.bases.loading import load_model, load_tokenizer

    return load_model("m", model, Origin(), "sdpa", torch.device("cpu")), load_tokenizer("m", model, Origin())


def log_likelihoods(model: Any) -> np.ndarray:
    import torch

    with torch.no_grad():
        return model(torch.arange(40)[None]).logits.log_softmax(-1).numpy()


def test_a_float32_gguf_is_the_model_it_was_made_from(tiny_model: Path, tiny_gguf: Path) -> None:
    ours, our_tokenizer = loaded(Model(path=str(tiny_gguf)))
    original, tokenizer = loaded(Model(path=str(tiny_model)))

    np.testing.assert_allclose(log_likelihoods(ours), log_likelihoods(original), atol=1e-5)
    text = "what is the colour of the sky? 12 blaue Ümläute"
    assert our_tokenizer(text)["input_ids"] == tokenizer(text)["input_ids"]


def test_quantised_weights_are_dequantised_block_by_block(tiny_model: Path, tmp_path: Path) -> None:
    """Q8_0: 32 numbers share a scale in float16, each is a whole number of it (ggml's definition)."""
    from safetensors.numpy import load_file

    model, _ = loaded(Model(path=str(make_gguf(tiny_model, tmp_path / "tiny-q8.gguf", kind="Q8_0"))))

    rows = load_file(tiny_model / "model.safetensors")["model.layers.0.mlp.up_proj.weight"]
    blocks = rows.reshape(-1, 32)
    scales = np.abs(blocks).max(axis=1, keepdims=True) / 127
    expected = np.round(blocks / scales) * scales.astype(np.float16).astype(np.float32)
    found = model.model.layers[0].mlp.up_proj.weight.numpy()
    np.testing.assert_allclose(found, expected.reshape(rows.shape), atol=1e-7)


def test_half_precision_is_kept_as_what_loading_would_make_of_float32(tiny_gguf: Path) -> None:
    import torch

    wide, half = (loaded(Model(path=str(tiny_gguf), dtype=dtype))[0] for dtype in ("float32", "bfloat16"))

    pairs = zip(wide.parameters(), half.parameters(), strict=True)
    assert all(torch.equal(weight.to(torch.bfloat16), rounded) for weight, rounded in pairs)


def test_a_preview_dequantises_nothing(tiny_gguf: Path, tmp_path: Path, own_cache: Path) -> None:
    study = parse_study(spec_of(tiny_gguf, tmp_path), folder=tmp_path)

    glimpses = list(study.preview(1))

    assert [str(one.point) for one in glimpses] == ["intent/en", "intent/sw", "intent/no"]
    assert not list(own_cache.glob("*/*.safetensors"))


def test_a_file_is_dequantised_once(tiny_gguf: Path, own_cache: Path) -> None:
    loaded(Model(path=str(tiny_gguf)))
    made = {file: file.stat().st_mtime_ns for file in own_cache.glob("*/*")}

    loaded(Model(path=str(tiny_gguf.parent)))

    assert {file: file.stat().st_mtime_ns for file in own_cache.glob("*/*")} == made
    assert sorted(file.name for file in made if file.suffix == ".safetensors") == ["model.safetensors"]


def test_an_interrupted_conversion_leaves_nothing(
    tiny_gguf: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crossgraft.adapters.bases.gguf import conversion

    def half(header: object, dtype: str, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(conversion, "save_weights", half)
        with pytest.raises(KeyboardInterrupt):
            loaded(Model(path=str(tiny_gguf)))

    assert [place for place in own_cache.iterdir() if place.is_dir()] == []
    loaded(Model(path=str(tiny_gguf)))


def spec_of(path: Path, tmp_path: Path, more: str = "") -> str:
    from parts import make_choice_files

    make_choice_files(tmp_path / "data")
    return ADAPTER_SPEC.replace('path = "MODEL"', f'path = "{path}"{more}')


def records(text: str, tmp_path: Path) -> list[str]:
    jobs = describe_study(parse_study(text, folder=tmp_path), Store(tmp_path / "plan"), check=False).jobs
    return [cell.record_id for job in jobs for cell in job.cells]


def test_one_byte_makes_another_model(tiny_gguf: Path, tmp_path: Path) -> None:
    before = records(spec_of(tiny_gguf, tmp_path), tmp_path)
    content = bytearray(tiny_gguf.read_bytes())
    content[-5] ^= 1
    tiny_gguf.write_bytes(content)

    assert not set(before) & set(records(spec_of(tiny_gguf, tmp_path), tmp_path))


def test_the_folder_of_a_single_file_is_that_file(tiny_gguf: Path, tmp_path: Path) -> None:
    place = tmp_path / "alone"
    place.mkdir()
    tiny_gguf.rename(place / tiny_gguf.name)

    by_file = records(spec_of(place / tiny_gguf.name, tmp_path), tmp_path)

    assert records(spec_of(place, tmp_path), tmp_path) == by_file
    assert records(spec_of(place, tmp_path, f', gguf = "{tiny_gguf.name}"'), tmp_path) == by_file


def test_another_tokenizer_is_another_treatment(tiny_gguf: Path, tiny_model: Path, tmp_path: Path) -> None:
    plain = records(spec_of(tiny_gguf, tmp_path), tmp_path)
    other = records(spec_of(tiny_gguf, tmp_path, f', tokenizer = "{tiny_model}"'), tmp_path)

    assert not set(plain) & set(other)


def test_a_study_on_gguf_runs_and_its_records_say_so(tiny_gguf: Path, tmp_path: Path) -> None:
    study = parse_study(spec_of(tiny_gguf, tmp_path), folder=tmp_path)
    store = Store(tmp_path / "runs")

    summary = run(study, store, settings=Settings(threads=1))

    assert (summary.left, summary.failed) == (0, [])
    told = [record.provenance["gguf"] for record in store.read()[0]]
    assert {(one["file"], one["file_type"], one["dequantised"]) for one in told} == {("tiny.gguf", "F32", True)}
    assert all(one["tensor_types"] == {"F32": 21} for one in told)


def test_dequantising_is_one_remark_the_first_time_and_no_bar(
    tiny_gguf: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    study = parse_study(spec_of(tiny_gguf, tmp_path), folder=tmp_path)
    said = []
    for store in ("first", "second"):
        events: list[Any] = []
        run(study, Store(tmp_path / store), settings=Settings(threads=1), watch=events.append)
        said.append([event.text for event in events if isinstance(event, Remark) and "dequantised" in event.text])

    assert [len(texts) for texts in said] == [1, 0]
    assert said[0][0].startswith("tiny.gguf is dequantised to float32, once; the weights are kept in ")
    assert "quantizing" not in capfd.readouterr().err


def test_a_plan_says_that_a_base_is_dequantised_and_what_adapters_weigh(
    tiny_gguf: Path, tiny_model: Path, tmp_path: Path
) -> None:
    from crossgraft.adapters.bases.models import adapter_bytes

    study = parse_study(spec_of(tiny_gguf, tmp_path), folder=tmp_path)

    notes = Campaign(study, Store(tmp_path / "runs")).describe().notes

    assert any("tiny is dequantised from GGUF (F32)" in note for note in notes)
    weights = [
        adapter_bytes(Model(path=str(path)).shapes(Origin()), 4, ("q_proj",)) for path in (tiny_gguf, tiny_model)
    ]
    assert weights[0] == weights[1] > 0


def test_a_forecast_knows_the_sizes_of_a_gguf_file(tiny_gguf: Path, tiny_model: Path) -> None:
    file, folder = (architecture("m", Model(path=str(path)), Origin()) for path in (tiny_gguf, tiny_model))

    assert file == folder
    assert file is not None


def test_no_model_is_read_where_the_tokenizer_is_missing(tiny_model: Path, tmp_path: Path) -> None:
    file = make_gguf(tiny_model, tmp_path / "bare.gguf", tokenizer=False)

    with pytest.raises(
        DataError, match=r'models.m: .*bare.gguf has no tokenizer; name the folder .*tokenizer = "FOLDER"'
    ):
        check_model(Model(path=str(file)), Origin(), "models.m")

    check_model(Model(path=str(file), tokenizer=str(tiny_model)), Origin(), "models.m")
    assert loaded(Model(path=str(file), tokenizer=str(tiny_model)))[1]("the sky")["input_ids"]


def test_an_architecture_that_transformers_cannot_read_is_named(tiny_model: Path, tmp_path: Path) -> None:
    file = make_gguf(tiny_model, tmp_path / "odd.gguf", architecture="rwkv7")

    with pytest.raises(DataError, match="architecture 'rwkv7', which Transformers .* cannot read from GGUF.*llama"):
        check_model(Model(path=str(file)), Origin(), "models.m")


def test_a_file_that_is_cut_short_is_refused_wherever_it_ends(tiny_gguf: Path, tmp_path: Path) -> None:
    content = tiny_gguf.read_bytes()

    for length in (10, 300, len(content) // 2, len(content) - 200):
        (tmp_path / "cut.gguf").write_bytes(content[:length])
        with pytest.raises(DataError, match="models.m: .*cut.gguf ends too early"):
            check_model(Model(path=str(tmp_path / "cut.gguf")), Origin(), "models.m")


def test_weights_that_a_file_lacks_are_not_made_up(tiny_model: Path, tmp_path: Path, own_cache: Path) -> None:
    file = make_gguf(tiny_model, tmp_path / "thin.gguf", layers=3)

    with pytest.raises(
        DataError, match=r"models.m: .*cannot read its weights \(ValueError: no model.layers.2.* 9 weights"
    ):
        loaded(Model(path=str(file)))

    assert not list(own_cache.glob("*/*"))


def test_a_doubtful_split_of_texts_is_told(tiny_gguf: Path) -> None:
    from dataclasses import replace

    from crossgraft.adapters.bases.gguf.cached import notes

    header = read_header(tiny_gguf)
    unknown = replace(header, facts={**header.facts, "tokenizer.ggml.pre": "chameleon"})

    assert len(notes("m", header, own_tokenizer=True)) == 1
    assert "split as 'chameleon'" in notes("m", unknown, own_tokenizer=True)[1]
    assert len(notes("m", unknown, own_tokenizer=False)) == 1


# What follows needs no package gguf.


@pytest.mark.parametrize("content", [b"", b"GG", b"version https://git-lfs", b"FUGG" + bytes(40)])
def test_what_is_not_gguf_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.gguf").write_bytes(content)

    with pytest.raises(DataError, match=r"models.m: .*model.gguf is not a GGUF file: it begins with"):
        check_model(Model(path=str(tmp_path / "model.gguf")), Origin(), "models.m")


def _header(*facts: bytes, version: int = 3, tensors: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, len(facts)) + b"".join(facts)


def _text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_header(version=1), "expected GGUF of version 2 or 3, little-endian; got version 1"),
        (_header(tensors=2**63), "ends too early"),
        (_header(_text(b"a") + struct.pack("<IQ", 8, 2**63)), "ends too early"),
        (_header(_text(b"a") + struct.pack("<IIQ", 9, 8, 2**63)), "ends too early"),
        (_header(_text(b"a") + struct.pack("<IIQ", 9, 9, 1)), "a list of type 9"),
        (_header(_text(b"a") + struct.pack("<I", 77)), "a value of type 77"),
        (_header(_text(b"\xff") + struct.pack("<IB", 0, 1)), "not UTF-8"),
        (_header(tensors=1) + _text(b"w") + struct.pack("<I", 2**31), "2147483648 dimensions"),
    ],
)
def test_a_broken_header_is_one_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.gguf").write_bytes(content)

    with pytest.raises(DataError, match=message):
        read_header(tmp_path / "x.gguf")


def test_the_header_of_a_part_of_a_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("gguf", reason="the sizes of blocks are tables of the package gguf")
    (tmp_path / "x-00001-of-00003.gguf").write_bytes(_header(_text(b"split.count") + struct.pack("<IH", 2, 3)))

    with pytest.raises(DataError, match="one of 3 parts of a GGUF model; join them first: llama-gguf-split --merge"):
        check_model(Model(path=str(tmp_path / "x-00001-of-00003.gguf")), Origin(), "models.m")


def test_of_several_files_one_must_be_named(tmp_path: Path) -> None:
    for name in ("small-q4.gguf", "small-q8.GGUF"):
        (tmp_path / name).write_bytes(_header())

    with pytest.raises(DataError, match="holds 2 GGUF files; name one .*: small-q4.gguf, small-q8.GGUF"):
        Model(path=str(tmp_path)).input("m", Origin())

    assert gguf_file(tmp_path, "small-q8.GGUF") == tmp_path / "small-q8.GGUF"


def test_a_folder_with_safetensors_stays_a_transformers_folder(tmp_path: Path) -> None:
    for name in ("model.safetensors", "small-q4.gguf"):
        (tmp_path / name).touch()

    assert Model(path=str(tmp_path)).input("m", Origin()).kind == "model"
    assert Model(path=str(tmp_path), gguf="small-q4.gguf").input("m", Origin()).kind == "file"


def test_without_the_package_its_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (tmp_path / "x.gguf").write_bytes(_header())

    with pytest.raises(
        MissingExtra, match=r"reading GGUF files needs the extra 'gguf': pip install 'crossgraft\[gguf\]'"
    ):
        check_model(Model(path=str(tmp_path / "x.gguf")), Origin(), "models.m")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "x.gguf", "gguf": "y.gguf"}, "gguf names a file of the folder"),
        ({"hub": "o/n", "revision": "main", "gguf": "y.gguf"}, "gguf names a file of the folder"),
        (
            {"hub": "owner/Small-GGUF", "revision": "main"},
            'owner/Small-GGUF holds GGUF files; download one .*path = "FILE.gguf"',
        ),
    ],
)
def test_where_gguf_lies_is_said_in_one_way(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Model(**arguments)  # type: ignore[arg-type]
