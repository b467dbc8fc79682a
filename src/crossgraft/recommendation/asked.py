"""A question meets a matrix: its model, and the measured targets that its patterns name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from crossgraft.analysis.wording import listed
from crossgraft.core import Point
from crossgraft.errors import SpecError, did_you_mean
from crossgraft.recommendation.question import Question
from crossgraft.transfer.matrix import TransferMatrix


@dataclass(frozen=True)
class Asked:
    """A question about one model of a matrix, with the targets that its patterns name."""

    question: Question
    model: str
    improve: tuple[Point, ...]
    protect: tuple[Point, ...]

    @classmethod
    def of(cls, question: Question, matrix: TransferMatrix) -> Asked:
        model = _model(question.model, matrix)
        targets = tuple(dict.fromkeys(target for row, target in matrix.cells if row.model == model))
        if not targets:
            raise SpecError(
                f"no treatment of {model} has a result yet, so nothing can be recommended: 'crossgraft run' computes what is missing"
            )
        improve = _matching(question.improve, targets, "improve")
        return cls(question, model, improve, _matching(question.protect, targets, "protect"))

    @property
    def both(self) -> tuple[Point, ...]:
        """Targets that are improved and protected at once."""
        return tuple(target for target in self.improve if target in self.protect)


def each_model(question: Question, matrix: TransferMatrix) -> tuple[Question, ...]:
    """The question as it is where it names a model or there is only one; else asked of every model."""
    models = dict.fromkeys(row.model for row in matrix.rows)
    return (question,) if question.model or len(models) < 2 else tuple(replace(question, model=name) for name in models)


def _model(name: str, matrix: TransferMatrix) -> str:
    models = list(dict.fromkeys(row.model for row in matrix.rows))
    if name and name not in models:
        raise SpecError(f"no treatment is of a model {name!r}{did_you_mean(name, models)}", ("model",))
    if not models:
        raise SpecError("the study has no treatment, so there is nothing to recommend")
    if not name and len(models) > 1:
        raise SpecError(
            f"a recommendation is for one model; the results are of {listed(models)}: name one, --model {models[0]}",
            ("model",),
        )
    return name or models[0]


def _matching(patterns: Sequence[str], targets: Sequence[Point], key: str) -> tuple[Point, ...]:
    names = {str(target): target for target in targets}
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise SpecError(
                f"{key}: no measured target of this model matches {pattern!r}{did_you_mean(pattern, names)}", (key,)
            )
    return tuple(target for name, target in names.items() if any(fnmatchcase(name, pattern) for pattern in patterns))
