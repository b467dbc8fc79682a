"""Benchmarks that call the library run on tiny sizes, so that none is found broken when its figures are wanted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
RUNS = {
    "training.py": ("--quick", "--case", "options", "--repeats", "1"),
    "scoring.py": ("--quick", "--case", "zero-shot", "--repeats", "1"),
    "mapping_steps.py": ("--words", "1500", "--width", "20", "--pairs", "200", "--rounds", "1", "proc-b"),
    "clir.py": ("--pairs", "1", "--words", "500", "--width", "10", "--documents", "30", "--queries", "5"),
    "loading.py": ("--words", "2000", "--width", "10", "--rounds", "1"),
}


@pytest.mark.slow
@pytest.mark.parametrize("script", RUNS)
def test_runs_on_tiny_sizes(script: str) -> None:
    if script == "scoring.py":
        pytest.importorskip("lm_eval")

    command = [sys.executable, str(BENCHMARKS / script), *RUNS[script]]
    ran = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False
    )

    assert "Traceback" not in ran.stderr, ran.stderr[-2000:]  # a mark missed at a tiny size is no fault
