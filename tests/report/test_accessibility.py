"""axe-core finds no serious violation on the pages of an adapter study, of scores only and of an embedding study."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import pytest

from chromium import CHROMIUM, Browser
from crossgraft.analysis.evidence import Evidence
from crossgraft.analysis.external.outcomes import read_findings
from crossgraft.analysis.findings import Findings, analyse
from crossgraft.analysis.results import load_findings
from crossgraft.report.write import write_report
from crossgraft.runs.campaign import run
from crossgraft.runs.storage.store import Store
from crossgraft.spec import load_study
from crossgraft.transfer.synthetic import SyntheticGrid

AXE = "axe_playwright_python"  # axe-core comes with it
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome is on the path"),
    pytest.mark.skipif(find_spec(AXE) is None, reason="axe-core is not installed: pip install 'crossgraft[checks]'"),
]
SERIOUS = (
    "axe.run().then((seen) => (seen.passes.length ? seen.violations : [{ impact: 'serious', id: 'axe', help: 'no rule ran', nodes: [] }]).filter((rule) => ['serious', 'critical'].includes(rule.impact))"
    ".map((rule) => `${rule.id}: ${rule.help}: ${rule.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`))"
)


def adapters(_: Path) -> Findings:
    return analyse(
        Evidence(SyntheticGrid(models=2, tasks=3, languages=4, seeds=2, items=60, source=3.0).matrix(seed=1))
    )


def scores(folder: Path) -> Findings:
    points = ("xnli/de", "xnli/sw", "arc/de", "arc/sw")
    rows = [
        f"m,{source},{target},{0.6 if source == target else 0.52},0.5" for source, target in product(points, points)
    ]
    (folder / "scores.csv").write_text("\n".join(["model,source,target,score,base", *rows]), "utf-8")
    return read_findings(folder / "scores.csv", ("items=400",))


def embeddings(folder: Path) -> Findings:
    store = Store(folder / "runs")
    run(load_study(folder / "study.toml", ["lexicon.sizes=[30, 60]"]), store)
    return load_findings(store)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("study", [adapters, scores, embeddings])
@pytest.mark.usefixtures("embedding_spec")
def test_a_page_has_no_serious_violation(
    browser: Browser, tmp_path: Path, study: Callable[[Path], Findings], theme: str
) -> None:
    write_report(study(tmp_path), tmp_path / "report")
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    browser.open(tmp_path / "report/report.html")
    browser.ask("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")

    browser.ask(files(AXE).joinpath("axe.min.js").read_text("utf-8") + "; 0")

    assert browser.ask(SERIOUS) == []
    browser.ask("document.querySelector('.box').focus()")
    browser.press("Enter")
    browser.wait("!!document.querySelector('dialog[open]')")
    assert browser.ask(SERIOUS) == []
