from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossgraft.adapters.tasks.messages import Messages
from crossgraft.errors import DataError
from crossgraft.study import Origin
from parts import write_jsonl

TALK = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hi."},
    {"role": "user", "content": "Who?"},
    {"role": "assistant", "content": "Me."},
]


def read(folder: Path, *rows: dict[str, Any]) -> Any:
    write_jsonl(folder / "sw.jsonl", list(rows))
    return Messages(files=str(folder / "{language}.jsonl"), languages=("sw",)).items("sw", "train", Origin())


def test_the_last_answer_is_learnt_and_earlier_turns_stand_before_it(tmp_path: Path) -> None:
    (item,) = read(tmp_path, {"messages": TALK})

    assert item.shots == (("Be kind.\n\nHello", " Hi."),)
    assert (item.prompt, item.answer) == ("Who?", " Me.")


def test_prompt_and_completion_are_a_turn(tmp_path: Path) -> None:
    first, second = read(tmp_path, {"prompt": "a", "completion": "b"}, {"prompt": "c", "completion": "d"})

    assert (first.prompt, first.answer, second.id) == ("a", " b", "2")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"messages": TALK[:4]},
            "line 1: expected user and assistant in turns, the assistant last; got user, assistant, user",
        ),
        ({"messages": "hello"}, "line 1: expected in 'messages' a list of messages with role and content"),
        ({"messages": [*TALK[:4], {"role": "assistant", "content": " "}]}, "one is empty"),
        ({"text": "x"}, "no field 'prompt'"),
    ],
)
def test_a_talk_that_is_none_is_named_by_line(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, row)


def test_it_is_trained_on_and_never_a_target(adapter_spec: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from crossgraft.runs.campaign import Settings, run
    from crossgraft.runs.storage.store import Store
    from crossgraft.spec import load_study

    write_jsonl(tmp_path / "talk.sw.jsonl", [{"prompt": f"{n} ?", "completion": "blue"} for n in range(8)])
    table = '\n[tasks.chat]\nkind = "messages"\nfiles = "talk.{language}.jsonl"\nlanguages = ["sw"]\n'
    adapter_spec.write_text(adapter_spec.read_text() + table)
    store = Store(tmp_path / "out")

    study = load_study(adapter_spec, ["grid.sources=['chat/sw']", "grid.targets=['*']"])
    summary = run(study, store, settings=Settings(device="cpu", threads=1))

    assert (summary.failed, summary.left) == ([], 0)
    assert {record.target.task for record in store.read()[0]} == {"intent"}
