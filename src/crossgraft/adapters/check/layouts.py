"""What the rows of a file are: choices, inference, classification, questions, conversations, or running text.

A layout is recognised by the names and the values of the fields of all rows. What is not certain has a doubt,
and whoever asked refuses it: a wrong guess would be measured like a right one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from crossgraft.adapters.items.data import Row
from crossgraft.adapters.tasks.choice import as_label

UNKNOWN = "…"  # in a table that is to be completed

_BEFORE = ("passage", "flores_passage", "context", "ctx", "premise", "article", "document", "paragraph", "story")
_ASKED = ("question", "query", "prompt", "instruction", "goal", "input", "sentence", "utterance", "utt", "text")
_PAIRS = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("sentence_A", "sentence_B"),
    ("text1", "text2"),
    ("question1", "question2"),
    ("context", "hypothesis"),
)
_OPTIONS = ("options", "choices", "endings", "candidates", "answers")
_NUMBERED = ("option", "choice", "ending", "mc_answer", "answer", "sol", "op", "opt", "candidate", "")
_COUNTS = ("ABCDEFGHIJ", "abcdefghij", "123456789", "012345678")
_LABELS = ("label", "label_text", "label_name", "class", "category", "intent", "topic", "sentiment", "gold_label")
_KEYS = ("answer", "label", "gold", "target", "answerKey", "correct", "answer_index", "correct_answer_num", "cop")
_WRITTEN = ("answer", "answers", "target", "output", "completion", "response", "reference", "gold")
_INFERENCE = {"entailment": "True", "neutral": "Neither", "contradiction": "False"}
_TWO_WAY = {"entailment": "True", "not_entailment": "False"}

_CONTENT = {*_BEFORE, *_ASKED, *_OPTIONS, *_WRITTEN, *(name for pair in _PAIRS for name in pair)}
_ABOUT = {*_LABELS, *_KEYS, "id", "uid", "idx", "guid", "task", "language", "lang", "locale", "split", "source", "group",
          "subject", "domain", "dialect", "dataset", "doc", "url", "link", "explanation", "rationale", "changed",
          "translator", "question_number", "answer_start", "difficulty", "license", "version"}  # fmt: skip
_PARTS = {"ctx": ("ctx_a", "ctx_b")}  # fields that a longer one repeats
_ID = re.compile(r".*(?:[_-](?:id|idx|index|start|end|group|url)|I[dD])")
_NUMBER = re.compile(r"\s*[-+]?[\d.,]*\d\s*%?\s*")
_LETTER = re.compile(r"[A-Za-z]")

_LONG = 60  # characters of a typical answer, from which exact match says nothing
_MANY = 100  # labels


@dataclass(frozen=True)
class Layout:
    """What the rows are called, the keys of a task's table, the fields that it reads, and why it is not certain."""

    name: str
    table: dict[str, Any]
    uses: tuple[str, ...]
    doubt: str = ""


@dataclass(frozen=True)
class Fields:
    """The rows of all files of a task, by field."""

    rows: Sequence[Row]

    def names(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row.values))

    def everywhere(self, name: str) -> bool:
        return all(row.values.get(name) is not None for row in self.rows)

    def first(self, names: Sequence[str]) -> str:
        """The first of the names that every row has; "" for none."""
        return next((name for name in names if self.everywhere(name)), "")

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]

    def asked(self) -> list[str]:
        """The fields with the passage and the question."""
        found = [self.first(_BEFORE), self.first(_ASKED)]
        return list(dict.fromkeys(name for name in found if name))


def recognise(rows: Sequence[Row]) -> Layout:
    """The layout of the rows, with a doubt where it is not certain."""
    fields = Fields(rows)
    looks: tuple[Callable[[Fields], Layout | None], ...] = (
        _conversations,
        _choices,
        _inference,
        _classes,
        _questions,
        _running_text,
    )
    for look in looks:
        if (layout := look(fields)) is not None:
            return _complete(fields, layout)
    return _complete(fields, _unknown(fields))


def unused(fields: Fields, layout: Layout) -> list[str]:
    return [name for name in fields.names() if name not in layout.uses]


