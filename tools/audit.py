"""Compare installed packages with known vulnerabilities: ``python tools/audit.py PIP_AUDIT FOLDER``.

``PIP_AUDIT`` is the program, ``FOLDER`` the site-packages that it looks at. It asks PyPI about each package, and calls those that
PyPI does not answer for "skipped" with exit code 0. Here they are counted: an audit that compared nothing has failed.
Exit code 0 means that no vulnerability is known, 1 that one is, 2 that nothing could be compared.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def dependencies(program: str, folder: str) -> Sequence[Mapping[str, Any]]:
    command = [program, "--skip-editable", "--progress-spinner", "off", "--format", "json", "--path", folder]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        listed: Sequence[Mapping[str, Any]] = json.loads(ended.stdout)["dependencies"]
    except ValueError:
        why = ended.stderr.strip().splitlines() or ["no message"]
        print(f"pip-audit compared nothing ({why[-1]}); it needs a connection to pypi.org", file=sys.stderr)
        raise SystemExit(2) from None
    return listed


def report(listed: Sequence[Mapping[str, Any]]) -> tuple[int, list[str]]:
    """The exit code, and what to print."""
    audited = [one for one in listed if "skip_reason" not in one]
    skipped = [one["name"] for one in listed if "skip_reason" in one]
    if not audited:
        return 2, [
            f"none of {len(listed)} packages could be compared with known vulnerabilities: it needs a connection to pypi.org"
        ]
    lines = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in audited
        for flaw in one["vulns"]
    ]
    lines.append(f"{len(audited)} packages compared, {len(lines)} known vulnerabilities")
    if skipped:
        lines.append(f"not compared, since PyPI does not know them: {', '.join(skipped)}")
    return int(any(one["vulns"] for one in audited)), lines


def main() -> int:
    code, lines = report(dependencies(*sys.argv[1:3]))
    print(*lines, sep="\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
