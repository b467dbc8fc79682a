"""Every Python block of the README and the docs runs, in the order of its page, on small data laid out as the page says."""

from __future__ import annotations

import doctest
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import crossgraft as cg
from crossgraft.embeddings.direct import mapped as mapping
from crossgraft.runs.campaign import Campaign, Settings
from crossgraft.testing import Fake
from parts import write_jsonl

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = {page.name: page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
WITH_PYTHON = sorted(name for name, page in PAGES.items() if BLOCK.search(page.read_text("utf-8")))

Names = dict[str, Any]


def readme(folder: Path, spec: Path) -> Names:
    """A study, and two spaces with a dictionary."""
    (folder / "study.toml").write_text(spec.read_text("utf-8"), "utf-8")
    vectors(folder / "wiki.de.vec", ["Haus", "Baum", *(f"w{n}" for n in range(40))])
    vectors(folder / "wiki.en.vec", ["house", "tree", *(f"v{n}" for n in range(40))])
    pairs = ["Haus\thouse", "Baum\ttree", *(f"w{n}\tv{n}" for n in range(40))]
    (folder / "de-en.tsv").write_text("\n".join(pairs), "utf-8")
    return {}


def embeddings(folder: Path, _spec: Path) -> Names:
    """A mapping that was kept, and a further space of the source."""
    vectors(folder / "de-more.vec", ["neu", "alt"])
    for code in ("de", "en"):
        vectors(folder / f"{code}.vec", ["eins", "zwei"])
    (folder / "de-en.tsv").write_text("eins\teins\nzwei\tzwei", "utf-8")
    request = cg.MapRequest(folder / "de.vec", folder / "en.vec", method="procrustes", dictionary=folder / "de-en.tsv")
    mapping.save(cg.map_spaces(request), folder / "mapped")
    return {}


def recommend(folder: Path, spec: Path) -> Names:
    """A matrix of tasks and languages that the question names, and adapters to serve from."""
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    base = cg.load_study(spec).models["tiny"].path
    for name in ("intent-sw", "nli-en"):
        model = transformers.AutoModelForCausalLM.from_pretrained(base)
        config = peft.LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
        peft.get_peft_model(model, config).save_pretrained(folder / "served" / name)
    routing = {
        "base": base,
        "adapters": {name: {"folder": name} for name in ("intent-sw", "nli-en")},
        "routes": {"intent/sw": "intent-sw"},
    }
    (folder / "served" / "routing.json").write_text(json.dumps(routing), "utf-8")
    rng = np.random.default_rng(0)
    points = [f"{task}/{language}" for task in ("intent", "nli") for language in ("sw", "en", "de")]
    rows = [
        ("m", treatment, target, seed, item, float(rng.random() < 0.6))
        for treatment in ("base", *points)
        for seed in ((None,) if treatment == "base" else (1, 2))
        for target in points
        for item in range(40)
    ]
    names = ("model", "treatment", "target", "seed", "item", "score")
    table = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return {"cg": cg, "matrix": cg.matrix_from_outcomes(table, ["source=treatment"])}


def results(folder: Path, spec: Path) -> Names:
    """Samples as the harness logs them, and a store with a study."""
    for run in ("base", "sw-1"):
        (folder / "logs" / run).mkdir(parents=True)
        samples: list[dict[str, object]] = [{"doc_id": n, "filter": "none", "acc": float(n % 2)} for n in range(8)]
        write_jsonl(folder / "logs" / run / "samples_xnli_de_2026-01-31T12-00-00.jsonl", samples)
    text = spec.read_text("utf-8").replace('"tiny"', '"my-study"').replace("seeds = [1]", "seeds = [1, 2]")
    spec.write_text(text.replace('sources = ["intent/en"]', 'sources = ["intent/*"]'), "utf-8")
    study, store, settings = cg.load_study(spec), cg.Store(folder / "runs"), Settings(device="cpu")
    fake = Fake(pairing=Campaign(study, store, settings).pairing)
    assert all(Campaign(study, store, settings, fake))
    return {}


def vectors(file: Path, words: list[str]) -> None:
    rng = np.random.default_rng(0)
    lines = (f"{word} {' '.join(f'{value:.3f}' for value in rng.normal(size=8))}\n" for word in words)
    file.write_text(f"{len(words)} 8\n{''.join(lines)}", "utf-8")


READY: dict[str, Callable[[Path, Path], Names]] = {
    "README.md": readme,
    "embeddings.md": embeddings,
    "recommend.md": recommend,
    "results.md": results,
}


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # asked for by PEFT
@pytest.mark.parametrize("name", WITH_PYTHON)
def test_the_python_of_a_page_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    spec = {"README.md": "embedding_spec", "recommend.md": "adapter_spec"}.get(name, "adapter_spec_without_model")
    names = READY[name](tmp_path, request.getfixturevalue(spec))
    monkeypatch.chdir(tmp_path)

    for block in BLOCK.findall(PAGES[name].read_text("utf-8")):
        if block.startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(block, names, name, str(PAGES[name]), 0)
            assert doctest.DocTestRunner().run(test, clear_globs=False).failed == 0
        else:
            exec(compile(block, str(PAGES[name]), "exec"), names)
