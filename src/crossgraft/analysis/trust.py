"""What could be wrong with the numbers themselves: found in the records, said in sentences.

Shares are of the items of all records of a model, unless a sentence says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crossgraft.core import Answers, Floats, Job, Record

_TIES = 0.02  # share of items from which near-ties are worth a doubt
_MOVED = 0.05  # share of items of a target whose boundary was moved
_CUT = 0.05  # share of written answers cut short
_ONE_LETTER = 0.9  # share of answers that are the same option …
_IF_GOLD = 0.6  # … while the right answers are spread wider than this
_FEW = 20  # items: fewer tell nothing about collapse
_DIVISORS = {"accuracy-per-token": "tokens", "accuracy-per-char": "characters", "accuracy-per-byte": "bytes"}


@dataclass(frozen=True)
class TrustCheck:
    """One thing that was looked at: whether it is as it should be, and what was seen."""

    name: str
    model: str
    fine: bool
    saw: str


def trust(jobs: Sequence[Job], records: Iterable[Record]) -> tuple[TrustCheck, ...]:
    """Everything the records of a study say about their own reliability."""
    metrics = {cell.record_id: cell.metric for job in jobs for cell in job.cells}
    by_model: dict[str, list[Record]] = {}
    for record in records:
        by_model.setdefault(record.treatment.model, []).append(record)
    found: list[TrustCheck] = []
    for model, own in by_model.items():
        if any("noise" in record.provenance for record in own):
            found += _of_language_model(model, own, metrics)
    return tuple(found)


def _of_language_model(model: str, records: Sequence[Record], metrics: Mapping[str, str]) -> Iterator[TrustCheck]:
    yield _path(model, records)
    yield _same_requests(model, records)
    yield _near_ties(model, records, metrics)
    yield _beginning(model, records)
    yield from _boundary(model, records)
    yield from _truncated(model, records)
    yield from _effect(model, records)
    yield from _base_unchanged(model, records)
    yield from _one_option(model, records, metrics)
    yield from _cut_short(model, records)


def _path(model: str, records: Sequence[Record]) -> TrustCheck:
    """Shared contexts are used only after they gave the plain way's numbers on this model."""
    paths = sorted({str(record.provenance["path"]) for record in records if "path" in record.provenance})
    noise = max((float(record.provenance.get("noise", 0.0)) for record in records), default=0.0)
    fine = len(paths) <= 1
    saw = f"scored by {' and '.join(paths) or 'generation'}; within {noise:.1e} nats of one text at a time"
    return TrustCheck("scoring", model, fine, saw)


def _same_requests(model: str, records: Sequence[Record]) -> TrustCheck:
    """The base and every adapter must have read the same tokens."""
    read: dict[str, set[str]] = {}
    for record in records:
        if "requests" in record.provenance:
            read.setdefault(record.texts_id, set()).add(str(record.provenance["requests"]))
    odd = sum(len(hashes) > 1 for hashes in read.values())
    if odd:
        return TrustCheck(
            "same tokens", model, fine=False, saw=f"{odd} of {len(read)} item sets were tokenised differently"
        )
    return TrustCheck(
        "same tokens", model, fine=True, saw=f"{len(read)} item sets, each read as the same tokens by all"
    )


def _near_ties(model: str, records: Sequence[Record], metrics: Mapping[str, str]) -> TrustCheck:
    """Items whose two best options are nearer than the numbers' own noise are coin flips."""
    ties = items = 0
    for record in records:
        if record.answers.kind == "choice":
            margins = _margins(record.answers, metrics.get(record.id, "accuracy"))
            ties += int((margins <= 2 * float(record.provenance.get("noise", 0.0))).sum())
            items += len(margins)
    share = ties / items if items else 0.0
    return TrustCheck(
        "near-ties", model, share <= _TIES, f"{ties} of {items} answers ({share:.1%}) within the numerical noise"
    )


def _margins(answers: Answers, metric: str) -> Floats:
    """How far the best option is from the second, in nats of the longer of the two."""
    scores, sizes = _scores(answers, metric)
    order = np.argsort(np.where(np.isnan(scores), -np.inf, scores), axis=1)
    best, second = order[:, -1:], order[:, -2:-1]
    gap = np.take_along_axis(scores, best, 1) - np.take_along_axis(scores, second, 1)
    size = np.minimum(np.take_along_axis(sizes, best, 1), np.take_along_axis(sizes, second, 1))
    return np.asarray((gap * size)[:, 0])


def _scores(answers: Answers, metric: str) -> tuple[Floats, Floats]:
    """What the metric compares, and what it divided by."""
    loglik = answers.columns["loglik"]
    if metric in _DIVISORS:
        sizes = answers.columns[_DIVISORS[metric]]
        return loglik / sizes, sizes
    if metric == "accuracy-pmi" and "unconditional" in answers.columns:
        return loglik - answers.columns["unconditional"], np.ones_like(loglik)
    return loglik, np.ones_like(loglik)


