"""Items from a task of lm-evaluation-harness: its own ``ConfigurableTask`` renders them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from crossgraft.adapters.tasks import Generation, Item, OpenItem, Split
from crossgraft.adapters.tasks.harness import quiet, reason
from crossgraft.adapters.tasks.harness.data import load_rows, local_files, split_name
from crossgraft.adapters.tasks.harness.definition import Definition, read_definition
from crossgraft.adapters.tasks.harness.sandbox import sandboxed
from crossgraft.errors import CrossgraftError, shown
from crossgraft.identity import content_id
from crossgraft.safety.opening import is_file

_GREEDY = {"until", "do_sample", "temperature", "top_p", "top_k", "num_beams", "max_gen_toks"}


@dataclass(frozen=True)
class TaskRequest:
    """A split of a task: whose definition lies where, and what its rows are called.

    ``folder`` holds the user's definitions, None stands for those of the harness; ``base`` is where
    relative paths to data start; ``id`` is a field or a template, "" for the number of the row.
    """

    name: str
    split: Split
    base: Path
    folder: Path | None = None
    allow_code: bool = False
    id: str = ""

    @property
    def trusted(self) -> bool:
        """Whether its templates may reach Python: those of the harness, and those whose code may run."""
        return self.folder is None or self.allow_code

    def definition(self) -> Definition:
        return read_definition(self.name, self.folder, allow_code=self.allow_code)


@dataclass(frozen=True)
class Reading:
    """The items of a split, and their content hash."""

    items: tuple[Item | OpenItem, ...]
    content: str


def read(wanted: TaskRequest) -> Reading:
    """The items; the same reading until a file changes, so that what is hashed is what is evaluated."""
    return _read(wanted, tuple(_stamps(wanted)))


def _stamps(wanted: TaskRequest) -> Iterator[tuple[str, int, int]]:
    files = list(local_files(wanted.definition(), wanted.base))
    if wanted.folder is not None:
        files += [file for pattern in ("*.yaml", "*.py") for file in wanted.folder.rglob(pattern)]
    for file in sorted(files):
        if is_file(file):
            status = file.stat()
            yield str(file), status.st_mtime_ns, status.st_size


@lru_cache(maxsize=1024)
def _read(wanted: TaskRequest, stamps: tuple[tuple[str, int, int], ...]) -> Reading:  # noqa: ARG001 - a key of the cache
    definition = wanted.definition()
    rows = load_rows(definition, wanted.split, wanted.base)
    with nullcontext() if wanted.trusted else sandboxed():
        items = render(definition, rows, split_name(definition, wanted.split), id_field=wanted.id)
    return Reading(items, content_id(items=[asdict(item) for item in items]))


def render(definition: Definition, rows: Any, split: str, *, id_field: str = "") -> tuple[Item | OpenItem, ...]:
    """The rows of a split, a ``datasets.Dataset``, as items without shots."""
    make = _choice_item if definition.output_type == "multiple_choice" else _open_item
    found: dict[str, Item | OpenItem] = {}
    with quiet():
        task = _task(definition, rows, split)
        for number, doc in enumerate(_docs(definition, task)):
            place = f"row {number} of the split {split!r}"
            try:
                prompt = task.fewshot_context(doc, num_fewshot=0, gen_prefix=task.doc_to_prefix(doc))
                request = task.construct_requests(doc=doc, ctx=prompt, metadata=(definition.name, number, 1))
                target = task.doc_to_target(doc)
                choices = task.doc_to_choice(doc) if task.config.doc_to_choice is not None else None
                name = _id(definition, doc, id_field, split, number)
                item = make(_Row(definition, place, name, request, target, choices))
            except CrossgraftError:
                raise
            except Exception as error:  # templates and functions may raise anything, and give anything
                raise definition.error(
                    f"{place} cannot be rendered: {reason(error)}; its fields are {', '.join(map(shown, doc))}"
                ) from error
            if name in found:
                raise definition.error(f"{place}: the id {shown(name)} is there already; ids must be unique in a split")
            found[name] = item
    return tuple(found.values())


def _docs(definition: Definition, task: Any) -> Iterator[Mapping[str, Any]]:
    rows = iter(task.task_docs)
    while True:
        try:
            yield next(rows)
        except StopIteration:
            return
        except Exception as error:  # the library of the data decodes a row only now
            raise definition.error(f"a row of its data cannot be read: {reason(error)}") from error


def _task(definition: Definition, rows: Any, split: str) -> Any:
    """The harness' task over these rows alone: no other split, no shots, no metrics, which we have ourselves."""
    from lm_eval.api.task import ConfigurableTask

    settings = {key: value for key, value in definition.settings.items() if key not in ("tag", "group", "task_list")}
    settings |= {"training_split": None, "validation_split": None, "test_split": split}
    settings |= {"fewshot_split": None, "fewshot_config": {"samples": []}, "num_fewshot": 0}
    settings |= {"metric_list": [], "filter_list": None, "process_results": None}
    settings |= {"custom_dataset": _handing_out({split: rows}), "dataset_kwargs": None, "metadata": None}
    try:
        return ConfigurableTask(config=settings)
    except Exception as error:  # it renders the first row, so this may be anything
        raise definition.error(f"the harness cannot make a task of it: {reason(error)}") from error


