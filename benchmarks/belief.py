"""Whether a mapping found without a dictionary knows that it failed: what it gained and needed, beside its MAP.

    python benchmarks/belief.py DATA [--method vecmap:unsupervised] [--set cutoff=2000] [--pairs fi:hr,hr:ru] [--seed 1]

DATA is as examples/eight_languages.py takes it. By default the eleven pairs on which the rule in
embeddings/mapping/steps/refinement.py was set (the first six) and looked at afterwards (the others); about a minute each.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from crossgraft.embeddings.direct.fitting import MapRequest, map_spaces
from crossgraft.embeddings.direct.scoring import evaluate_bli

SET = ("de:fr", "fi:hr", "hr:ru", "it:tr", "de:hr", "fi:it")
AFTERWARDS = ("fr:ru", "en:fi", "hr:it", "de:tr", "fi:fr")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--method", default="vecmap:unsupervised")
    parser.add_argument("--set", dest="settings", action="append", metavar="KEY=VALUE", help="default: cutoff=2000")
    parser.add_argument("--pairs", default=",".join([*SET, *AFTERWARDS]))
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    for pair in told.pairs.split(","):
        source, target = pair.split(":")
        vectors = [told.data / f"vectors/{language}.vec.gz" for language in (source, target)]
        settings = tuple(told.settings or ["cutoff=2000"])
        started = time.perf_counter()
        mapped = map_spaces(MapRequest(*vectors, method=told.method, settings=settings, seed=told.seed))
        level = evaluate_bli(mapped, told.data / f"bli/wiktionary/{source}-{target}.test.tsv").levels["MAP"]
        facts = mapped.metadata["facts"]
        print(
            f"{pair}  MAP {level.mean:.3f} (n = {level.n})  gained {facts['gain']:.3f}, needed {facts['needed']:.3f}: "
            f"{'believed' if facts['converged'] else 'doubted'}  {time.perf_counter() - started:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
