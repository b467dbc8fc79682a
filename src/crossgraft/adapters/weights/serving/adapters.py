"""Where the adapter of a treatment lies: in the store, in a given folder, or as a weighted sum of such folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crossgraft.adapters.jobs import artefact
from crossgraft.adapters.remedies.merges import SCALE
from crossgraft.adapters.spec.study_spec import AdapterSpec
from crossgraft.adapters.weights.stored import adapter_damage
from crossgraft.core import Job, Treatment
from crossgraft.errors import SpecError, StoreError
from crossgraft.runs.storage.layout import Manifest
from crossgraft.runs.storage.store import Store
from crossgraft.spec import parse_study

Weighted = tuple[Job, float]


@dataclass(frozen=True)
class Adapters:
    """The adapters of a study in a store; nothing is read before it is asked for."""

    store: Store
    manifest: Manifest
    study: AdapterSpec

    @classmethod
    def of(cls, store: Store, manifest: Manifest) -> Adapters:
        study = parse_study(manifest.spec, folder=Path(manifest.spec_folder), overrides=manifest.overrides)
        if not isinstance(study, AdapterSpec):
            raise SpecError(f"the study {manifest.name!r} has no adapters")
        return cls(store, manifest, study)

    def jobs_of(self, row: Treatment) -> tuple[Job, ...]:
        """One for each seed, in the order of the study."""
        return tuple(job for job in self.manifest.jobs if job.treatment.row == row)

    def first_of(self, row: Treatment) -> Job:
        """Of the first seed whose adapters are in the store; where there are none of any seed, a sentence."""
        jobs = self.jobs_of(row)
        for job in jobs:
            try:
                list(self.folders(job))
                return job
            except StoreError:
                continue
        list(self.folders(jobs[0]))
        return jobs[0]

    def members(self, job: Job) -> tuple[Weighted, ...]:
        """The trained or given adapters that a treatment is made of, with their weights; of most, itself."""
        treatment = job.treatment
        if treatment.kind != "derived":
            return ((job, 1.0),)
        recipe = dict(treatment.recipe)
        if (scale := recipe.pop(SCALE, None)) is not None:
            return ((self._job(treatment.name, treatment, tuple(recipe.items())), float(scale)),)
        parts = self.study.merges[treatment.name].parts
        return tuple((self._job(name, treatment, treatment.recipe), weight) for name, weight in parts)

    def _job(self, name: str, of: Treatment, recipe: tuple[object, ...]) -> Job:
        for job in self.manifest.jobs:
            other = job.treatment
            is_run = other.kind == "trained" and (other.recipe, other.seed) == (recipe, of.seed)
            if (other.model, other.name) == (of.model, name) and (is_run or other.kind == "given"):
                return job
        raise StoreError(f"{of} is made of {name}, which this study does not have any more")

    def folder(self, job: Job) -> Path:
        """Of a trained or given adapter; it must be there, and whole."""
        if job.treatment.kind == "given":
            name = job.treatment.name
            return Path(self.study.adapters[name].input(name, self.study.origin).path)
        folder = self.store.artefacts / artefact(job, self.study.recipe_of(job.treatment).after)
        if not folder.is_dir():
            raise StoreError(
                f"the adapter of {job} is not in the store: it was not kept (keep_adapters) or was removed; run the spec again with "
                'keep_adapters = "always" in a new store'
            )
        if reason := adapter_damage(folder):
            raise StoreError(f"{folder} is damaged ({reason}): run the spec again, and it is trained anew")
        return folder

    def folders(self, job: Job) -> Iterator[tuple[Path, float]]:
        """Of every member, with its weight."""
        return ((self.folder(member), weight) for member, weight in self.members(job))
