"""FLOPs and memory of the jobs of an embedding study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from crossgraft.core import SHUFFLED, Job
from crossgraft.embeddings.forecast.evaluations import evaluating
from crossgraft.embeddings.forecast.fits import fitting
from crossgraft.embeddings.forecast.shapes import PAIRS, WIDTH, WORDS, PairShape, Shapes
from crossgraft.embeddings.preflight import SPACES_KEPT
from crossgraft.embeddings.spaces.isomorphism import WORDS as GRAPH
from crossgraft.embeddings.tasks import is_stochastic
from crossgraft.study import Forecast

if TYPE_CHECKING:
    from crossgraft.embeddings.spec.study_spec import EmbeddingSpec

_LIBRARIES, _TORCH = 130e6, 250e6  # bytes
_WORKING = 3  # vocabularies' vectors beside those that a worker keeps: mapped, at length 1, and on the way to that
_NAMES = 200  # bytes of a word and its place in the index
_SPACES = "vectors and words of both languages"


class _Tally:
    """Sums of FLOPs by kind of work, and the largest array of each name; ``parts`` are the arrays that are there together."""

    def __init__(self) -> None:
        self.flops: dict[str, float] = defaultdict(float)
        self.parts: dict[str, dict[str, float]] = defaultdict(dict)
        self.uncounted: dict[str, None] = {}

    def add(self, work: str, load: tuple[float, Mapping[str, float]] | None) -> None:
        if load is None:
            self.uncounted[work.partition(" ")[2]] = None
            return
        self.flops[work] += load[0]
        self.hold(work, load[1])

    def hold(self, part: str, arrays: Mapping[str, float]) -> None:
        for what, size in arrays.items():
            self.parts[part][what] = max(size, self.parts[part].get(what, 0.0))

    @property
    def arrays(self) -> dict[str, float]:
        """By name and part, the largest first."""
        named = [
            (what if part == _SPACES else f"{what} ({part})", size)
            for part, of_part in self.parts.items()
            for what, size in of_part.items()
        ]
        return dict(sorted(named, key=lambda item: -item[1]))

    @property
    def at_once(self) -> float:
        """The spaces stay; the arrays of one fit or of one task come to them."""
        sums = {part: sum(of_part.values()) for part, of_part in self.parts.items()}
        return sums.pop(_SPACES, 0.0) + max(sums.values(), default=0.0)


def forecast(study: EmbeddingSpec, jobs: Sequence[Job]) -> Forecast | None:
    """Every fit and evaluation of the jobs; None where nothing is to be done."""
    shapes, pairs = Shapes(study), {str(pair): pair for pair in study.language_pairs()}

    @cache
    def evaluated(task: str, pair: str) -> tuple[float, Mapping[str, float]] | None:
        return evaluating(study.tasks[task], pairs[pair], shapes.of(pairs[pair]), study.origin)

    tally, assumed = _Tally(), False
    steps = {study.methods.get(name).normalise for name in study.methods.use} | {None}
    copies = min(SPACES_KEPT, 2 * len(steps)) + _WORKING
    for job in jobs:
        pair = job.cells[0].target.lang
        shape = shapes.of(pairs[pair], int(dict(job.treatment.recipe).get("pairs", 0)))
        assumed |= shape.assumed
        tally.hold(_SPACES, _of_spaces(shape, copies))
        if job.treatment.is_control:
            tally.hold("isomorphism", {"neighbourhood graph": 3 * 8.0 * min(GRAPH, shape.source) ** 2})
        else:
            name = job.treatment.name.removesuffix(SHUFFLED)
            fit = fitting(name, study.methods.get(name), shape)
            tally.add(f"fit {name}", fit and (fit[0], {"largest array": fit[1]}))
        for cell in job.cells:
            tally.add(f"evaluate {cell.target.task}", evaluated(cell.target.task, pair))
    if not jobs:
        return None
    return Forecast(
        dict(sorted(tally.flops.items(), key=lambda item: -item[1])),
        tally.arrays,
        _LIBRARIES + _TORCH * _loads_torch(study) + tally.at_once,
        tuple(tally.uncounted),
        _about(assumed),
    )


def _of_spaces(shape: PairShape, copies: int) -> dict[str, float]:
    words = max(shape.source, shape.target)
    return {
        "vectors of both languages": float(copies * 4 * words * shape.width),
        "words of both languages": float(2 * _NAMES * words),
    }


def _loads_torch(study: EmbeddingSpec) -> bool:
    return any(map(is_stochastic, study.tasks.values())) or any(
        name.partition(":")[0] in ("muse", "c1") for name in study.methods.use
    )


def _about(assumed: bool) -> str:
    about = "methods that may stop early count with all their rounds"
    if not assumed:
        return f"the shapes of the files; {about}"
    return f"spaces.top words ({WORDS:,} without it), {WIDTH} dimensions and {PAIRS:,} pairs where a file is not there; {about}"
