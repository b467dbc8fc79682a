"""What a grid looks like in which nothing transfers: made without training, reported as any other.

python examples/null_grid.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

from crossgraft import Evidence, analyse, write_report
from crossgraft.transfer.synthetic import SyntheticGrid


def main(folder: Path) -> None:
    findings = analyse(Evidence(SyntheticGrid(models=3, tasks=4, languages=5).matrix(seed=1), "null-grid"))
    print("\n".join(findings.sentences))
    print(write_report(findings, folder)[0])


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "null-grid"))
