"""Every mapping method on BLI and four downstream tasks, over all language pairs that a folder of data covers.

python benchmarks/downstream_pairs.py DATA [--out FOLDER] [--part PART]... [--pairs en:de,en:fr] [--page FOLDER]

DATA has vectors/{language}.vec.gz, bli/wiktionary/{pair}.train.tsv and .test.tsv, retrieval/{xquad,ntrex}/ with queries, documents
and judgements, tasks/sib200/{language}.jsonl.gz and tasks/xnli/{language}.jsonl.gz. A part is a study; its spec is written to FOLDER, where
`crossgraft run` and `crossgraft report` take it too:

    pairs        methods that take seconds, on all 28 pairs, with all of each dictionary
    sizes        the same on the 7 pairs with English, also with the first 1,000 pairs of each dictionary
    xnli         the same on the 4 pairs of the paper's XNLI, with models of inference, and a shuffled dictionary as a control
    methods      all methods, with settings cut down for one core, on these 4 pairs
    networks     the paper's CNN and ESIM beside lighter models, three methods and a shuffled dictionary, on these 4 pairs
    monolingual  the same models trained and tested in English, beside a bag of words

What is done is not done again, and the parts share what they have in common. --page writes the tables and the figure of the docs
to a folder; --pairs restricts a part to some of its pairs, such as those that are done.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from downstream.bag_of_words import bags_of_words
from downstream.overlap import overlaps
from downstream.page import References, write_page
from downstream.studies import PARTS, spec
from downstream.texts import write_texts

import crossgraft as cg
from crossgraft.cli.progress import watch, watcher
from crossgraft.study import Study


def main() -> None:
    options = arguments()
    data, out = options.data.resolve(), options.out.resolve()
    texts = write_texts(out / "texts", data)
    for part in [name for name in options.part or PARTS if PARTS[name].among(options.pairs)]:
        path = out / f"{part}.toml"
        path.write_text(spec(part, data, texts, pairs=options.pairs, top=options.top), encoding="utf-8")
        findings = carried_out(cg.load_study(path), cg.Store(out))
        print(cg.write_report(findings, out / part)[0])
        if options.page:
            write_page(part, findings, options.page, references(part, data, findings))


def references(part: str, data: Path, findings: cg.Findings) -> References:
    """What needs no vectors, for the parts with models of the paper."""
    if part == "monolingual":
        return {"bag of words": bags_of_words(data, "en")}
    if part == "networks":
        targets = sorted({target.lang.partition(":")[2] for _, target in findings.matrix.cells})
        return {"lengths and shared words": overlaps(data, "en", targets)}
    return {}


def carried_out(study: Study, store: cg.Store) -> cg.Findings:
    campaign = cg.Campaign(study, store, cg.Settings(threads=1, retry=True))
    watch(campaign, watcher(campaign.plan().jobs))
    return cg.load_findings(store, study.name)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/downstream"))
    parser.add_argument("--part", action="append", choices=PARTS, help="one or more; default: all")
    parser.add_argument(
        "--pairs", type=lambda text: text.split(","), default=(), help="such as en:de,en:fr; default: all"
    )
    parser.add_argument("--top", type=int, default=5000, help="words of each language; default: 5000")
    parser.add_argument("--page", type=Path, help="a folder for the tables and the figure")
    return parser.parse_args()


if __name__ == "__main__":
    main()
