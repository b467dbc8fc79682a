"""A prospective check on a grid that was measured: recommend from the first seed, and look up what the second seed shows.

python benchmarks/prospective.py STORE STUDY [--protect '*/en'] [--tolerance 3] [--risk 0.1]

Every target of every model is asked for in turn; protected are the targets of --protect but for it. "Same items": both seeds on all items,
so that noise of items and of the base's score is in both. "Other items": the rules see the first seed on one half of the items, the second seed is
looked up on the other half, both ways, so that nothing but the base model is in common. What is looked up is noisy, so each choice has the
probability that a loss is *seen* beside the promise about true changes; "gain promised" is the posterior mean.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from crossgraft.analysis.questions.variance.posterior import posterior
from crossgraft.analysis.results import require_study
from crossgraft.core import Answers, Record
from crossgraft.identity import item_hash
from crossgraft.recommendation.asked import Asked
from crossgraft.recommendation.options import Options
from crossgraft.recommendation.question import Question
from crossgraft.recommendation.rules import allowed, choose
from crossgraft.recommendation.validation.folds import Fold
from crossgraft.recommendation.validation.held_out import Validated, validate_folds
from crossgraft.runs.storage.layout import Manifest
from crossgraft.runs.storage.store import Store
from crossgraft.transfer.matrix import TransferMatrix

HALVES = (0, 1)


def matrix_of(manifest: Manifest, records: Iterable[Record], seed: int, half: int | None = None) -> TransferMatrix:
    """Of one seed, on all items or on a half of them."""
    jobs = [job for job in manifest.jobs if job.treatment.seed in (None, seed)]
    part = [record if half is None else halved(record, half) for record in records]
    return TransferMatrix.from_records(jobs, part, manifest.labels)


def halved(record: Record, half: int) -> Record:
    """The same items of a task in all languages; items of a group stay together."""
    answers = record.answers
    units = answers.columns.get("group", np.array(answers.items, dtype=object))
    mask = np.array([item_hash(str(unit), 3) % 2 == half for unit in units])
    items = tuple(item for item, kept in zip(answers.items, mask, strict=True) if kept)
    columns = {name: column[mask] for name, column in answers.columns.items()}
    return replace(record, answers=Answers(answers.kind, items, columns))


def fold(kind: str, left: TransferMatrix, seen: TransferMatrix, model: str) -> Fold:
    held = {
        place: (cell.change.mean, cell.change.error)
        for place, cell in seen.cells.items()
        if place[0].model == model and not place[0].is_sham and cell.unit == "pp" and place in left.cells
    }
    return Fold(kind, left, held)


def gains(part: Fold, asked: Asked) -> Iterator[tuple[float, float]]:
    """Of every recommendation, the gain that was promised and the one that was seen."""
    drawn = posterior(part.left, whole=True)
    for target in part.targets:
        protect = tuple(one for one in asked.protect if one != target)
        options = Options.of(Asked(asked.question, asked.model, (target,), protect), drawn)
        chosen = choose(options, allowed(options))
        row = options.rows[chosen]
        if row is not None and (row, target) in part.held:
            yield float(options.gains[:, chosen].mean()), part.held[row, target][0]


def shown(rule: Validated) -> str:
    harms = ["–" if value is None else f"{100 * value:3.0f}" for value in (rule.promised, rule.expected, rule.seen)]
    return (
        f"  {rule.rule:36} regret {rule.regret:5.2f} pp  recommends {100 * rule.recommends:3.0f} %  "
        f"P(harm) {harms[0]} %  P(harm seen) {harms[1]} %  harm seen {harms[2]} %  (of {rule.questions})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("study")
    parser.add_argument("--protect", default="*/en")
    parser.add_argument("--tolerance", type=float, default=3.0)
    parser.add_argument("--risk", type=float, default=0.1)
    asked = parser.parse_args()
    store = Store(asked.store)
    manifest = require_study(store, asked.study)
    records, _ = store.read(
        cell.record_id for job in manifest.jobs if job.treatment.seed in (None, 1, 2) for cell in job.cells
    )
    whole = [matrix_of(manifest, records, seed) for seed in (1, 2)]
    halves = [(matrix_of(manifest, records, 1, half), matrix_of(manifest, records, 2, 1 - half)) for half in HALVES]
    for model in dict.fromkeys(row.model for row in whole[0].rows):
        question = Question(("*",), (asked.protect,), asked.tolerance, asked.risk, model=model)
        parts = {
            "same items": [fold("same items", whole[0], whole[1], model)],
            "other items": [fold("other items", left, seen, model) for left, seen in halves],
        }
        for kind, own in parts.items():
            about = Asked.of(question, own[0].left)
            pairs = np.array([pair for part in own for pair in gains(part, about)]).reshape(-1, 2)
            print(f"{model}, {kind}: {len(pairs)} recommendations", end="")
            if len(pairs):
                print(f", gain promised {pairs[:, 0].mean():+.1f} pp, seen {pairs[:, 1].mean():+.1f} pp", end="")
            print()
            for rule in validate_folds(own, about):
                print(shown(rule), flush=True)


if __name__ == "__main__":
    main()
