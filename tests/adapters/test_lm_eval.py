"""Tasks of lm-evaluation-harness as targets: our items are its requests, and nothing runs unasked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lm_eval")
datasets = pytest.importorskip("datasets")

from crossgraft.adapters.study import AdapterStudy
from crossgraft.adapters.tasks import Generation, Item, OpenItem, Split
from crossgraft.adapters.tasks.harness import quiet
from crossgraft.adapters.tasks.harness.definition import read_definition
from crossgraft.adapters.tasks.harness.items import TaskRequest, read, render
from crossgraft.adapters.tasks.lm_eval import LmEval
from crossgraft.cli import main
from crossgraft.errors import DataError, MissingExtra, SpecError
from crossgraft.metrics import METRICS
from crossgraft.runs.fingerprints import fingerprint
from crossgraft.spec import load_study
from crossgraft.study import Origin
from parts import write_jsonl, write_spec

# the first import of the harness takes seconds
pytestmark = pytest.mark.slow

ROWS: list[dict[str, object]] = [
    {"q": "Is it day?", "a": "yes", "b": "no", "all": ["yes", "no"], "index": 0, "letter": "A", "right": "yes", "key": "x1"},
    {"q": " Is it {{night}}?\n", "a": "ja", "b": "né", "all": ["ja", "né"], "index": 1, "letter": "B", "right": "né", "key": "x2"},
]  # fmt: skip

CHOICE = """
task: colours
dataset_path: json
dataset_kwargs: { data_files: { test: rows.jsonl } }
test_split: test
output_type: multiple_choice
doc_to_text: "Q: {{q}}\\nA:"
doc_to_choice: ["{{a}}", "{{b}}"]
doc_to_target: index
metric_list: [{ metric: acc, aggregation: mean, higher_is_better: true }]
"""

OPEN = """
task: colours
dataset_path: json
dataset_kwargs: { data_files: { test: rows.jsonl } }
test_split: test
output_type: generate_until
doc_to_text: "{{q}}"
doc_to_target: right
generation_kwargs: { until: ["\\n", "."], max_gen_toks: 16, do_sample: false }
"""


def changed(yaml: str, **settings: str) -> str:
    """The definition with keys set to other YAML; an empty one removes the key."""
    lines = [line for line in yaml.strip().splitlines() if line.partition(":")[0] not in settings]
    return "\n".join([*lines, *(f"{key}: {value}" for key, value in settings.items() if value)]) + "\n"


def wanted(folder: Path, yaml: str, *, split: Split = "test", allow_code: bool = False, id: str = "") -> TaskRequest:
    (folder / "defs").mkdir(exist_ok=True)
    (folder / "defs/colours.yaml").write_text(yaml, "utf-8")
    if not (folder / "rows.jsonl").exists():
        write_jsonl(folder / "rows.jsonl", ROWS)
    return TaskRequest("colours", split, folder, folder / "defs", allow_code, id)


def items(folder: Path, yaml: str, **settings: Any) -> tuple[Any, ...]:
    return read(wanted(folder, yaml, **settings)).items


def requests(one: TaskRequest) -> list[tuple[Any, ...]]:
    """What the harness itself would ask, by its own way from definition to requests."""
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.tasks._yaml_loader import load_yaml

    settings = load_yaml(one.definition().file)
    files = settings["dataset_kwargs"]["data_files"]
    settings["dataset_kwargs"] = {"data_files": {k: str(one.base / v) for k, v in files.items()}}
    settings["dataset_kwargs"]["cache_dir"] = str(one.base / "cache")
    with quiet():
        task = ConfigurableTask(config=settings)
        task.build_all_requests()
    return [instance.args for instance in task.instances]


def ours(found: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    pairs: list[tuple[Any, ...]] = []
    for item in found:
        if isinstance(item, Item):
            pairs += [(item.prompt, option) for option in item.options]
        else:
            pairs.append((item.prompt, item.generation))
    return pairs


CODE = """
def process_docs(rows):
    return rows.map(lambda row: {**row, "q": row["q"].strip().upper()})

def text(row):
    return "Question: " + row["q"]

def choices(row):
    return [row["a"], row["b"], "none"]
