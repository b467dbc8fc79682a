"""Tables and PGF figures as TeX reads them: every page compiles, no letter is missing, nothing is wider than the page."""

from __future__ import annotations

import re
from pathlib import Path
from shutil import which
from subprocess import run

import pytest

from crossgraft.analysis.findings import Findings, analyse
from crossgraft.core import Point, Treatment
from crossgraft.report.latex.tables import tables_latex
from crossgraft.report.latex.text import fonts_for_scripts, in_tex, scripts_of
from crossgraft.report.sections import sections_of
from crossgraft.transfer.synthetic import SyntheticGrid
from outcomes import answers, matrix_of, measured

HOSTILE = '50% & \\input{x} #1 $x$ a_b ~^ <b>|"q"[x]* -- ,, `` it\'s ½≈×→·−±…–—“” τ-b ★☆'
LATIN = "Ünïcödé çšžłğı"
SCRIPTS = "Перевод Ελληνικά اللغة العربية עברית"
HAN = "中文/日本語かな 한국어"
FINDINGS = analyse(SyntheticGrid(models=2, tasks=2, languages=11, items=60, same_task=6, source=3).matrix(1))
ENGINES = ["pdflatex", "xelatex", "lualatex"]
PROBLEM = re.compile(
    r"^!.*|^Overfull.*|^Missing character.*|^LaTeX Warning: Float.*|^Package crossgraft Warning.*", re.M
)


def named(*names: str) -> Findings:
    """A study with treatments, targets and a model of these names."""
    targets = [Point(name, "de") for name in names]
    pairs = [measured(Treatment(names[0], "base", "control"), answers([0, 1] * 20), target) for target in targets]
    for name in names:
        pairs += [measured(Treatment(names[0], name, "given"), answers([1, 1] * 20), target) for target in targets]
    return analyse(matrix_of(*pairs))


def problems(folder: Path, document: str, engine: str) -> list[str]:
    if which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    (folder / "document.tex").write_text(document, "utf-8")
    run([engine, "-interaction=nonstopmode", "document"], cwd=folder, capture_output=True, timeout=300, check=False)
    log = (folder / "document.log").read_text("utf-8", "replace")
    if lacking := re.search(r"File `(\S+)' not found|lmroman\S+ cannot be found", log):
        pytest.skip(f"the installed TeX lacks {lacking[0]}")
    assert (folder / "document.pdf").is_file()
    return PROBLEM.findall(log)


def table_problems(findings: Findings, folder: Path, engine: str) -> list[str]:
    files = tables_latex(sections_of(findings))
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return problems(folder, files["all.tex"], engine)


def has_font(family: str) -> bool:
    """XeTeX and LuaTeX find fonts by what fontconfig lists."""
    if which("fc-list") is None:
        return False
    return bool(run(["fc-list", family], capture_output=True, check=False).stdout)


NEEDS_HAN = pytest.mark.skipif(
    not has_font("Noto Sans CJK JP"), reason="no font with Han letters (Noto Sans CJK) is installed"
)
NEEDS_DEJAVU = pytest.mark.skipif(not has_font("DejaVu Serif"), reason="DejaVu Serif and DejaVu Sans are not installed")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_all_tables_of_a_report_compile(engine: str, tmp_path: Path) -> None:
    assert table_problems(FINDINGS, tmp_path, engine) == []


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_tables_with_every_special_character_compile(engine: str, tmp_path: Path) -> None:
    assert table_problems(named(HOSTILE, LATIN), tmp_path, engine) == []


@pytest.mark.slow
@NEEDS_HAN
@NEEDS_DEJAVU
@pytest.mark.parametrize("engine", ["xelatex", "lualatex"])
def test_tables_with_names_in_any_script_compile(engine: str, tmp_path: Path) -> None:
    assert table_problems(named(SCRIPTS, HAN), tmp_path, engine) == []


def test_the_preamble_names_a_font_for_each_script_in_use() -> None:
    text = fonts_for_scripts(scripts_of([in_tex(HAN), in_tex(SCRIPTS)]))

    assert set(re.findall(r"\\fontforscript\{(\w+)\}", text)) == {"Arabic", "CJK", "Cyrillic", "Greek", "Hebrew"}
    assert "Noto Serif CJK JP" in text  # kana are beside the Han letters
    assert fonts_for_scripts(scripts_of([in_tex(LATIN), in_tex(HOSTILE)])) == ""


@pytest.mark.slow
@NEEDS_HAN
@pytest.mark.parametrize("engine", ENGINES)
def test_a_document_may_read_the_preambles_of_tables_and_of_figures(engine: str, tmp_path: Path) -> None:
    fonts = fonts_for_scripts({"CJK": "中"})
    body = r"\inscript{CJK}{中}" if engine != "pdflatex" else "text"

    assert (
        problems(
            tmp_path, f"\\documentclass{{article}}{fonts}{fonts}\\begin{{document}}{body}\\end{{document}}", engine
        )
        == []
    )


def test_words_that_run_from_right_to_left_stay_one_stretch() -> None:
    assert in_tex("qa/اللغة العربية") == r"qa/\righttoleft{\inscript{Arabic}{اللغة العربية}}"


@pytest.mark.slow
@pytest.mark.parametrize(("names", "engine"), [((HOSTILE, LATIN), "pdflatex"), ((HOSTILE, LATIN), "xelatex"),
                                               pytest.param((SCRIPTS, HAN), "xelatex", marks=[NEEDS_HAN, NEEDS_DEJAVU])])  # fmt: skip
def test_figures_as_pgf_compile(names: tuple[str, ...], engine: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra 'figures')")
    from crossgraft.report.figures.write import write_figures

    files = [file for file in write_figures(named(*names), tmp_path, 1).files if file.suffix == ".pgf"]
    figures = "\n".join(rf"\begin{{figure}}\input{{{file.name}}}\end{{figure}}" for file in files)
    document = f"\\documentclass{{article}}\\input{{preamble}}\\begin{{document}}\n{figures}\n\\end{{document}}\n"

    assert files or which("xelatex") is None
    assert problems(tmp_path, document, engine) == []
