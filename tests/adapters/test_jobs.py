"""Ids of treatments, runs and records: a change of them makes every store compute everything again."""

from __future__ import annotations

from pathlib import Path

from crossgraft.identity import content_id
from crossgraft.spec import load_study

EVERYTHING = """
[sources.mix]
points = { "intent/en" = 2, "intent/sw" = 1 }
[adapters]
given = { path = "adapter", model = "tiny", trained_on = "intent/sw" }
[sources.on]
points = { "intent/no" = 1 }
adapter = "given"
[recipe.axes]
rank = [2, 4]
after = [1, 0]
"""
TOLD = (
    "seeds=[1, 2]",
    "grid.sources=['intent/*', 'mix', 'on']",
    "grid.base_repeats=2",
    "grid.base_variants=['{prompt} ']",
    "grid.shots=1",
    "grid.base_shots=[2]",
    "grid.sham=true",
    "recipe.protect=['intent/sw']",
    "boundary='lm-eval'",
    "limit=5",
)


def ids(spec: Path, *overrides: str) -> tuple[int, str]:
    """How many jobs a study has, and one id for all of theirs; every input has its role for a fingerprint."""
    study = load_study(spec, overrides)
    jobs = study.jobs({one: f"{one.kind} {one.role}" for one in study.inputs()})
    told = [[str(job), job.treatment_id, job.run_id, [cell.record_id for cell in job.cells]] for job in jobs]
    return len(jobs), content_id(jobs=told)


def test_ids_of_a_plain_study_stay_what_they_were(adapter_spec_without_model: Path) -> None:
    assert ids(adapter_spec_without_model) == (2, "3818ba6c1caf2d9ae647ca513a2c6b8d")


def test_ids_of_a_study_of_everything_stay_what_they_were(adapter_spec_without_model: Path) -> None:
    spec = adapter_spec_without_model
    spec.write_text(spec.read_text("utf-8") + EVERYTHING, "utf-8")

    assert ids(spec, *TOLD) == (85, "40f9d619e856a4906b812b9df0cc8557")