"""


# the items


def test_a_choice_is_prompt_options_and_gold(tmp_path: Path) -> None:
    first, _ = items(tmp_path, changed(CHOICE, doc_to_choice='"{{[a, b]}}"'))

    assert first == Item("test-0", "Q: Is it day?\nA:", (" yes", " no"), 0)


def test_an_open_question_is_prompt_references_and_when_to_stop(tmp_path: Path) -> None:
    first, _ = items(tmp_path, OPEN)

    assert first == OpenItem("test-0", "Is it day?", ("yes",), Generation(("\n", "."), 16), " ")


@pytest.mark.parametrize(
    "settings",
    [
        {"doc_to_choice": "all"},
        {"doc_to_choice": '"{{[a, b]}}"'},
        {"doc_to_choice": "['yes', no way]"},
        {"doc_to_choice": "{ first: one, second: two }"},
        {"doc_to_choice": "all", "doc_to_target": "right"},
        {"doc_to_choice": "all", "doc_to_target": '"{{right}}"'},
        {"doc_to_choice": "[A, B]", "doc_to_target": "letter"},
        {"doc_to_choice": "[A, B]", "doc_to_target": "\"{{['A', 'B'].index(letter)}}\""},
        {"doc_to_choice": "all", "target_delimiter": '""'},
        {"doc_to_choice": "all", "target_delimiter": '"\\n"', "description": '"Answer: "'},
        {"doc_to_choice": "all", "description": '"A question of {{key}}.\\n\\n"'},
        {"doc_to_choice": "all", "gen_prefix": '"I say:"'},
        {"doc_to_choice": "all", "doc_to_text": "q"},
        {"doc_to_choice": "all", "doc_to_text": '""'},
        {"doc_to_choice": "all", "doc_to_text": "\"{{q.strip() | upper | replace('IS', 'WAS')}} \""},
        {"doc_to_choice": "all", "doc_to_text": "\"{{q | regex_replace('[a-z]', '_')}}\""},
        {"doc_to_choice": "all", "metric_list": "[{ metric: acc_norm }]", "num_fewshot": "0"},
    ],
)
def test_choices_are_the_requests_of_the_harness(tmp_path: Path, settings: dict[str, str]) -> None:
    one = wanted(tmp_path, changed(CHOICE, **settings))

    found = read(one).items

    assert ours(found) == requests(one)
    assert [item.gold for item in found if isinstance(item, Item)] == [0, 1]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gen_prefix": '"Answer:"', "description": '"Short. "'},
        {"doc_to_target": '"{{[a, right]}}"'},
        {"doc_to_target": "all"},
        {"doc_to_choice": "all", "doc_to_target": "index"},
        {"generation_kwargs": '{ until: ".", max_new_tokens: 3, temperature: 0 }'},
        {"generation_kwargs": ""},
    ],
)
def test_open_questions_are_the_requests_of_the_harness(tmp_path: Path, settings: dict[str, str]) -> None:
    from lm_eval.models.utils import normalize_gen_kwargs

    one = wanted(tmp_path, changed(OPEN, **settings))

    asked = [(prompt, normalize_gen_kwargs(dict(how))) for prompt, how in requests(one)]

    assert ours(read(one).items) == [
        (prompt, Generation(tuple(how["until"]), how["max_gen_toks"])) for prompt, how in asked
    ]


def test_references_may_be_several(tmp_path: Path) -> None:
    found = items(tmp_path, changed(OPEN, doc_to_target="all"))

    assert [item.references for item in found] == [("yes", "no"), ("ja", "né")]


def test_after_a_prefix_an_answer_follows_as_in_the_solved_examples_of_the_harness(tmp_path: Path) -> None:
    (first, _), (second, _) = (
        items(tmp_path, changed(OPEN, gen_prefix=prefix, target_delimiter='"|"')) for prefix in ('"So:"', '"So: "')
    )

    assert (first.prompt, first.separator, first.answer) == ("Is it day?|So:", " ", " yes")
    assert (second.prompt, second.separator, second.answer) == ("Is it day?|So: ", "", "yes")


def test_an_included_definition_is_overlaid(tmp_path: Path) -> None:
    one = wanted(tmp_path, 'include: _base\ntask: colours\ndoc_to_text: "{{q}} ->"\n')
    (tmp_path / "defs/_base").write_text(changed(CHOICE, doc_to_choice="all"), "utf-8")

    assert ours(read(one).items) == requests(one)
    assert read(one).items[0].prompt == "Is it day? ->"  # type: ignore[union-attr]


def test_ids_are_row_numbers_or_what_is_named(tmp_path: Path) -> None:
    yaml = changed(CHOICE, doc_to_choice="all")

    def ids(name: str) -> list[str]:
        return [item.id for item in items(tmp_path, yaml, id=name)]

    assert ids("") == ["test-0", "test-1"]
    assert ids("key") == ["x1", "x2"]
    assert ids("{{key}}/{{letter}}") == ["x1/A", "x2/B"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_data_may_be_tables(tmp_path: Path, kind: str) -> None:
    import polars

    rows = polars.DataFrame([{key: row[key] for key in ("q", "a", "b", "index")} for row in ROWS])
    getattr(rows, f"write_{kind}")(tmp_path / f"rows.{kind}")
    yaml = changed(
        CHOICE,
        doc_to_choice='"{{[a, b]}}"',
        dataset_path=kind,
        dataset_kwargs=f"{{ data_files: {{ test: rows.{kind} }} }}",
    )

    one = wanted(tmp_path, yaml)

    assert ours(read(one).items) == requests(one)


def test_data_may_be_lines_of_text(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one\ntwo\n")

    found = items(
        tmp_path,
        changed(
            OPEN,
            dataset_path="text",
            dataset_kwargs="{ data_files: lines.txt }",
            test_split="train",
            doc_to_text="text",
            doc_to_target="text",
        ),
    )

    assert [(item.id, item.prompt) for item in found] == [("train-0", "one"), ("train-1", "two")]


def test_paths_start_from_the_folder_of_the_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert len(items(tmp_path, changed(CHOICE, doc_to_choice="all"))) == 2


def test_splits_are_what_the_definition_calls_them(tmp_path: Path) -> None:
    for name in ("tr", "dev"):
        write_jsonl(tmp_path / f"{name}.jsonl", [{**row, "q": name} for row in ROWS])
    yaml = changed(
        CHOICE,
        doc_to_choice="all",
        doc_to_text="q",
        dataset_kwargs="{ data_files: { tr: tr.jsonl, dev: dev.jsonl } }",
        test_split="",
        training_split="tr",
        validation_split="dev",
    )

    assert [(item.id, item.prompt) for item in items(tmp_path, yaml, split="train")][0] == ("tr-0", "tr")
    assert [(item.id, item.prompt) for item in items(tmp_path, yaml, split="test")][0] == ("dev-0", "dev")


def test_the_items_of_the_harness_own_definitions(tmp_path: Path) -> None:
    """Their data are on the hub; a row by hand shows that the templates are found and filled."""
    xcopa, belebele = (read_definition(name, None) for name in ("xcopa_et", "belebele_swh_Latn"))
    cause = {"premise": "Ese oli katki.", "question": "cause", "choice1": "Ma", "choice2": "Sa", "label": 1, "idx": 0}
    passage = {f"mc_answer{n}": f"answer {n}" for n in (1, 2, 3, 4)}
    passage |= {"flores_passage": "Text.", "question": " Why? ", "correct_answer_num": "3"}

    (first,) = render(xcopa, datasets.Dataset.from_list([cause]), "test")
    (second,) = render(belebele, datasets.Dataset.from_list([passage]), "test")

    assert str(xcopa.settings["dataset_path"]).endswith("xcopa")  # by version, with or without the owner
    assert xcopa.settings["dataset_name"] == "et"
    assert first == Item("test-0", "Ese oli katki sest", (" ma", " sa"), 1)
    assert (belebele.settings["dataset_path"], belebele.settings["dataset_name"]) == ("facebook/belebele", "swh_Latn")
    assert second == Item(
        "test-0",
        "P: Text.\nQ: Why?\nA: answer 1\nB: answer 2\nC: answer 3\nD: answer 4\nAnswer:",
        (" A", " B", " C", " D"),
        2,
    )


# code


@pytest.mark.parametrize(
    ("key", "function"),
    [("doc_to_text", "tools.text"), ("process_docs", "tools.process_docs"), ("class", "tools.Mine")],
)
def test_code_of_the_user_does_not_run_unasked(tmp_path: Path, key: str, function: str) -> None:
    one = wanted(tmp_path, changed(CHOICE, **{key: f"!function {function}"}))
    (tmp_path / "defs/tools.py").write_text("raise SystemExit('it ran')")

    with pytest.raises(SpecError) as caught:
        read(one)

    assert f"colours.yaml: the key '{key}' runs code (!function {function}); if you trust it" in str(caught.value)
    assert str(tmp_path / "defs/tools") not in sys.modules


def test_nor_does_code_of_what_is_included_or_deep_inside(tmp_path: Path) -> None:
    deep = "[{ name: x, filter: [{ function: !function tools.Mine }] }]"
    one = wanted(tmp_path, "include: [_base]\n" + changed(CHOICE))
    (tmp_path / "defs/_base").write_text(f"include: _more\nfilter_list: {deep}\n")
    (tmp_path / "defs/_more").write_text("include: _base\n")

    with pytest.raises(SpecError, match=r"_base: the key 'filter_list.0.filter.0.function' runs code"):
        read(one)


def test_code_runs_where_it_may(tmp_path: Path) -> None:
    yaml = changed(
        CHOICE,
        doc_to_text="!function tools.text",
        doc_to_choice="!function tools.choices",
        process_docs="!function tools.process_docs",
    )
    one = wanted(tmp_path, yaml, allow_code=True)
    (tmp_path / "defs/tools.py").write_text(CODE)

    found = read(one).items

    assert ours(found) == requests(one)
    assert found[0] == Item("test-0", "Question: IS IT DAY?", (" yes", " no", " none"), 0)


def test_code_that_scores_is_not_imported(tmp_path: Path) -> None:
    yaml = changed(
        CHOICE, doc_to_choice="all", doc_to_text="!function tools.text", process_results="!function no.where"
    )
    one = wanted(tmp_path, yaml, allow_code=True)
    (tmp_path / "defs/tools.py").write_text(CODE)

    assert len(read(one).items) == 2


def test_text_that_looks_like_code_is_text(tmp_path: Path) -> None:
    one = wanted(tmp_path, changed(OPEN, doc_to_text=str(tmp_path / "defs/tools.text")))
    (tmp_path / "defs/tools.py").write_text("raise SystemExit('it ran')")

    assert read(one).items[0].prompt == str(tmp_path / "defs/tools.text")  # type: ignore[union-attr]


def test_code_of_the_harness_own_definitions_runs(tmp_path: Path) -> None:
    assert callable(read_definition("xcopa_et", None).settings["doc_to_text"])


# what cannot be


@pytest.mark.parametrize("key", ["repeats", "num_fewshot", "metadata", "filter_list", "description"])
def test_a_key_without_a_value_is_a_key_that_is_not_given(tmp_path: Path, key: str) -> None:
    wanted(tmp_path, changed(CHOICE, **{key: "null"}))
    task = LmEval(use="lm-eval:colours", languages=("en",), folder="defs", origin=Origin(tmp_path))

    assert list(task.notes()) == []


LEAK = changed(CHOICE, doc_to_text='"{{ q.__class__.__mro__[-1].__name__ }}?"')
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_a_template_reaches_python_only_where_code_may_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="SecurityError: .*allow_code = true"):
        items(tmp_path, LEAK)

    assert items(tmp_path, LEAK, allow_code=True)[0].prompt == "object?"


@pytest.mark.parametrize(
    "template", ["{{ 'x' * 99999999999 }}", "{% for n in range(999999999) %}x{% endfor %}", "{{ 9 ** 99999999 }}"]
)
def test_a_template_makes_no_text_of_gigabytes(tmp_path: Path, template: str) -> None:
    with pytest.raises(DataError, match="would be too large|Range too big"):
        items(tmp_path, changed(CHOICE, doc_to_text=f'"{template}"'))


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("task: colours\noutput_type: [\n", "colours.yaml, line 3: the definition cannot be read: "),
        ("task: colours\ninclude: nowhere\n", "defs/nowhere"),
        (changed(CHOICE, output_type="loglikelihood_rolling"), "the output type multiple_choice or generate_until; got 'loglikelihood_rolling'"),
        (changed(CHOICE, doc_to_text=""), "the key 'doc_to_text' is missing"),
        (changed(CHOICE, doc_to_choice=""), "the key 'doc_to_choice' is missing"),
        (changed(CHOICE, doc_to_image="q"), "it shows images (the key 'doc_to_image')"),
        (changed(CHOICE, test_split=""), "it has no test split: the definition says no test_split and no validation_split"),
        (changed(CHOICE, test_split="dev"), "its data have no split 'dev'; they have 'test'"),
        (changed(CHOICE, doc_to_text='"{{qu}}"'), "the harness cannot make a task of it: UndefinedError: 'qu' is undefined"),
        (changed(CHOICE, doc_to_texts="x"), "the harness cannot make a task of it: TypeError: "),
        (changed(CHOICE, doc_to_choice="all", doc_to_text='"{{1 // index if index else q}}{% if index %}{{no}}{% endif %}"'), "row 1 of the split 'test' cannot be rendered: UndefinedError: 'no' is undefined; its fields are 'q', 'a'"),
        (changed(CHOICE, doc_to_choice="[yes, no]"), "expected texts in doc_to_choice; got True; YAML needs quotes"),
        (changed(CHOICE, doc_to_choice="[x]"), "expected at least two choices; got [' x']"),
        (changed(CHOICE, doc_to_target="letter"), "row 0 of the split 'test': expected as target an index from 0 to 1 or one of the choices ['{{a}}', '{{b}}']; got 'A'"),
        (changed(CHOICE, doc_to_target="-1"), "got -1 (are the labels of this split hidden?)"),
        (changed(CHOICE, doc_to_target="all"), "expected one right choice; got ['yes', 'no']"),
        (changed(CHOICE, doc_to_choice="all", doc_to_text="index", doc_to_target="right"), "each another prompt"),
        (changed(OPEN, generation_kwargs="{ until: [], do_sample: true, temperature: 0.7 }"), "ask for sampled answers"),
        (changed(OPEN, generation_kwargs="{ until: [], num_beams: 4 }"), "or for beams"),
        (changed(OPEN, generation_kwargs="{ until: [], penalty: 4 }"), "generation_kwargs have 'penalty', which is not known here"),
        (changed(OPEN, doc_to_target='""'), "expected a text, or a list of texts, as target; got ''"),
        (changed(CHOICE, dataset_kwargs="{ data_files: { test: row.jsonl } }"), "no such data file: "),
        (changed(CHOICE, metric_list="[acc]"), "expected a table in every entry of 'metric_list'; got 'acc'"),
        (changed(CHOICE, dataset_path="/usr", dataset_kwargs=""), "expected at most 10,000 files of data in /usr"),
        (changed(CHOICE, dataset_kwargs="{ data_files: { test: " + "x" * 300 + " } }"), "is no path that can be read: File name too long"),
        (changed(CHOICE, filter_list="[{ filter: 5 }]"), "expected a list of tables under 'filter'; got 5"),
        (changed(CHOICE, dataset_kwargs="rows.jsonl"), "expected a table in 'dataset_kwargs'; got 'rows.jsonl'"),
        (changed(CHOICE, test_split="[test]"), "expected a text in 'test_split'; got ['test']"),
        (changed(OPEN, generation_kwargs="{ until: [5] }"), "expected texts in until and a number in max_gen_toks"),
        (CHOICE + "x: " + "[" * 5000 + "]" * 5000 + "\n", "the definition cannot be read"),
        (CHOICE + BOMB, "its aliases stand for more than 1,000,000 values"),
        (CHOICE + "x: &x [*x]\n", "its aliases stand for more than"),
        (CHOICE + "include: /dev/zero\n", "/dev/zero: expected a file; it is a device"),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_be_a_target_is_told_with_its_file(tmp_path: Path, yaml: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        items(tmp_path, yaml)

    assert message in str(caught.value)
    assert str(tmp_path / "defs") in str(caught.value)


def test_a_source_needs_a_training_split(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it has no train split: the definition says no training_split"):
        items(tmp_path, CHOICE, split="train")


def test_an_unknown_id_is_told_with_the_fields(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no field 'uid' for the id; they have 'q', 'a'"):
        items(tmp_path, changed(CHOICE, doc_to_choice="all"), id="uid")


def test_ids_are_unique(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "rows.jsonl", [ROWS[0], ROWS[0]])

    with pytest.raises(DataError, match="row 1 of the split 'test': the id 'x1' is there already"):
        items(tmp_path, changed(CHOICE, doc_to_choice="all"), id="key")


def test_broken_data_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"q": \n')

    with pytest.raises(DataError, match="its data cannot be read: ") as caught:
        items(tmp_path, CHOICE)

    assert "\n" not in str(caught.value)


def test_a_reader_of_files_without_files_is_refused_before_it_searches_the_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="dataset_path: json needs dataset_kwargs with data_files; it names none"):
        items(tmp_path, changed(CHOICE, dataset_kwargs=""))


def test_a_data_set_of_the_hub_needs_network_or_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)  # else it tries for half a minute
    yaml = changed(CHOICE, dataset_path="nobody/nothing", dataset_name="eng_Latn", dataset_kwargs="")

    with pytest.raises(DataError, match=r"cannot load the data set 'nobody/nothing' \(eng_Latn\): ") as caught:
        items(tmp_path, yaml)

    assert "Without network it must be in the cache of datasets" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_the_harness_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval.tasks._yaml_loader", None)

    with pytest.raises(MissingExtra, match=r"pip install 'crossgraft\[lm-eval\]'"):
        LmEval("lm-eval:xcopa_et", ("et",))


def test_a_name_is_looked_for(tmp_path: Path) -> None:
    one = wanted(tmp_path, CHOICE)
    (tmp_path / "defs/all.yaml").write_text("group: rainbow\ntask: [colours, { task: greys }]\n")
    (tmp_path / "defs/tagged.yaml").write_text(changed(CHOICE, task="tagged", tag="[bright]"))
    (tmp_path / "defs/twice.yaml").write_text(changed(CHOICE, task="tagged"))

    def refused(name: str) -> str:
        with pytest.raises(SpecError) as caught:
            read_definition(name, one.folder)
        return str(caught.value)

    assert "is called 'colour'; did you mean 'colours'?" in refused("colour")
    assert refused("rainbow") == "'rainbow' is a group of 2 tasks, not a task: colours, greys; name one of them"
    assert refused("bright") == "'bright' is a group of 1 tasks, not a task: tagged; name one of them"
    assert "two files define the task 'tagged'" in refused("tagged")


def test_a_name_of_the_harness_is_looked_for() -> None:
    with pytest.raises(SpecError, match="'xcopa' is a group of 11 tasks, not a task: xcopa_et, "):
        read_definition("xcopa", None)
    with pytest.raises(SpecError, match="is called 'xcopa_ett'; did you mean 'xcopa_et'"):
        read_definition("xcopa_ett", None)


# the task


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    """Two languages with definitions and data beside the spec."""
    (tmp_path / "defs").mkdir()
    for language in ("en", "de"):
        write_jsonl(tmp_path / f"{language}.jsonl", ROWS)
        yaml = changed(
            CHOICE,
            task=f"colours_{language}",
            doc_to_choice="all",
            dataset_kwargs=f"{{ data_files: {{ test: {language}.jsonl }} }}",
        )
        (tmp_path / f"defs/{language}.yaml").write_text(yaml, "utf-8")
    return Origin(tmp_path)


def task(origin: Origin, **settings: Any) -> LmEval:
    return LmEval("lm-eval:colours_{language}", ("en", "de"), folder="defs", origin=origin, **settings)


def test_the_metric_is_the_first_of_the_definition_that_is_ours(origin: Origin) -> None:
    assert task(origin).metric == "accuracy"
    assert task(origin, metric="accuracy-per-token").metric == "accuracy-per-token"
    for language in ("en", "de"):
        file = origin.folder / f"defs/{language}.yaml"
        file.write_text(changed(file.read_text(), metric_list="[{ metric: brier_score }, { metric: acc_bytes }]"))
    assert task(origin).metric == "accuracy-per-byte"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metric_list": "[{ metric: mcc }]"}, "none of its metrics (mcc) is one of ours; say metric = one of accuracy, "),
        ({"metric_list": "[{ metric: acc_norm }]"}, "have different metrics, choose one: {'en': 'accuracy-per-char', 'de': 'accuracy'}"),
    ],
)  # fmt: skip
def test_without_a_metric_of_ours_one_must_be_named(origin: Origin, settings: dict[str, str], message: str) -> None:
    file = origin.folder / "defs/en.yaml"
    file.write_text(changed(file.read_text(), **settings))

    with pytest.raises(SpecError) as caught:
        task(origin)

    assert message in str(caught.value)
    assert caught.value.key == ("metric",)


def test_an_error_about_metrics_with_long_names_quotes_their_beginnings_only(origin: Origin) -> None:
    file = origin.folder / "defs/en.yaml"
    metrics = ", ".join(f"{{ metric: {'x' * 1000}{number} }}" for number in range(100))
    file.write_text(changed(file.read_text(), metric_list=f"[{metrics}]"))

    with pytest.raises(SpecError) as caught:
        task(origin)

    assert len(str(caught.value)) < 2000


def test_scores_computed_by_code_need_a_metric(origin: Origin) -> None:
    (origin.folder / "defs/code.py").write_text("def score(doc, results): ...\n")
    for language in ("en", "de"):
        file = origin.folder / f"defs/{language}.yaml"
        file.write_text(changed(file.read_text(), process_results="!function code.score"))

    with pytest.raises(SpecError, match=r"its scores are computed by code \(process_results\); say metric"):
        task(origin, allow_code=True)


@pytest.mark.parametrize(
    ("settings", "key", "message"),
    [
        ({"use": "belebele"}, "use", "expected lm-eval:NAME"),
        ({"use": "lm-eval:colours_en"}, "use", "expected another task in each language, with {code} or {language}"),
        ({"languages": ()}, "languages", "expected at least one language"),
        ({"languages": ("english_",)}, "languages", "expected BCP 47 language tags"),
        ({"codes": {"fr": "x"}}, "codes", "no such language: 'fr'"),
        ({"metric": "acuracy"}, "metric", "no metric is called 'acuracy'; did you mean 'accuracy'?"),
    ],
)
def test_a_wrong_table_is_refused(settings: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        LmEval(**{"use": "lm-eval:x_{code}", "languages": ("en", "de"), "metric": "accuracy", **settings})

    assert message in str(caught.value)
    assert caught.value.key[0] == key


def test_a_metric_must_read_what_the_task_gives(origin: Origin) -> None:
    with pytest.raises(SpecError, match="'MAP' does not read answers of the output type 'multiple_choice'"):
        task(origin, metric="MAP").items("en", "test", origin)


def test_the_same_items_have_the_same_content_and_any_change_changes_it(origin: Origin) -> None:
    folder = origin.folder
    made = task(origin)

    def content() -> str:
        return fingerprint([made.input("en", "test", origin)]).popitem()[1]

    assert content() == content() == fingerprint([made.input("de", "test", origin)]).popitem()[1]
    seen = {content()}
    file = folder / "defs/en.yaml"
    file.write_text(changed(file.read_text(), doc_to_text='"Question: {{q}}"'))
    seen.add(content())
    write_jsonl(folder / "en.jsonl", [{**row, "q": "Really?"} for row in ROWS])
    seen.add(content())
    file.write_text(changed(file.read_text(), target_delimiter='""'))
    seen.add(content())
    assert len(seen) == 4


def test_whether_code_may_run_is_part_of_the_identity(origin: Origin) -> None:
    assert task(origin).identity("en") != task(origin, allow_code=True).identity("en")


def test_what_a_definition_asks_for_and_does_not_get_is_noted(origin: Origin) -> None:
    for language, shots in (("en", "5"), ("de", "0")):
        file = origin.folder / f"defs/{language}.yaml"
        metrics = "[{ metric: acc, ignore_case: true }]"
        file.write_text(changed(file.read_text(), num_fewshot=shots, repeats="3", metric_list=metrics))

    notes = list(task(origin).notes())

    assert notes == [
        "lm-eval:colours_{language} (en): the definition asks for 5 solved examples; how many there are is for the "
        "study to say",
        "lm-eval:colours_{language}: the definition asks for 3 answers an item; greedy answers are all the same, so "
        "there is one",
        "lm-eval:colours_{language}: options of the metric acc are not applied: ignore_case",
    ]


def test_an_option_of_a_metric_may_be_a_number(origin: Origin) -> None:
    for language in ("en", "de"):
        file = origin.folder / f"defs/{language}.yaml"
        file.write_text(changed(file.read_text(), metric_list="[{ metric: acc, 7: true, ignore_case: true }]"))

    notes = list(task(origin).notes())

    assert any(note.endswith("options of the metric acc are not applied: 7, ignore_case") for note in notes)


def test_filters_that_extract_answers_are_refused_or_noted(tmp_path: Path) -> None:
    regex = "[{ name: number, filter: [{ function: regex, regex_pattern: x }, { function: take_first }] }]"
    wanted(tmp_path, changed(OPEN, filter_list=regex))
    origin = Origin(tmp_path)
    made = LmEval("lm-eval:colours", ("en",), folder="defs", metric="MAP", origin=origin)  # any that reads no choices

    with pytest.raises(DataError, match="takes the answer out of what the model writes with the filters regex"):
        made.items("en", "test", origin)

    ignoring = LmEval("lm-eval:colours", ("en",), folder="defs", metric="MAP", filters="ignore", origin=origin)
    assert len(ignoring.items("en", "test", origin)) == 2
    assert "answers are compared as written: the filters regex of the definition are not applied" in "".join(
        ignoring.notes()
    )


def test_filters_do_not_matter_where_one_way_does_without(tmp_path: Path) -> None:
    plain = "{ name: all, filter: [{ function: remove_whitespace }, { function: take_first }] }"
    regex = "{ name: number, filter: [{ function: regex }, { function: take_first }] }"
    wanted(tmp_path, changed(OPEN, filter_list=f"[{regex}, {plain}]"))
    origin = Origin(tmp_path)

    made = LmEval("lm-eval:colours", ("en",), folder="defs", metric="MAP", origin=origin)

    assert len(made.items("en", "test", origin)) == 2


@pytest.mark.skipif("exact-match" not in METRICS.names(), reason="the metric of open answers is not there yet")
def test_the_metric_of_open_answers(tmp_path: Path) -> None:
    wanted(tmp_path, OPEN)

    assert LmEval("lm-eval:colours", ("en",), folder="defs", origin=Origin(tmp_path)).metric == "exact-match"


SPEC = """
    study = "adapters"
    name = "tiny"

    [models]
    tiny = { path = "model" }

    [tasks]
    colours = { use = "lm-eval:colours_{code}", codes = { en = "en" }, languages = ["en", "de"], folder = "defs" }

    [adapters]
    mine = { path = "mine", model = "tiny" }

    [grid]
    targets = ["colours/*"]
