"""Methods on every task of an embedding study, in the measure of the task: who is best, and who cannot be told apart from it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import Findings, analyse
from crossgraft.analysis.mappings import bli_findings
from crossgraft.analysis.mappings.standings import TaskStandings, downstream_standings
from crossgraft.core import Answers, Job, Point, Record, Texts, Treatment
from crossgraft.report.about import About
from crossgraft.report.section import Section
from crossgraft.report.sections.mappings import standings
from crossgraft.report.write import write_report
from outcomes import matrix_of, measured

CONTROL = Treatment("vectors", "unmapped", "control")
PAIRS = ("de:en", "de:fi")
ITEMS = tuple(f"i{n}" for n in range(200))
Ran = tuple[Job, Record]


def mapped(name: str, size: int = 0) -> Treatment:
    return Treatment("vectors", name, "mapping", recipe=(("pairs", size),) if size else ())


def classified(treatment: Treatment, right: np.ndarray, pair: str, metric: str = "accuracy") -> Ran:
    """Two classes, of which the first is to be found; the answer is right where ``right`` says so."""
    gold = np.arange(len(right)) % 2
    said = np.where(right, gold, 1 - gold)
    loglik = np.where(np.eye(2)[said] == 1, -0.1, -3.0)
    columns = {"loglik": loglik, "gold": gold, "positive": np.zeros(len(right)), "classes": np.full(len(right), 2)}
    job, record = measured(treatment, Answers("choice", ITEMS, columns), Point("texts", pair), metric)
    return job, replace(record, provenance={"dictionary_pairs": 400} if treatment.recipe else {})


def task(*rates: tuple[Treatment, float], metric: str = "accuracy", pairs: tuple[str, ...] = PAIRS) -> TaskStandings:
    """Methods that are right on the first of the items, up to their rate; all on the same ones."""
    runs = [
        classified(treatment, np.random.default_rng(p).permutation(200) < 200 * rate, pair, metric)
        for p, pair in enumerate(pairs)
        for treatment, rate in ((CONTROL, 0.5), *rates)
    ]
    (found,) = downstream_standings(matrix_of(*runs), [record for _, record in runs])
    return found


def test_scores_of_every_pair_and_their_mean_are_those_of_the_measure() -> None:
    found = task((mapped("a"), 0.8), (mapped("b"), 0.6))

    best = found.best
    assert (best.row.name, best.mean.value) == ("a", pytest.approx(0.8))
    assert {pair: mean.value for pair, mean in best.by_pair.items()} == {pair: pytest.approx(0.8) for pair in PAIRS}
    assert found.control.mean.value == pytest.approx(0.5)
    assert (best.mean.pairs, best.mean.queries, best.mean.concepts) == (2, 400, 200)


def test_a_method_far_below_the_best_is_lower_and_one_beside_it_is_not() -> None:
    found = task((mapped("a"), 0.8), (mapped("b"), 0.79), (mapped("c"), 0.6))

    assert [one.verdict for one in found.standings] == ["best", "not distinguishable", "lower"]
    lower = found.standings[2].behind
    assert lower is not None
    assert lower.value == pytest.approx(-0.2)
    assert lower.high < 0
    assert "1 of the 2 methods tested against it cannot be distinguished from it (b)" in found.sentence


def test_scores_that_are_no_means_are_tested_too() -> None:
    found = task((mapped("a"), 0.8), (mapped("b"), 0.79), (mapped("c"), 0.6), metric="micro-F1")

    assert found.metric == "micro-F1"
    assert [one.verdict for one in found.standings] == ["best", "not distinguishable", "lower"]
    assert found.best.mean.value == pytest.approx(0.8, abs=0.02)


def independent(*rates: float) -> TaskStandings:
    """Methods on one pair, each right on items of its own at its rate."""
    rng = np.random.default_rng(11)
    rows = [(CONTROL, 0.5), *((mapped(name), rate) for name, rate in zip("abc", rates, strict=False))]
    runs = [classified(row, rng.permutation(200) < 200 * rate, "de:en") for row, rate in rows]
    (found,) = downstream_standings(matrix_of(*runs), [record for _, record in runs])
    return found


def test_what_could_be_found_is_2_8_standard_errors_of_a_paired_difference() -> None:
    found = independent(0.52, 0.5)

    standard_error = np.sqrt((0.52 * 0.48 + 0.5 * 0.5) / 200)
    assert found.detectable == pytest.approx(2.8 * standard_error, rel=0.1)


def test_methods_nearer_to_the_best_than_could_be_found_are_underpowered_and_that_is_said() -> None:
    close, wide, one_lower = independent(0.55, 0.52, 0.5), independent(0.5, 0.38), independent(0.8, 0.79, 0.3)

    assert close.is_underpowered
    assert "none of the 2 methods tested against it differs significantly from it (underpowered: with 80 %" in (
        close.sentence
    )
    assert not wide.is_underpowered
    assert not one_lower.is_underpowered
    assert "underpowered" not in one_lower.sentence


def test_every_dictionary_has_a_best_of_its_own_against_which_its_methods_are_tested() -> None:
    rates = ((mapped("a", 50), 0.55), (mapped("b", 50), 0.7), (mapped("a", 400), 0.9), (mapped("b", 400), 0.75))

    found = task(*rates)

    assert [one.row.label for one in found.leaders] == ["a (pairs 400)", "b (pairs 50)"]
    against = {one.row.label: one.reference and one.reference.label for one in found.standings}
    assert against["a (pairs 50)"] == "b (pairs 50)"
    assert against["b (pairs 400)"] == "a (pairs 400)"
    assert found.sizes == ((("pairs", 50),), (("pairs", 400),))


def test_without_a_dictionary_a_method_is_tested_against_the_best_of_all() -> None:
    found = task((mapped("a", 50), 0.6), (mapped("a", 400), 0.9), (mapped("free"), 0.7))

    free = next(one for one in found.standings if one.row.name == "free")
    assert (free.verdict, free.reference) == ("lower", mapped("a", 400))


def ranked(treatment: Treatment, rank: int, pair: str) -> Ran:
    hubness = {"k": 10, "queries": 200, "skewness": 1.5, "never": 0.25, "hub": "hub", "largest": 50}
    outcome = Answers(
        "ranking", ITEMS, {"ranks": np.full((200, 1), float(rank)), "answer": np.full(200, f"x{rank}", dtype=object)}
    )
    job, record = measured(treatment, outcome, Point("bli", pair), "MAP")
    return job, replace(record, provenance={"hubness": hubness})


def study() -> Findings:
    runs = [
        ran
        for p, pair in enumerate(PAIRS)
        for treatment, rank, rate in ((CONTROL, 90, 0.5), (mapped("a"), 2, 0.8), (mapped("b"), 4, 0.9))
        for ran in (
            ranked(treatment, rank, pair),
            classified(treatment, np.random.default_rng(p).permutation(200) < 200 * rate, pair),
        )
    ]
    matrix, records = matrix_of(*runs), [record for _, record in runs]
    golds = Texts("texts", ITEMS, {"gold": [[f"gold of {item}"] for item in ITEMS]})
    bli = bli_findings(matrix, records, lambda _: golds)
    return analyse(Evidence(matrix, "a study", bli=bli, downstream=downstream_standings(matrix, records)))


def table(file: Path) -> list[dict[str, str]]:
    return [*csv.DictReader(file.read_text("utf-8").splitlines())]


def test_the_first_screen_says_what_is_best_on_what_in_the_measure_of_the_task() -> None:
    bli, texts, use, *_ = study().sentences

    assert bli.startswith("bli: a is best, MAP 0.500 [")
    assert "over 2 pairs (400 items), significantly above the one method tested against it; next is b, -25.0 [" in bli
    assert texts.startswith("texts: b is best, accuracy 0.900 [")
    assert use == "To use: no method is among the best on all 2 tasks; choose by the task."


def test_the_report_has_the_measure_of_every_method_on_every_pair_first(tmp_path: Path) -> None:
    files = {file.name: file for file in write_report(study(), tmp_path, About())}

    text = files["report.md"].read_text("utf-8")
    assert text.index("## Which method is best on what") < text.index("## bli: MAP by method and language pair")
    assert text.index("## texts: accuracy by method") < text.index("## What each treatment did")
    rows = table(files["scores.csv"])
    assert [(row["task"], row["method"], row["verdict"]) for row in rows[:3]] == [
        ("bli", "a", "best"), ("bli", "b", "lower"), ("bli", "unmapped", "reference"),
    ]  # fmt: skip
    assert float(rows[0]["de_en"]) == 0.5
    assert float(rows[1]["behind"]) == -0.25


def test_hubs_and_wrong_words_are_there_to_look_at(tmp_path: Path) -> None:
    files = {file.name: file for file in write_report(study(), tmp_path, About())}

    hub, *_ = table(files["bli-hubs.csv"])
    assert (hub["hub"], float(hub["share"]), float(hub["never"])) == ("hub", 0.25, 0.25)
    words = table(files["bli-errors.csv"])
    assert [word["pair"] for word in words] == ["de:en"] * 5 + ["de:fi"] * 5
    assert {(word["method"], word["answer"], float(word["rank"])) for word in words} == {("a", "x2", 2.0)}
    assert all(word["translations"] == f"gold of {word['query']}" for word in words)


def test_a_paper_table_marks_the_best_and_what_does_not_differ_from_it() -> None:
    tested = task((mapped("a", 400), 0.9), (mapped("b", 400), 0.89), (mapped("c", 400), 0.6))
    alone = task((mapped("a", 400), 0.9))

    (scores,) = (table for table in sections_of(tested).tables if table.name == "scores")
    assert [row[2] for row in (scores.rows[place] for place in scores.leaders)] == ["a (pairs 400)", "b (pairs 400)"]
    (untested,) = (table for table in sections_of(alone).tables if table.name == "scores")
    assert not untested.leaders
    assert "No other method was tested" in untested.note


def sections_of(found: TaskStandings) -> Section:
    evidence = Evidence(
        matrix_of(*[classified(CONTROL, np.ones(200, dtype=bool), pair) for pair in PAIRS]), downstream=[found]
    )
    return next(section for section in standings.sections(analyse(evidence)) if section.title.startswith("texts"))