def _complete(fields: Fields, layout: Layout) -> Layout:
    """No field that looks like content may be left out without a word: its layout is doubtful then."""
    repeated = {part for name in layout.uses for part in _PARTS.get(name, ())}
    left = [name for name in unused(fields, layout) if name not in repeated and _is_content(name, fields)]
    if not left:
        return layout
    doubt = f"{_listed(left)} would not be read, and look{'s' if len(left) == 1 else ''} like content"
    table = layout.table
    if "prompt" in table:
        table = {**table, "prompt": "\n".join([*(f"{{{name}}}" for name in left), table["prompt"]])}
    return replace(layout, table=table, doubt="; ".join(filter(None, [layout.doubt, doubt])))


def _is_content(name: str, fields: Fields) -> bool:
    """Known by its name; or lists, objects and texts that differ from row to row."""
    values = [row.values[name] for row in fields.rows if row.values.get(name) not in (None, "", [], {})]
    if not values or (name not in _CONTENT and (name in _ABOUT or _ID.fullmatch(name))):
        return False
    if name in _CONTENT or any(isinstance(value, list | dict) for value in values):
        return True
    texts = [value for value in values if isinstance(value, str) and not value.startswith(("http://", "https://"))]
    if not texts:
        return False
    varied = len(set(texts)) > len(texts) / 4 if len(texts) >= 8 else True
    return varied and median(map(len, texts)) > 12


# the layouts, the most telling first


def _conversations(fields: Fields) -> Layout | None:
    """Messages with role and content: a question is what the user says, its answer what the assistant says last."""
    name = fields.first(("messages", "conversation", "conversations"))
    if not name or not all(_is_conversation(value) for value in fields.column(name)):
        return None
    roles = {tuple(turn["role"] for turn in value) for value in fields.column(name)}
    told: dict[str, Any] = {"kind": "open", "prompt": f"{{{name}[-2].content}}", "answer": f"{name}[-1].content"}
    layout = Layout("conversations", told, (name,))
    if roles == {("system", "user", "assistant")}:
        told["prompt"] = f"{{{name}[0].content}}\n\n{{{name}[1].content}}"
    elif roles != {("user", "assistant")}:
        return replace(
            layout,
            doubt="only conversations with one message of the user and one of the assistant are questions with an answer; "
            'the others are for training (kind = "messages"), and earlier turns would not be read',
        )
    return _written(layout, [str(value[-1]["content"]) for value in fields.column(name)])


def _is_conversation(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(turn, dict) and isinstance(turn.get("content"), str) and "role" in turn for turn in value)
    )


def _choices(fields: Fields) -> Layout | None:
    """Options in a list, in an object of texts and labels, or in numbered fields."""
    for name in _OPTIONS:
        if not fields.everywhere(name):
            continue
        values = fields.column(name)
        if all(_is_list_of_options(value) for value in values) and fields.first([key for key in _KEYS if key != name]):
            return _choice(fields, name, (name,))
        if all(isinstance(value, dict) and {"text", "label"} <= set(value) for value in values):
            layout = _choice(fields, f"{name}.text", (name,))
            return (
                replace(layout, table={**layout.table, "labels": f"{name}.label"}, doubt="")
                if layout.uses[1:]
                else layout
            )
    names = _numbered(fields)
    return _choice(fields, [f"{{{name}}}" for name in names], tuple(names)) if names else None


def _is_list_of_options(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(one, str | int | float) for one in value)


def _numbered(fields: Fields) -> list[str]:
    """Fields like option_a, option_b, …, or choice1, choice2."""
    for prefix in _NUMBERED:
        for count in _COUNTS if prefix else _COUNTS[:1]:
            for between in ("", "_") if prefix else ("",):
                names = []
                for one in count:
                    if not fields.everywhere(name := f"{prefix}{between}{one}"):
                        break
                    names.append(name)
                if len(names) > 1:
                    return names
    return []


def _choice(fields: Fields, options: str | list[str], uses: tuple[str, ...]) -> Layout:
    asked = [name for name in fields.asked() if name not in uses]
    answer = fields.first([name for name in _KEYS if name not in uses])
    told: dict[str, Any] = {"kind": "choice", "prompt": _prompt(asked), "options": options, "answer": answer or UNKNOWN}
    name = "multiple choice"
    if "question" in asked and set(map(str, fields.column("question"))) <= {"cause", "effect"}:
        name = "multiple choice of causes and effects"
        told["prompt"] = (
            "\n".join(f"{{{one}}}" for one in asked if one != "question") + "\nWhat was the {question}?\nAnswer:"
        )
    if options == "endings" or "ending0" in uses:
        told["prompt"] = "\n".join(f"{{{one}}}" for one in asked)  # which they continue
    if not asked:
        return Layout(name, told, uses, "no field is known to hold the question")
    if not answer:
        return Layout(name, told, (*uses, *asked), "no field is known to say which option is right")
    labels, doubt = _counted(fields, answer, options)
    if labels:
        told["labels"] = labels
    return Layout(name, told, (*uses, *asked, answer), doubt)


