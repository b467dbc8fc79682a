from __future__ import annotations

import tomllib

import pytest

from crossgraft.adapters.remedies.spec_text import Addition, with_additions
from crossgraft.errors import SpecError

MERGE = Addition(("merges", "a/en + b/de"), {"sources": ["a/en", "b/de"], "weights": [0.5, 0.5]})
SOURCE = Addition(("grid", "sources"), ["new"], extends=True)
SCALES = Addition(("grid", "scales"), [0.5], extends=True)


@pytest.mark.parametrize(
    "text",
    [
        '[grid]\nsources = ["a/en"]  # mine\n',
        '[grid]\nsources = [\n  "a/en",  # the [first]\n  "b]/de",\n]\n[recipe]\nrank = 2\n',
        "[grid]\nsources = []\n",
        "[grid]\ntargets = ['*']\n\n[merges]\nold = { sources = [\"a/en\"] }\n",
        "name = 'x'\n",
        "[ grid ]\nscales = [0.25, 0.5]\n# sources = [\n",
    ],
)
def test_what_is_added_is_there_and_the_rest_stays(text: str) -> None:
    changed = with_additions(text, [SOURCE, SCALES, MERGE])

    found = tomllib.loads(changed)
    assert found["grid"]["sources"][-1] == "new"
    assert 0.5 in found["grid"]["scales"]
    assert found["merges"]["a/en + b/de"]["weights"] == [0.5, 0.5]
    assert all(piece.strip() in changed for line in text.splitlines() for piece in line.split("]"))


def test_what_is_there_already_is_not_added_again() -> None:
    text = '[grid]\nsources = ["new"]\n'

    assert with_additions(text, [SOURCE]) == text


def test_a_spec_that_cannot_be_added_to_gets_the_lines_to_add_by_hand() -> None:
    with pytest.raises(SpecError, match="add these lines by hand") as error:
        with_additions('grid = { sources = ["a/en"] }\n', [SCALES])

    assert "scales" in str(error.value)
