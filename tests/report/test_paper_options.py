"""Without matplotlib, figures are refused before anything is computed."""

from __future__ import annotations

import pytest

from crossgraft.cli.commands import paper
from crossgraft.errors import MissingExtra


def test_figures_without_matplotlib_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "find_spec", lambda name: None)

    with pytest.raises(MissingExtra, match=r"pip install 'crossgraft\[figures\]'"):
        paper.Paper(figures=True).require()
