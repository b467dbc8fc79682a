"""crossgraft: what transfers across tasks and languages, how sure that is, and what to train next.

Everything the command line does, in Python:

>>> import crossgraft as cg
>>> cg.Point.parse("xnli/sw").regime(cg.Point.parse("mgsm/sw"))
'CT-ML'

A study is read with `load_study`, run with `run`, read back from its `Store` with
`TransferMatrix.from_records` (or `load_matrix`, by the study's name; `matrix_from_outcomes` takes items that
were measured elsewhere), judged with `analyse`, printed
with `write_report`; `posterior` has draws of what every cell would be without noise, and `recommend` says from them what to train.

Word embeddings need no study: `read_space` and `read_lexicon` read files, `map_spaces` maps one space onto another,
`translate` and `evaluate_bli` use the result. Names are imported when they are first used, so importing the package
costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from crossgraft.analysis.evidence import Evidence as Evidence
    from crossgraft.analysis.external.outcomes import matrix_from_outcomes as matrix_from_outcomes
    from crossgraft.analysis.external.score_table import read_table as read_table
    from crossgraft.analysis.findings import Findings as Findings
    from crossgraft.analysis.findings import analyse as analyse
    from crossgraft.analysis.questions.variance.posterior import Posterior as Posterior
    from crossgraft.analysis.questions.variance.posterior import posterior as posterior
    from crossgraft.analysis.results import load_findings as load_findings
    from crossgraft.analysis.results import load_matrix as load_matrix
    from crossgraft.core import Answers as Answers
    from crossgraft.core import Check as Check
    from crossgraft.core import Job as Job
    from crossgraft.core import Point as Point
    from crossgraft.core import Record as Record
    from crossgraft.core import Score as Score
    from crossgraft.core import Treatment as Treatment
    from crossgraft.embeddings.direct.fitting import MapRequest as MapRequest
    from crossgraft.embeddings.direct.fitting import map_spaces as map_spaces
    from crossgraft.embeddings.direct.mapped import Mapped as Mapped
    from crossgraft.embeddings.direct.mapped import aligned as aligned
    from crossgraft.embeddings.direct.scoring import evaluate_bli as evaluate_bli
    from crossgraft.embeddings.direct.translation import induced as induced
    from crossgraft.embeddings.direct.translation import translate as translate
    from crossgraft.embeddings.lexicon import Lexicon as Lexicon
    from crossgraft.embeddings.lexicon import read_lexicon as read_lexicon
    from crossgraft.embeddings.spaces.space import Space as Space
    from crossgraft.embeddings.spaces.space import read_space as read_space
    from crossgraft.errors import CrossgraftError as CrossgraftError
    from crossgraft.errors import DataError as DataError
    from crossgraft.errors import JobFailed as JobFailed
    from crossgraft.errors import MissingExtra as MissingExtra
    from crossgraft.errors import SpecError as SpecError
    from crossgraft.errors import StoreError as StoreError
    from crossgraft.metrics import METRICS as METRICS
    from crossgraft.metrics import Metric as Metric
    from crossgraft.recommendation.answer import recommend as recommend
    from crossgraft.recommendation.question import Question as Question
    from crossgraft.recommendation.specialisation.specialise import specialise as specialise
    from crossgraft.report.about import About as About
    from crossgraft.report.write import write_report as write_report
    from crossgraft.runs.campaign import Campaign as Campaign
    from crossgraft.runs.campaign import Settings as Settings
    from crossgraft.runs.campaign import describe_study as describe_study
    from crossgraft.runs.campaign import plan_study as plan_study
    from crossgraft.runs.campaign import run as run
    from crossgraft.runs.executors.inline import Inline as Inline
    from crossgraft.runs.storage.store import Store as Store
    from crossgraft.spec import load_study as load_study
    from crossgraft.testing import Fake as Fake
    from crossgraft.transfer.changes import ChangeCell as ChangeCell
    from crossgraft.transfer.matrix import TransferMatrix as TransferMatrix
    from crossgraft.transfer.synthetic import SyntheticGrid as SyntheticGrid

_HOMES = {
    "analysis.evidence": ("Evidence",),
    "analysis.external.outcomes": ("matrix_from_outcomes",),
    "analysis.external.score_table": ("read_table",),
    "analysis.findings": ("Findings", "analyse"),
    "analysis.results": ("load_findings", "load_matrix"),
    "analysis.questions.variance.posterior": ("Posterior", "posterior"),
    "core": ("Answers", "Check", "Job", "Point", "Record", "Score", "Treatment"),
    "embeddings.direct.fitting": ("MapRequest", "map_spaces"),
    "embeddings.direct.mapped": ("Mapped", "aligned"),
    "embeddings.direct.scoring": ("evaluate_bli",),
    "embeddings.direct.translation": ("induced", "translate"),
    "embeddings.lexicon": ("Lexicon", "read_lexicon"),
    "embeddings.spaces.space": ("Space", "read_space"),
    "errors": ("CrossgraftError", "DataError", "JobFailed", "MissingExtra", "SpecError", "StoreError"),
    "metrics": ("METRICS", "Metric"),
    "recommendation.answer": ("recommend",),
    "recommendation.question": ("Question",),
    "recommendation.specialisation.specialise": ("specialise",),
    "report.about": ("About",),
    "report.write": ("write_report",),
    "runs.campaign": ("Campaign", "Settings", "describe_study", "plan_study", "run"),
    "runs.executors.inline": ("Inline",),
    "runs.storage.store": ("Store",),
    "spec": ("load_study",),
    "testing": ("Fake",),
    "transfer.changes": ("ChangeCell",),
    "transfer.matrix": ("TransferMatrix",),
    "transfer.synthetic": ("SyntheticGrid",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'crossgraft' has no attribute {name!r}")
    return getattr(import_module(f"crossgraft.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
