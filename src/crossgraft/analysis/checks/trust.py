"""What could be wrong with the numbers themselves: found in the records, said in sentences.

Shares are of the items of all records of a model, unless a sentence says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from crossgraft.core import Answers, Check, Floats, Job, Record

_TIES = 0.02  # share of items from which near-ties are worth a doubt
_MOVED = 0.05  # share of items of a target whose boundary was moved
_CUT = 0.05  # share of written answers cut short
_ONE_LETTER = 0.9  # share of answers that are the same option …
_IF_GOLD = 0.6  # … while the right answers are spread wider than this
_FEW = 20  # items: fewer tell nothing about collapse
_DIVISORS = {"accuracy-per-token": "tokens", "accuracy-per-char": "characters", "accuracy-per-byte": "bytes"}


def trust(jobs: Sequence[Job], records: Iterable[Record]) -> tuple[Check, ...]:
    """Everything the records of a study say about their own reliability."""
    metrics = {cell.record_id: cell.metric for job in jobs for cell in job.cells}
    by_model: dict[str, list[Record]] = {}
    for record in records:
        by_model.setdefault(record.treatment.model, []).append(record)
    checks: list[Check] = []
    for model, own in by_model.items():
        if any("noise" in record.provenance for record in own):
            checks += _of_language_model(model, own, metrics)
    return tuple(checks)


def _of_language_model(model: str, records: Sequence[Record], metrics: Mapping[str, str]) -> Iterator[Check]:
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


def _path(model: str, records: Sequence[Record]) -> Check:
    """Shared contexts are used only after they gave the plain way's numbers on this model."""
    paths = sorted({str(record.provenance["path"]) for record in records if "path" in record.provenance})
    noise = max((float(record.provenance.get("noise", 0.0)) for record in records), default=0.0)
    fine = len(paths) <= 1
    saw = f"scored by {' and '.join(paths) or 'generation'}; within {noise:.1e} nats of one text at a time"
    return Check("scoring", fine=fine, saw=saw, model=model)


def _same_requests(model: str, records: Sequence[Record]) -> Check:
    """The base and every adapter must have read the same tokens."""
    read: dict[str, set[str]] = {}
    for record in records:
        if "requests" in record.provenance:
            read.setdefault(record.texts_id, set()).add(str(record.provenance["requests"]))
    odd = sum(len(hashes) > 1 for hashes in read.values())
    if odd:
        return Check(
            "same tokens", fine=False, saw=f"{odd} of {len(read)} item sets were tokenised differently", model=model
        )
    return Check(
        "same tokens", fine=True, saw=f"{len(read)} item sets, each read as the same tokens by all", model=model
    )


def _near_ties(model: str, records: Sequence[Record], metrics: Mapping[str, str]) -> Check:
    """Items whose two best options are nearer than the numbers' own noise are coin flips."""
    ties = items = 0
    for record in records:
        if record.answers.kind == "choice":
            margins = _margins(record.answers, metrics.get(record.id, "accuracy"))
            ties += int((margins <= 2 * float(record.provenance.get("noise", 0.0))).sum())
            items += len(margins)
    share = ties / items if items else 0.0
    saw = f"{ties} of {items} answers ({share:.1%}) within the numerical noise{_of_dtype(records, share)}"
    return Check("near-ties", fine=share <= _TIES, saw=saw, model=model)


def _of_dtype(records: Sequence[Record], share: float) -> str:
    """What the noise is of, what it may do to a change, and what takes it away."""
    dtype = next((one.provenance["model"].get("dtype", "") for one in records if "model" in one.provenance), "")
    noise = max((float(record.provenance.get("noise", 0.0)) for record in records), default=0.0)
    if not dtype:
        return ""
    size = f" of {dtype} ({noise:.2g} nats an option)"
    return (
        size
        if dtype == "float32"
        else f'{size}: up to {100 * share:.1f} pp of any change; dtype "float32" takes it away'
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


def _beginning(model: str, records: Sequence[Record]) -> Check:
    most = max((int(record.provenance.get("bos", 0)) for record in records), default=0)
    saw = {0: "none: this tokenizer puts none", 1: "exactly one"}.get(
        most, f"{most} in a row: a template adds a second one"
    )
    return Check("beginning of sequence", fine=most <= 1, saw=saw, model=model)


def _boundary(model: str, records: Sequence[Record]) -> Iterator[Check]:
    """Where a token spans prompt and option, languages are treated differently: how often, and where."""
    shares = {
        str(record.target): record.provenance["boundary_shifted"] / len(record.answers)
        for record in records
        if record.provenance.get("boundary_shifted")
    }
    if not shares:
        yield Check("token boundary", fine=True, saw="no token spans prompt and option", model=model)
        return
    worst = sorted(shares.items(), key=lambda one: -one[1])
    most_affected = ", ".join(f"{target} {share:.0%}" for target, share in worst[:4])
    more = f" and {len(worst) - 4} more targets" if len(worst) > 4 else ""
    yield Check(
        "token boundary",
        fine=worst[0][1] <= _MOVED,
        saw=f"a token spans prompt and option in some items ({most_affected}{more}); scoring begins before it for all their options",
        model=model,
    )


def _truncated(model: str, records: Sequence[Record]) -> Iterator[Check]:
    cut: dict[str, int] = {}
    for record in records:
        if record.treatment.is_control and record.provenance.get("truncated"):
            cut[record.target.lang] = cut.get(record.target.lang, 0) + int(record.provenance["truncated"])
    counts = ", ".join(f"{language} {count}" for language, count in sorted(cut.items()))
    yield Check(
        "fits the window",
        fine=not cut,
        saw=f"items cut on the left, by language: {counts}" if cut else "no item was cut",
        model=model,
    )


def _effect(model: str, records: Sequence[Record]) -> Iterator[Check]:
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
    yield Check("adapters applied", fine=not still, saw=saw, model=model)


def _base_unchanged(model: str, records: Sequence[Record]) -> Iterator[Check]:
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
    yield Check("base unchanged", fine=drifts[worst] == 0, saw=saw, model=model)


def _one_option(model: str, records: Sequence[Record], metrics: Mapping[str, str]) -> Iterator[Check]:
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
        yield Check(
            "option collapse",
            fine=not collapsed,
            saw=f"{saw} (such as {collapsed[0]})" if collapsed else saw,
            model=model,
        )


def _commonest(values: Floats) -> float:
    return float(np.bincount(np.asarray(values, dtype=np.int64)).max() / len(values))


def _cut_short(model: str, records: Sequence[Record]) -> Iterator[Check]:
    shares = {
        f"{record.treatment} on {record.target}": record.provenance["cut"] / len(record.answers)
        for record in records
        if record.answers.kind == "generation" and "cut" in record.provenance
    }
    if shares:
        worst = max(shares, key=lambda name: shares[name])
        saw = f"at most {shares[worst]:.0%} of the answers reach max_tokens" + (f" ({worst})" if shares[worst] else "")
        yield Check("answers end", fine=shares[worst] <= _CUT, saw=saw, model=model)