"""


def test_a_spec_names_a_task_by_use(origin: Origin) -> None:
    study = load_study(write_spec(origin.folder / "study.toml", SPEC))

    assert isinstance(study, AdapterStudy)
    assert study.tasks["colours"].metric == "accuracy"
    assert [one.path for one in study.inputs() if one.kind == "value"] == [
        "lm-eval:colours_en/test",
        "lm-eval:colours_de/test",
    ]


def test_a_mistake_is_told_with_its_line(origin: Origin) -> None:
    spec = write_spec(origin.folder / "study.toml", SPEC.replace("colours_{code}", "colour_{code}"))

    with pytest.raises(SpecError, match=r"study.toml, line 9, tasks.colours.use: no task .* is called 'colour_en'"):
        load_study(spec)


def test_reading_leaves_nothing_in_the_cache_of_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))

    items(tmp_path, changed(CHOICE, doc_to_choice="all"))

    assert not (tmp_path / "cache").exists()


def test_reading_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    items(tmp_path, changed(OPEN, generation_kwargs="", repeats="2", metric_list="[{ metric: exact_match }]"))

    assert capfd.readouterr() == ("", "")


def run(spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[object, str]:
    monkeypatch.chdir(spec.parent)
    monkeypatch.setattr(sys, "argv", ["crossgraft", "run", spec.name, "--device", "cpu", "--threads", "1"])
    with pytest.raises(SystemExit) as stop:
        main()
    out, err = capsys.readouterr()
    return stop.value.code, out + err


def test_a_study_trains_and_evaluates_on_them(
    origin: Origin, tiny_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = origin.folder
    write_jsonl(folder / "train.jsonl", [{**row, "q": f"{n} ?"} for n, row in enumerate(ROWS * 4)])
    for language in ("en", "de"):
        file = folder / f"defs/{language}.yaml"
        data = f"{{ data_files: {{ test: {language}.jsonl, train: train.jsonl }} }}"
        file.write_text(changed(file.read_text(), training_split="train", dataset_kwargs=data))
    text = (
        SPEC.replace('"model" }', f'"{tiny_model}" }}')
        .replace("[adapters]\n", "")
        .replace("[grid]", "[grid]\nsources = ['*/en']")
    )
    text = (
        text.replace('    mine = { path = "mine", model = "tiny" }\n', "")
        + "[recipe]\nrank = 2\nsteps = 2\nbatch = 4\n"
    )
    spec = write_spec(folder / "study.toml", text)

    first = run(spec, capsys, monkeypatch)
    again = run(spec, capsys, monkeypatch)
    file = folder / "defs/de.yaml"
    file.write_text(changed(file.read_text(), description='"Now: "'))
    third = run(spec, capsys, monkeypatch)

    assert (first[0], again[0], third[0]) == (0, 0, 0), first
    assert "4 results computed, 0 left" in first[1]
    assert "0 results computed, 0 left" in again[1]
    assert "2 results computed, 0 left" in third[1]


def test_a_mistake_ends_in_a_sentence(
    origin: Origin, tiny_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (origin.folder / "de.jsonl").unlink()
    spec = write_spec(origin.folder / "study.toml", SPEC.replace('"model" }', f'"{tiny_model}" }}'))

    code, printed = run(spec, capsys, monkeypatch)

    assert code == 2
    assert "Traceback" not in printed
    assert "no such data file: " in printed