def _handing_out(splits: Mapping[str, Any]) -> Callable[[], Mapping[str, Any]]:
    return lambda: splits


def _id(definition: Definition, doc: Mapping[str, Any], id_field: str, split: str, number: int) -> str:
    """The split and the number of the row, or what the user names: a field, or a template of several."""
    if not id_field:
        return f"{split}-{number}"
    if id_field in doc:
        return str(doc[id_field])
    if "{{" not in id_field:
        raise definition.error(f"its rows have no field {id_field!r} for the id; they have {', '.join(map(repr, doc))}")
    from lm_eval.utils import apply_template

    try:
        return str(apply_template(id_field, dict(doc)))
    except Exception as error:
        raise definition.error(f"the id {id_field!r} cannot be rendered: {reason(error)}") from error


@dataclass(frozen=True)
class _Row:
    """A row as the harness renders it."""

    definition: Definition
    place: str
    id: str
    request: Any  # one, or one a choice
    target: Any
    choices: Any

    def error(self, message: str) -> Exception:
        return self.definition.error(f"{self.place}: {message}")


def _choice_item(row: _Row) -> Item:
    prompts = {request.args[0] for request in row.request}
    options = tuple(request.args[1] for request in row.request)
    if not all(isinstance(one, str) for one in (*prompts, *options)):
        raise row.error(f"expected a text as prompt and as every choice; got {shown(list(options))}")
    if len(options) < 2:
        raise row.error(f"expected at least two choices; got {shown(list(options))}")
    if len(prompts) > 1:
        raise row.error(
            "it puts the choices into the prompt, each another prompt; one prompt with options was expected"
        )
    return Item(row.id, prompts.pop(), options, _gold(row))


def _gold(row: _Row) -> int:
    """The index of the right choice, given as index or as text, as the harness reads it."""
    target = row.target
    if isinstance(target, list):
        if len(target) != 1:
            raise row.error(f"expected one right choice; got {shown(target)}")
        (target,) = target
    if isinstance(target, str) and target in row.choices:
        return int(row.choices.index(target))
    if isinstance(target, int) and 0 <= target < len(row.choices):
        return int(target)
    raise row.error(
        f"expected as target an index from 0 to {len(row.choices) - 1} or one of the choices {shown(row.choices, 200)}; "
        f"got {shown(target)}{' (are the labels of this split hidden?)' if target == -1 else ''}"
    )


def _open_item(row: _Row) -> OpenItem:
    prompt, asked = row.request.args
    if not isinstance(prompt, str):
        raise row.error(f"expected a text as prompt; got {shown(prompt)}")
    target = row.target if row.choices is None else row.choices[_gold(row)]
    references = tuple(map(str, target if isinstance(target, list) else [target]))
    if not references or isinstance(target, Mapping) or not all(reference.strip() for reference in references):
        raise row.error(f"expected a text, or a list of texts, as target; got {shown(target)}")
    return OpenItem(row.id, prompt, references, _generation(row, asked), _separator(row))


def _generation(row: _Row, asked: Mapping[str, Any]) -> Generation:
    from lm_eval.models.utils import normalize_gen_kwargs

    settings = normalize_gen_kwargs(dict(asked))
    if settings["do_sample"] or settings.get("num_beams", 1) != 1:
        raise row.definition.error(
            f"its generation_kwargs ask for sampled answers or for beams: {dict(asked)}; here answers are greedy"
        )
    if unknown := sorted(set(settings) - _GREEDY):
        raise row.definition.error(
            f"its generation_kwargs have {', '.join(map(repr, unknown))}, which is not known here"
        )
    stop, most = tuple(settings["until"]), settings["max_gen_toks"]
    if not all(isinstance(one, str) and one for one in stop) or type(most) is not int or most < 1:
        raise row.definition.error(f"expected texts in until and a number in max_gen_toks; got {shown(dict(asked))}")
    return Generation(stop, most)


def _separator(row: _Row) -> str:
    """What the harness puts between a solved example's prompt and its answer."""
    settings = row.definition.settings
    if not settings.get("gen_prefix"):
        return str(settings.get("target_delimiter", " "))
    return "" if row.request.args[0][-1:].isspace() else " "
