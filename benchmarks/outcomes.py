"""How long a table of a million items takes, from the file to every page of the report, by part.

    OMP_NUM_THREADS=1 python benchmarks/outcomes.py [--rows 1000000]

The same number of rows as few large targets and as many small ones, as CSV and as Parquet. The mark is a minute on one thread.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from measuring import forget_peak, peak_mib, processor, table, timed

from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.external.outcomes import matrix_from_outcomes
from crossgraft.analysis.findings import analyse
from crossgraft.core import Point
from crossgraft.report.write import write_report

SECONDS = 60
LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")
SHAPES = {  # models, tasks, languages, seeds
    "few large targets": (2, 3, 3, 3),
    "many small targets": (4, 4, 8, 2),
}


def outcomes(models: int, tasks: int, languages: int, seeds: int, rows: int) -> pa.Table:
    """A base and an adapter per point and seed, each on every point; right about half the time."""
    points = [str(Point(f"task{task}", lang)) for task, lang in product(range(tasks), LANGUAGES[:languages])]
    runs = len(points) * models * (1 + len(points) * seeds)
    items = max(1, round(rows / runs))
    rng = np.random.default_rng(0)

    def blocks() -> Iterator[pa.Table]:
        names = [f"item-{number:05d}" for number in range(items)]
        arms = [("", None), *product(points, range(1, seeds + 1))]
        for model, (treatment, seed), target in product(range(models), arms, points):
            known = {"model": f"model{model}", "treatment": treatment, "source": treatment, "target": target}
            columns = {name: [value] * items for name, value in known.items()}
            scores = (rng.uniform(size=items) < (0.55 if treatment else 0.5)).astype(int)
            kinds = {"seed": pa.array([seed] * items, pa.int64()), "item": names, "score": scores}
            yield pa.table({**columns, **kinds})

    return pa.concat_tables(blocks())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    pa.set_cpu_count(1)
    print(f"{processor()}; Python {platform.python_version()}, numpy {np.__version__}, pyarrow {pa.__version__}")
    lines = []
    with tempfile.TemporaryDirectory() as name:
        for shape, sizes in SHAPES.items():
            made = outcomes(*sizes, rows)
            csv, parquet = Path(name) / "outcomes.csv", Path(name) / "outcomes.parquet"
            pyarrow.csv.write_csv(made, csv)
            pq.write_table(made, parquet)
            count = made.num_rows
            del made
            forget_peak()
            _, from_parquet = timed(lambda path=parquet: matrix_from_outcomes(path))
            matrix, from_csv = timed(lambda path=csv: matrix_from_outcomes(path))
            findings, analysed = timed(lambda matrix=matrix: analyse(Evidence(matrix, "benchmark")))
            _, written = timed(lambda findings=findings: write_report(findings, Path(name)))
            costs = (from_parquet, from_csv, analysed, written)
            whole = sum(cost.cpu for cost in costs[1:])
            seconds = [f"{cost.cpu:.1f}" for cost in costs]
            lines.append(
                [shape, f"{count:,}", f"{len(matrix.cells):,}", *seconds, f"**{whole:.1f}**", f"{peak_mib():.0f}"]
            )
    parts = ("matrix from Parquet", "matrix from CSV", "analysis", "report", f"CSV to report (mark {SECONDS} s)")
    table(["shape", "rows", "cells", *(f"{part}, s CPU" for part in parts[:-1]), parts[-1], "peak MiB"], lines)


if __name__ == "__main__":
    main()
