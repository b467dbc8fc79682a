"""Every mapping method on BLI and four downstream tasks, over all language pairs that a folder of data covers.

python benchmarks/downstream_pairs.py DATA [--out FOLDER] [--part PART]... [--pairs en:de,en:fr] [--page FOLDER]

DATA has vectors/{language}.vec.gz, bli/wiktionary/{pair}.train.tsv and .test.tsv, retrieval/{xquad,ntrex}/ with queries, documents
and judgements, tasks/sib200/{language}.jsonl.gz and tasks/xnli/{language}.jsonl.gz. A part is a study; its spec is written to FOLDER, where
`crossgraft run` and `crossgraft report` take it too:

    pairs    methods that take seconds, on all 28 pairs, with all of each dictionary
    sizes    the same on the 7 pairs with English, also with the first 1,000 pairs of each dictionary
    xnli     the same on the 4 pairs of the paper's XNLI, with models of inference, and a shuffled dictionary as a control
    methods  all methods, with settings cut down for one core, on these 4 pairs

What is done is not done again, and the parts share what they have in common. --page writes the tables and the figure of the docs
to a folder; --pairs restricts a part to some of its pairs, such as those that are done.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from html import escape
from math import isnan
from pathlib import Path

import crossgraft as cg
from crossgraft.analysis.findings import Findings
from crossgraft.analysis.mappings.predicting import Prediction, sentence
from crossgraft.analysis.mappings.standings import Standing
from crossgraft.analysis.wording import number_of
from crossgraft.cli.progress import watch, watcher
from crossgraft.safety.files import write_whole
from crossgraft.stats.matrices.predicting import Link

LANGUAGES = ("en", "de", "fr", "ru", "tr", "it", "hr", "fi")  # a pair has the first as its source
PARTS = ("sizes", "xnli", "pairs", "methods")
INFERENCE = ("en:de", "en:fr", "en:ru", "en:tr")  # the paper's pairs of XNLI
XNLI = ("en", "de", "fr", "ru", "tr")
XQUAD = ("en", "de", "ru", "tr")
QUICK = (
    "least-squares", "procrustes", "cca", "cca:released", "proc-b", "dlv", "fipp", "rcsls", "vecmap:supervised",
)  # fmt: skip
SLOW = ("c1", "vecmap:unsupervised", "muse", "icp", "gromov-wasserstein:refined")
SETTINGS = """
[methods.settings]  # less than the authors' settings, for one core
dlv = { search = 2000, rounds = 10 }
"""
SLOW_SETTINGS = """"vecmap:unsupervised" = { cutoff = 3000 }
c1 = { steps = 20, negatives = 60 }
"gromov-wasserstein:refined" = { words = 1000, more_words = 3000 }
icp = { words = 2000, more_words = 3000, restarts = 20 }
[methods.settings.muse]
epochs = 3
samples = 64_000
frequent = 6000
rate = 0.2
judged = 3000
paired = 6000
game = { hidden = 128, guesses = 1, beta = 0.05 }
"""


def pairs_of(languages: Sequence[str]) -> list[str]:
    return [f"{one}:{other}" for place, one in enumerate(languages) for other in languages[place + 1 :]]


def spec(part: str, data: Path, texts: Path, options: argparse.Namespace) -> str:
    """One part as a study. Texts that the vectors have learnt from are marked as transductive."""
    slow, trained = part == "methods", part in ("methods", "xnli")
    pairs = list(INFERENCE) if trained else pairs_of(LANGUAGES)[: 7 if part == "sizes" else None]
    pairs = [pair for pair in pairs if not options.pairs or pair in options.pairs.split(",")]

    def within(languages: Sequence[str]) -> str:
        return json.dumps([pair for pair in pairs_of(languages) if pair in pairs])

    use = json.dumps([*QUICK, *(SLOW if slow else ())])
    return f"""study = "embeddings"
name = "downstream-{part}"
seeds = [1, 2, 3]

[spaces]
files = {json.dumps(str(data / "vectors/{language}.vec.gz"))}
languages = {json.dumps(LANGUAGES)}
case = "lower"
top = {options.top}

[pairs]
use = {json.dumps(pairs)}

[lexicon]
train = {json.dumps(str(data / "bli/wiktionary/{pair}.train.tsv"))}
sizes = {"[1000, 0]" if part == "sizes" else "[0]"}

[methods]
use = {use}
{'shuffled = ["procrustes"]' if trained else ""}
{SETTINGS}{SLOW_SETTINGS if slow else ""}
[tasks.bli]
test = {json.dumps(str(data / "bli/wiktionary/{pair}.test.tsv"))}

