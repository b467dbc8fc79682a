"""An audit that could compare nothing has failed, whatever pip-audit says; what it found is printed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

AUDIT = Path(__file__).parent.parent / "tools/audit.py"
FLAW = {"id": "PYSEC-1", "fix_versions": ["1.1"]}
SAFE = {"name": "a", "version": "1", "vulns": []}
UNSAFE = {"name": "b", "version": "1.0", "vulns": [FLAW]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for pip-audit is a script with a first line")
@pytest.mark.parametrize(
    ("listed", "code", "words"),
    [
        ([SAFE, SKIPPED], 0, ["1 packages compared, 0 known vulnerabilities", "does not know them: c"]),
        ([SAFE, UNSAFE], 1, ["b 1.0: PYSEC-1, mended in 1.1", "2 packages compared, 1 known"]),
        ([SKIPPED, SKIPPED], 2, ["none of 2 packages could be compared"]),
        (None, 2, ["pip-audit compared nothing (no route)", "pypi.org"]),
    ],
)
def test_an_audit_says_what_it_compared(
    tmp_path: Path, listed: list[object] | None, code: int, words: list[str]
) -> None:
    program = tmp_path / "pip-audit"
    said = f"print({json.dumps({'dependencies': listed})!r})" if listed else "import sys; sys.exit('no route')"
    program.write_text(f"#!{sys.executable}\n{said}\n")
    program.chmod(0o755)

    ended = subprocess.run([sys.executable, AUDIT, program, tmp_path], capture_output=True, text=True)

    assert ended.returncode == code
    assert all(word in ended.stdout + ended.stderr for word in words), ended.stdout + ended.stderr
