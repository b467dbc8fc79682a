"""The items behind the cells, from the records of a store."""

from __future__ import annotations

from dataclasses import replace
from hashlib import md5
from pathlib import Path

import pytest

from crossgraft.analysis.answers import AnswerBook, Which, answer_book
from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.findings import analyse
from crossgraft.core import Cell, Job, Record, Texts
from crossgraft.report.about import About
from crossgraft.report.html import html
from crossgraft.runs.storage.store import Store
from crossgraft.transfer.matrix import TransferMatrix
from outcomes import BASE, SOURCE, TARGET, answers, measured, trained
from pages import data_of, without_scripts

BEFORE, NOW = [0, 0, 1, 1] * 5, [1, 0, 1, 0] * 5  # of four items the first gets right and the last wrong


def named(pair: tuple[Job, Record]) -> tuple[Job, Record]:
    """With an id that a file can have."""
    job, record = pair
    name = md5(record.id.encode()).hexdigest()
    cells = tuple(Cell(cell.target, name, cell.texts_id, cell.item_set, cell.metric) for cell in job.cells)
    return replace(job, cells=cells), replace(record, id=name)


@pytest.fixture
def matrix(tmp_path: Path) -> TransferMatrix:
    pairs = [named(measured(BASE, answers(BEFORE))), named(measured(trained(), answers(NOW)))]
    items = pairs[0][1].answers.items
    options = [("right", "wrong", "odd", "end")] * len(items)
    texts = Texts("texts", items, {"prompt": [f"what is {item}?" for item in items], "options": options})
    for _, record in pairs:
        Store(tmp_path).take(record, texts)
    return TransferMatrix.from_records([job for job, _ in pairs], [record for _, record in pairs])


def book(matrix: TransferMatrix, folder: Path, which: Which = "flips") -> AnswerBook:
    return answer_book(Store(folder), matrix, which)


def test_flips_are_the_items_whose_value_changed_with_both_answers(matrix: TransferMatrix, tmp_path: Path) -> None:
    (cell,) = book(matrix, tmp_path).cells.values()

    assert cell.left_out == 0
    assert [int(one.item[1:]) % 4 for one in cell.shown] == [0, 3] * 5
    assert {(one.before, one.now, one.said, one.says) for one in cell.shown} == {
        (0.0, 1.0, "wrong", "right"),
        (1.0, 0.0, "right", "wrong"),
    }


def test_all_items_are_those_that_did_not_change_too(matrix: TransferMatrix, tmp_path: Path) -> None:
    (cell,) = book(matrix, tmp_path, "all").cells.values()

    assert len(cell.shown) == len(BEFORE)


def test_none_reads_no_record(matrix: TransferMatrix, tmp_path: Path) -> None:
    assert book(matrix, tmp_path / "no store", "none").cells == {}


def test_a_page_has_the_text_of_an_item_once(matrix: TransferMatrix, tmp_path: Path) -> None:
    page = html(analyse(Evidence(matrix, "a study")), About(), book(matrix, tmp_path))

    items = data_of(page, "items")
    assert items["names"] == [[f"i{n}" for n in range(20) if n % 4 in (0, 3)]]
    assert items["texts"][0][0] == "prompt: what is i0?\noptions: right | wrong | odd | end"
    assert items["cells"]["0"]["shown"][0] == [0, 1, 0.0, 1.0, "wrong", "right"]
    assert "what is i0?" not in without_scripts(page)


def test_more_flips_than_there_is_room_for_are_counted(tmp_path: Path) -> None:
    pairs = [named(measured(BASE, answers([0] * 100))), named(measured(trained(), answers([1] * 100)))]
    for _, record in pairs:
        Store(tmp_path).take(record)
    matrix = TransferMatrix.from_records([job for job, _ in pairs], [record for _, record in pairs])

    (cell,) = book(matrix, tmp_path).cells.values()

    assert 0 < len(cell.shown) < 100
    assert len(cell.shown) + cell.left_out == 100
    assert cell.shown[0].says == "option 1"  # the store has no texts


def test_texts_longer_than_a_page_can_bear_leave_the_least_noteworthy_cells_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second target changes more, so that its items come first, and they fill the page."""
    some, more = [1] * 30 + [0] * 70, [1] * 90 + [0] * 10
    pairs = [named(measured(BASE, answers([0] * 100), target)) for target in (TARGET, SOURCE)]
    pairs += [named(measured(trained(), answers(right), target)) for right, target in ((some, TARGET), (more, SOURCE))]
    for _, record in pairs:
        Store(tmp_path).take(record)
    matrix = TransferMatrix.from_records([job for job, _ in pairs], [record for _, record in pairs])
    monkeypatch.setattr("crossgraft.analysis.answers._BYTES", {"flips": 1})

    found = book(matrix, tmp_path)

    assert [target for _, target in found.cells] == [SOURCE]
    assert found.measured == 2
