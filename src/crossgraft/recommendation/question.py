"""What is asked: which targets to improve, which to protect, how much these may lose, and how surely they must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal, get_args

from crossgraft.errors import SpecError
from crossgraft.spec import build, override, parse_toml

Rule = Literal["chance", "cvar"]


@dataclass(frozen=True)
class Question:
    """``[question]`` of a spec. Targets are patterns of task/language with ``*``; changes are in percentage points, ``risk`` is a probability.

    ``chance`` allows a treatment if the probability that any protected target loses more than ``tolerance`` is at most ``risk``.
    ``cvar`` asks that in the worst share ``risk`` of the draws the worst protected target loses ``tolerance`` at most, on average
    (Rockafellar and Uryasev, 2000); it allows less. ``least`` is the expected gain from which on training is worth it.
    """

    improve: tuple[str, ...]
    protect: tuple[str, ...] = ()
    tolerance: float = 1.0
    risk: float = 0.1
    rule: Rule = "chance"
    model: str = ""  # may be empty where there is only one
    least: float = 0.0

    def __post_init__(self) -> None:
        if not self.improve:
            raise SpecError("expected a target to improve, such as 'intent/sw' or '*/sw'; got none", ("improve",))
        if not (isfinite(self.tolerance) and self.tolerance >= 0):
            raise SpecError(
                f"expected a tolerated loss of 0 or more percentage points; got {self.tolerance:g}", ("tolerance",)
            )
        if not 0 < self.risk < 1:
            raise SpecError(f"expected a risk between 0 and 1, such as 0.1; got {self.risk:g}", ("risk",))
        if not (isfinite(self.least) and self.least >= 0):
            raise SpecError(f"expected a least gain of 0 or more percentage points; got {self.least:g}", ("least",))
        if self.rule not in get_args(Rule):
            raise SpecError(f"expected a rule 'chance' or 'cvar'; got {self.rule!r}", ("rule",))


def question_of(text: str, overrides: Sequence[str] = ()) -> Question | None:
    """The question of a spec, from its text; none where it has no ``[question]``."""
    table = parse_toml(text)
    for change in overrides:
        override(table, change)
    return build(Question, table["question"], ("question",)) if "question" in table else None
