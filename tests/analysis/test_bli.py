"""Readings of BLI on ranks made by hand, where every mean can be reckoned and every difference is planted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import Findings, analyse
from crossgraft.analysis.mappings import BLIFindings, MethodRow, bli_findings
from crossgraft.core import Answers, Job, Point, Record, Treatment
from crossgraft.report.about import About
from crossgraft.report.html import html
from crossgraft.report.markdown import markdown
from crossgraft.report.pictures.kinds import Curves
from crossgraft.report.sections.mappings import bli as bli_section
from crossgraft.report.write import write_report
from outcomes import BASE, answers, matrix_of, measured, trained

CONTROL = Treatment("vectors", "unmapped", "control")
Pair = tuple[Job, Record]


def method(name: str, seed: int | None = None, pairs: int = 0) -> Treatment:
    return Treatment("vectors", name, "mapping", recipe=(("pairs", pairs),) if pairs else (), seed=seed)


def ranking(ranks: Iterable[float], **columns: object) -> Answers:
    values = np.array(list(ranks), dtype=float)[:, None]
    items = tuple(f"w{n}" for n in range(len(values)))
    return Answers("ranking", items, {"ranks": values, **{name: np.asarray(one) for name, one in columns.items()}})


def ran(treatment: Treatment, outcome: Answers, pair: str = "de:en", known: int = 0, **facts: object) -> Pair:
    told = {"dictionary_pairs": 5000, "dictionary_pairs_known": known} if known else {}
    job, record = measured(treatment, outcome, Point("bli", pair), "MAP")
    return job, replace(record, provenance={**told, **facts})


def read(*ran: Pair) -> BLIFindings:
    (found,) = bli_findings(matrix_of(*ran), [record for _, record in ran])
    return found


def row(found: BLIFindings, label: str) -> MethodRow:
    return next(one for one in found.rows if one.row.label == label)


def controls(*pairs: str, n: int = 4, **columns: object) -> list[Pair]:
    return [ran(CONTROL, ranking([1000] * n, **columns), pair) for pair in pairs]


def test_all_filtered_and_successful_are_the_papers() -> None:
    """a succeeds on both pairs (MAP .5 and .25), b on the first alone (.1 and .01)."""
    found = read(
        *controls("de:en", "de:fi"),
        ran(method("a"), ranking([2, 2, 2, 2])),
        ran(method("a"), ranking([4, 4, 4, 4]), "de:fi"),
        ran(method("b"), ranking([10, 10, 10, 10])),
        ran(method("b"), ranking([100, 100, 100, 100]), "de:fi"),
    )

    assert [one.row.name for one in found.rows] == ["a", "b"]
    assert found.filtered_pairs == ("de:en",)
    assert [one.succeeded for one in found.rows] == [2, 1]
    assert [one.all.value for one in found.rows] == pytest.approx([0.375, 0.055])
    assert [one.filtered.value for one in found.rows if one.filtered] == pytest.approx([0.5, 0.1])
    assert (found.rows[0].all.pairs, found.rows[0].all.queries, found.rows[0].all.concepts) == (2, 8, 4)


def test_a_method_that_succeeds_in_one_run_has_succeeded() -> None:
    found = read(
        *controls("de:en"), ran(method("a", 1), ranking([1, 1, 1, 1])), ran(method("a", 2), ranking([500] * 4))
    )

    one = found.rows[0]
    assert (one.succeeded, one.runs_succeeded, one.runs) == (1, 1, 2)
    assert one.all.value == pytest.approx(0.501)


def test_seeds_that_differ_widen_the_interval() -> None:
    ranks = np.arange(1, 201)

    steady, mixed = (
        read(*controls("de:en", n=200), *(ran(method("a", n), ranking(ranks * n**power)) for n in (1, 3)))
        for power in (0, 1)
    )

    assert mixed.rows[0].all.high - mixed.rows[0].all.low > 1.2 * (steady.rows[0].all.high - steady.rows[0].all.low)


def test_a_level_stays_between_0_and_1() -> None:
    runs = [ran(method("a"), ranking([rank] * 4), pair) for pair, rank in (("de:en", 1), ("de:fi", 1), ("de:fr", 3))]

    found = read(*controls("de:en", "de:fi", "de:fr"), *runs).rows[0].all

    assert (found.value, found.pairs_high) == (pytest.approx(7 / 9), 1.0)


def test_words_out_of_vocabulary_are_no_queries() -> None:
    found = read(*[ran(t, ranking([1, 2, np.nan, np.nan])) for t in (CONTROL, method("a"))])

    assert (found.rows[0].all.value, found.rows[0].all.queries) == (0.75, 2)
    assert dict(found.rows[0].measures)["coverage"].value == 0.5


def test_the_same_words_asked_in_more_pairs_are_no_surer() -> None:
    ranks = np.random.default_rng(0).integers(1, 30, size=60)
    one = read(*controls("de:en", n=60), ran(method("a"), ranking(ranks)))
    three = read(
        *controls("de:en", "de:fi", "de:hr", n=60),
        *(ran(method("a"), ranking(ranks), pair) for pair in ("de:en", "de:fi", "de:hr")),
    )

    assert (three.rows[0].all.low, three.rows[0].all.high) == pytest.approx((one.rows[0].all.low, one.rows[0].all.high))
    assert three.rows[0].all.concepts == 60


def test_lines_of_parallel_dictionaries_are_clusters_across_languages() -> None:
    lines = np.arange(4)
    both = [(t, pair) for pair in ("de:en", "fi:hr") for t in (CONTROL, method("a"))]

    parallel = read(*(ran(t, ranking([1, 2, 3, 4], concept=lines), pair) for t, pair in both))
    apart = read(*(ran(t, ranking([1, 2, 3, 4]), pair) for t, pair in both))

    assert parallel.rows[0].all.concepts == 4
    assert apart.rows[0].all.concepts == 8


def test_line_numbers_of_dictionaries_made_one_by_one_are_no_concepts() -> None:
    both = [(t, pair) for pair in ("de:en", "de:fi") for t in (CONTROL, method("a"))]
    lines = {"de:en": [0, 1, 2, 3], "de:fi": [3, 0, 1, 2]}

    found = read(*(ran(t, ranking([1, 2, 3, 4], concept=lines[pair]), pair) for t, pair in both))

    assert found.rows[0].all.concepts == 4  # the German words
    assert "source words" in found.method


def planted(n: int = 120) -> list[Pair]:
    """Three methods: b is equal to a on average, c far worse, over two pairs."""
    rng = np.random.default_rng(1)
    ran_ = controls("de:en", "fi:hr", n=n)
    for pair in ("de:en", "fi:hr"):
        a, b = rng.integers(1, 6, size=(2, n))
        ran_ += [ran(method(name), ranking(ranks), pair) for name, ranks in (("a", a), ("b", b), ("c", a + 5))]
    return ran_


def test_a_planted_difference_is_found_and_none_where_there_is_none() -> None:
    found = {(one.first.name, one.second.name): one for one in read(*planted()).comparisons}

    assert set(found) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert found["a", "c"].holm < 0.001
    assert found["a", "c"].difference.low > 0
    assert found["a", "b"].holm > 0.05
    assert found["a", "b"].difference.low < 0 < found["a", "b"].difference.high
    for one in found.values():
        assert one.p <= one.holm <= one.bonferroni


def test_a_difference_does_not_depend_on_which_comes_first() -> None:
    forward, backward = (read(*runs).comparisons for runs in (planted(), planted()[:2] + planted()[:1:-1]))

    values = {frozenset((one.first.name, one.second.name)): (abs(one.difference.value), one.p) for one in forward}
    for one in backward:
        value, p = values[frozenset((one.first.name, one.second.name))]
        assert (abs(one.difference.value), one.p) == (pytest.approx(value), pytest.approx(p, abs=0.02))


def test_only_equal_dictionaries_are_compared_and_methods_without_one_with_all() -> None:
    runs = [ran(method(name, pairs=size), ranking([1, 2, 3, 4]), known=size) for name in "ab" for size in (10, 20)]

    found = read(*controls("de:en"), *runs, ran(method("free"), ranking([1, 1, 1, 1])))

    compared = {(one.first.label, one.second.label) for one in found.comparisons}
    sized = {f"{name} (pairs {size})" for name in "ab" for size in (10, 20)}
    assert compared == {("a (pairs 10)", "b (pairs 10)"), ("a (pairs 20)", "b (pairs 20)")} | {
        (label, "free") for label in sized
    }


def test_the_leading_comparisons_are_those_of_the_best_of_each_size() -> None:
    found = read(*planted())

    best = found.rows[0].row
    assert all(best in (one.first, one.second) for one in found.leading)
    assert len(found.leading) == 2


def test_what_a_doubling_adds_is_the_slope() -> None:
    """MAP .1, .2, .3 at 100, 200, 400 known pairs: .1 a doubling."""
    runs = [
        ran(method("a", pairs=size), ranking([1 / score] * 4), known=known)
        for size, known, score in ((200, 100, 0.1), (400, 200, 0.2), (800, 400, 0.3))
    ]

    (slope,) = read(*controls("de:en"), *runs).slopes

    assert slope.sizes == (100, 200, 400)
    assert slope.doubling.value == pytest.approx(0.1)


def test_queries_are_read_apart_by_frequency_and_spelling() -> None:
    columns = {"frequency": [1, 1000, 1001, 30_000], "identical": [True, False, False, True]}

    found = read(*(ran(t, ranking([1, 2, 4, 5], **columns)) for t in (CONTROL, method("a"))))

    assert {part.part: part.mean.value for part in found.parts} == pytest.approx(
        {"1-1K": 0.75, "1K-5K": 0.25, "20K+": 0.2, "the same": 0.6, "different": 0.375}
    )


@pytest.mark.parametrize(
    ("ranks", "control", "reasons"),
    [
        ([1] * 199, [500] * 199, ["199 queries, fewer than 200"]),
        ([1] * 200, [500] * 200, []),
        ([30] * 200, [500] * 200, ["no method reaches a MAP of 0.05"]),
        ([1, 2] * 100, [2, 1] * 100, ["no method differs significantly from unmapped vectors"]),
    ],
)
def test_a_weak_pair_says_why(ranks: list[float], control: list[float], reasons: list[str]) -> None:
    found = read(ran(CONTROL, ranking(control)), ran(method("a"), ranking(ranks)))

    assert len(found.pairs[0].weak) == len(reasons)
    assert all(seen.startswith(reason) for seen, reason in zip(found.pairs[0].weak, reasons, strict=True))
    assert bool(found.notes) == bool(reasons)


def test_little_coverage_is_said_and_no_reason_not_to_compare() -> None:
    half, less = ([1.0] * 200 + [np.nan] * missing for missing in (200, 201))

    enough, little = (
        read(ran(CONTROL, ranking([9.0] * 200 + ranks[200:])), ran(method("a"), ranking(ranks)))
        for ranks in (half, less)
    )

    assert (enough.notes, little.pairs[0].weak) == ((), ())
    assert "on 1 of 1 pairs the vocabularies have less than 50% of the test queries (de:en: 50%)" in little.notes[0]


def test_shape_is_set_against_success_over_pairs() -> None:
    runs = []
    for place, pair in enumerate(["de:en", "de:fi", "de:fr", "de:hr", "de:it"]):
        runs.append(ran(CONTROL, ranking([900] * 4), pair, isomorphism={"gap": float(place)}))
        runs.append(ran(method("a"), ranking([place + 1] * 4), pair))

    ((name, correlation),) = read(*runs).shapes

    assert (name, correlation.value, correlation.n) == ("gap", pytest.approx(-1), 5)


def test_the_share_of_the_commonest_answer_is_seen() -> None:
    said = np.array(["hub", "hub", "x", ""], dtype=object)
    outcome = ranking([3, 4, 1, np.nan], answer=said)

    found = read(*(ran(t, outcome) for t in (CONTROL, method("a"))))

    assert found.rows[0].commonest == pytest.approx(2 / 3)


def test_methods_measured_on_different_pairs_are_said_to_be() -> None:
    found = read(
        *controls("de:en", "de:fi"),
        ran(method("a"), ranking([1, 1, 1, 1])),
        ran(method("a"), ranking([1, 1, 1, 1]), "de:fi"),
        ran(method("b"), ranking([1, 1, 1, 2])),
    )

    assert row(found, "b").all.pairs == 1
    assert np.isnan(row(found, "b").all.pairs_low)
    assert any("not every method was measured on every pair" in note for note in found.notes)


def test_a_study_of_adapters_has_none_of_this() -> None:
    runs = [measured(BASE, answers([0, 1])), measured(trained(), answers([1, 1]))]

    assert bli_findings(matrix_of(*runs), [record for _, record in runs]) == ()


@pytest.fixture
def findings() -> Findings:
    runs = [*planted(), *(ran(method("s", pairs=n), ranking([n] * 120), known=n) for n in (2, 8))]
    matrix = matrix_of(*runs)
    return analyse(Evidence(matrix, "a study", bli=bli_findings(matrix, [record for _, record in runs])))


def test_the_report_has_its_section_and_tables(findings: Findings, tmp_path: Path) -> None:
    for page in (html(findings, About()), markdown(findings, About())):
        assert "Embeddings: bli" in page
        for title in ("MAP of the methods", "The best of each dictionary size", "The gain from a larger dictionary"):
            assert title in page
        assert "nan" not in re.sub(r"<script.*</script>", "", page, flags=re.DOTALL)

    names = {file.name for file in write_report(findings, tmp_path)}
    assert {"bli.csv", "bli-comparisons.csv", "bli-pairs.csv"} <= names
    assert len((tmp_path / "bli-comparisons.csv").read_text().splitlines()) == 1 + len(
        findings.evidence.bli[0].comparisons
    )


def test_other_reports_do_not_have_it(tmp_path: Path) -> None:
    found = analyse(matrix_of(measured(BASE, answers([0, 1])), measured(trained(), answers([1, 1]))))

    assert "MAP of the methods" not in html(found, About())
    assert "bli.csv" not in {file.name for file in write_report(found, tmp_path)}


def test_what_runs_without_a_dictionary_believed_is_held_against_what_they_reached() -> None:
    def unsupervised(seed: int, rank: float, pair: str, *, believed: bool) -> Pair:
        return ran(method("icp", seed), ranking([rank] * 4), pair, fit={"converged": believed})

    found = read(
        *controls("de:en", "de:fi"),
        unsupervised(1, 2, "de:en", believed=True),
        unsupervised(2, 2, "de:en", believed=False),
        unsupervised(1, 500, "de:fi", believed=True),
        unsupervised(2, 500, "de:fi", believed=False),
        ran(method("procrustes"), ranking([2] * 4), known=9, fit={"converged": True}),
        ran(method("muse"), ranking([2] * 4), fit={}),
    )

    (one,) = found.convergences
    assert (one.row.label, one.runs, one.failed, one.pairs) == ("icp", 4, ("de:fi",), 2)
    assert (one.converged_right, one.converged_wrong, one.failed_right, one.failed_wrong) == (1, 1, 1, 1)
    assert found.notes[-2:] == (
        "without a successful run (a MAP of 0.05 or more): icp on 1 of 2 pairs (de:fi); failures are in their means",
        "runs that reported convergence without success: 1 of 4 of icp",
    )


def test_the_first_sentence_says_which_method_is_best_and_which_are_not_distinguishable_from_it() -> None:
    ranks = np.random.default_rng(0).integers(1, 4, 300)
    pairs = ("de:en", "de:fi")
    found = read(
        *controls(*pairs, n=300),
        *(ran(method("best"), ranking(ranks), pair) for pair in pairs),
        *(ran(method("alike"), ranking(np.roll(ranks, 1)), pair) for pair in pairs),
        *(ran(method("worse"), ranking(4 * ranks), pair) for pair in pairs),
    )

    first, second = found.rows[0].row.label, found.rows[1].row.label
    assert {first, second} == {"best", "alike"}
    sentence = found.standings.sentence
    assert sentence.startswith(f"bli: {first} is best, MAP 0.586 [")
    assert (
        f"over 2 pairs (600 items); 1 of the 2 methods tested against it cannot be distinguished from it ({second})."
        in sentence
    )
    assert sentence.endswith("Unmapped vectors have 0.001.")


def test_a_method_that_was_measured_on_the_easy_pair_only_is_not_first() -> None:
    found = read(
        *controls("de:en", "de:fi"),
        *(ran(method("whole"), ranking([rank] * 4), pair) for rank, pair in ((2, "de:en"), (9, "de:fi"))),
        *(ran(method("worse"), ranking([rank] * 4), pair) for rank, pair in ((3, "de:en"), (9, "de:fi"))),
        ran(method("part"), ranking([2] * 4)),
    )

    assert [one.row.label for one in found.rows] == ["whole", "worse", "part"]
    assert found.standings.sentence.startswith("bli: whole is best")
    assert [{one.first.name, one.second.name} for one in found.leading] == [{"whole", "worse"}, {"whole", "part"}]


def test_with_one_method_nothing_is_tested() -> None:
    found = read(*controls("de:en"), ran(method("a"), ranking([2, 2, 2, 2])))

    assert "over 1 pair (4 items). Unmapped" in found.standings.sentence


def test_the_report_draws_the_parts_by_frequency() -> None:
    columns = {"frequency": [1, 1000, 1001, 30_000]}
    runs = [*controls("de:en", **columns), ran(method("a"), ranking([1, 1, 2, 100], **columns))]
    matrix = matrix_of(*runs)
    found = analyse(Evidence(matrix, "a study", bli=bli_findings(matrix, [record for _, record in runs])))

    (section,) = bli_section.sections(found)
    chart = next(chart for chart in section.charts if isinstance(chart, Curves))
    assert chart.steps == ("1-1K", "1K-5K", "20K+")
    line = next(line for line in chart.lines if line.name == "a")
    assert line.points == ((0, 1.0), (1, 0.5), (2, 0.01))
