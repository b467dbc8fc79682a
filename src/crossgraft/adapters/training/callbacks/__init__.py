"""Where training runs are followed, one service a file. They see numbers, and change none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Protocol

from crossgraft.errors import MissingExtra
from crossgraft.registry import Registry


@dataclass(frozen=True)
class Run:
    """What is trained: labels, the whole recipe, and the folder a service may write into."""

    study: str
    model: str
    source: str
    seed: int
    recipe: Mapping[str, Any]
    folder: Path

    @property
    def name(self) -> str:
        return f"{self.model}: {self.source} seed {self.seed}"


class Callback(Protocol):
    """A service, made anew for every training run. ``package`` is what it needs, "" for nothing."""

    package: ClassVar[str]

    def started(self, run: Run) -> None: ...

    def measured(self, step: int, values: Mapping[str, float]) -> None:
        """``loss`` and ``learning_rate`` of a step; ``held_out_loss`` or ``protected_fall`` of an epoch."""
        ...

    def ended(self, facts: Mapping[str, Any]) -> None:
        """The run is over; without facts, it was cut off."""
        ...


CALLBACKS: Registry[type[Callback]] = Registry(
    "callback", "crossgraft.callbacks", "crossgraft.adapters.training.callbacks"
)


def require(names: Sequence[str]) -> None:
    """Raise for a service that is unknown, or whose package is not installed."""
    for name in names:
        package = CALLBACKS.get(name).package
        if package and find_spec(package) is None:
            raise MissingExtra(f"the callback {name!r}", name)


@contextmanager
def followed(followers: Followers, run: Run) -> Iterator[None]:
    """A run under the eyes of its followers; they hear of it when it is cut off, too."""
    followers.started(run)
    try:
        yield
    except BaseException:
        followers.ended({})
        raise


@dataclass
class Followers:
    """The callbacks of a run. One that fails is told of once and left out: it must not cost a training run."""

    callbacks: list[tuple[str, Callback]]
    _failures: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, names: Sequence[str]) -> Followers:
        return cls([(name, CALLBACKS.get(name)()) for name in names])

    def started(self, run: Run) -> None:
        self._all("started", run)

    def measured(self, step: int, values: Mapping[str, float]) -> None:
        self._all("measured", step, values)

    def ended(self, facts: Mapping[str, Any]) -> None:
        self._all("ended", facts)

    def failures(self) -> Iterator[str]:
        """What went wrong since this was last asked."""
        remarks, self._failures = self._failures, []
        yield from remarks

    def _all(self, event: str, *details: Any) -> None:
        for one in list(self.callbacks):
            name, callback = one
            try:
                getattr(callback, event)(*details)
            except Exception as error:
                self.callbacks.remove(one)
                reason = str(error).strip().partition("\n")[0]
                self._failures.append(f"{name} stopped following: {type(error).__name__}: {reason}")
