"""The paper's studies, shrunken to a tiny model and a few made-up items, from plan to report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmark_rows import write_data_set
from parts import make_tiny_model

pytest.importorskip("torch")

from crossgraft.adapters.study import AdapterStudy
from crossgraft.analysis.results import load_findings
from crossgraft.cli.group import cli
from crossgraft.runs.campaign import Settings, run, title
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parents[2] / "examples"
BENCHMARKS = {"arc_challenge": "arc-challenge", "global_mmlu": "global-mmlu", "hellaswag": "hellaswag", "truthfulqa": "truthfulqa"}  # fmt: skip
VIEWS = {"donors-and-recipients": ("", "@release"), "donors-matched": ("",), "donors-v1": ("", "@release"), "donors-axes": ("", "@letter", "@text")}  # fmt: skip
ITEMS = {"train": 8, "test": 6}
CHAT = "{{ bos_token }}{% for turn in messages %}<{{ turn['content'] }}>{% endfor %}"


def shrunken(folder: Path, name: str) -> list[str]:
    """What --set says: a tiny model, local data, two languages, one seed, two sources, one epoch."""
    model = make_tiny_model(folder / "model")
    config = json.loads((model / "tokenizer_config.json").read_text("utf-8"))
    (model / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": CHAT}), "utf-8")
    shape = json.loads((model / "config.json").read_text("utf-8"))
    (model / "config.json").write_text(json.dumps({**shape, "max_position_embeddings": 2048}), "utf-8")
    sets = [
        f'models={{ tiny = {{ path = "{model}", chat = true }} }}',
        "seeds=[17]",
        'grid.sources=["arc_challenge/de", "truthfulqa/de"]',
        "recipe.rank=2",
        "recipe.epochs=1",
    ]
    for task, benchmark in BENCHMARKS.items():
        data = write_data_set(folder / task, benchmark, ("de", "en"), ITEMS)
        for view in VIEWS[name]:
            at = f"tasks.{task}{view}"
            sets += [f'{at}.folder="{data}"', f'{at}.languages=["de", "en"]']
    if name == "donors-axes":
        sets += ['recipe.axes.chat=["none"]', "recipe.axes.autocast=[false]"]
    return sets


def plan(spec: Path, sets: Sequence[str], out: Path) -> Any:
    options = [part for one in sets for part in ("--set", one)]
    found = CliRunner().invoke(cli, ["plan", str(spec), *options, "--limit", "4", "--out", str(out), "--json"])
    assert found.exit_code == 0, found.output
    return json.loads(found.output)


@pytest.mark.parametrize("name", VIEWS)
def test_a_shrunken_study_does_what_its_plan_says_job_by_job(name: str, tmp_path: Path) -> None:
    spec, out = EXAMPLES / f"{name}.toml", tmp_path / "out"
    sets = shrunken(tmp_path, name)
    told = plan(spec, sets, out)
    study = load_study(spec, [*sets, "limit=4"])
    assert isinstance(study, AdapterStudy)

    summary = run(study, out, settings=Settings(device="cpu", threads=1))

    assert (summary.failed, summary.left) == ([], 0)
    records, _ = Store(out).read()
    done: dict[str, set[str]] = {}
    for record in records:
        done.setdefault(str(record.treatment), set()).add(str(record.target))
    assert done == {job["job"]: set(job["targets"]) for job in told["jobs"]}
    assert sum(len(record.answers) for record in records) == told["cost"]["items"]
    runs = {str(one.treatment): one.provenance for one in records if one.treatment.kind == "trained"}
    held = [round(0.1 * 8) if facts["held_out_losses"] else 0 for facts in runs.values()]
    assert (
        sum(facts["train_items"] - out for facts, out in zip(runs.values(), held, strict=True))
        == told["cost"]["examples"]
    )
    assert load_findings(Store(out), title(study)).regimes
