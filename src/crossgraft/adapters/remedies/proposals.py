"""``crossgraft mitigate``: remedies for a treatment that harms, each as an addition to the spec with what it costs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from crossgraft.adapters.remedies.harm import Donor, Loss, donor, losses, rows_of
from crossgraft.adapters.remedies.spec_text import Addition, lines_to_add, with_additions
from crossgraft.adapters.spec.study_spec import AdapterSpec
from crossgraft.analysis.wording import listed
from crossgraft.core import Job
from crossgraft.errors import DataError, SpecError
from crossgraft.runs.campaign import describe_study
from crossgraft.runs.storage.store import Store
from crossgraft.spec import parse_study
from crossgraft.transfer.matrix import TransferMatrix

Kind = Literal["scales", "merge", "replay", "early-stop"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DEFAULT: tuple[Kind, ...] = ("scales", "merge", "replay")

_SCALES = (0.25, 0.5, 0.75)
_OWN_SHARE = (
    3.0  # parts of a replay mixture that stay with the treatment's own source; one part is of the harmed targets
)
_MOST_REPLAYED = 3  # harmed targets
_NOT_DERIVED = 'No scale and no merge is proposed: they need LoRA adapters without DoRA, and keep_adapters = "always".'


@dataclass(frozen=True)
class Remedy:
    """Something to try: why, what to add to the spec, and what that adds to a run."""

    kind: Kind
    why: str
    additions: tuple[Addition, ...]
    toml: str = ""
    jobs: int = 0
    to_train: int = 0
    results: int = 0

    @property
    def cost(self) -> str:
        if not self.additions:
            return "nothing to add"
        train = f"{self.to_train} adapter{'s' * (self.to_train != 1)} to train" if self.to_train else "nothing to train"
        return f"{self.jobs} job{'s' * (self.jobs != 1)}, {train}, {self.results} results"


@dataclass(frozen=True)
class Mitigation:
    """What a treatment harms, the remedies that are proposed, and the spec with all of them added."""

    name: str
    losses: tuple[Loss, ...]
    remedies: tuple[Remedy, ...]
    skipped: tuple[str, ...]  # sentences: why a remedy is not proposed
    spec: str

    @property
    def sentence(self) -> str:
        if not self.losses:
            return f"{self.name} harms no target: none that can show a loss loses 1 pp or more, so there is nothing to mitigate."
        worst = self.losses[0]
        sure = sum(loss.sure for loss in self.losses)
        many = f"{len(self.losses)} target{'s' * (len(self.losses) != 1)}"
        return (
            f"{self.name} loses 1 pp or more on {many}, significantly on {sure}; the largest loss is {worst.change:+.1f} pp on "
            f"{worst.target}."
        )


@dataclass(frozen=True)
class _Case:
    """What a remedy is proposed from."""

    study: AdapterSpec
    name: str
    losses: Sequence[Loss]
    donor: Donor | None

    @property
    def can_derive(self) -> bool:
        """Whether adapters of this study can be scaled and merged."""
        recipes = [recipe for _, recipe in self.study.recipe.variants()]
        return self.study.grid.keep_adapters == "always" and not any(r.method == "full" or r.dora for r in recipes)


def mitigate(
    study: AdapterSpec, matrix: TransferMatrix, store: Store, name: str, kinds: Collection[Kind] = DEFAULT
) -> Mitigation:
    """Remedies for the harm that a trained adapter does in the results so far; nothing is run."""
    rows = rows_of(matrix, name)
    name = rows[0].name
    if not (harmed := losses(matrix, rows)):
        return Mitigation(name, (), (), (), study.origin.text)
    case = _Case(study, name, harmed, donor(matrix, rows, [loss.target for loss in harmed]))
    known = {job.treatment_id for job in _jobs(study, study.origin.text, store)}
    proposed = [_costed(_PROPOSERS[kind](case), study, store, known) for kind in KINDS if kind in kinds]
    remedies = tuple(remedy for remedy in proposed if isinstance(remedy, Remedy))
    everything = [addition for remedy in remedies for addition in remedy.additions]
    reasons = tuple(dict.fromkeys(reason for reason in proposed if isinstance(reason, str)))
    return Mitigation(name, harmed, remedies, reasons, with_additions(study.origin.text, everything))


def _scales(case: _Case) -> Remedy | str:
    if not case.can_derive:
        return _NOT_DERIVED
    grid = case.study.grid
    why = f"Scale {case.name} down: gain and harm both shrink, but seldom at the same rate."
    additions = [Addition(("grid", "scales"), list(_SCALES), extends=True)]
    if not grid.scales or "*" not in grid.scaled:
        additions.append(Addition(("grid", "scaled"), [case.name], extends=bool(grid.scales)))
    return Remedy("scales", why, tuple(additions))


def _merge(case: _Case) -> Remedy | str:
    if not case.can_derive:
        return _NOT_DERIVED
    if case.donor is None:
        return "No merge is proposed: no other adapter is expected to gain on the harmed targets."
    other = case.donor
    why = f"Merge it with {other.name}, which is expected to change the harmed targets by {other.change:+.1f} pp on average."
    merge = {"sources": [case.name, other.name], "weights": [0.5, 0.5]}
    return Remedy("merge", why, (Addition(("merges", f"{case.name} + {other.name}"), merge),))


def _replay(case: _Case) -> Remedy | str:
    source = next(source for source in case.study.training_sources if source.label == case.name)
    own = {str(point): weight for point, weight in source.parts}
    replayed = [str(loss.target) for loss in case.losses if str(loss.target) not in own][:_MOST_REPLAYED]
    if not replayed or source.adapter:
        return (
            "No replay is proposed: the treatment is trained on the harmed targets already, or goes on from an adapter."
        )
    points = {point: _OWN_SHARE * weight / sum(own.values()) for point, weight in own.items()}
    points |= {point: round(1 / len(replayed), 3) for point in replayed}
    why = f"Mix data of what it harms into its training: a quarter of the items are of {listed(replayed)}."
    mixture = f"{case.name} with replay"
    new = Addition(("sources", mixture), {"points": points})
    return Remedy("replay", why, (new, Addition(("grid", "sources"), [mixture], extends=True)))


def _early_stop(case: _Case) -> Remedy | str:
    recipe = case.study.recipe
    if "after" in recipe.axes:
        return Remedy(
            "early-stop", "Stop earlier: the checkpoints of the axis 'after' are treatments of this study already.", ()
        )
    if recipe.after:
        return "No early stop is proposed: recipe.after stops all training early already."
    after = [*map(float, range(1, recipe.epochs)), 0.0] if recipe.epochs > 1 else [0.5, 0.0]
    why = "Stop earlier: every source is trained again, and evaluated at checkpoints on the way."
    return Remedy("early-stop", why, (Addition(("recipe", "axes", "after"), after),))


_PROPOSERS: dict[Kind, Callable[[_Case], Remedy | str]] = {
    "scales": _scales,
    "merge": _merge,
    "replay": _replay,
    "early-stop": _early_stop,
}


def _costed(remedy: Remedy | str, study: AdapterSpec, store: Store, known: Collection[str]) -> Remedy | str:
    """What the remedy alone adds to a run of the spec; a sentence where the spec cannot have it."""
    if isinstance(remedy, str) or not remedy.additions:
        return remedy
    try:
        jobs = list(_jobs(study, with_additions(study.origin.text, remedy.additions), store))
    except (SpecError, DataError) as error:
        return f"{remedy.kind} cannot be added: {error}"
    done = store.done()
    counts = [
        (job, sum(cell.record_id not in done for cell in job.cells)) for job in jobs if job.treatment_id not in known
    ]
    todo = [(job, count) for job, count in counts if count]
    trained = {job.run_id for job, _ in todo if job.treatment.kind == "trained"}
    toml = lines_to_add(study.origin.text, remedy.additions)
    return replace(remedy, toml=toml, jobs=len(todo), to_train=len(trained), results=sum(count for _, count in todo))


def _jobs(study: AdapterSpec, text: str, store: Store) -> Iterator[Job]:
    changed = parse_study(text, folder=study.origin.folder, overrides=study.origin.overrides)
    yield from describe_study(changed, store, check=False).jobs


def adapter_spec(study: object) -> AdapterSpec:
    """The study, if it has adapters; else a sentence."""
    if not isinstance(study, AdapterSpec):
        raise SpecError("remedies are for adapter studies; this study has no adapters")
    return study
