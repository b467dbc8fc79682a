"""Tasks of lm-evaluation-harness, by name: those that come with it, and YAML files of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from crossgraft.adapters.items.files import check_languages
from crossgraft.adapters.tasks import TASKS, Item, OpenItem, Split
from crossgraft.adapters.tasks.harness.definition import Definition
from crossgraft.adapters.tasks.harness.items import Reading, TaskRequest, read
from crossgraft.errors import SpecError, did_you_mean
from crossgraft.metrics import METRICS
from crossgraft.study import Input, Origin

_PREFIX = "lm-eval:"
_OURS = {"acc": "accuracy", "acc_norm": "accuracy-per-char", "acc_bytes": "accuracy-per-byte"}
_SHOWN, _LONGEST = 12, 100  # names in a sentence, and characters of each
_HARMLESS = ("take_first", "remove_whitespace")  # filters that change no greedy answer, read without its edges


@TASKS.register
@dataclass(frozen=True)
class LmEval:
    """``use`` is ``lm-eval:NAME``, with ``{code}`` or ``{language}`` in the name if there is a task a language.

    ``folder`` holds definitions of one's own; their functions run only with ``allow_code``. Items are
    called by the number of their row, as parallel tasks keep the order of rows, or by ``id``: a field, or
    a template of fields. Without ``metric``, the first metric of the definition that is also one of ours.
    """

    use: str
    languages: tuple[str, ...]
    codes: dict[str, str] = field(default_factory=dict)  # language → how names of tasks call it
    folder: str = ""
    allow_code: bool = False
    id: str = ""
    metric: str = ""
    filters: Literal["refuse", "ignore"] = "refuse"
    translated: Literal["human", "machine", "no", "unknown"] = "unknown"
    origin: Origin = field(default=Origin(), metadata={"toml": False}, compare=False)

    def __post_init__(self) -> None:
        self._check()
        if not self.metric:
            found = {language: _metric(self._definition(language)) for language in self.languages}
            if len(set(found.values())) > 1:
                raise SpecError(f"its definitions have different metrics, choose one: {found}", ("metric",))
            object.__setattr__(self, "metric", found[self.languages[0]])
        elif self.metric not in METRICS.names():
            raise SpecError(
                f"no metric is called {self.metric!r}{did_you_mean(self.metric, METRICS.names())}", ("metric",)
            )

    def _check(self) -> None:
        if not self.use.startswith(_PREFIX) or self.use == _PREFIX:
            raise SpecError(f"expected {_PREFIX}NAME, such as 'lm-eval:xcopa_{{code}}'; got {self.use!r}", ("use",))
        check_languages(self.languages, self.codes)
        if len({self._name(language) for language in self.languages}) < len(self.languages):
            raise SpecError(
                f"expected another task in each language, with {{code}} or {{language}} in its name; got {self.use!r}",
                ("use",),
            )

    def input(self, language: str, split: Split, origin: Origin) -> Input:
        """The items themselves are the input: they change with data, definition, code and harness alike."""
        name = f"{_PREFIX}{self._name(language)}/{split}"
        return Input(
            "value", name, f"language {language!r}, {split} split", self._read(language, split, origin).content
        )

    def identity(self, language: str) -> Mapping[str, Any]:
        return {"kind": "lm-eval", "language": language, "allow_code": self.allow_code}

    def items(self, language: str, split: Split, origin: Origin) -> tuple[Item | OpenItem, ...]:
        return self._read(language, split, origin).items

    def notes(self) -> Iterator[str]:
        """What the definitions ask for and do not get here."""
        languages_of: dict[str, list[str]] = {}
        for language in self.languages:
            for note in _notes(self._definition(language), named=bool(self.id)):
                languages_of.setdefault(note, []).append(language)
        for note, languages in languages_of.items():
            everywhere = len(languages) == len(self.languages)
            yield f"{self.use}{'' if everywhere else ' (' + ', '.join(languages) + ')'}: {note}"

    def _name(self, language: str) -> str:
        code = self.codes.get(language, language)
        return self.use.removeprefix(_PREFIX).replace("{code}", code).replace("{language}", language)

    def _wanted(self, language: str, split: Split, origin: Origin) -> TaskRequest:
        folder = Path(origin.path(self.folder)) if self.folder else None
        return TaskRequest(self._name(language), split, origin.folder.absolute(), folder, self.allow_code, self.id)

    def _definition(self, language: str) -> Definition:
        return self._wanted(language, "test", self.origin).definition()

    def _read(self, language: str, split: Split, origin: Origin) -> Reading:
        wanted = self._wanted(language, split, origin)
        definition = wanted.definition()
        _check_metric(self.metric, definition)
        if (extracting := _extracting(definition)) and self.filters == "refuse":
            raise definition.error(
                f"it takes the answer out of what the model writes with {extracting}, which is not done here; "
                "say filters = 'ignore' to compare all that is written, or choose a task without such filters"
            )
        return read(wanted)


def _reads_choices(metric: str) -> bool:
    return METRICS.get(metric).reads == "choice"


def _metric(definition: Definition) -> str:
    """The first metric of the definition that is one of ours."""
    from lm_eval.api.registry import DEFAULT_METRIC_REGISTRY

    choices = definition.output_type == "multiple_choice"
    ours = {name.lower(): name for name in METRICS.names() if _reads_choices(name) == choices}
    listed = definition.settings.get("metric_list")
    theirs = (
        [_short(one.get("metric")) for one in listed]
        if listed
        else list(DEFAULT_METRIC_REGISTRY[definition.output_type])
    )
    if definition.settings.get("process_results") is None:
        for name in theirs:
            if (same := _OURS.get(name, name).replace("_", "-").lower()) in ours:
                return ours[same]
    how = f"none of its metrics ({', '.join(theirs[:_SHOWN])}) is one of ours"
    if definition.settings.get("process_results") is not None:
        how = "its scores are computed by code (process_results)"
    raise SpecError(f"the task {definition.name!r}: {how}; say metric = one of {', '.join(ours.values())}", ("metric",))


def _check_metric(metric: str, definition: Definition) -> None:
    if _reads_choices(metric) != (definition.output_type == "multiple_choice"):
        raise SpecError(
            f"the metric {metric!r} does not read answers of the output type {definition.output_type!r} "
            f"(the task {definition.name!r})",
            ("metric",),
        )


def _extracting(definition: Definition) -> str:
    """The filters that take an answer out of the text, unless one of the ways to read it does without."""
    extracting: dict[str, None] = {}
    for way in definition.settings.get("filter_list") or ():
        steps = [_short(one.get("function")) for one in way.get("filter", ())]
        if not set(steps) - set(_HARMLESS):
            return ""
        extracting |= dict.fromkeys(step for step in steps if step not in _HARMLESS)
    return "the filters " + ", ".join(list(extracting)[:_SHOWN]) if extracting else ""


def _short(name: object) -> str:
    """A name of the harness' as it is, and of a function without its folder; of a long one its beginning."""
    return Path(str(name)).name[:_LONGEST]


def _notes(definition: Definition, *, named: bool) -> Iterator[str]:
    settings = definition.settings
    if shots := settings.get("num_fewshot"):
        yield f"the definition asks for {shots} solved examples; how many there are is for the study to say"
    if (repeats := settings.get("repeats") or 1) > 1:
        yield f"the definition asks for {repeats} answers an item; greedy answers are all the same, so there is one"
    if extracting := _extracting(definition):
        yield f"answers are compared as written: {extracting} of the definition are not applied"
    for metric in settings.get("metric_list") or ():
        if options := sorted(
            {str(key) for key in metric} - {"metric", "aggregation", "higher_is_better", "hf_evaluate"}
        ):
            yield f"options of the metric {_short(metric.get('metric'))} are not applied: {', '.join(map(_short, options[:_SHOWN]))}"
    if settings.get("process_docs") is not None and not named:
        yield (
            "the definition's process_docs may drop rows, and items are numbered after that; if it drops others in "
            "other languages, name an id"
        )