def _beginning(model: str, records: Sequence[Record]) -> TrustCheck:
    most = max((int(record.provenance.get("bos", 0)) for record in records), default=0)
    saw = {0: "none: this tokenizer puts none", 1: "exactly one"}.get(
        most, f"{most} in a row: a template adds a second one"
    )
    return TrustCheck("beginning of sequence", model, most <= 1, saw)


def _boundary(model: str, records: Sequence[Record]) -> Iterator[TrustCheck]:
    """Where a token spans prompt and option, languages are treated differently: how often, and where."""
    shares = {
        str(record.target): record.provenance["boundary_shifted"] / len(record.answers)
        for record in records
        if record.provenance.get("boundary_shifted")
    }
    if not shares:
        yield TrustCheck("token boundary", model, fine=True, saw="no token spans prompt and option")
        return
    worst = sorted(shares.items(), key=lambda one: -one[1])
    told = ", ".join(f"{target} {share:.0%}" for target, share in worst[:4])
    more = f" and {len(worst) - 4} more targets" if len(worst) > 4 else ""
    yield TrustCheck(
        "token boundary",
        model,
        worst[0][1] <= _MOVED,
        f"a token spans prompt and option in some items ({told}{more}); scoring begins before it for all their options",
    )


def _truncated(model: str, records: Sequence[Record]) -> Iterator[TrustCheck]:
    cut: dict[str, int] = {}
    for record in records:
        if record.treatment.is_control and record.provenance.get("truncated"):
            cut[record.target.lang] = cut.get(record.target.lang, 0) + int(record.provenance["truncated"])
    told = ", ".join(f"{language} {count}" for language, count in sorted(cut.items()))
    yield TrustCheck(
        "fits the window", model, not cut, f"items cut on the left, by language: {told}" if cut else "no item was cut"
    )


def _effect(model: str, records: Sequence[Record]) -> Iterator[TrustCheck]:
    """An adapter that moves nothing was not applied, or holds nothing."""
    effects = {
        record.treatment: float(record.provenance["effect"]) for record in records if "effect" in record.provenance
    }
    if not effects:
        return
    still = [str(treatment) for treatment, effect in effects.items() if effect == 0]
    if still:
        saw = f"{len(still)} of {len(effects)} change nothing at all (such as {still[0]}): not applied, or empty"
    else:
        saw = f"all {len(effects)} move the model, the least by {min(effects.values()):.1e} nats on random text"
    yield TrustCheck("adapters applied", model, not still, saw)


def _base_unchanged(model: str, records: Sequence[Record]) -> Iterator[TrustCheck]:
    """All adapters of a model share one base in memory: each must meet it as it was loaded."""
    drifts = {
        record.treatment: float(record.provenance["base_drift"])
        for record in records
        if "base_drift" in record.provenance
    }
    if not drifts:
        return
    worst = max(drifts, key=lambda treatment: drifts[treatment])
    saw = f"the base scored as it was loaded before all {len(drifts)} treatments"
    if drifts[worst]:
        saw = f"the base scored up to {drifts[worst]:.1e} nats from what it did when it was loaded, before {worst}"
    yield TrustCheck("base unchanged", model, drifts[worst] == 0, saw)


def _one_option(model: str, records: Sequence[Record], metrics: Mapping[str, str]) -> Iterator[TrustCheck]:
    """A model that always gives the same letter has collapsed, whatever its accuracy."""
    looked = 0
    collapsed = []
    for record in records:
        answers = record.answers
        if answers.kind != "choice" or len(answers) < _FEW:
            continue
        looked += 1
        scores, _ = _scores(answers, metrics.get(record.id, "accuracy"))
        if _commonest(np.nanargmax(scores, axis=1)) >= _ONE_LETTER and _commonest(answers.columns["gold"]) < _IF_GOLD:
            collapsed.append(f"{record.treatment} on {record.target}")
    if looked:
        saw = f"{len(collapsed)} of {looked} give the same option {_ONE_LETTER:.0%} of the time"
        yield TrustCheck(
            "option collapse", model, not collapsed, f"{saw} (such as {collapsed[0]})" if collapsed else saw
        )


def _commonest(values: Floats) -> float:
    return float(np.bincount(np.asarray(values, dtype=np.int64)).max() / len(values))


def _cut_short(model: str, records: Sequence[Record]) -> Iterator[TrustCheck]:
    shares = {
        f"{record.treatment} on {record.target}": record.provenance["cut"] / len(record.answers)
        for record in records
        if record.answers.kind == "generation" and "cut" in record.provenance
    }
    if shares:
        worst = max(shares, key=lambda name: shares[name])
        saw = f"at most {shares[worst]:.0%} of the answers reach max_tokens" + (f" ({worst})" if shares[worst] else "")
        yield TrustCheck("answers end", model, shares[worst] <= _CUT, saw)
