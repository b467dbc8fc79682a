"""What a study will take, from shapes, against what a run took."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossgraft.cli.estimate import outlook
from crossgraft.embeddings.forecast.fits import fitting
from crossgraft.embeddings.forecast.shapes import PairShape
from crossgraft.embeddings.mapping import MAPPERS, mapper
from crossgraft.runs.campaign import Settings, run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.study import Forecast

SHAPE = PairShape(source=10_000, target=8_000, width=100, pairs=2_000)
SPEC = """
study = "embeddings"
name = "large"

[spaces]
files = "{language}.npy"
languages = ["de", "en"]

[pairs]
all = true

[lexicon]
train = "{pair}.tsv"

[methods]
use = ["proc-b"]

[tasks.bli]
test = "{pair}.tsv"

[tasks.csls]
kind = "bli"
test = "{pair}.tsv"
retrieval = "csls"
"""
RUN = """
import sys
from pathlib import Path
from crossgraft.runs.campaign import Settings, run
from crossgraft.spec import load_study
summary = run(load_study(Path(sys.argv[1])), Path(sys.argv[2]), settings=Settings(threads=1))
assert not summary.failed
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # getrusage counts the parent too
print(int(peak.split()[1]) * 1024)
"""


def study_of_random_vectors(folder: Path, words: int = 20_000, width: int = 200) -> Path:
    rng = np.random.default_rng(0)
    for language in ("de", "en"):
        np.save(folder / f"{language}.npy", rng.normal(size=(words, width)).astype(np.float32))
        names = "".join(f"{language}{row}\n" for row in range(words))
        (folder / f"{language}.words.txt").write_text(names, encoding="utf-8")
    (folder / "de-en.tsv").write_text("".join(f"de{row}\ten{row}\n" for row in range(500)), encoding="utf-8")
    spec = folder / "study.toml"
    spec.write_text(SPEC, encoding="utf-8")
    return spec


def forecast_of(spec: Path, *sets: str) -> Forecast:
    found = outlook(load_study(spec, list(sets)), Store(spec.parent / "forecast"), Settings(threads=1)).forecast
    assert found is not None
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is in other units elsewhere")
def test_the_memory_of_a_run_is_within_a_factor_of_two(tmp_path: Path) -> None:
    spec = study_of_random_vectors(tmp_path)

    ran = subprocess.run(
        [sys.executable, "-c", RUN, spec, tmp_path / "out"], capture_output=True, text=True, check=True
    )

    assert 0.5 < forecast_of(spec).memory / float(ran.stdout.split()[-1]) < 2


def test_flops_are_those_of_the_products_that_a_method_computes(tmp_path: Path) -> None:
    spec = study_of_random_vectors(tmp_path, words=1000, width=10)

    flops = forecast_of(spec).flops

    assert flops["fit proc-b"] == pytest.approx(2 * 1000 * 1000 * 10, rel=0.02)
    assert flops["evaluate csls"] - flops["evaluate bli"] == pytest.approx(2 * (2 * 1000 * 1000 * 10))


@pytest.mark.parametrize("name", MAPPERS.names())
def test_every_method_is_counted_and_takes_no_less_of_more(name: str) -> None:
    wider = replace(SHAPE, width=200, pairs=4_000)

    less, more = (fitting(name, mapper(name), shape) for shape in (SHAPE, wider))

    assert less is not None
    assert more is not None
    assert 0 < less[0] <= more[0]


def test_what_has_been_computed_is_not_in_the_forecast(tmp_path: Path) -> None:
    study = load_study(study_of_random_vectors(tmp_path, words=1000, width=10))
    run(study, tmp_path / "out", settings=Settings(threads=1))

    assert outlook(study, Store(tmp_path / "out"), Settings(threads=1)).forecast is None
