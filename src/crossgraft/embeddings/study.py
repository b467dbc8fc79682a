"""A study of mappings between word-embedding spaces, against unmapped vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from crossgraft.core import SHUFFLED, Cell, Job, Labels, Pairing, Point, Treatment
from crossgraft.embeddings import preflight
from crossgraft.embeddings.forecast.cost import forecast
from crossgraft.embeddings.mapping import identity
from crossgraft.embeddings.spaces import devices
from crossgraft.embeddings.spec.study_spec import EmbeddingSpec
from crossgraft.embeddings.tasks import EmbeddingTask, LanguagePair, Seeded, is_stochastic
from crossgraft.embeddings.worker import EmbeddingWorker
from crossgraft.identity import content_id
from crossgraft.study import Fingerprints, Forecast, PreviewItem, Worker, Workplace

SCORING = 2  # raise it when the same inputs would give other answers


@dataclass(frozen=True)
class EmbeddingStudy(EmbeddingSpec):
    """Every method, with every dictionary size, on every pair and task; the control is no mapping."""

    def jobs(self, fingerprints: Fingerprints) -> tuple[Job, ...]:
        return tuple(job for pair in self.language_pairs() for job in self._jobs_of(pair, fingerprints))

    def _jobs_of(self, pair: LanguagePair, fingerprints: Fingerprints) -> Iterator[Job]:
        spaces: dict[str, Any] = {
            "files": [fingerprints[space] for space in self._spaces(pair)],
            "top": self.spaces.top,
            "case": self.spaces.case,
            "normalise": self.spaces.normalise,
        }
        if self.spaces.model:
            spaces["pieces"] = self.spaces.pieces
        control = Treatment(self.spaces.name, "unmapped", "control")
        yield from self._jobs_for(pair, control, content_id(spaces=spaces, method=None), fingerprints)
        train = self._content(self.lexicon.train, pair, fingerprints)
        for name in self.methods.use:
            method = self.methods.get(name)
            parts_of_id: dict[str, Any] = {"method": identity(name, method)}
            if name in self.methods.choose:  # what is chosen follows from these
                parts_of_id["method"] = [identity(name, candidate) for candidate in self.methods.candidates(name)]
                parts_of_id["validation"] = [*self._content(self.lexicon.validate, pair, fingerprints), train]
            for size in self.lexicon.sizes if method.uses_dictionary else (0,):
                lexicon = [*train, size] if method.uses_dictionary else None
                recipe = (("pairs", size),) if size else ()
                for seed in self.seeds if method.stochastic else (None,):
                    treatment = Treatment(self.spaces.name, name, "mapping", recipe=recipe, seed=seed)
                    fitted = content_id(spaces=spaces, lexicon=lexicon, seed=seed, **parts_of_id)
                    yield from self._jobs_for(pair, treatment, fitted, fingerprints)
                for seed in self.seeds if name in self.methods.shuffled else ():
                    sham = Treatment(
                        self.spaces.name, name + SHUFFLED, "mapping", recipe=recipe, seed=seed, source_variant="sham"
                    )
                    fitted = content_id(spaces=spaces, lexicon=[*train, size, "shuffled"], seed=seed, **parts_of_id)
                    yield from self._jobs_for(pair, sham, fitted, fingerprints)

    def _jobs_for(
        self, pair: LanguagePair, treatment: Treatment, treatment_id: str, fingerprints: Fingerprints
    ) -> Iterator[Job]:
        """One job; of a treatment without a seed, one more for each seed of the tasks that train models of their own."""
        tasks = self.tasks_of(pair)
        plain = {name: task for name, task in tasks.items() if treatment.seed is not None or not is_stochastic(task)}
        if plain:
            yield self._job(pair, treatment, treatment_id, plain, fingerprints)
        seeded = {name: task for name, task in tasks.items() if name not in plain}
        for seed in self.seeds if seeded else ():
            one = content_id(mapping=treatment_id, seed=seed)
            yield self._job(pair, replace(treatment, seed=seed), one, seeded, fingerprints)

    def _job(
        self,
        pair: LanguagePair,
        treatment: Treatment,
        treatment_id: str,
        tasks: Mapping[str, EmbeddingTask],
        fingerprints: Fingerprints,
    ) -> Job:
        train = self._content(self.lexicon.train, pair, fingerprints)
        cells = []
        for name, task in tasks.items():
            texts_id = content_id(
                data=[fingerprints[one] for one in task.inputs(pair, self.origin)],
                train=train,  # what items it gives away is part of the answers
                pair=[pair.source, pair.target],
                case=self.spaces.case,
                limit=self.limit,
                task=dict(task.identity()),
            )
            record_id = content_id(treatment=treatment_id, texts=texts_id, scoring=SCORING)
            item_set = f"limit {self.limit}" if self.limit else "all"
            cells.append(Cell(Point(name, str(pair)), record_id, texts_id, item_set, task.metric))
        return Job(treatment, treatment_id, tuple(cells))

    def labels(self) -> Labels:
        """Which tasks have texts that the vectors have learnt from."""
        seen = {name: True for name, task in self.tasks.items() if getattr(task, "transductive", False)}
        return Labels(transductive=seen)

    def pairing(self, workplace: Workplace) -> Pairing:
        return Pairing(devices.kind_of(workplace.device), "", workplace.threads)

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[Worker]:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(workplace.threads), devices.on(workplace.device, workplace.threads):
            preflight.check_words(self, partial(self.space, steps=(), kept=workplace.artefacts / "spaces"))
            yield EmbeddingWorker(self, self.pairing(workplace), workplace)

    def forecast(self, jobs: Sequence[Job]) -> Forecast | None:
        return forecast(self, jobs)

    def check(self) -> Sequence[str]:
        return preflight.check(self)

    def preview(self, count: int) -> Iterator[PreviewItem]:
        return preflight.preview(self, count)

    def smoke(self) -> EmbeddingStudy:
        tasks = {name: task.brief() if isinstance(task, Seeded) else task for name, task in self.tasks.items()}
        return replace(self, limit=1, tasks=tasks)
