"""Write the page about the paper's table, docs/paper.md, from the table itself; the table is not ours to ship.

python tools/paper_page.py PATH/transfer_results.csv [PATH/rows-with-all-columns.csv]

A table without the column score_norm_base_std cannot say whether the seeds answer the same items; rows that have it may stand in a second
file, or in the first.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossgraft.analysis.cells import on_source, other_tasks, same_task, trained
from crossgraft.analysis.external.outcomes import read_findings
from crossgraft.analysis.external.score_table import read_table
from crossgraft.analysis.findings import Findings
from crossgraft.analysis.intervals.draws import Draws
from crossgraft.analysis.questions.effects.contrast import Contrast
from crossgraft.analysis.questions.paper.cell_noise import Called, called
from crossgraft.analysis.questions.paper.flat_targets import FLAT, Movement, movements
from crossgraft.analysis.questions.paper.language_groups import GroupRole, group_roles
from crossgraft.analysis.questions.paper.published import MODELS, beside_the_printed, missing_cells
from crossgraft.analysis.questions.paper.task_pairs import task_pairs
from crossgraft.report.section import Table, short
from crossgraft.report.sections.effects import paper as section

ITEMS = 400  # behind every score of the release
_FEW_BASES = 5  # targets of a task: fewer say nothing
HEAD = """# The paper's table, read

`crossgraft read` on the table that the authors of "Donors and Recipients" released (Dymkiewicz et al., Findings of EMNLP 2026;
`kdymkiewicz/Donors-and-Recipients`, `results/transfer_results.csv`, numbers under CC BY 4.0). `python tools/paper_page.py PATH` writes
this page from the table. To see the same in a report:

```
crossgraft read transfer_results.csv --column items=400
```

