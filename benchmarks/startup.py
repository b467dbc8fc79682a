"""How long the commands that compute nothing take: --help, list, and plan with known fingerprints.

    python benchmarks/startup.py [--runs 11]

Whole processes, in turns; prints the median, the quickest and the slowest of each in seconds, and
the bare interpreter beside them. The planned study has 3 models (of 200 MB of weights in all), 44
sources and 44 targets.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")


def make_study(folder: Path) -> Path:
    for model in ("a", "b", "c"):
        place = folder / model
        place.mkdir()
        (place / "config.json").write_text("{}")
        (place / "tokenizer.json").write_text("{}")
        (place / "model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}" + bytes(67_000_000))
    for task in range(4):
        for language in LANGUAGES:
            for split, items in (("train", 300), ("test", 400)):
                with (folder / f"t{task}.{language}.{split}.jsonl").open("w") as stream:
                    for n in range(items):
                        row = {"id": f"{split}-{n}", "q": "a question " * 10, "options": ["yes", "no"], "answer": n % 2}
                        stream.write(json.dumps(row) + "\n")
    tables = "".join(
        f'[tasks.t{task}]\nfiles = "t{task}.{{language}}.{{split}}.jsonl"\nlanguages = {json.dumps(LANGUAGES)}\nprompt = "{{q}}"\n'
        for task in range(4)
    )
    models = "".join(f'{model} = {{ path = "{model}" }}\n' for model in ("a", "b", "c"))
    spec = folder / "study.toml"
    spec.write_text(
        f'study = "adapters"\nname = "grid"\nseeds = [1, 2, 3]\n[models]\n{models}{tables}[grid]\nsources = ["*"]\n'
    )
    return spec


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = make_study(folder)
        cli = [sys.executable, "-m", "crossgraft"]
        plan = [*cli, "plan", str(spec), "--out", str(folder / "runs")]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "crossgraft --help": [*cli, "--help"],
            "crossgraft list": [*cli, "list"],
            "crossgraft plan": plan,
        }
        print(f"first plan, hashing everything: {seconds(plan):.2f} s")
        times: dict[str, list[float]] = {label: [] for label in commands}
        for _ in range(runs):
            for label, command in commands.items():
                times[label].append(seconds(command))
    for label, found in times.items():
        print(f"{label:20} median {median(found):.3f} s  (min {min(found):.3f}, max {max(found):.3f}, n = {runs})")


if __name__ == "__main__":
    main()
