"""Every mapping method on the eight languages of Glavaš et al. (2019), on vectors and dictionaries of your own.

python examples/eight_languages.py DATA [--out FOLDER] [--part closed] [--part iterative] [--part six]

DATA has ``vectors/{language}.vec.gz``, and ``bli/wiktionary/{pair}.train.tsv`` and ``{pair}.test.tsv`` for the 28 pairs;
--vectors, --train and --test say otherwise. A part is a study: its spec is written to FOLDER, where ``crossgraft run`` and
``crossgraft report`` take it too. What is there is not computed again, so it may be stopped at will, and further processes
with the same arguments share the work, one thread each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import crossgraft as cg
from crossgraft.analysis.mappings import BLIFindings, MethodRow, PairMean
from crossgraft.cli.progress import watch, watcher
from crossgraft.study import Study

LANGUAGES = ("de", "en", "fi", "fr", "hr", "it", "ru", "tr")
SIX = ("de:en", "en:fr", "en:it", "en:ru", "fr:it", "fi:tr")  # near, far, and without English
PARTS = {
    "closed": """
[pairs]
all = true

[lexicon]
train = {train}
sizes = [250, 500, 0]

[methods]
use = ["least-squares", "procrustes", "cca", "cca:released", "proc-b", "fipp"]
""",
    "iterative": """
[pairs]
all = true

[lexicon]
train = {train}

[methods]
use = ["procrustes", "proc-b:growing", "proc-b:csls", "dlv", "rcsls", "rcsls:spectral", "vecmap:supervised"]
""",
    "six": """
[pairs]
use = {six}

[lexicon]
train = {train}

[methods]
use = [
  "procrustes", "vecmap:supervised", "c1", "vecmap:semi-supervised",
  "vecmap:identical", "vecmap:unsupervised", "icp", "gromov-wasserstein", "gromov-wasserstein:refined", "muse",
]

[methods.settings]  # of what takes minutes a pair, less than the authors' defaults
"vecmap:semi-supervised" = {{ cutoff = 4000 }}
"vecmap:identical" = {{ cutoff = 4000 }}
"vecmap:unsupervised" = {{ cutoff = 4000 }}
c1 = {{ steps = 20, negatives = 60 }}
"gromov-wasserstein:refined" = {{ words = 1000 }}
icp = {{ words = 3000, more_words = 4000, restarts = 30 }}
[methods.settings.muse]
epochs = 6
samples = 128_000
frequent = 8000
rate = 0.2
judged = 4000
paired = 12_000
game = {{ hidden = 256, guesses = 1, beta = 0.05 }}
""",
}


def spec(part: str, files: argparse.Namespace) -> str:
    """One part as a study; tests by nearest neighbours, as in the paper, and by CSLS."""
    quoted = {name: json.dumps(str(getattr(files, name))) for name in ("vectors", "train", "test")}
    return f"""study = "embeddings"
name = "eight-languages-{part}"

[spaces]
files = {quoted["vectors"]}
languages = {json.dumps(LANGUAGES)}
{PARTS[part].format(train=quoted["train"], six=json.dumps(SIX))}
[tasks.bli]
test = {quoted["test"]}

[tasks.csls]
kind = "bli"
test = {quoted["test"]}
retrieval = "csls"
"""


def table(found: Sequence[BLIFindings]) -> Iterator[str]:
    """Rows of Markdown: a method at a dictionary size, its means by both retrievals, and where it succeeded."""
    by_task = {one.task: {row.row: row for row in one.rows} for one in found}
    yield "| method | training pairs | MAP | MAP by CSLS | P@1 | successful pairs |"
    yield "|---|---|---|---|---|---|"
    for row, first in by_task["bli"].items():
        nearest = dict(first.measures)["P@1"]
        training = f"{first.training:.0f}" if first.training == first.training else "none"
        cells = (row.name, training, *map(shown, (first.all, by_task["csls"][row].all, nearest)), succeeded(first))
        yield f"| {' | '.join(cells)} |"


def shown(mean: PairMean) -> str:
    return f"{mean.value:.3f} [{mean.low:.3f}, {mean.high:.3f}] ({mean.pairs_low:.3f}, {mean.pairs_high:.3f})"


def succeeded(row: MethodRow) -> str:
    return f"{row.succeeded} of {row.all.pairs}"


def arguments() -> argparse.Namespace:
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("data", type=Path)
    told.add_argument("--out", type=Path, default=Path("runs/eight-languages"))
    told.add_argument("--part", action="append", choices=tuple(PARTS), help="one or more; default: all")
    told.add_argument("--vectors", help="file name with {language}")
    told.add_argument("--train", help="file name with {pair}, or {source} and {target}")
    told.add_argument("--test")
    files = told.parse_args()
    data = files.data.resolve()
    files.vectors = files.vectors or data / "vectors/{language}.vec.gz"
    files.train = files.train or data / "bli/wiktionary/{pair}.train.tsv"
    files.test = files.test or data / "bli/wiktionary/{pair}.test.tsv"
    return files


def carried_out(study: Study, store: cg.Store) -> None:
    campaign = cg.Campaign(study, store, cg.Settings(threads=1))
    seen_by = watcher(campaign.plan().jobs)
    try:
        watch(campaign, seen_by)
    finally:
        seen_by.close()


def main() -> None:
    files = arguments()
    files.out.mkdir(parents=True, exist_ok=True)
    store = cg.Store(files.out)
    for part in files.part or PARTS:
        path = files.out / f"{part}.toml"
        path.write_text(spec(part, files), encoding="utf-8")
        study = cg.load_study(path)
        carried_out(study, store)
        findings = cg.load_findings(store, study.name)
        print(cg.write_report(findings, files.out / part)[0])
        print("\n".join(table(findings.evidence.bli)))


if __name__ == "__main__":
    main()
