"""Seeded grids for mixed models, the same on every version of NumPy: for the tests and for the R script they agree with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from crossgraft.core import Floats
from crossgraft.stats.mixed.design import Design, Factor

Codes = Mapping[str, npt.NDArray[np.integer]]

SD = {  # percentage points, as in published grids
    "model": 0.6,
    "source_task": 0.35,
    "source_lang": 0.3,
    "target_task": 1.2,
    "target_lang": 0.4,
    "source": 0.4,
    "target": 0.7,
    "task_pair": 0.6,
    "lang_pair": 0.4,
    "model_source": 0.5,
    "model_target": 0.8,
}
RESIDUAL = 1.1


@dataclass(frozen=True, eq=False)
class Grid:
    """Rows of models × sources × targets with a response and the factors to fit."""

    codes: Codes
    y: Floats
    regime: Floats  # (n, 4): the mean, and what three regimes add to it
    factors: tuple[str, ...]

    def design(self, *, regimes: bool = True) -> Design:
        factors = tuple(Factor.of(name, self.codes[name].tolist()) for name in self.factors)
        if regimes:
            return Design(factors, self.regime, ("mean", "r1", "r2", "r3"))
        return Design(factors, self.regime[:, :1])


def codes_of(models: int, tasks: int, langs: int) -> Codes:
    """The factors of a complete grid whose sources are its targets."""
    points = tasks * langs
    model, source, target = np.array(list(product(range(models), range(points), range(points)))).T
    (source_task, source_lang), (target_task, target_lang) = np.divmod(source, langs), np.divmod(target, langs)
    return {
        "model": model,
        "source_task": source_task,
        "source_lang": source_lang,
        "target_task": target_task,
        "target_lang": target_lang,
        "source": source,
        "target": target,
        "task_pair": source_task * tasks + target_task,
        "lang_pair": source_lang * langs + target_lang,
        "model_source": model * points + source,
        "model_target": model * points + target,
        "pair": source * points + target,
    }


def grid(
    shape: tuple[int, int, int],
    factors: tuple[str, ...],
    *,
    seed: int,
    sd: Mapping[str, float] | None = None,
    keep: float = 1.0,
    heavy: bool = False,
) -> Grid:
    """A draw of the model. ``keep`` is the share of cells that were measured; ``heavy`` lets some models have few.

    RandomState, not default_rng: its numbers are promised never to change, and lme4 was given these.
    """
    rng = np.random.RandomState(seed)
    codes = codes_of(*shape)
    y = rng.standard_normal(len(codes["model"])) * RESIDUAL
    for name in factors:
        effects = rng.standard_normal(int(codes[name].max()) + 1)
        y += {**SD, **(sd or {})}.get(name, 0.3) * effects[codes[name]]
    kind = 2 * (codes["source_task"] == codes["target_task"]) + (codes["source_lang"] == codes["target_lang"])
    y += np.array([0.8, 0.8, 1.2, 2.0])[kind]
    share = keep / (1.0 + codes["model"]) if heavy else np.full(len(y), keep)
    kept = rng.random_sample(len(y)) < share
    regime = np.column_stack([np.ones(len(y)), *(kind == k for k in (1, 2, 3))]).astype(float)
    return Grid({name: values[kept] for name, values in codes.items()}, y[kept], regime[kept], factors)


MAIN = ("model", "source", "target")
PAIRS = (*MAIN, "source_task", "target_task", "task_pair", "lang_pair")
WITH_MODELS = (*MAIN, "model_source", "model_target")
SMALL, LARGE = (3, 3, 4), (5, 4, 6)


def lme4_grids() -> Mapping[str, Grid]:
    """What lme4 was given: three designs in two sizes, and three hard ones."""
    found: dict[str, Grid] = {}
    for size, shape in (("small", SMALL), ("large", LARGE)):
        for name, factors in (("main", MAIN), ("pairs", PAIRS), ("with models", WITH_MODELS)):
            found[f"{name}, {size}"] = grid(shape, factors, seed=len(found) + 1)
    found["30 % missing"] = grid(LARGE, (*PAIRS, "model_target"), seed=7, keep=0.7)
    found["unbalanced"] = grid(LARGE, WITH_MODELS, seed=8, heavy=True)
    found["at the boundary"] = grid(LARGE, PAIRS, seed=9, sd={"source_task": 0.0, "lang_pair": 0.0, "model": 0.0})
    return found
