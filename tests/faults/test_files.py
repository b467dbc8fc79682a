"""Files of a store that are cut, flipped or emptied at random: every command says so, and the next run mends it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossgraft.runs.storage.compaction import compact
from crossgraft.runs.storage.store import Store
from rounds import ROUNDS
from toy import answers, command, outcome, toy_spec

pytestmark = pytest.mark.slow


def harm(file: Path, rng: np.random.Generator) -> None:
    content = bytearray(file.read_bytes())
    match int(rng.integers(4)):
        case 0:
            content = content[: int(rng.integers(len(content) + 1))]
        case 1:
            for at in rng.integers(0, max(1, len(content)), 5):
                content[at : at + 1] = bytes([int(rng.integers(256))])
        case 2:
            content = bytearray()
        case 3:
            content += bytes(rng.integers(0, 256, 100, dtype=np.uint8))
    file.write_bytes(content)


@pytest.mark.parametrize("packed", [False, True])
def test_damage_anywhere_in_a_store_is_mended_by_the_next_run(tmp_path: Path, packed: bool) -> None:
    spec, out = toy_spec(tmp_path, count=4), tmp_path / "out"
    outcome(command("run", spec, "--out", out))
    expected = answers(out)
    rng = np.random.default_rng(packed)
    for _ in range(2 * ROUNDS):
        if packed:
            list(compact(Store(out), size=5))
        files = sorted(file for file in out.rglob("*") if file.is_file() and file.stat().st_size)
        for file in rng.choice(np.array(files, dtype=object), 3, replace=False):
            harm(file, rng)

        for words in (("store", "status"), ("store", "verify"), ("store", "ls"), ("store", "gc")):
            code, said = outcome(command(*words, "--out", out))
            assert code in (0, 1, 2), said
            assert "Traceback" not in said
        code, said = outcome(command("run", spec, "--out", out))
        assert code == 0, said
        records, _ = Store(out).read()
        assert {(record.id, record.pairing.id): record.answers for record in records} == expected