Every number here is computed from the table. Changes are in percentage points (pp).
"""


class Page:
    """The figures that the sentences of the page need."""

    def __init__(self, findings: Findings, apart: tuple[Called, ...], bases: Sequence[BaseSeeds]) -> None:
        self.apart, self.bases = (
            apart,
            bases,
        )  # cells called if seeds answer items of their own; how the base varies by seed
        draws = findings.evidence.draws
        self.findings = findings
        self.cells = trained(draws.cells)
        self.near, self.off, self.own = same_task(self.cells), other_tasks(self.cells), on_source(draws.cells)
        self.pairs = task_pairs(draws)
        self.called = called(draws)
        self.groups = {(one.group, one.side, one.task): one for one in group_roles(draws)}
        self.movements = movements(draws)
        self.contrasts = {one.over: one for one in findings.contrasts}
        self.tables = {table.name: table for one in section.sections(findings) for table in one.tables}
        self.models = sorted({row.model for row in findings.matrix.rows})

    def lines(self) -> Iterator[str]:
        yield HEAD
        yield from self._what_is_here()
        yield from self._holds()
        yield from self._does_not()
        yield from self._unexpected()
        yield from self._unknown()
        yield "## Figures of the paper and ours\n"
        yield from markdown(self.tables["paper"])

    def _what_is_here(self) -> Iterator[str]:
        lacking = missing_cells(self.findings.matrix)
        told = f"The table that was read has {len(self.models)} of the paper's {len(MODELS)} models"
        if lacking:
            told += "; it lacks " + ", ".join(f"{count:,} cells of {model}" for model, count in lacking.items())
            told += ". The last column says what these must have for the printed figure to be true; no printed figure is contradicted."
            if any(one.verdict == "impossible" for one in beside_the_printed(self.findings.matrix)):
                told = told.replace("; no printed figure is contradicted", "; one at least cannot be")
        yield f"## Printed figures\n\n{told}\n"
        yield from markdown(self.tables["published"])

    def _holds(self) -> Iterator[str]:
        means = [mean(cells) for cells in (self.own, self.near, self.off)]
        rises = self._models_above("truthfulqa", same=True)
        learns = self._models_above("global_mmlu", same=False)
        order = "The order is the paper's" if means == sorted(means, reverse=True) else "The order is not the paper's"
        yield "\n## What holds\n"
        yield f"- Means: on the source {pp(means[0])}, same task in other languages {pp(means[1])}, other tasks {pp(means[2])}. {order}."
        yield f"- TruthfulQA learned in one language raises TruthfulQA in the others: {rises} of {len(self.models)} models."
        yield f"- Global-MMLU rises when the model is trained on another task: {learns} of {len(self.models)} models."
        for one in self.findings.consistency:
            if one.rankers == "models" and one.index is not None and one.chance:
                yield (
                    f"- Models agree on the order of recipients ({one.words}) more than by chance, and little: the median τ-b is "
                    f"{one.index:.2f}, that of shuffled recipients stays below {one.chance.highest:.2f} (p = {one.chance.p:.3f})."
                )

    def _does_not(self) -> Iterator[str]:
        all_models = next(iter(self.findings.contrasts))
        yield "\n## What does not hold, or only in part\n"
        yield (
            f"- **Same task beats other tasks** by {pp(all_models.estimate.mean)} over these four tasks. For new tasks the interval is "
            f"{ends(all_models, 'new tasks')}: four tasks cannot show it. By target: {self._contrasts_by_target()}."
        )
        wide, crossed = self._shares()
        yield (
            f"- **The target explains most of the variance**: {wide:.0f} % when targets are drawn anew in each model, as in the release. "
            f"Crossed, a target's own share over all models is {crossed[0]:.0f} %, and what a target does in one model only is {crossed[1]:.0f} %."
        )
        regimes = {
            one.printed.words: one for one in beside_the_printed(self.findings.matrix) if one.printed.figure == "harm"
        }
        if (harm := regimes.get("all transfer cells")) and harm.least < harm.value:
            yield (
                f"- **Harm** (Δ ≤ −1 pp) is {harm.least:.1f} % or {harm.value:.1f} % of the transfer cells: a change is a multiple of a twelfth of a point, "
                "some cells lose exactly one point, and the last bit of a floating-point number decides whether they count."
            )
        positive = 100 * float(np.mean([cell.change.mean > 0 for cell in self.cells]))
        zero = 100 * float(np.mean([cell.change.mean == 0 for cell in self.cells]))
        yield f"- **Positive cells** ({positive:.1f} %): {zero:.1f} % are exactly zero, and the median is {np.median([cell.change.mean for cell in self.cells]):+.2f} pp."

    def _unexpected(self) -> Iterator[str]:
        yield "\n## What the numbers say that a reader would not expect\n"
        yield from self._concentration()
        yield "\n### How many cells are changed at all\n"
        yield from self._noise()
        yield from markdown(self.tables["cell_noise"])
        yield "\n### Targets that do not move, and targets that move whatever is learned\n"
        yield from self._movement()
        yield "\n### English and high-resource languages\n"
        yield from self._language_groups()
        yield from markdown(self.tables["language_groups"])

    def _concentration(self) -> Iterator[str]:
        own = next(one for one in self.pairs if one.side == "same task" and one.target == "truthfulqa")
        mmlu = [cell for cell in self.off if cell.target.skill == "global_mmlu"]
        rest = [cell for cell in self.off if cell.target.skill != "global_mmlu"]
        share = 100 * sum(cell.change.mean for cell in mmlu) / sum(cell.change.mean for cell in self.off)
        yield (
            f"**{own.share:.0f} % of the gain on the same task is TruthfulQA**, the only benchmark that is trained on all tokens and evaluated on "
            f"the text of the answer it was trained on. Without it the mean is not {pp(mean(self.near))} but {pp(own.rest or 0.0)}, less than that of other tasks ({pp(mean(self.off))}).\n"
        )
        yield (
            f"**{share:.0f} % of the gain on other tasks is Global-MMLU as a target**, the only benchmark that is evaluated on the letter. Without it "
            f"the mean is {pp(mean(rest))}. By what was learned: {self._donors_of('global_mmlu')}. "
            f"Training on Global-MMLU itself, in another language, gives the least. "
            "Models are trained without a chat template and evaluated with one; answering in the asked form is the plain explanation, "
            "which only answers of items can confirm.\n"
        )
        dull = next(one for one in self.pairs if one.side == "same task" and one.target == "hellaswag")
        yield f"**HellaSwag does not help HellaSwag** in other languages: {pp(dull.mean)}, median {pp(dull.median)}.\n"
        yield from markdown(self.tables["task_pairs"])

    def _noise(self) -> Iterator[str]:
        seeds, bound, fdr = self.called[0], self.called[3], self.called[4]
        yield (
            f"By the noise of seeds alone {seeds.gains + seeds.losses:,} of {seeds.cells:,} transfer cells are changed. If the seeds answer the same {ITEMS} items, their "
            f"spread does not say what other items would give. With the binomial bound on top, {bound.gains} gains and {bound.losses} losses remain; "
            f"at a false discovery rate of 5 %, {fdr.gains} gains and {fdr.losses} losses, on {fdr.targets} targets, {fdr.in_first} of them {fdr.first}. "
            "The bound is wide: if a tenth of the answers changed, the noise would be about half as large.\n"
        )
        if self.bases:
            yield from self._seeds_and_items()

    def _seeds_and_items(self) -> Iterator[str]:
        told = "; ".join(
            f"{one.task} {one.deviation:.4f} against {one.binomial:.4f} ({one.rows} targets)" for one in self.bases
        )
        bound, fdr = self.apart[3], self.apart[4]
        yield (
            "**Do the seeds answer the same items?** The base is the same model for all seeds, so on the same items its score should hardly vary between them. "
            f"Root mean square of its standard deviation between seeds, against that of drawing {ITEMS} other items: {told}. Where the two are alike, a seed "
            "of the table is also a draw of items; then its spread holds the noise of items as well, and a cell rests on up to three times as many. "
            f"With {3 * ITEMS} items per cell the binomial bound calls {bound.gains} gains and {bound.losses} losses, "
            f"and {fdr.gains} and {fdr.losses} at a false discovery rate of 5 %. The release says that its split is fixed; only the outcomes of items can settle it.\n"
        )

    def _movement(self) -> Iterator[str]:
        flat = [one for one in self.movements if one.is_flat]
        small = [one for one in self.movements if abs(one.largest) < 1]
        names = "; ".join(f"{one.target} in {one.model} (base {one.base:.3f})" for one in flat)
        yield (
            f"{len(flat)} of {len(self.movements)} targets have a standard deviation between sources under {FLAT:g} pp: {names}. "
            f"{len(small)} never change by a point. A base that gives one letter to every question looks like this: it scores the share of that letter.\n"
        )
        for target in dict.fromkeys(one.target for one in flat):
            same = [one for one in self.movements if one.target == target]
            bases = "; ".join(f"{one.model} {one.base:.3f} ({self._median_base(one):.3f})" for one in same)
            yield f"The base on {target} in every model, and in brackets the median over the languages of the task: {bases}.{_shared(same)}\n"
        first = sorted(self.movements, key=lambda one: -one.mean)[:8]
        yield "The targets with the largest mean over all sources, each beside the median base of its model and task over languages:\n"
        yield "| model | target | base | median base | mean, pp | SD between sources, pp |\n|---|---|---|---|---|---|"
        for one in first:
            yield f"| {one.model} | {one.target} | {one.base:.3f} | {self._median_base(one):.3f} | {one.mean:+.2f} | {one.deviation:.2f} |"

    def _language_groups(self) -> Iterator[str]:
        yield (
            f"English as a donor: {self._group('English', 'donor')}; as a recipient: {self._group('English', 'recipient')}. "
            f"High-resource languages (class 5 of Joshi et al., 2020: ar, de, en, es, fr, zh) as donors: {self._group('high-resource languages', 'donor')}; "
            f"as recipients: {self._group('high-resource languages', 'recipient')}. The differences are small beside the means, are tested several times, and {len(self.models)} "
            f"models of three families are no sample of independent models. On Global-MMLU alone, English as a donor: {self._group('English', 'donor', 'global_mmlu')}.\n"
        )

    def _unknown(self) -> Iterator[str]:
        yield """