[tasks.premises]
kind = "clir"
topics = {json.dumps(str(texts / "premises.{language}.tsv"))}
documents = {json.dumps(str(texts / "premises.{language}.tsv"))}
qrels = {json.dumps(str(texts / "premises.qrels.txt"))}
pairs = {within(XNLI)}

[tasks.xquad]
kind = "clir"
topics = {json.dumps(str(texts / "xquad.queries.{language}.tsv"))}
documents = {json.dumps(str(data / "retrieval/xquad/docs.{language}.tsv.gz"))}
qrels = {json.dumps(str(data / "retrieval/xquad/qrels.txt"))}
pairs = {within(XQUAD)}
transductive = true

[tasks.ntrex]
kind = "clir"
topics = {json.dumps(str(data / "retrieval/ntrex/queries.{language}.tsv"))}
documents = {json.dumps(str(data / "retrieval/ntrex/docs.{language}.tsv.gz"))}
qrels = {json.dumps(str(data / "retrieval/ntrex/qrels.txt"))}
transductive = true

[tasks.sib200]
kind = "cldc"
train = {json.dumps(str(data / "tasks/sib200/{language}.jsonl.gz"))}
dev = {json.dumps(str(data / "tasks/sib200/{language}.jsonl.gz"))}
test = {json.dumps(str(data / "tasks/sib200/{language}.jsonl.gz"))}
split_field = "split"
transductive = true
{NETWORKS.format(labelled=json.dumps(str(data / "tasks/xnli/{language}.jsonl.gz"))) if trained else ""}"""


NETWORKS = """
[tasks.xnli]
kind = "nli"
train = {labelled}
dev = {labelled}
test = {labelled}
split_field = "split"
decomposable = {{ hidden = 50, training = {{ epochs = 5, patience = 2, batch = 64 }} }}
"""


def rows(file: Path) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def texts_in(folder: Path, data: Path) -> Path:
    """What is not in the data as it is needed: XQuAD's questions, unpacked, and the premises of XNLI as a collection.

    Each premise is a topic in one language and a document in another. The vectors have not seen them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for language in XQUAD:
        packed, plain = (data / f"retrieval/xquad/queries.{language}.tsv{end}" for end in (".gz", ""))
        questions = gzip.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes()
        _write(folder / f"xquad.queries.{language}.tsv", questions)
    groups: list[str] = []
    for language in XNLI:
        premises = {row["group"]: row["premise"] for row in rows(data / f"tasks/xnli/{language}.jsonl.gz")}
        lines = "".join(f"{group}\t{' '.join(text.split())}\n" for group, text in premises.items())
        _write(folder / f"premises.{language}.tsv", lines.encode())
        groups = list(premises)
    judged = "".join(f"{group} 0 {group} 1\n" for group in groups)
    _write(folder / "premises.qrels.txt", judged.encode())
    return folder


def _write(file: Path, content: bytes) -> None:
    """Only where it is not there: another process may read it."""
    if not file.exists():
        write_whole(file, content)


def carried_out(campaign: cg.Campaign) -> None:
    seen_by = watcher(campaign.plan().jobs)
    try:
        watch(campaign, seen_by)
    finally:
        seen_by.close()


def table(findings: Findings) -> Iterator[str]:
    """Rows of Markdown: a method, and its mean on each task with the interval for new items."""
    tasks, seen = findings.evidence.standings, findings.matrix.labels.transductive
    heads = (
        f"{task.task}{' †' if seen.get(task.task) else ''}, {task.metric}, {number_of(len(task.pairs), 'pair')}, "
        f"{task.best.mean.queries:,} items"
        for task in tasks
    )
    yield f"| method | {' | '.join(heads)} |"
    yield "|---" * (len(tasks) + 1) + "|"
    by_row = [{one.row: one for one in (*task.standings, task.control)} for task in tasks]
    for row in dict.fromkeys(row for of_task in by_row for row in of_task):
        yield f"| {row.label} | {' | '.join(shown(of_task.get(row)) for of_task in by_row)} |"


def shown(standing: Standing | None) -> str:
    """In bold what is best, or cannot be distinguished from the best with the same dictionary."""
    if standing is None:
        return "–"
    mean = standing.mean
    mark = "**" if standing.verdict in ("best", "not distinguishable") else ""
    return f"{mark}{mean.value:.3f}{mark} [{mean.low:.3f}, {mean.high:.3f}]"


def predicted(findings: Findings) -> Iterator[str]:
    yield "| task | left out | methods | pairs | r over methods | r within pairs | r over pairs | verdict |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in findings.predictions:
        links = map(correlation, (one.found.rows, one.found.within, one.found.columns))
        yield f"| {' | '.join((one.task, one.without or '–', methods_of(one), str(len(one.pairs)), *links, one.verdict))} |"


