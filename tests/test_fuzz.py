"""Damaged files end in a value or in one of our errors; tools/fuzz.py tries as many as there is time for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent.parent / "tools/fuzz.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory as Linux has them")
@pytest.mark.parametrize(
    "reader",
    ["jsonl", "text", "csv", "vectors", "dictionary", "spec", "adapter", "outcomes", "store", "gguf", "harness"],
)
def test_no_damaged_file_breaks_a_reader(reader: str) -> None:
    if reader == "harness":
        pytest.importorskip("lm_eval")

    told = subprocess.run([sys.executable, FUZZ, reader, "--count", "250"], capture_output=True, text=True)

    assert told.returncode == 0, told.stdout + told.stderr
    assert f"{reader}: 250 inputs" in told.stdout