## What cannot be known without items

- Whether a single cell changed: a paired test needs to know which answers flipped. The binomial bound is all that scores give.
- How much of a target's change is noise in its base. All 44 sources subtract the same 400 answers.
- Whether models truly agree: the correlation of true changes needs the noise of items taken off.
- Whether a gain is skill or form. Letters against texts, with a chat template or without, can be told apart only by a study that varies them:
  `examples/donors-matched.toml` and `examples/donors-axes.toml` do.
- Whether flat targets answer one letter, and whether a base below chance reads the question at all.
- Whether the three seeds of a cell are three trainings on the same items, or also three draws of items.
- Whether train and test items overlap in content; ids alone are disjoint.
"""

    def _models_above(self, task: str, *, same: bool) -> int:
        cells = [cell for cell in (self.near if same else self.off) if cell.target.skill == task]
        return sum(mean([cell for cell in cells if cell.row.model == model]) > 0 for model in self.models)

    def _contrasts_by_target(self) -> str:
        found = [(over.removeprefix("on "), one) for over, one in self.contrasts.items() if over.startswith("on ")]
        return ", ".join(f"{task} {pp(one.estimate.mean)}" for task, one in found)

    def _shares(self) -> tuple[float, tuple[float, float]]:
        fits = self.findings.variance
        assert fits is not None
        assert fits.nested is not None
        assert fits.crossed is not None
        nested = {one.factor: 100 * one.share for one in fits.nested.shares}
        crossed = {one.factor: 100 * one.share for one in fits.crossed.shares}
        own = sum(share for factor, share in crossed.items() if factor in ("target", "target task", "target language"))
        alone = sum(share for factor, share in crossed.items() if factor.startswith("model × target"))
        return nested["model × target"], (own, alone)

    def _donors_of(self, target: str) -> str:
        found = [one for one in self.pairs if one.target == target]
        return ", ".join(f"{one.source} {pp(one.mean)}" for one in sorted(found, key=lambda one: -one.mean))

    def _median_base(self, one: Movement) -> float:
        sisters = [m.base for m in self.movements if (m.model, m.target.task) == (one.model, one.target.task)]
        return float(np.median(sisters))

    def _group(self, group: str, side: str, task: str = "") -> str:
        one: GroupRole = self.groups[group, side, task]  # type: ignore[index]
        return f"{one.mean:+.2f} pp [{one.low:+.2f}, {one.high:+.2f}], p = {one.p:.2f}"


def _shared(same: Sequence[Movement]) -> str:
    """Bases that several models have to the item."""
    counts = Counter(round(one.base, 4) for one in same)
    twice = [f"{base:.3f} in {count} models" for base, count in counts.most_common() if count > 1]
    if not twice:
        return ""
    return f" {' and '.join(twice)}: unlike models with the same score point to a constant answer, not to the same knowledge."


def mean(cells: Sequence[object]) -> float:
    return float(np.mean([cell.change.mean for cell in cells]))  # type: ignore[attr-defined]


def pp(value: float) -> str:
    return f"{value:+.2f} pp".replace("-", "−")


def ends(contrast: Contrast, level: str) -> str:
    found = next(one for one in contrast.levels if one.level == level)
    return f"[{found.low:+.1f}, {found.high:+.1f}]"


def markdown(table: Table) -> Iterator[str]:
    yield "| " + " | ".join(table.titles) + " |\n|" + "---|" * len(table.titles)
    for row in table.shown:
        yield "| " + " | ".join(short(value).replace("|", "\\|") for value in row) + " |"
    if table.note:
        yield f"\n{table.note}\n"


@dataclass(frozen=True)
class BaseSeeds:
    """How the base's score varies between seeds on the targets of a task, and how it would between draws of other items."""

    task: str
    rows: int
    deviation: float
    binomial: float


def base_seeds(files: Sequence[Path]) -> list[BaseSeeds]:
    """From the tables that have the column; each model's target counts once."""
    found: dict[str, dict[tuple[str, str], tuple[float, float]]] = {}
    for file in files:
        for row in csv.DictReader(file.open(encoding="utf-8")):
            if sd := row.get("score_norm_base_std"):
                target = row["model_name"], row["eval_language"]
                found.setdefault(row["eval_dataset"], {})[target] = float(row["score_norm_base_mean"]), float(sd)
    return [
        BaseSeeds(
            task,
            len(targets),
            float(np.sqrt(np.mean([sd**2 for _, sd in targets.values()]))),
            float(np.sqrt(np.mean([base * (1 - base) / ITEMS for base, _ in targets.values()]))),
        )
        for task, targets in found.items()
        if len(targets) >= _FEW_BASES
    ]


def main(table: str, *more: str) -> None:
    findings = read_findings(Path(table), [f"items={ITEMS}"])
    apart = called(Draws(read_table(Path(table), [f"items={3 * ITEMS}"])))
    page = Page(findings, apart, base_seeds([Path(table), *map(Path, more)]))
    Path("docs/paper.md").write_text("\n".join(page.lines()) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
