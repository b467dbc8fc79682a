"""How long a store of many records takes to look at: ``python benchmarks/store.py [FOLDER] [--records N | --paper] [--compact]``.

It makes a store of about N records (20,000 unless told otherwise) of 150 items each, as the Fake executor
would have measured them, and prints seconds of CPU and the peak of memory of ``store status``, the plan, the matrix and the
report, each in a process of its own on one core. With ``--compact`` the records are packed first. With ``--paper`` the study has
the size of "Donors and Recipients" with three seeds: 9 models, 44 sources and 44 targets (4 tasks in 11 languages), 52,668 records.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

ITEMS = 150
MODELS = 5
SEEDS = (1, 2, 3)
TASKS = ("intent", "topic", "nli", "sums", "sentiment", "facts")
LANGUAGES = ("de", "en", "fi", "hi", "sw", "tr")


@dataclass(frozen=True)
class Size:
    """Every task in every language is a target, and the first so many of them are sources."""

    models: int
    sources: int
    tasks: tuple[str, ...] = TASKS
    languages: tuple[str, ...] = LANGUAGES


PAPER = Size(9, 44, TASKS[:4], (*LANGUAGES, "ar", "bn", "fr", "id", "zh"))


def size_of(records: int) -> Size:
    """About so many records."""
    points = len(TASKS) * len(LANGUAGES)
    models = max(MODELS, round(records / (points * (1 + len(SEEDS) * points))))
    return Size(models, max(1, round(records / (models * points * len(SEEDS)))))


def fill(folder: Path, size: Size) -> None:
    """A grid of models × sources × seeds × targets."""
    import numpy as np

    from crossgraft.core import Answers, Cell, Job, Point, Texts, Treatment
    from crossgraft.identity import content_id, item_hash
    from crossgraft.runs.storage.layout import Manifest
    from crossgraft.runs.storage.store import Store
    from crossgraft.testing import Fake

    points = [Point(task, language) for task in size.tasks for language in size.languages]
    sources = points[: size.sources]
    lengths = np.random.default_rng(0).integers(1, 30, (ITEMS, 4)).astype(float)

    def outcome(_job: Job, cell: Cell) -> Answers:
        rng = np.random.default_rng(item_hash(cell.record_id, seed=0))
        loglik = rng.normal(size=(ITEMS, 4))
        loglik[:, 0] += 1.0
        columns = {"loglik": loglik, "gold": np.zeros(ITEMS, dtype=np.int64)}
        columns |= dict.fromkeys(("tokens", "characters", "bytes"), lengths)
        return Answers("choice", tuple(f"{cell.target.task}-{n}" for n in range(ITEMS)), columns)

    def jobs() -> Iterator[Job]:
        for model in (f"model{n}" for n in range(size.models)):
            treatments = [Treatment(model, "base", "control")]
            treatments += [Treatment(model, str(p), "trained", p, (), seed) for seed in SEEDS for p in sources]
            for treatment in treatments:
                cells = (
                    Cell(p, content_id(t=str(treatment), p=str(p)), content_id(p=str(p)), "all", "accuracy")
                    for p in points
                )
                yield Job(treatment, content_id(t=str(treatment)), tuple(cells), content_id(r=str(treatment)))

    fake, store, made = Fake(outcome=outcome), Store(folder), tuple(jobs())
    store.manifests.save(Manifest("many", "", (), made))
    for job in made:
        for cell in job.cells:
            record = fake.record(job, cell)
            store.take(record, Texts(cell.texts_id, record.answers.items, {"prompt": list(record.answers.items)}))


def status(folder: Path) -> None:
    from crossgraft.cli.estimate import store_status
    from crossgraft.runs.storage.store import Store

    "\n".join(store_status(Store(folder)).lines())


def plan(folder: Path) -> None:
    from crossgraft.runs.plan import plan as planned
    from crossgraft.runs.storage.store import Store

    store = Store(folder)
    planned(store.study("many").jobs, store.done())


def compact(folder: Path) -> None:
    from crossgraft.runs.storage.compaction import compact as packs
    from crossgraft.runs.storage.store import Store

    for _ in packs(Store(folder)):
        pass


def matrix(folder: Path) -> None:
    from crossgraft.analysis.results import load_matrix
    from crossgraft.runs.storage.store import Store

    load_matrix(Store(folder))


def report(folder: Path) -> None:
    from crossgraft.analysis.results import load_findings
    from crossgraft.report.write import write_report
    from crossgraft.runs.storage.store import Store

    write_report(load_findings(Store(folder)), folder / "reports" / "many")


STEPS: dict[str, Callable[[Path], None]] = {
    "compact": compact,
    "status": status,
    "plan": plan,
    "matrix": matrix,
    "report": report,
}


def measure(step: str, folder: Path) -> None:
    wall, used = time.perf_counter(), time.process_time()
    STEPS[step](folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{step:<7} {time.process_time() - used:6.1f} s CPU {time.perf_counter() - wall:6.1f} s {peak:6.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="a store that was made before, or where to make one")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--paper", action="store_true", help="a study of the size of the paper's, with three seeds")
    parser.add_argument("--step", choices=STEPS, help="measure only this one")
    parser.add_argument("--compact", action="store_true", help="pack the records first")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp())
    if not (folder / "crossgraft-1").exists():
        started = time.perf_counter()
        fill(folder, PAPER if asked.paper else size_of(asked.records))
        print(f"made {folder} in {time.perf_counter() - started:.0f} s")
    if asked.step:
        measure(asked.step, folder)
        return
    for step in STEPS if asked.compact else [step for step in STEPS if step != "compact"]:
        subprocess.run([sys.executable, __file__, str(folder), "--step", step], check=True)


if __name__ == "__main__":
    main()
