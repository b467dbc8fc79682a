"""The models that come with crossgraft: ordinary Transformers folders that read every script."""

from __future__ import annotations

from pathlib import Path

import pytest

import crossgraft
from crossgraft.adapters.bases.models import Model, check_model_folder
from crossgraft.errors import SpecError
from crossgraft.study import Origin
from parts import result

pytest.importorskip("torch")
pytest.importorskip("babel")

from crossgraft.adapters.almanac.facts import LANGUAGES, TASKS
from crossgraft.adapters.almanac.items import items, statements

MODELS = Path(crossgraft.__file__).parent / "adapters/almanac/models"
NAMES = sorted(folder.parent.name for folder in MODELS.glob("*/config.json"))


def test_there_are_two_families() -> None:
    assert NAMES == ["llama-large", "llama-small", "neox-large"]


def test_together_they_weigh_at_most_15_megabytes() -> None:
    assert sum(file.stat().st_size for file in MODELS.rglob("*") if file.is_file()) <= 15e6


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_found_by_its_name_and_is_complete(name: str) -> None:
    folder = Path(Model(path=f"almanac:{name}").input(name, Origin()).path)

    check_model_folder(folder, name)
    assert (folder / "README.md").read_text("utf-8").startswith(f"# almanac:{name}")


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(SpecError, match="the almanac has no model 'llama-smal'; did you mean 'llama-small'?"):
        Model(path="almanac:llama-smal").input("m", Origin())


@pytest.mark.parametrize("name", NAMES)
def test_its_tokenizer_gives_every_text_back(name: str) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(MODELS / name)

    for language in LANGUAGES:
        for text in [
            *statements("currency", language)[::50],
            *(item.prompt for task in TASKS for item in items(task, language, "test", "text")[::50]),
        ]:
            ids = tokenizer(text)["input_ids"]
            assert ids[0] == tokenizer.bos_token_id
            assert tokenizer.decode(ids, skip_special_tokens=True) == text


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_with_plain_transformers_and_knows_something(name: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from crossgraft.adapters.engine.evaluation import prepare
    from crossgraft.adapters.engine.local import LocalEngine
    from crossgraft.adapters.items.encoding import Reading
    from crossgraft.metrics import METRICS

    model = AutoModelForCausalLM.from_pretrained(MODELS / name, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(MODELS / name)
    chosen = items("currency", "de", "test", "text")[:40]

    prepared = prepare(tokenizer, chosen, Reading(), 256, "de")
    answers = result(prepared.answer(LocalEngine(model, tokenizer))).answers

    assert METRICS.get("accuracy").score(answers).value > 0.3
