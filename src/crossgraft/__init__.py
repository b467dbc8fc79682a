"""crossgraft: what transfers across tasks and languages, how sure that is, and what to train next.

Everything the command line does, in Python:

>>> import crossgraft as cg
>>> cg.Point.parse("xnli/sw").regime(cg.Point.parse("mgsm/sw"))
'CT-ML'

A study is read with `load_study`, run with `run`, read back from its `Store` with
`TransferMatrix.from_records` (or `load_matrix`, by the study's name; `matrix_from_outcomes` takes items that
were measured elsewhere), judged with `analyse`, printed
with `write_report`; `posterior` has draws of what every cell would be without noise. Names are imported
when they are first used, so importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from crossgraft.analysis.findings import Findings as Findings
    from crossgraft.analysis.findings import analyse as analyse
    from crossgraft.analysis.outcomes import matrix_from_outcomes as matrix_from_outcomes
    from crossgraft.analysis.posterior import Posterior as Posterior
    from crossgraft.analysis.posterior import posterior as posterior
    from crossgraft.analysis.results import load_findings as load_findings
    from crossgraft.analysis.results import load_matrix as load_matrix
    from crossgraft.analysis.tables import read_table as read_table
    from crossgraft.campaign import Campaign as Campaign
    from crossgraft.campaign import Settings as Settings
    from crossgraft.campaign import missing as missing
    from crossgraft.campaign import prepare as prepare
    from crossgraft.campaign import run as run
    from crossgraft.core import Answers as Answers
    from crossgraft.core import Job as Job
    from crossgraft.core import Point as Point
    from crossgraft.core import Record as Record
    from crossgraft.core import Score as Score
    from crossgraft.core import Treatment as Treatment
    from crossgraft.errors import CrossgraftError as CrossgraftError
    from crossgraft.errors import DataError as DataError
    from crossgraft.errors import SpecError as SpecError
    from crossgraft.executors.inline import Inline as Inline
    from crossgraft.matrix import TransferMatrix as TransferMatrix
    from crossgraft.metrics import METRICS as METRICS
    from crossgraft.report.write import write_report as write_report
    from crossgraft.spec import load_study as load_study
    from crossgraft.store import Store as Store
    from crossgraft.testing import Fake as Fake

_HOMES = {
    "analysis.findings": ("Findings", "analyse"),
    "analysis.outcomes": ("matrix_from_outcomes",),
    "analysis.posterior": ("Posterior", "posterior"),
    "analysis.results": ("load_findings", "load_matrix"),
    "analysis.tables": ("read_table",),
    "campaign": ("Campaign", "Settings", "missing", "prepare", "run"),
    "core": ("Answers", "Job", "Point", "Record", "Score", "Treatment"),
    "errors": ("CrossgraftError", "DataError", "SpecError"),
    "testing": ("Fake",),
    "executors.inline": ("Inline",),
    "matrix": ("TransferMatrix",),
    "metrics": ("METRICS",),
    "report.write": ("write_report",),
    "spec": ("load_study",),
    "store": ("Store",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'crossgraft' has no attribute {name!r}")
    return getattr(import_module(f"crossgraft.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
