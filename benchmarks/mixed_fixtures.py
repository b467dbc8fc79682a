"""Writes tests/data/lme4.json: what lme4 finds on the seeded grids of tests/mixed_grids.py.

    python benchmarks/mixed_fixtures.py

Needs R with lme4 (written with R 4.2.2, lme4 1.1-31). The tests need neither: they read the file.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from mixed_grids import Grid, lme4_grids  # noqa: E402  # the tests' own grids


def fitted(grid: Grid) -> dict[str, object]:
    """lme4's fit; the regimes are fixed effects."""
    formula = "y ~ r1 + r2 + r3 + " + " + ".join(f"(1 | {name})" for name in grid.factors)
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.csv"
        with rows.open("w", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(["y", "r1", "r2", "r3", *grid.factors])
            for n, value in enumerate(grid.y):
                levels = (f"l{grid.codes[name][n]}" for name in grid.factors)
                table.writerow([repr(float(value)), *grid.regime[n, 1:].astype(int), *levels])
        script = str(ROOT / "benchmarks" / "r" / "mixed.R")
        out = subprocess.run(["Rscript", script, str(rows), formula], check=True, capture_output=True, text=True).stdout
    return {"formula": formula, "rows": len(grid.y), **json.loads(out)}


if __name__ == "__main__":
    found = {name: fitted(grid) for name, grid in lme4_grids().items()}
    for one in found.values():
        del one["seconds"]  # depends on the machine
    (ROOT / "tests" / "data" / "lme4.json").write_text(json.dumps(found, indent=1) + "\n")
