"""What is said of every option, and the answer that follows."""

from __future__ import annotations

from dataclasses import dataclass

from crossgraft.core import Point
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.options import Choice, name_of
from crossgraft.recommendation.rules import Step
from crossgraft.recommendation.settling import Settling
from crossgraft.recommendation.yardsticks import Yardstick


@dataclass(frozen=True)
class Worst:
    """The protected target that most often loses more than the tolerance."""

    target: Point
    change: float  # expected, in percentage points
    risk: float  # probability that it alone loses more


@dataclass(frozen=True)
class Verdict:
    """One option, in percentage points and probabilities; the interval holds 95 % of the draws."""

    row: Choice
    gain: float
    low: float
    high: float
    best: float  # probability that it gains most, of the options that do no harm
    regret: float  # expected loss against the best of these
    risk: float  # probability that any protected target loses more than the tolerance
    tail: float  # what the worst protected target loses beyond the tolerance, mean of the worst draws
    worst: Worst | None  # none for the base, or where nothing is protected
    missing: tuple[Point, ...]  # targets of the question on which it was not measured
    harmful: bool  # the rule does not allow it
    idle: bool  # it is not expected to gain enough

    @property
    def name(self) -> str:
        return name_of(self.row)

    @property
    def is_out(self) -> bool:
        return self.harmful or self.idle


@dataclass(frozen=True)
class Recommendation:
    """The answer to a question: ``verdicts`` are of all options, those that are allowed first, by expected gain.

    Its text form is the answer in words.
    """

    asked: Asked
    choice: Verdict
    runner_up: Verdict | None
    verdicts: tuple[Verdict, ...]
    frontier: tuple[Step, ...]
    yardsticks: tuple[Yardstick, ...]
    settling: Settling | None  # only where the base is kept
    notes: tuple[str, ...]
    sentences: tuple[str, ...] = ()  # the answer first

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    @property
    def abstains(self) -> bool:
        """Whether the answer is to keep the base."""
        return self.choice.row is None
