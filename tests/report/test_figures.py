"""Figures for papers: which files, which fonts, and labels of any script as they should be."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra 'figures')")

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import _text_helpers, rc_context
from matplotlib.font_manager import findfont, findSystemFonts, fontManager, get_font

from crossgraft.analysis.findings import Findings, analyse
from crossgraft.cli import main
from crossgraft.core import Point, Treatment
from crossgraft.report.figures import matrix
from crossgraft.report.figures.fonts import fonts_for
from crossgraft.report.figures.style import WIDTHS, Style, shown
from crossgraft.report.figures.write import write_figures
from crossgraft.report.scripts import region
from crossgraft.transfer.synthetic import SyntheticGrid
from outcomes import BASE, answers, matrix_of, measured, trained

PRIVATE = "\U000f1234"  # a place for private use
FINDINGS = analyse(SyntheticGrid(models=2, tasks=2, languages=3, items=60, same_task=6, source=3).matrix(1))


def named(name: str) -> Findings:
    """A study with one treatment of this name."""
    treated = measured(Treatment("m", name, "given"), answers([1, 1] * 20))
    return analyse(matrix_of(measured(BASE, answers([0, 1] * 20)), treated))


@pytest.fixture
def font_with_a_letter_of_its_own(tmp_path: Path) -> Iterator[str]:
    """A font of one glyph, which no other font has."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((500, 0))
    pen.lineTo((500, 700))
    pen.closePath()
    glyph, file = pen.glyph(), tmp_path / "one.ttf"
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "private"])
    builder.setupCharacterMap({ord(PRIVATE): "private"})
    builder.setupGlyf({".notdef": glyph, "private": glyph})
    builder.setupHorizontalMetrics({".notdef": (600, 0), "private": (600, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "One Private Letter", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(file)
    before = list(fontManager.ttflist)
    fontManager.addfont(file)
    yield "One Private Letter"
    fontManager.ttflist[:] = before


def test_every_figure_is_written_as_svg_pdf_and_png(tmp_path: Path) -> None:
    written = write_figures(FINDINGS, tmp_path)

    stems = {file.stem for file in written.files if file.suffix != ".tex"}
    assert {
        "matrix-model0",
        "matrix-model1",
        "donors-languages",
        "recipients-points",
        "harm-model0",
        "regimes",
    } <= stems
    for stem in stems:
        assert (tmp_path / f"{stem}.svg").read_bytes().startswith(b"<?xml")
        assert (tmp_path / f"{stem}.pdf").read_bytes().startswith(b"%PDF")
        assert (tmp_path / f"{stem}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("columns", [1, 2])
def test_a_figure_is_as_wide_as_the_columns(columns: int) -> None:
    drawing = next(matrix.drawings(FINDINGS, Style(columns, ("DejaVu Sans",))))  # type: ignore[arg-type]

    assert drawing.figure.get_figwidth() == WIDTHS[columns]


def test_the_same_findings_make_the_same_files(tmp_path: Path) -> None:
    first, second = (write_figures(FINDINGS, tmp_path / name).files for name in ("a", "b"))

    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_a_font_that_has_the_script_is_taken(font_with_a_letter_of_its_own: str) -> None:
    fonts = fonts_for([f"mixed {PRIVATE} label"])

    assert fonts.families == ("DejaVu Sans", font_with_a_letter_of_its_own)
    assert not fonts.missing


def test_a_script_without_a_font_is_named_in_one_sentence(tmp_path: Path) -> None:
    written = write_figures(named("\U00013000"), tmp_path)

    (sentence,) = (one for one in written.sentences if "font" in one)
    assert "(Egyptian): they are drawn as boxes" in sentence


def test_a_tex_that_does_not_work_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in ("lualatex", "xelatex", "pdflatex"):
        (tmp_path / engine).write_text("#!/bin/sh\necho '! no format'; exit 1\n")
        (tmp_path / engine).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    written = write_figures(named("a"), tmp_path / "figures")

    assert not any(file.suffix == ".pgf" for file in written.files)
    assert any("lualatex failed" in sentence for sentence in written.sentences)


HAN = [file for file in findSystemFonts() if "NotoSansCJK" in file or "SourceHanSans" in file]


@pytest.mark.skipif(not HAN, reason="no font with Han letters (Noto Sans CJK) is installed")
@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_han_letters_kana_and_hangul_are_drawn_and_not_boxes(kind: str, tmp_path: Path) -> None:
    label = "中文 日本語かな 한국어"
    fonts = fonts_for([label])
    style = Style(2, fonts.families)

    with rc_context(style.settings):  # a glyph that is missing is a warning, and warnings are errors here
        drawing = next(matrix.drawings(named(label), style))
        drawing.figure.savefig(tmp_path / f"matrix.{kind}")

    assert not fonts.missing
    assert fonts.sentences == (f"Figures take letters that DejaVu Sans lacks from {fonts.families[1]}.",)


def test_a_font_that_was_installed_since_is_found(
    font_with_a_letter_of_its_own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [font for font in fontManager.ttflist if font.name == font_with_a_letter_of_its_own]
    monkeypatch.setattr("crossgraft.report.figures.fonts.findSystemFonts", lambda: [known[0].fname])
    monkeypatch.setattr(fontManager, "ttflist", [font for font in fontManager.ttflist if font.name == "DejaVu Sans"])

    assert fonts_for([PRIVATE]).families == ("DejaVu Sans", font_with_a_letter_of_its_own)


@pytest.mark.parametrize(("label", "form"), [("中文", "SC"), ("日本語かな", "JP"), ("한국어", "KR")])
def test_han_letters_have_the_form_of_their_language(label: str, form: str) -> None:
    assert region(label) == form


def test_hebrew_is_written_from_right_to_left_and_arabic_is_joined() -> None:
    font = get_font(findfont("DejaVu Sans"))
    hebrew = sorted(_text_helpers.layout("אב", font), key=lambda item: item.x)
    alone, joined = ({item.glyph_index for item in _text_helpers.layout(text, font)} for text in ("ع", "ععع"))

    assert [item.char for item in hebrew] == ["ב", "א"]
    assert not alone & joined


@pytest.mark.parametrize("name", ["$\\frac{$", "_hidden", "<b>&amp;", "a\u202eb", "x" * 10_000, "[0]{1}%s"])
def test_no_name_is_taken_for_a_command(name: str, tmp_path: Path) -> None:
    written = write_figures(named(name), tmp_path)

    assert any(file.name == "matrix.png" for file in written.files)


def test_a_long_name_is_cut_and_what_cannot_be_seen_is_written_out() -> None:
    assert len(shown("x" * 10_000)) == 40
    assert shown("a\u202eb") == "a\\u202eb"


def test_missing_cells_leave_the_matrix_without_colour(tmp_path: Path) -> None:
    pairs = [measured(BASE, answers([0, 1] * 20)), measured(trained(), answers([1, 1] * 20))]
    pairs += [
        measured(replace(trained(), name="other", source=Point("b", "de")), answers([1, 1] * 20), Point("b", "de"))
    ]
    (drawing,) = matrix.drawings(analyse(matrix_of(*pairs)), Style(2, ("DejaVu Sans",)))

    changes = drawing.figure.axes[0].collections[0].get_array()
    assert changes.mask.sum() == changes.size - 1


def test_the_command_line_writes_figures_and_tables(tmp_path: Path, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    rows = [
        f"m,{name},{name and 'qa/de'},qa/sw,{item},{score}" for name, score in (("", 0), ("a", 1)) for item in range(30)
    ]
    (tmp_path / "t.csv").write_text("\n".join(["model,treatment,source,target,item,score", *rows]))
    monkeypatch.setattr(sys, "argv", ["crossgraft", "read", "t.csv", "--figures", "--figure-width", "1", "--latex"])
    with pytest.raises(SystemExit) as stop:
        main()

    assert stop.value.code == 0
    assert (tmp_path / "reports/t/figures/matrix.pdf").is_file()
    assert (tmp_path / "reports/t/tables/matrix.tex").is_file()
