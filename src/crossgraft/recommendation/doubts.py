"""What a recommendation would otherwise rest on silently: cells that were not measured, targets that cannot show harm, one seed."""

from __future__ import annotations

from collections.abc import Iterator

from crossgraft.analysis.checks.gates import is_dead
from crossgraft.analysis.first.floor import can_show_harm
from crossgraft.analysis.wording import listed, number_of
from crossgraft.core import Point
from crossgraft.recommendation.options import Options, name_of
from crossgraft.transfer.changes import ChangeCell
from crossgraft.transfer.matrix import TransferMatrix


def doubts(matrix: TransferMatrix, options: Options) -> Iterator[str]:
    """One sentence each, of the targets of the question alone."""
    asked = options.asked
    if asked.both:
        yield f"Improved and protected at once: {_names(asked.both)}."
    if not asked.protect:
        yield "No target is protected, so nothing is said of harm, and every option is allowed."
    yield from _few_options(matrix, options)
    columns = {
        target: [cell for (row, at), cell in matrix.cells.items() if at == target and row.model == asked.model]
        for target in dict.fromkeys((*asked.improve, *asked.protect))
    }
    yield from _blind(columns, asked.protect)
    dead = [target for target, cells in columns.items() if is_dead(cells)]
    if dead:
        yield (
            f"Dead: no treatment changes {_names(dead)} by a tenth of a point more than others, so neither gains nor losses "
            "may be measurable there."
        )
    yield from _seeds(columns)


def _few_options(matrix: TransferMatrix, options: Options) -> Iterator[str]:
    asked = options.asked
    if len(options.rows) == 2:
        yield f"There is only one option beside the base, {name_of(options.rows[1])}."
    unmeasured = [
        row.label
        for row in matrix.rows
        if row.model == asked.model and not row.is_sham and not row.is_control and row not in options.rows
    ]
    if unmeasured:
        yield f"Not an option, because there is no result yet: {listed(unmeasured)}."
    gappy = sum(1 for targets in options.missing if targets)
    if gappy:
        cells = number_of(sum(map(len, options.missing)), "cell")
        yield f"Unfinished: {cells} of {number_of(gappy, 'option')} were not measured; they are predicted from the others."


def _blind(columns: dict[Point, list[ChangeCell]], protect: tuple[Point, ...]) -> Iterator[str]:
    low = [target for target, cells in columns.items() if cells and not can_show_harm(cells[0])]
    blind = [target for target in low if target in protect]
    if blind:
        yield f"The base is at chance on {_names(blind)}: losses cannot be seen there, so protecting it promises nothing."
    unlearned = [target for target in low if target not in protect]
    if unlearned:
        yield f"The base is at chance on {_names(unlearned)}, which is to be improved: a gain there is learned from nothing."


def _seeds(columns: dict[Point, list[ChangeCell]]) -> Iterator[str]:
    cells = [cell for own in columns.values() for cell in own if cell.row.kind == "trained"]
    if cells and all(len(cell.seeds) < 2 for cell in cells):
        yield "One seed: the noise of a training run is not known, so intervals are too narrow and probabilities of harm too low."


def _names(targets: tuple[Point, ...] | list[Point]) -> str:
    return listed([str(target) for target in targets])
