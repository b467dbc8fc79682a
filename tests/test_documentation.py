"""``crossgraft docs`` prints what a report names: each section of a report leads to a page, in one step and without a network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import crossgraft
from crossgraft.cli.documentation import pages, passage
from crossgraft.errors import SpecError

SECTIONS = Path(crossgraft.__file__).parent / "report" / "sections"
NAMED = sorted(
    {name for file in SECTIONS.rglob("*.py") for name in re.findall(r'explained="(.*?)"', file.read_text("utf-8"))}
)


@pytest.mark.parametrize("name", NAMED)
def test_what_a_section_of_a_report_names_is_there(name: str) -> None:
    assert passage(name).startswith("#")


def test_a_section_ends_where_the_next_one_of_its_level_begins() -> None:
    text = passage("reading-a-report#checks")

    assert text.startswith("## Checks")
    assert "\n## " not in text
    assert text in passage("reading-a-report.md")


def test_every_page_is_named_without_its_ending() -> None:
    assert {"statistics", "reading-a-report", "recommend"} <= set(pages())


@pytest.mark.parametrize(("name", "said"), [("statistic", "no page .* 'statistic'; expected one of .*statistics"),
                                            ("statistics#x", "'statistics' has no section 'x'; expected one of ")])  # fmt: skip
def test_an_unknown_name_is_answered_with_those_that_there_are(name: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        passage(name)
