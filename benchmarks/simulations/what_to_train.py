"""How often the first screen says what to train where nothing transfers, on two generators.

python benchmarks/simulations/what_to_train.py [GRIDS]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from crossgraft.analysis.findings import analyse
from crossgraft.transfer.synthetic import SyntheticGrid
from other_grids import OtherGrid


def main(grids: int) -> None:
    synthetic, other = SyntheticGrid(models=2, tasks=3, languages=3, items=150, seeds=3), OtherGrid()
    seeds = range(1000, 1000 + grids)
    for name, matrices in (
        ("SyntheticGrid", (synthetic.matrix(seed) for seed in seeds)),
        ("OtherGrid", (other.draw(seed).matrix for seed in seeds)),
    ):
        said = sum(any(one.startswith("To train") for one in analyse(matrix).sentences) for matrix in matrices)
        print(f"{name}: {said} of {grids} null grids are told what to train")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
