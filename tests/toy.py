"""The command line on the study of ``data/plugin``: a kind of study that lies in no package of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from crossgraft.core import Answers
from crossgraft.runs.storage.store import Store

PLUGIN = Path(__file__).parent / "data" / "plugin"
ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join(filter(None, [str(PLUGIN), os.environ.get("PYTHONPATH", "")])),
}


def toy_spec(folder: Path, **keys: object) -> Path:
    file = folder / "toy.toml"
    lines = [f"{name} = {value!r}" for name, value in {"study": "toy", "name": "toy", **keys}.items()]
    file.write_text("\n".join(lines).replace("'", '"') + "\n")
    return file


def command(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "crossgraft", *map(str, words)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def outcome(process: subprocess.Popen[str], patience: float = 120) -> tuple[int, str]:
    out, err = process.communicate(timeout=patience)
    return process.returncode, out + err


def answers(out: Path) -> dict[tuple[str, str], Answers]:
    """What the whole records of a store hold, each once."""
    records, damages = Store(out).read()
    assert damages == []
    found = {(record.id, record.pairing.id): record.answers for record in records}
    assert len(found) == len(records)
    return found
