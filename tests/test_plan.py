from __future__ import annotations

from dataclasses import replace

import pytest

from crossgraft.core import Cell, Job, Point, Treatment
from crossgraft.errors import SpecError
from crossgraft.runs.plan import CHUNK, ordered, plan, select

TASKS, LANGUAGES, MODELS, SEEDS = ("a", "b"), ("en", "de", "fr"), ("small", "large"), (1, 2)
TARGETS = (Point("a", "en"), Point("b", "de"))


def job(treatment: Treatment) -> Job:
    cells = tuple(Cell(t, f"{treatment}|{t}", "texts", "all", "accuracy") for t in TARGETS)
    return Job(treatment, str(treatment), cells)


def grid() -> list[Job]:
    found = []
    for model in MODELS:
        found.append(job(Treatment(model, "base", "control")))
        for seed in SEEDS:
            for task in TASKS:
                for language in LANGUAGES:
                    point = Point(task, language)
                    found.append(job(Treatment(model, str(point), "trained", point, (), seed)))
    return found


def ids(jobs: list[Job], pairing: str = "p") -> dict[str, set[str]]:
    return {cell.record_id: {pairing} for one in jobs for cell in one.cells}


def test_nothing_done_means_everything_is_missing() -> None:
    jobs = grid()

    todo = plan(jobs, {})

    assert set(todo.jobs) == set(jobs)
    assert todo.missing == todo.total == len(jobs) * len(TARGETS)


def test_a_job_is_cut_to_its_missing_targets() -> None:
    jobs = grid()
    done = ids(jobs)
    del done[jobs[1].cells[1].record_id]

    todo = plan(jobs, done)

    assert todo.jobs == (replace(jobs[1], cells=jobs[1].cells[1:]),)


def test_everything_done_means_nothing_to_do_wherever_it_was_computed() -> None:
    jobs = grid()

    assert plan(jobs, ids(jobs, "cpu"), pairing="gpu").jobs == ()


def test_a_control_is_measured_again_where_treatments_are_about_to_be() -> None:
    jobs = grid()[: 1 + len(TASKS) * len(LANGUAGES)]  # one model, one seed
    done = ids(jobs, "cpu")
    treatment = jobs[1]
    del done[treatment.cells[0].record_id]

    todo = plan(jobs, done, pairing="gpu")

    assert todo.jobs == (replace(jobs[0], cells=jobs[0].cells[:1]), replace(treatment, cells=treatment.cells[:1]))


def test_jobs_that_failed_for_good_are_left_out_and_listed() -> None:
    jobs = grid()

    todo = plan(jobs, {}, failed={cell.record_id for cell in jobs[1].cells})

    assert todo.failed == (jobs[1],)
    assert jobs[1] not in todo.jobs


def test_a_control_comes_before_the_treatments_of_its_model() -> None:
    order = list(ordered(grid()))

    for model in MODELS:
        kinds = [one.treatment.kind for one in order if one.treatment.model == model]
        assert kinds[0] == "control"
        assert kinds.count("control") == 1


def test_a_run_that_stops_after_a_chunk_of_each_model_has_all_tasks_and_models() -> None:
    begun = list(ordered(grid()))[: len(MODELS) * (1 + CHUNK)]
    trained = [one.treatment for one in begun if one.treatment.source]

    assert {t.model for t in trained} == set(MODELS)
    assert {t.source.task for t in trained if t.source} == set(TASKS)
    assert {t.seed for t in trained} == {SEEDS[0]}
    assert len({t.source.lang for t in trained if t.source}) > 1


def test_every_job_is_ordered_once() -> None:
    jobs = grid()

    assert sorted(map(str, ordered(jobs))) == sorted(map(str, jobs))


@pytest.mark.parametrize("pattern", ["a/*", "small:a/*"])
def test_only_keeps_what_matches_and_the_controls_it_needs(pattern: str) -> None:
    chosen = select(grid(), [pattern])

    assert {one.treatment.source.task for one in chosen if one.treatment.source} == {"a"}
    models = {one.treatment.model for one in chosen if not one.treatment.is_control}
    assert models == {one.treatment.model for one in chosen if one.treatment.is_control}


def test_only_by_model_keeps_all_of_it() -> None:
    chosen = select(grid(), ["large"])

    assert {one.treatment.model for one in chosen} == {"large"}
    assert len(chosen) == 1 + len(SEEDS) * len(TASKS) * len(LANGUAGES)


def test_only_that_matches_nothing_is_refused() -> None:
    with pytest.raises(SpecError, match="nothing in the study matches; did you mean 'large'"):
        select(grid(), ["lorge"])