def _counted(fields: Fields, answer: str, options: str | list[str]) -> tuple[list[str], str]:
    """The labels by which the file calls the options, where they are not found without, and what is not certain of it."""
    texts = [
        [str(one) for one in row[options]] if isinstance(options, str) else [row.fill(option) for option in options]
        for row in fields.rows
    ]
    given = fields.column(answer)
    among = [isinstance(one, str) and one in listed for one, listed in zip(given, texts, strict=True)]
    if all(among):
        either = all(one.isdigit() and int(one) <= len(listed) for one, listed in zip(given, texts, strict=True))
        return [], f"{answer!r} may be the text of an option, or its number" if either else ""
    if all(isinstance(one, str) and _LETTER.fullmatch(one) for one in given):
        places = [ord(one.upper()) - ord("A") for one in given]
        fit = all(place < len(listed) for place, listed in zip(places, texts, strict=True))
        return [], "" if fit else f"{answer!r} has letters beyond the options"
    if any(among) or not all(type(one) is int or (isinstance(one, str) and one.isdigit()) for one in given):
        return [], f"{answer!r} is not always an index, a letter or the text of an option"
    numbers = list(zip(map(int, given), map(len, texts), strict=True))
    from_zero = all(0 <= number < count for number, count in numbers)
    from_one = all(1 <= number <= count for number, count in numbers)
    if from_zero and from_one:
        return [], f"{answer!r} may count the options from 0 or from 1: no row has the number that would tell"
    if not from_zero and not from_one:
        return [], f"{answer!r} has numbers beyond the options"
    return ([str(number) for number in range(1, max(map(len, texts)) + 1)] if from_one else []), ""


def _inference(fields: Fields) -> Layout | None:
    """Premise and hypothesis with a label of inference, asked as in GPT-3 (Brown et al., 2020) and lm-evaluation-harness."""
    pair = next((pair for pair in _PAIRS if all(map(fields.everywhere, pair))), None)
    label = fields.first(("label", "gold_label", "label_text", "label_name", "answer"))
    if pair is None or not label:
        return None
    values = [as_label(value) for value in fields.column(label)]
    words = next((one for one in (_INFERENCE, _TWO_WAY) if {value.lower() for value in values} <= set(one)), None)
    numbered = pair[1] == "hypothesis" and set(values) <= {"0", "1", "2"}
    if words is None and not numbered:
        return None
    case = str.upper if values[0].isupper() else str.capitalize if values[0][0].isupper() else str.lower
    words = words or _INFERENCE
    how = "True, False or Neither?" if len(words) == 3 else "True or False?"
    told = {
        "kind": "choice",
        "prompt": f"{{{pair[0]}}}\nQuestion: {{{pair[1]}}} {how}\nAnswer:",
        "options": list(words.values()),
        "labels": ["0", "1", "2"] if numbered else [case(word) for word in words],
        "answer": label,
    }
    doubt = f"{label!r} has numbers, and nothing says what they stand for; below, 0 is entailment, 1 neutral, 2 contradiction"
    return Layout("natural language inference", told, (*pair, label), doubt if numbered else "")


