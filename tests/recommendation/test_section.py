"""The report answers the question of the spec."""

from __future__ import annotations

import pytest

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import analyse
from crossgraft.report.section import Section
from crossgraft.report.sections.answer import recommendation
from crossgraft.transfer.synthetic import SyntheticGrid

GRID = SyntheticGrid(models=2, tasks=2, languages=3, items=300, same_task=5, on_source=9, source=1)
QUESTION = '[question]\nimprove = ["task0/de"]\nprotect = ["task1/*"]\ntolerance = 8.0\n'


def answered(spec: str, *overrides: str) -> list[Section]:
    return list(recommendation.sections(analyse(Evidence(GRID.matrix(1), spec=spec, overrides=overrides))))


def test_each_model_has_an_answer_with_options_frontier_and_routes() -> None:
    found = answered(QUESTION)

    assert [section.title for section in found[::2]] == ["What to train: model0", "What to train: model1"]
    for answer, options in zip(found[::2], found[1::2], strict=True):
        assert answer.sentences[0].startswith("Train task0/de")
        assert [table.name for table in options.tables] == ["options", "frontier", "yardsticks", "routes"]
        assert all(table.rows for table in options.tables)


def test_a_question_about_one_model_has_one_answer() -> None:
    answer, options = answered(QUESTION, 'question.model="model1"')

    assert answer.title == "What to train"
    assert {row[0] for table in options.tables for row in table.rows} == {"model1"}


def test_without_a_question_there_is_no_section() -> None:
    assert answered("") == answered('name = "x"\n') == []


@pytest.mark.parametrize("override", ['question.improve=["no/xx"]', 'question.model="other"'])
def test_a_question_that_has_no_answer_says_why(override: str) -> None:
    (section, *_) = answered(QUESTION, override)

    assert section.sentences[0].startswith("The question of the spec has no answer: ")
