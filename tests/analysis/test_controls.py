"""Shams and format-only sources: treatments are compared with them, they are none themselves."""

from __future__ import annotations

from collections.abc import Mapping

from crossgraft.analysis.findings import Findings, analyse
from crossgraft.analysis.questions.roles.scores import Roles
from crossgraft.core import Point, SourceVariant, Treatment
from crossgraft.report.about import About
from crossgraft.report.html import html
from crossgraft.report.markdown import markdown
from outcomes import answers, matrix_of, measured

EN, DE, OTHER = Point("a", "en"), Point("a", "de"), Point("b", "de")
N = 200


def row(name: str, source: Point | None, variant: SourceVariant = "") -> Treatment:
    return Treatment("m", name, "trained", source, (), 1, source_variant=variant)


TREATED = row("a/en", EN)
SHAM = row("a/en (sham)", None, "sham")
FORMAT = row("a/en (format-only)", None, "format-only")


def found(right: Mapping[tuple[Treatment, Point], int]) -> Findings:
    """Every treatment on a/de and b/de, where the base has 100 of 200 right, and so has a treatment of which nothing is said."""
    pairs = []
    for target in (DE, OTHER):
        pairs.append(measured(Treatment("m", "base", "control"), answers([1] * 100 + [0] * 100), target))
        for one in dict.fromkeys(one for one, _ in right):
            count = right.get((one, target), 100)
            pairs.append(measured(one, answers([1] * count + [0] * (N - count)), target))
    return analyse(matrix_of(*pairs))


def test_a_sham_is_no_treatment_of_the_first_sentence() -> None:
    findings = found({(TREATED, DE): 150, (SHAM, DE): 170, (SHAM, OTHER): 20})

    treatments, _, controls = " ".join(findings.sentences[:2]).partition("1 control source (sham): ")
    assert treatments.startswith("a/en gains significantly on the same task in other languages")
    assert "No loss is significant after correction" in treatments
    assert controls.startswith("1 cell loses, the worst a/en (sham) on b/de: -40.0 pp")


def test_a_control_that_does_nothing_is_said_so() -> None:
    first = found({(TREATED, DE): 150, (SHAM, DE): 100, (FORMAT, DE): 100}).sentences[1]

    assert first.endswith("2 control sources (sham and format-only): no significant gain and no significant loss.")


def test_controls_have_a_table_of_their_own() -> None:
    findings = found({(TREATED, DE): 150, (SHAM, DE): 170, (FORMAT, DE): 100})

    assert [one.row.name for one in findings.summaries] == ["a/en"]
    assert {one.row.name for one in findings.controls} == {"a/en (sham)", "a/en (format-only)"}
    for text in (html(findings, About()), markdown(findings, About())):
        assert "Controls that teach the format only" in text


def test_a_sham_is_in_no_count_of_harm_and_in_no_mean() -> None:
    sham = row("sham/en", Point("sham", "en"), "sham")  # as of the almanac: a task, and so a source with a point
    findings = found({(TREATED, DE): 100, (sham, OTHER): 20})

    assert [one.row for one in findings.treatment_harm] == [TREATED.row]
    assert all(one.worst.row == TREATED.row for one in findings.target_harm)
    assert all(one.estimate.mean == 0 for one in findings.regimes)
    assert not any(isinstance(one, Roles) for one in findings.roles)
    assert [one.row for one in findings.coverage] == [TREATED.row]


def test_controls_are_tested_among_themselves() -> None:
    """Any number of shams leaves the p of a treatment as it is."""
    shams = {(row(f"b/{code} (sham)", None, "sham"), DE): 100 for code in ("en", "fr", "fi", "sw", "hi")}
    alone, beside = (found({(TREATED, DE): 115, **more}).summaries[0].adjusted for more in ({}, shams))

    assert alone == beside


def test_a_task_whose_name_has_sham_in_it_is_none() -> None:
    findings = found({(row("evesham/en", Point("evesham", "en")), DE): 150, (TREATED, DE): 150})

    assert {one.row.name for one in findings.summaries} == {"evesham/en", "a/en"}
    assert not findings.controls
    assert not findings.against_sham


def test_a_study_of_nothing_but_controls_says_so() -> None:
    findings = found({(SHAM, DE): 100})

    assert findings.sentences[0].startswith("No treatment has a change in percentage points.")
