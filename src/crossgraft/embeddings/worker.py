"""Does the jobs of an embedding study: one method on one pair of languages, on all tasks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Any

import numpy as np

from crossgraft.core import SHUFFLED, Job, Pairing, Treatment
from crossgraft.embeddings import preflight
from crossgraft.embeddings.direct.choosing import Tried, choose, validated
from crossgraft.embeddings.lexicon import shuffled
from crossgraft.embeddings.mapping import Mapper, Mapping, is_unsettled, reports_failure
from crossgraft.embeddings.spaces.isomorphism import Shape, isomorphism, shape
from crossgraft.embeddings.spaces.space import Space
from crossgraft.embeddings.spec.study_spec import EmbeddingSpec
from crossgraft.embeddings.tasks import EmbeddingTask, LanguagePair, Seeded
from crossgraft.metrics import scored_record
from crossgraft.study import Progress, Recorded, Remark, Workplace

_SHUFFLING = 1  # beside the seed, so that a dictionary is not shuffled by the numbers a method draws


def method_name(treatment: Treatment) -> str:
    """The method of a mapping, also where its dictionary is shuffled."""
    return treatment.name.removesuffix(SHUFFLED)


class EmbeddingWorker:
    """Keeps the spaces it normalised last, as jobs come pair by pair; below them, files are read once and mapped."""

    def __init__(self, study: EmbeddingSpec, pairing: Pairing, workplace: Workplace) -> None:
        self._study = study
        self._pairing = pairing
        self._pairs = {str(pair): pair for pair in study.language_pairs()}
        self._space = lru_cache(preflight.SPACES_KEPT)(partial(study.space, kept=workplace.artefacts / "spaces"))
        self._shape = lru_cache(None)(self._shape_of)
        self._fitted = lru_cache(1)(self._fit)  # the seeds of what a task trains follow one another

    def _without_seed(self, treatment: Treatment) -> Treatment:
        """What is fitted, when the seed is only that of what a task trains."""
        if treatment.is_sham or (not treatment.is_control and self._method(treatment).stochastic):
            return treatment
        return replace(treatment, seed=None)

    def _method(self, treatment: Treatment) -> Mapper:
        return self._study.methods.get(method_name(treatment))

    def _spaces(self, treatment: Treatment, pair: LanguagePair) -> tuple[Space, Space]:
        steps = None if treatment.is_control else self._method(treatment).normalise
        return self._space(pair.source, steps), self._space(pair.target, steps)

    def _shape_of(self, language: str) -> Shape:
        return shape(self._space(language, None))

    def run(self, job: Job) -> Iterator[Progress | Remark | Recorded]:
        started = time.perf_counter()
        pair = self._pairs[job.cells[0].target.lang]
        spaces = self._spaces(job.treatment, pair)
        preflight.require_one_width(pair, *(space.width for space in spaces))
        mapping, facts = self._fitted(self._without_seed(job.treatment), pair)
        if "chosen" in facts:
            said = ", ".join(f"{key} = {value}" for key, value in facts["chosen"].items())
            yield Remark(job, f"chose {said} on {pair}, by the validation dictionary")
        fitted = time.perf_counter() - started
        if not job.treatment.is_control:
            method = self._method(job.treatment)
            if reports_failure(method, mapping):
                yield Remark(job, f"did not converge on {pair}: its unsupervised criterion failed")
            elif is_unsettled(method, mapping):
                yield Remark(
                    job, f"stopped before its pairs had settled on {pair}; a larger setting rounds lets it go on"
                )
        for cell in job.cells:
            started = time.perf_counter()
            task = self._task(cell.target.task, job.treatment.seed)
            train = self._study.dictionary(pair, spaces)
            evaluation = task.evaluate(pair, spaces, mapping, self._study.origin, train)
            timings = {"fit": fitted, "evaluate": time.perf_counter() - started}
            provenance = {**facts, **evaluation.facts, "versions": _versions()}
            record = scored_record(job, cell, evaluation.answers, self._pairing, timings=timings, provenance=provenance)
            if job.treatment.is_control:
                yield from (Remark(job, text) for text in evaluation.remarks)
            yield Recorded(job, record, replace(evaluation.texts, id=cell.texts_id))

    def _task(self, name: str, seed: int | None) -> EmbeddingTask:
        task = self._study.tasks[name]
        return task.seeded(seed) if seed is not None and isinstance(task, Seeded) else task

    def _fit(self, treatment: Treatment, pair: LanguagePair) -> tuple[Mapping, dict[str, Any]]:
        spaces = self._spaces(treatment, pair)
        facts: dict[str, Any] = {
            "vocabulary": [len(space.words) for space in spaces],
            "spaces": [list(space.notes) for space in spaces],
        }
        if treatment.is_control:
            facts["isomorphism"] = dict(isomorphism(self._shape(pair.source), self._shape(pair.target)))
            return Mapping(), facts
        name = method_name(treatment)
        methods = self._study.methods.candidates(name)
        pairs = np.empty((0, 2), dtype=np.int64)
        if methods[0].uses_dictionary:
            size = int(dict(treatment.recipe).get("pairs", 0))
            lexicon = self._study.dictionary(pair, spaces).first(size)
            pairs = preflight.known_pairs(pair, lexicon, *spaces)
            if treatment.is_sham:
                pairs = shuffled(pairs, np.random.default_rng([treatment.seed or 0, _SHUFFLING]))
            facts |= {"dictionary_pairs": len(lexicon.pairs), "dictionary_pairs_known": len(pairs)}
        choices = self._study.methods.choices(name)
        validation = self._study.validation(pair, spaces) if any(choices) else None
        best, tried = choose(
            methods,
            lambda one: one.fit(*spaces, pairs, np.random.default_rng(treatment.seed or 0)),
            lambda _, mapping: validated(mapping, validation, *spaces) if validation else None,
        )
        if validation:
            facts["chosen"] = choices[tried.index(best)]
            facts["validation"] = {"pairs": len(validation.pairs), "MAP": [_validation_score(one) for one in tried]}
        return best.mapping, {**facts, "fit": dict(best.mapping.facts)}


def _validation_score(one: Tried | str) -> float | str | None:
    """MAP on the validation dictionary, or why it cannot be computed."""
    if isinstance(one, str):
        return one
    return one.level.mean if one.level else None


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("crossgraft", "numpy")}
