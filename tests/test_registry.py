from __future__ import annotations

import subprocess
import sys

import pytest

from crossgraft.errors import SpecError
from crossgraft.registry import Registry


def test_names_are_the_file_stems_of_the_folder() -> None:
    registry: Registry[object] = Registry("executor", "none", "crossgraft.runs.executors")

    assert {"inline"} <= set(registry.names())


def test_an_unknown_name_suggests_the_nearest() -> None:
    from crossgraft.embeddings.mapping import MAPPERS

    with pytest.raises(SpecError, match="no mapping method is called 'procustes'; did you mean 'procrustes'?"):
        MAPPERS.get("procustes")


def test_a_plugin_in_one_file_is_offered_under_its_own_name() -> None:
    registry: Registry[int] = Registry("number", "none")
    registry.add("seven", 7)

    assert registry.get("seven") == 7


def test_describing_plugins_does_not_import_them() -> None:
    script = (
        "import sys; from crossgraft.registry import Registry\n"
        "r = Registry('kind of task', 'none', 'crossgraft.adapters.tasks')\n"
        "print(dict(r.describe())['choice']); assert 'crossgraft.adapters.tasks.choice' not in sys.modules"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("Multiple choice")


def test_a_description_names_what_may_stand_after_a_colon() -> None:
    from crossgraft.embeddings.mapping import MAPPERS

    assert dict(MAPPERS.describe())["proc-b"].endswith(" Modes: paper, growing, csls.")
    assert "Modes" not in dict(MAPPERS.describe())["procrustes"]
