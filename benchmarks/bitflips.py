"""Flip bits in a store, one at a time: ``python benchmarks/bitflips.py [--flips N]``.

Each of N flips (40,000 unless told otherwise), spread over two records, a manifest, a failure, an adapter and a training
state, must be noticed or change nothing that is read, and must stop no other study. It prints how many were noticed and how
many were harmless, and ends with exit code 1 if one was neither.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from crossgraft.adapters.weights.stored import adapter_damage, state_damage
from crossgraft.core import Cell, Job, Point, Record, Treatment
from crossgraft.errors import JobFailed, StoreError
from crossgraft.identity import content_id
from crossgraft.runs.storage.layout import Manifest
from crossgraft.runs.storage.store import Store
from crossgraft.safety.files import whole_file, whole_folder
from crossgraft.safety.seals import append_seal, seal_folder
from crossgraft.study import Failed
from crossgraft.testing import Fake

Verdict = Callable[[], str]  # "noticed", "harmless", or what went wrong


def make(out: Path) -> tuple[list[Job], list[Record]]:
    """Two studies of two records each, the second of which must never be disturbed."""
    store, fake, jobs, records = Store(out), Fake(), [], []
    for name in ("flipped", "other"):
        treatment = Treatment("m", name, "given")
        cells = [
            Cell(Point("intent", language), content_id(n=name, l=language), content_id(l=language), "all", "accuracy")
            for language in ("de", "en")
        ]
        job = Job(treatment, content_id(n=name), tuple(cells))
        store.manifests.save(Manifest(name, "", (), (job,)))
        jobs.append(job)
        for cell in cells:
            records.append(fake.record(job, cell))
            store.take(records[-1])
    return jobs, records


def record_verdict(out: Path, record: Record) -> str:
    store = Store(out)
    read = store.read([record.id])[0]
    if record.id not in store.done():
        return "noticed" if not read else "missing, and read all the same"
    same = [repr(one) for one in read] == [repr(record)] and read[0].answers == record.answers
    return "harmless" if same else "done, with another content"


def manifest_verdict(out: Path, expected: Manifest) -> str:
    try:
        found = Store(out).study(expected.name)
    except StoreError:
        return "noticed"
    return "harmless" if found == expected else "another study"


def failure_verdict(out: Path, expected: dict[str, Any]) -> str:
    found = Store(out).failures.read()[0]
    if not found:
        return "noticed"
    return "harmless" if found == expected else "another failure"


def adapter_verdict(folder: Path) -> str:
    return "noticed" if adapter_damage(folder) else "harm unseen"


def state_verdict(file: Path, expected: Any) -> str:
    if state_damage(file):
        return "noticed"
    found = torch.load(file, weights_only=True)
    same = torch.equal(found["weights"], expected["weights"]) and found["done"] == expected["done"]
    return "harmless" if same else "another state"


def make_adapter(folder: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [64], "data_offsets": [0, 256]}}).encode()
    weights = np.arange(64, dtype=np.float32).tobytes()
    with whole_folder(folder) as partial:
        (partial / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + weights)
        (partial / "adapter_config.json").write_text('{"r": 8}')
        (partial / "training.json").write_text('{"seconds": 1.0}')
        seal_folder(partial)


@contextmanager
def flipped(file: Path, rng: np.random.Generator) -> Iterator[None]:
    with file.open("r+b") as stream:
        place = int(rng.integers(file.stat().st_size))
        stream.seek(place)
        byte = stream.read(1)[0]
        stream.seek(place)
        stream.write(bytes([byte ^ (1 << int(rng.integers(8)))]))
        stream.flush()
        yield
        stream.seek(place)
        stream.write(bytes([byte]))


def targets(out: Path) -> Iterator[tuple[str, list[Path], Verdict]]:
    """What is flipped, in which files, and what says whether it was noticed."""
    jobs, records = make(out)
    store = Store(out)
    for number, record in enumerate(records[:2], start=1):
        file = store.root / "records" / record.id[:2] / f"{record.id}.{record.pairing.id}.parquet"
        yield f"record {number}", [file], lambda record=record: record_verdict(out, record)
    manifest = store.study("flipped")
    yield "manifest", [store.root / "studies" / "flipped.json"], lambda: manifest_verdict(out, manifest)
    store.failures.add(Failed(jobs[0], JobFailed("told to fail", deterministic=True)))
    failures = store.failures.read()[0]
    yield "failure", sorted(store.root.glob("failures/*")), lambda: failure_verdict(out, failures)
    folder = store.artefacts / content_id(adapter=1)
    make_adapter(folder)
    yield "adapter", sorted(folder.iterdir()), lambda: adapter_verdict(folder)
    state, told = store.artefacts / ".run.state", {"weights": torch.arange(50.0), "done": 3}
    with whole_file(state) as partial:
        torch.save(told, partial)
        append_seal(partial)
    yield "state", [state], lambda: state_verdict(state, told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=40_000)
    flips, rng, wrong = parser.parse_args().flips, np.random.default_rng(0), 0
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        all_targets = list(targets(out))
        others = Store(out).study("other").jobs[0].cells
        for name, files, verdict in all_targets:
            seen: Counter[str] = Counter()
            for n in range(-(-flips // len(all_targets))):
                with flipped(files[n % len(files)], rng):
                    seen[verdict()] += 1
                    store = Store(out)
                    if "other" not in store.studies() or any(cell.record_id not in store.done() for cell in others):
                        seen["another study was stopped"] += 1
            wrong += sum(count for what, count in seen.items() if what not in ("noticed", "harmless"))
            print(f"{name:<9}", ", ".join(f"{count} {what}" for what, count in sorted(seen.items())))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
