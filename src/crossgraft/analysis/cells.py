"""Which cells an analysis is about: named selections, and the words for them under its table.

Everywhere but among controls, shams (answers at random) and format-only sources are left out: ``Draws.cells`` has none. Mixtures have
no single source, so they have no regime: they are in ``elsewhere``, but not in ``sourced`` or ``trained``. An adapter trained
elsewhere, or a scaled one, is in ``sourced`` when its source is known, and never in ``trained``.
"""

from __future__ import annotations

from collections.abc import Iterable

from crossgraft.core import Regime
from crossgraft.transfer.changes import ChangeCell

SAME_TASK: tuple[Regime, ...] = ("MT-CL",)
OTHER_TASKS: tuple[Regime, ...] = ("CT-ML", "CT-CL")
OFF_SOURCE: tuple[Regime, ...] = (*SAME_TASK, *OTHER_TASKS)

ELSEWHERE = "all cells except those on the treatment's own source; mixtures and adapters of unknown source included"
SOURCED = "cells of treatments with one known source, except those on the source itself; mixtures left out"
TRAINED = "cells of treatments trained in this study on one source, except those on the source itself"


def elsewhere(cells: Iterable[ChangeCell]) -> list[ChangeCell]:
    """All but those on the treatment's own source."""
    return [cell for cell in cells if cell.regime != "MT-ML"]


def of_models(cells: Iterable[ChangeCell]) -> list[ChangeCell]:
    """Without mappings between spaces, which are no treatments of a language model."""
    return [cell for cell in cells if cell.row.kind != "mapping"]


def in_regimes(cells: Iterable[ChangeCell], *regimes: Regime) -> list[ChangeCell]:
    return [cell for cell in cells if cell.regime in regimes]


def on_source(cells: Iterable[ChangeCell]) -> list[ChangeCell]:
    """On the very task and language that the treatment was trained on."""
    return in_regimes(cells, "MT-ML")


def same_task(cells: Iterable[ChangeCell]) -> list[ChangeCell]:
    """On the source's task in other languages."""
    return in_regimes(cells, *SAME_TASK)


def other_tasks(cells: Iterable[ChangeCell]) -> list[ChangeCell]:
    """On other tasks, in the source's language or another."""
    return in_regimes(cells, *OTHER_TASKS)


def sourced(cells: Iterable[ChangeCell]) -> list[ChangeCell]:
    """Off the source, of treatments of which it is known."""
    return in_regimes(cells, *OFF_SOURCE)


def trained(cells: Iterable[ChangeCell]) -> list[ChangeCell]:
    """Off the source, of treatments that this study has trained."""
    return [cell for cell in sourced(cells) if cell.row.kind == "trained"]