def correlation(link: Link) -> str:
    if isnan(link.low):
        return "–" if isnan(link.value) else f"{link.value:+.2f}"
    return f"{link.value:+.2f} [{link.low:+.2f}, {link.high:+.2f}]"


def methods_of(prediction: Prediction) -> str:
    return f"{len(prediction.rows)} of {prediction.found.rows.units} kinds"


PANEL, LEFT, TOP, GAP = 250, 60, 40, 70


def drawn(findings: Findings) -> str:
    """A panel a task: its score over that of BLI, means over the pairs that both have, a dot a method."""
    bli, *others = findings.evidence.standings
    x_of = {one.row: one for one in bli.standings}
    columns = min(len(others), 3)
    width, height = LEFT + columns * (PANEL + GAP), -(-len(others) // columns) * (PANEL + TOP + GAP)
    parts = [f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for number, task in enumerate(others):
        origin = LEFT + number % columns * (PANEL + GAP), TOP + number // columns * (PANEL + TOP + GAP)
        dots = [
            (one.row.label, on_pairs(x_of[one.row], task.pairs), one.mean.value)
            for one in task.standings
            if one.row in x_of
        ]
        parts += panel(origin, f"{task.task}, {task.metric}, {number_of(len(task.pairs), 'pair')}", dots)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="10">{"".join(parts)}</svg>\n'


def on_pairs(standing: Standing, pairs: Sequence[str]) -> float:
    values = [standing.by_pair[pair].value for pair in pairs if pair in standing.by_pair]
    return sum(values) / len(values)


def panel(origin: tuple[int, int], title: str, dots: Sequence[tuple[str, float, float]]) -> Iterator[str]:
    left, top = origin
    most_x, most_y = (1.15 * max((dot[axis] for dot in dots), default=1) or 1 for axis in (1, 2))
    yield f'<text x="{left}" y="{top - 8}" font-size="12" font-weight="bold">{escape(title)}</text>'
    yield f'<path d="M{left} {top}v{PANEL}h{PANEL}" fill="none" stroke="#666"/>'
    yield f'<text x="{left + PANEL}" y="{top + PANEL + 28}" text-anchor="end">BLI, MAP on the same pairs</text>'
    for part in (0.25, 0.5, 0.75, 1.0):
        x, y = left + PANEL * part, top + PANEL * (1 - part)
        yield f'<text x="{x}" y="{top + PANEL + 14}" text-anchor="middle">{most_x * part:.2f}</text>'
        yield f'<text x="{left - 5}" y="{y + 4}" text-anchor="end">{most_y * part:.2f}</text>'
    free = 0.0  # where the next name may stand, so that none covers another
    for name, at_x, at_y in sorted(dots, key=lambda dot: -dot[2]):
        x, y = left + PANEL * at_x / most_x, top + PANEL * (1 - at_y / most_y)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#1f62a8" fill-opacity="{0.3 if "(" in name else 0.9}"/>'
        if "(" in name:  # of the smaller dictionaries only pale dots
            continue
        beside, free = max(y + 3, free), max(y + 3, free) + 10
        end, start = (left + PANEL * 0.55, x - 4) if at_x > 0.6 * most_x else (x + 8, x + 4)
        anchor = "end" if end < x else "start"
        yield f'<path d="M{start:.1f} {y:.1f}L{end:.1f} {beside - 3:.1f}" stroke="#bbb" stroke-width="0.6"/>'
        yield f'<text x="{end:.1f}" y="{beside:.1f}" text-anchor="{anchor}">{escape(name)}</text>'


def page(part: str, findings: Findings, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [*table(findings), "", *predicted(findings), "", sentence(findings.predictions), ""]
    (folder / f"downstream-{part}.md").write_text("\n".join(lines), encoding="utf-8")
    (folder / f"downstream-{part}.svg").write_text(drawn(findings), encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/downstream"))
    parser.add_argument("--part", action="append", choices=PARTS, help="one or more; default: all")
    parser.add_argument("--pairs", default="", help="such as en:de,en:fr; default: all of the part")
    parser.add_argument("--top", type=int, default=5000, help="words of each language; default: 5000")
    parser.add_argument("--page", type=Path, help="a folder for the tables and the figure")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    data, out = options.data.resolve(), options.out.resolve()
    texts = texts_in(out / "texts", data)
    store = cg.Store(out)
    for part in options.part or PARTS:
        path = out / f"{part}.toml"
        path.write_text(spec(part, data, texts, options), encoding="utf-8")
        study = cg.load_study(path)
        carried_out(cg.Campaign(study, store, cg.Settings(threads=1, retry=True)))
        findings = cg.load_findings(store, study.name)
        print(cg.write_report(findings, out / part)[0])
        if options.page:
            page(part, findings, options.page)


if __name__ == "__main__":
    main()
