"""``crossgraft check`` and the doctor, through the command line, on a tiny real model."""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from gguf_files import make_gguf
from parts import make_choice_files, make_tiny_model, write_jsonl, write_spec

torch = pytest.importorskip("torch")

from crossgraft.adapters.check.run import Asked, Composed, compose, doubts, in_memory
from crossgraft.adapters.check.toml import pairs, tables
from crossgraft.adapters.engine.local import LocalEngine
from crossgraft.adapters.weights.card import trained_on
from crossgraft.cli import main
from crossgraft.errors import DataError, SpecError
from crossgraft.runs.campaign import describe_study
from crossgraft.runs.storage.layout import Manifest
from crossgraft.runs.storage.store import Store
from crossgraft.spec import override, parse_study


def crossgraft(monkeypatch: pytest.MonkeyPatch, *told: object) -> int:
    monkeypatch.setattr(sys, "argv", ["crossgraft", *map(str, told)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


@pytest.fixture
def adapter(tiny_model: Path, tmp_path: Path) -> Path:
    return make_adapter(tiny_model, tmp_path / "run" / "checkpoint-9")


def make_adapter(model: Path, folder: Path, *, scale: float = 0.5, **more: object) -> Path:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    with pytest.warns(FutureWarning), torch.random.fork_rng():  # noqa: PT031 - PEFT's own
        torch.manual_seed(0)
        config = LoraConfig(task_type="CAUSAL_LM", r=2, target_modules="all-linear", **more)  # type: ignore[arg-type]
        wrapped = get_peft_model(AutoModelForCausalLM.from_pretrained(model), config)
        for name, weight in wrapped.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(0, scale)
        wrapped.save_pretrained(folder)
    return folder


def test_an_adapter_from_elsewhere_is_measured_on_files(
    tiny_model: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_choice_files(tmp_path / "data", languages=("en", "sw"))
    out = tmp_path / "out"
    told = [tiny_model, adapter, "--on", f"{tmp_path}/data/{{language}}.test.jsonl", "--out", out, "--threads", 1]

    assert crossgraft(monkeypatch, "check", *told, "--device", "cpu") == 0

    printed = capsys.readouterr().out
    assert "detectable" in printed
    assert "checkpoint-9" in printed
    (spec,) = out.glob("*.toml")
    study = parse_study(spec.read_text(), folder=out)
    assert {record.treatment.name for record in Store(out).read()[0]} == {"base", "checkpoint-9"}
    assert crossgraft(monkeypatch, "run", spec, "--out", out, "--threads", 1, "--device", "cpu") == 0
    assert f"{study.name}: 0 of 4 results to compute" in capsys.readouterr().out


def test_a_spec_lends_its_tasks(adapter_spec: Path, tiny_model: Path, adapter: Path) -> None:
    text = compose(Asked(str(tiny_model), (str(adapter),), (str(adapter_spec),), items=5)).text

    study = parse_study(text, folder=Path("/elsewhere"))
    assert [str(point) for point in study.targets] == ["intent/en", "intent/sw", "intent/no"]  # type: ignore[attr-defined]
    assert not study.check()  # type: ignore[attr-defined]  # its relative paths were made absolute


def test_adapters_of_one_name_are_told_apart(tiny_model: Path, tmp_path: Path, adapter_spec: Path) -> None:
    folders = tuple(str(tmp_path / run / "checkpoint-9") for run in ("a", "b"))
    for folder in folders:
        Path(folder).mkdir(parents=True)

    text = compose(Asked(str(tiny_model), folders, (str(adapter_spec),))).text

    assert '[adapters."a/checkpoint-9"]' in text
    assert '[adapters."b/checkpoint-9"]' in text


def test_a_base_alone_is_scored_against_chance(
    adapter_spec: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = ["--on", adapter_spec, "--out", tmp_path / "out", "--threads", 1, "--device", "cpu", "--json"]

    assert crossgraft(monkeypatch, "check", tiny_model, *told) == 0

    printed = capsys.readouterr().out
    scores = json.loads(printed[printed.index("[\n") :])
    assert [one["target"] for one in scores] == ["intent/en", "intent/sw", "intent/no"]
    assert all(one["low"] < one["value"] < one["high"] and one["chance"] == pytest.approx(1 / 3) for one in scores)


XNLI: list[dict[str, object]] = [
    {"id": f"{n}", "premise": "It rains.", "hypothesis": f"Guess {n}.", "label": label, "genre": "news"}
    for n, label in enumerate(["entailment", "neutral", "contradiction"])
]


def test_a_guess_is_printed_with_an_item(
    tiny_model: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_jsonl(tmp_path / "xnli.en.jsonl", XNLI)
    told = ["--on", tmp_path / "xnli.en.jsonl", "--out", tmp_path / "out", "--threads", 1, "--device", "cpu"]

    assert crossgraft(monkeypatch, "check", tiny_model, adapter, *told) == 0

    printed = capsys.readouterr().out
    assert "xnli: guessed to be natural language inference, 3 items in en\n" in printed
    assert "not read: genre" in printed
    assert "| Question: Guess 0. True, False or Neither?\n  | Answer:\n  | options: [True] | Neither | False" in printed


def test_what_is_not_certain_is_refused_with_a_table_that_can_be_given_to_on(tiny_model: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "xnli.en.jsonl", [{**row, "label": n} for n, row in enumerate(XNLI)])

    with pytest.raises(DataError, match="'label' has numbers, and nothing says what they stand for") as caught:
        compose(Asked(str(tiny_model), (), (str(tmp_path / "xnli.en.jsonl"),)))

    spec = write_spec(tmp_path / "xnli.toml", str(caught.value).partition("\n")[2])
    study = parse_study(compose(Asked(str(tiny_model), (), (str(spec),))).text, folder=Path("/elsewhere"))
    assert not study.check()  # type: ignore[attr-defined]


def record_ids(text: str, folder: Path) -> set[str]:
    """Of the base and of the given adapter, on every target."""
    jobs = describe_study(parse_study(text, folder=folder), Store(folder / "nowhere"), check=False).jobs
    return {cell.record_id for job in jobs for cell in job.cells if job.treatment.kind != "trained"}


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("x/small-q4.gguf", "no such file: x/small-q4.gguf"),
        ("owner/Small-GGUF", "owner/Small-GGUF holds GGUF files; download one of them"),
        ("owner/Small-GGUF@main", "owner/Small-GGUF holds GGUF files; download one of them"),
    ],
)
def test_a_base_of_gguf_is_a_file_that_exists(adapter_spec: Path, base: str, message: str) -> None:
    with pytest.raises(DataError, match=f"BASE: {message}"):
        compose(Asked(base, (), (str(adapter_spec),)))


def test_a_gguf_file_is_a_base_with_the_tokenizer_that_is_named(
    adapter_spec: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSGRAFT_CACHE", str(tmp_path / "cache"))
    file = make_gguf(tiny_model, tmp_path / "tiny.gguf", tokenizer=False)
    asked = Asked(str(file), (), (str(adapter_spec),), tokenizer=str(tiny_model))

    study = parse_study(compose(asked).text, folder=tmp_path)

    assert (study.models["base"].path, study.models["base"].tokenizer) == (str(file), str(tiny_model))
    told = [*in_memory(study)]
    assert told[0] == f"base: GGUF, dequantised once, kept in {tmp_path / 'cache' / 'gguf'}"
    assert told[-1].startswith("base: float32, ")


READING = {
    "boundary": 'boundary = "lm-eval"',
    "limit": "limit = 5",
    "merge": "merge = true",
    "test_items": "grid.test_items = 4",
    "targets": 'grid.targets = ["intent/sw"]',
    "shots": 'grid.shots = 2\ngrid.shots_seed = 3\ngrid.shots_between = " "',
    "base_shots": "grid.base_shots = [1]",
    "base_repeats": "grid.base_repeats = 2",
    "base_variants": 'grid.base_variants = ["{prompt} "]',
    "separator": 'tasks.intent.separator = "  "',
    "group": 'tasks.intent.group = "text"',
    "labels": 'tasks.intent.labels = ["0", "1", "2"]',
    "dtype": 'models.tiny.dtype = "bfloat16"',
    "chat": 'models.tiny.chat = true\nmodels.tiny.system = "Be brief."',
    "quantised": 'models.tiny.quantised = "nf4"',
    "trust": "models.tiny.trust_remote_code = true",
}


@pytest.mark.parametrize("key", READING)
def test_a_check_on_a_spec_measures_the_records_of_the_spec(
    adapter_spec: Path, tiny_model: Path, tmp_path: Path, key: str
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    plain = adapter_spec.read_text()
    plain += f'\n[adapters]\ngiven = {{ path = "{folder}", model = "tiny" }}\n'
    text = changed(plain, READING[key])
    adapter_spec.write_text(text)

    asked = Asked(str(tiny_model), (str(folder),), (str(adapter_spec),))
    found = record_ids(compose(asked).text, tmp_path)

    assert found == record_ids(text, tmp_path)
    assert found != record_ids(plain, tmp_path)


def changed(text: str, keys: str) -> str:
    """The spec with keys set, as --set does."""
    table = tomllib.loads(text)
    for one in keys.splitlines():
        override(table, one)
    return "\n".join(
        [
            *pairs({k: v for k, v in table.items() if not isinstance(v, dict)}),
            *tables({k: v for k, v in table.items() if isinstance(v, dict)}),
        ]
    )


def points(text: str) -> dict[str, str]:
    adapters = parse_study(text, folder=Path("/elsewhere")).adapters  # type: ignore[attr-defined]
    return {name: str(given.trained_on) for name, given in adapters.items()}


def two(adapter_spec: Path, tmp_path: Path, *trained_on: str) -> dict[str, str]:
    folders = tuple(str(tmp_path / name) for name in ("one", "two"))
    for folder in folders:
        Path(folder).mkdir(parents=True, exist_ok=True)
    asked = Asked("almanac:llama-small", folders, (str(adapter_spec),), trained_on=trained_on)
    return points(compose(asked).text)


def test_what_adapters_were_trained_on_can_be_said_of_all_or_of_each(adapter_spec: Path, tmp_path: Path) -> None:
    assert two(adapter_spec, tmp_path, "intent/en") == {"one": "intent/en", "two": "intent/en"}
    assert two(adapter_spec, tmp_path, "one=intent/en", f"{tmp_path}/two=intent/sw") == {
        "one": "intent/en",
        "two": "intent/sw",
    }


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (("tow=intent/en",), "no adapter is called 'tow'; did you mean 'two'"),
        (("intent",), "expected task/language"),
        (("intent/en", "one=intent/sw"), "one was trained on one point; got intent/en and intent/sw"),
    ],
)
def test_what_is_said_wrongly_of_training_is_refused(
    adapter_spec: Path, tmp_path: Path, said: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        two(adapter_spec, tmp_path, *said)


def test_an_adapter_of_ours_says_what_it_was_trained_on(
    adapter_spec: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = Store(tmp_path / "out")
    assert crossgraft(monkeypatch, "run", adapter_spec, "--out", store.out, "--threads", 1, "--device", "cpu") == 0
    (folder,) = store.artefacts.iterdir()
    capsys.readouterr()

    told = ["--on", adapter_spec, "--out", tmp_path / "check", "--threads", 1, "--device", "cpu"]
    assert crossgraft(monkeypatch, "check", tiny_model, folder, *told) == 0

    assert "same task, other languages" in capsys.readouterr().out
    ids = json.loads((folder / "train_ids.json").read_text())
    assert ids["point"] == "intent/en"
    assert sorted(ids["ids"]["intent/en"]) == sorted(f"train-{n}" for n in range(12))
    (folder / "train_ids.json").unlink()
    assert str(trained_on(folder)) == "intent/en"  # the card of an older one says so too


def test_test_ids_that_an_adapter_was_trained_on_are_counted(adapter_spec: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    ids = {"intent@letter/en": ["test-3", "train-1"], "other/en": ["test-4"]}
    (folder / "train_ids.json").write_text(json.dumps({"point": "intent@letter/en", "ids": ids}))

    text = compose(Asked("almanac:llama-small", (str(folder),), (str(adapter_spec),))).text
    told = list(doubts(parse_study(text, folder=Path())))  # type: ignore[arg-type]

    assert len(told) == 3  # one a language
    assert "1 of the 12 test ids of intent/en (such as 'test-3') are among those it was trained on" in told[0]


def test_an_unknown_source_and_one_without_a_target_are_told(adapter_spec: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    asked = Asked("almanac:llama-small", (str(tmp_path / "one"),), (str(adapter_spec),))

    def told(*said: str) -> str:
        text = compose(replace(asked, trained_on=said)).text
        return " ".join(doubts(parse_study(text, folder=Path())))  # type: ignore[arg-type]

    assert "one: no single point is known that it was trained on" in told()
    assert "no target is of the task 'intend'; did you mean 'intent'?" in told("intend/en")
    assert told("intent@letter/en") == ""


def test_a_table_that_is_not_completed_is_refused(tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "x.toml", '[tasks.x]\nfiles = "x.jsonl"\noptions = ["…", "…"]\n')

    with pytest.raises(SpecError, match=r"x.toml, tasks.x: options is still to be completed, where it says '…'"):
        composed(spec)


@pytest.mark.parametrize("name", ["a/b", "../escape", ".hidden", "a b", "x" * 101])
def test_a_name_that_is_no_file_name_is_refused_before_the_work(name: str) -> None:
    with pytest.raises(SpecError, match="--name: expected up to 100 letters, digits"):
        Asked("almanac:llama-small", (), ("x.jsonl",), name=name)


def composed(spec: Path, *, name: str = "", items: int = 0) -> Composed:
    return compose(Asked("almanac:llama-small", (), (str(spec),), name=name, items=items))


def test_a_spec_of_that_name_is_never_overwritten(adapter_spec: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("# by hand")

    with pytest.raises(SpecError, match=r"mine.toml has this name and another content; choose another name"):
        composed(adapter_spec, name="mine").apart_from(tmp_path, named=True)


def test_a_study_of_that_name_in_the_store_is_not_replaced(adapter_spec: Path, tmp_path: Path) -> None:
    Store(tmp_path).manifests.save(Manifest("mine", "another spec", (), ()))

    with pytest.raises(SpecError, match="a study in .* has this name and another content"):
        composed(adapter_spec, name="mine").apart_from(tmp_path, named=True)


def test_a_check_without_a_name_gets_one_of_its_own(adapter_spec: Path, tmp_path: Path) -> None:
    first, second = composed(adapter_spec), composed(adapter_spec, items=3)
    (tmp_path / f"{first.name}.toml").write_text(first.text, "utf-8")

    assert first.apart_from(tmp_path, named=False) == first
    assert second.apart_from(tmp_path, named=False).name == f"{first.name}-2"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Asked("nowhere", (), ("x.jsonl",)), "no such file: x.jsonl; --on takes JSONL files"),
        (Asked("nowhere", (), ()), "expected something to evaluate on"),
    ],
)
def test_what_is_not_there_is_one_sentence(asked: Asked, message: str) -> None:
    with pytest.raises((DataError, SpecError), match=message):
        compose(asked)


def test_the_doctor_finds_nothing_wrong_with_a_sound_model(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crossgraft(monkeypatch, "check", tiny_model, "--doctor", "--json", "--device", "cpu", "--threads", 1) == 0

    found = {one["check"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["zero adapter = zero"]["saw"] == "no bit changes"
    assert found["shared = plain, packed"]["fine"]
    assert all(one["fine"] for one in found.values())


@pytest.mark.parametrize("on", [False, True])
def test_the_doctor_says_what_half_precision_may_do_to_a_change(
    adapter_spec: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], on: bool
) -> None:
    told = ["--on", adapter_spec] if on else []
    device = ["--device", "cpu", "--threads", 1]

    crossgraft(monkeypatch, "check", tiny_model, *told, "--doctor", "--dtype", "bfloat16", "--json", *device)

    dtype = next(one for one in json.loads(capsys.readouterr().out) if one["check"] == "dtype")
    assert "bfloat16: an option moves by up to" in dtype["saw"]
    assert ("of 36 items" if on else "name targets with --on to count them") in dtype["saw"]
    assert "--dtype float32 takes that away (float32 weights take" in dtype["saw"]


def test_the_first_lines_of_a_check_name_dtype_memory_and_the_other_choice(
    adapter_spec: Path, tiny_model: Path
) -> None:
    study = parse_study(compose(Asked(str(tiny_model), (), (str(adapter_spec),))).text, folder=Path("/elsewhere"))

    (line,) = in_memory(study)  # type: ignore[arg-type]

    assert line == "base: float32, 0.1 MB of weights; --dtype bfloat16 takes half of it, and adds noise"


def test_the_doctor_sees_a_zero_adapter_that_is_none(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(LocalEngine, "probe_difference", lambda self, before: 0.25)

    assert crossgraft(monkeypatch, "check", tiny_model, "--doctor", "--device", "cpu", "--threads", 1) == 1
    assert "LOOK  changes up to 2.5e-01 nats" in capsys.readouterr().out


def measure(model: Path, folder: Path, data: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    on = f"{data}/{{language}}.test.jsonl"
    return crossgraft(monkeypatch, "check", model, folder, "--on", on, "--out", out, "--threads", 1, "--device", "cpu")


def test_an_adapter_for_another_model_is_refused_and_the_base_is_kept(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors.torch import load_file, save_file

    make_choice_files(tmp_path / "data", languages=("en",))
    folder = make_adapter(tiny_model, tmp_path / "other")
    weights = load_file(folder / "adapter_model.safetensors")
    renamed = {name.replace(".layers.0.", ".h.0."): weight for name, weight in weights.items()}
    save_file(renamed, folder / "adapter_model.safetensors")

    assert measure(tiny_model, folder, tmp_path / "data", tmp_path / "out", monkeypatch) == 1

    printed = capsys.readouterr().out
    assert "of its weights (such as" in printed
    assert "was it trained on another base?" in printed
    assert len(Store(tmp_path / "out").read()[0]) == 1


def test_an_adapter_with_embeddings_of_its_own_size_is_refused(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from safetensors.torch import load_file, save_file

    make_choice_files(tmp_path / "data", languages=("en",))
    folder = make_adapter(tiny_model, tmp_path / "resized", modules_to_save=["embed_tokens"])
    weights = load_file(folder / "adapter_model.safetensors")
    (name,) = (name for name in weights if "embed_tokens" in name)
    save_file({**weights, name: weights[name][:-5].clone()}, folder / "adapter_model.safetensors")

    assert measure(tiny_model, folder, tmp_path / "data", tmp_path / "out", monkeypatch) == 1
    assert "its base was resized before training" in capsys.readouterr().out


def test_a_merged_model_is_compared_like_an_adapter(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_choice_files(tmp_path / "data", languages=("en",))
    other = make_tiny_model(tmp_path / "merged", seed=5)

    assert measure(tiny_model, other, tmp_path / "data", tmp_path / "out", monkeypatch) == 0
    record = next(one for one in Store(tmp_path / "out").read()[0] if one.treatment.name == "merged")
    assert record.provenance["effect"] > 0
