"""Float32 parity with lm-evaluation-harness: four architectures, two kinds of tokenizer, base and adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lm_eval")
torch = pytest.importorskip("torch")

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from crossgraft.adapters.engine.evaluation import prepare
from crossgraft.adapters.engine.local import LocalEngine, window_of
from crossgraft.adapters.items.encoding import Reading
from crossgraft.adapters.tasks.harness.items import TaskRequest, read
from crossgraft.adapters.weights.lora import saved_adapter
from crossgraft.metrics import METRICS
from harness import harness_scores
from parts import result, write_jsonl

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:transformers")]  # by peft's call

TEXT = [
    "What is the capital of the country ? It is the largest of the old towns by the river .",
    "Was ist die Hauptstadt des Landes ? Es ist die größte der alten Städte am Fluß .",
    "Какая столица у страны ? Это самый большой из старых городов у реки .",
    "この国の首都はどこですか。それは川のほとりの古い町の中で一番大きい。",
]
SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 1,
}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama": ("LlamaConfig", {"num_key_value_heads": 2}),
    "Qwen3": ("Qwen3Config", {"num_key_value_heads": 2, "head_dim": 8}),
    "Gemma3": ("Gemma3TextConfig", {"num_key_value_heads": 2, "head_dim": 8, "sliding_window": 24}),
    "GPTNeoX": ("GPTNeoXConfig", {}),
}


def byte_level() -> Tokenizer:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        TEXT * 5,
        trainers.BpeTrainer(
            vocab_size=420, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
        ),
    )
    return backend


def unigram() -> Tokenizer:
    """As SentencePiece makes them: spaces are marks that belong to the next word, and a beginning is put in front."""
    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    backend.decoder = decoders.Metaspace(prepend_scheme="first")
    backend.train_from_iterator(
        TEXT * 5,
        trainers.UnigramTrainer(
            vocab_size=200, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
        ),
    )
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return backend


TOKENIZERS = {"byte-level": byte_level, "unigram": unigram}


def make_model(folder: Path, family: str, backend: Tokenizer) -> Path:
    name, more = FAMILIES[family]
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")
    tokenizer.save_pretrained(folder)
    config = getattr(transformers, name)(vocab_size=len(tokenizer), **SHAPE, **more)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def make_adapter(model: Path, folder: Path) -> Path:
    from peft import LoraConfig, get_peft_model

    with torch.random.fork_rng():
        torch.manual_seed(2)
        config = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear")
        wrapped = get_peft_model(transformers.AutoModelForCausalLM.from_pretrained(model), config)
        for name, weight in wrapped.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(0, 0.1)
        wrapped.save_pretrained(folder)
    return folder


def task(folder: Path) -> dict[str, Any]:
    """Options of unlike length and script, with a space before them, and a context longer than Gemma's window."""
    rng = np.random.default_rng(0)
    words = " ".join(TEXT).split()
    rows: list[dict[str, object]] = [
        {
            "q": " ".join(rng.choice(words, size=int(rng.integers(4, 40)))),
            "options": [" ".join(rng.choice(words, size=int(rng.integers(1, 6)))) for _ in range(4)],
            "gold": int(rng.integers(4)),
        }
        for _ in range(30)
    ]
    write_jsonl(folder / "rows.jsonl", rows)
    return {
        "task": "words",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(folder / "rows.jsonl")}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{q}}\nAnswer:",
        "doc_to_choice": "options",
        "doc_to_target": "gold",
    }


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("family", FAMILIES)
def test_likelihoods_and_accuracies_are_those_of_the_harness(family: str, tokenizer: str, tmp_path: Path) -> None:
    import yaml

    folder = make_model(tmp_path / "model", family, TOKENIZERS[tokenizer]())
    adapter = make_adapter(folder, tmp_path / "adapter")
    config = task(tmp_path)
    (tmp_path / "words.yaml").write_text(yaml.safe_dump(config), "utf-8")
    items = read(TaskRequest("words", "test", tmp_path, folder=tmp_path)).items
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    words = transformers.AutoTokenizer.from_pretrained(folder)
    engine = LocalEngine(model, words)
    prepared = prepare(words, items, Reading(boundary="lm-eval"), window_of(model), "und")

    ours = [result(prepared.answer(engine)).answers]
    with saved_adapter(model, adapter):
        ours.append(result(prepared.answer(engine)).answers)

    assert engine.test.path.name == "packed"
    for answers, given in zip(ours, (None, adapter), strict=True):
        theirs = harness_scores(folder, config, adapter=given, batch_size=4)
        np.testing.assert_allclose(answers.columns["loglik"], theirs.loglik, atol=1e-4)
        for metric, values in (
            ("accuracy", theirs.acc),
            ("accuracy-per-char", theirs.acc_norm),
            ("accuracy-per-byte", theirs.acc_bytes),
        ):
            assert METRICS.get(metric).statistics(answers)[:, 0].tolist() == values.tolist()
    assert not np.allclose(ours[0].columns["loglik"], ours[1].columns["loglik"], atol=0.1)