def _classes(fields: Fields) -> Layout | None:
    """Texts with a label: the options are all labels of all files."""
    label = next((name for name in _LABELS if _few(fields, name, 2)), "")
    label = label or fields.first(_LABELS) or next((name for name in _KEYS if _few(fields, name, 5)), "")
    pair = next((pair for pair in _PAIRS if all(map(fields.everywhere, pair))), ())
    inputs = [name for name in dict.fromkeys([*fields.asked(), *pair]) if name != label]
    if not label or not inputs:
        return None
    values = [as_label(value) for value in fields.column(label)]
    known = sorted(set(values))
    told: dict[str, Any] = {
        "kind": "choice",
        "prompt": _prompt(inputs, "Answer" if label in _KEYS and label != "label" else _word(label)),
        "options": known,
        "answer": label,
    }
    layout = Layout("classification", told, (*inputs, label))
    if set(known) == {"false", "true"}:
        return replace(layout, table={**told, "options": ["no", "yes"], "labels": known})
    if all(_NUMBER.fullmatch(value) for value in known):
        told |= {"options": [UNKNOWN] * len(known), "labels": known}
        return replace(layout, doubt=f"{label!r} has numbers, and nothing says what they stand for")
    if not _few(fields, label, 2):
        told["options"] = known if len(known) <= _MANY else [UNKNOWN, UNKNOWN]
        return replace(
            layout, doubt=f"{label!r} has {len(known)} different values in {len(values)} rows: are these labels?"
        )
    by_file: dict[Any, set[str]] = {}
    for row, value in zip(fields.rows, values, strict=True):
        by_file.setdefault(row.file, set()).add(value)
    if any(not one & other for one in by_file.values() for other in by_file.values()):
        return replace(
            layout,
            doubt=f"{label!r} has other labels in other files; options = {{ en = […], sw = […] }} gives each language its own",
        )
    return layout


def _few(fields: Fields, name: str, times: int) -> bool:
    """Whether a field holds short texts that recur: two labels or more, so many rows each."""
    if not fields.everywhere(name):
        return False
    values = fields.column(name)
    if all(isinstance(value, bool) for value in values):
        return True
    if not all(isinstance(value, str) and value.strip() and len(value) <= _LONG for value in values):
        return False
    if all(_NUMBER.fullmatch(value) for value in values):
        return False
    count = len(set(values))
    return 2 <= count <= _MANY and len(values) >= times * count


def _questions(fields: Fields) -> Layout | None:
    """Questions whose answer the model writes."""
    asked = fields.asked()
    answer = fields.first([name for name in _WRITTEN if name not in asked])
    if not asked or not answer:
        return None
    values = fields.column(answer)
    whole = answer in ("completion",)  # the text that was trained on is prompt and completion, nothing between
    path = f"{answer}.text" if all(isinstance(value, dict) and "text" in value for value in values) else answer
    told = {"kind": "open", "prompt": f"{{{asked[-1]}}}" if whole else _prompt(asked), "answer": path}
    layout = Layout("questions with written answers", told, (*asked, answer))
    answers = [value if isinstance(value, list) else [value] for value in fields.column(path)]
    if any(
        not one or not all(isinstance(text, str | int | float) and str(text).strip() for text in one) for one in answers
    ):
        return replace(layout, doubt=f"{path!r} does not hold a text or a list of texts in every row")
    if fields.first(("answer_start",)) and not fields.first(_BEFORE):
        return replace(
            layout, doubt="'answer_start' says that answers are parts of a passage, and no field holds the passage"
        )
    return _written(layout, [str(one[0]) for one in answers])


def _written(layout: Layout, answers: Sequence[str]) -> Layout:
    """Numbers are compared as numbers; long texts are not compared word for word."""
    if all(_NUMBER.fullmatch(answer) for answer in answers):
        return replace(layout, table={**layout.table, "metric": "number-match"})
    length = median(map(len, answers))
    if length <= _LONG:
        return layout
    told = {**layout.table, "metric": "f1", "stop": [], "max_tokens": 256}
    return replace(
        layout,
        table=told,
        doubt=f"the answers are long (half of them over {length:.0f} characters): exact match says nothing of them",
    )


def _running_text(fields: Fields) -> Layout | None:
    if (
        not fields.everywhere("text")
        or fields.first(_KEYS)
        or not all(isinstance(one, str) for one in fields.column("text"))
    ):
        return None
    return Layout("running text", {"kind": "text"}, ("text",))


def _unknown(fields: Fields) -> Layout:
    texts = [name for name in fields.names() if fields.everywhere(name) and _is_content(name, fields)]
    told = {"kind": "choice", "prompt": _prompt(texts), "options": [UNKNOWN, UNKNOWN], "answer": UNKNOWN}
    if len(texts) == 1:
        told = {"kind": "text", "text": texts[0]}
    names = ", ".join(map(repr, fields.names()))
    return Layout("unknown", told, tuple(texts), f"cannot tell which fields are question and answer among {names}")


def _prompt(names: Sequence[str], then: str = "Answer") -> str:
    return "\n".join([*(f"{{{name}}}" for name in names), f"{then}:"])


def _word(name: str) -> str:
    return name.partition("_")[0].capitalize()


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(map(repr, names[:-1])), repr(names[-1])]))
