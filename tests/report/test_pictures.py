"""Charts: values where they belong, what is missing shown as missing, names of strangers harmless."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from crossgraft.report.pictures.axes import Scale
from crossgraft.report.pictures.draw import drawn
from crossgraft.report.pictures.kinds import Chart, Curves, Dots, Heat, Line, Mark, Scatter, Spot
from crossgraft.report.pictures.scatter import frontier

EVIL = "<script>alert(1)</script>\u202e" + "x" * 10_000
CHARTS: dict[str, Chart] = {
    "dots": Dots(EVIL, EVIL, (Mark(EVIL, 1.0, -1.0, 2.0), Mark("b", -3.0)), EVIL),
    "bars": Dots(EVIL, EVIL, (Mark(EVIL, 40.0, 10.0, 70.0), Mark("b", 0.0)), EVIL, bars=True),
    "scatter": Scatter(EVIL, EVIL, EVIL, (Spot(EVIL, 1.0, 2.0, 3.0, 1.0, 30.0), Spot("b", 0.0, 0.0)), EVIL, frontier=True),
    "curves": Curves(EVIL, EVIL, EVIL, (Line(EVIL, ((1.0, 2.0), (2.0, 1.0))), Line("b", ((1.0, 1.0),))), EVIL),
    "doublings": Curves(EVIL, EVIL, EVIL, (Line(EVIL, ((50.0, 0.1), (400.0, 0.5))),), EVIL, doubling=True),
    "steps": Curves(EVIL, EVIL, EVIL, (Line(EVIL, ((0, 0.1), (1, 0.5)), ((0.0, 0.2), (0.4, 0.6))),), EVIL, steps=(EVIL, "b")),
    "heat": Heat(EVIL, (EVIL, "b"), (EVIL, "d"), ((1.0, None), (0.5, 0.0)), about=EVIL),
}  # fmt: skip


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_well_formed_titled_and_described(name: str) -> None:
    figure = ElementTree.fromstring(str(drawn(CHARTS[name])))

    svg = figure.find("svg")
    assert svg is not None
    assert svg.get("role") == "img"
    assert svg.get("aria-label")
    assert svg.find("desc") is not None
    assert figure.find(".//script") is None


@pytest.mark.parametrize("name", CHARTS)
def test_a_long_name_is_cut_where_it_is_drawn(name: str) -> None:
    svg = ElementTree.fromstring(str(drawn(CHARTS[name]))).find("svg")

    assert svg is not None
    words = [element.text or "" for element in svg.iter("text") if element.get("class") != "tick"]
    assert max(map(len, words)) <= 34


def test_a_dot_stands_at_its_value_and_its_interval_around_it() -> None:
    svg = str(drawn(Dots("t", "pp", (Mark("a", 2.0, 1.0, 4.0), Mark("b", -2.0, -4.0, -1.0)))))

    first, second = map(float, re.findall(r'<circle class="dot" cx="([\d.]+)"', svg))
    zero = float(re.search(r'class="zero" d="M([\d.]+)', svg)[1])  # type: ignore[index]
    low, high = map(float, re.search(r'class="interval" d="M([\d.]+) [\d.]+L([\d.]+)', svg).groups())  # type: ignore[union-attr]
    assert first - zero == pytest.approx(zero - second, abs=0.2)
    assert (first - low) * 2 == pytest.approx(high - first, abs=0.4)


def test_a_missing_cell_of_a_heat_map_is_a_stroke_and_no_shade() -> None:
    svg = str(drawn(Heat("t", ("a",), ("b", "c"), ((0.5, None),))))

    assert svg.count('class="shade"') == 1
    assert "a, c: missing" in svg


def test_the_frontier_has_those_that_none_beats_in_both_directions() -> None:
    spots = [Spot(str(n), x, y) for n, (x, y) in enumerate([(0, 9), (3, 5), (2, 5), (4, 5), (6, 1), (5, 0)])]

    best = {spot.name for spot in frontier(spots)}

    beaten = {b.name for a in spots for b in spots if a.x >= b.x and a.y >= b.y and (a.x, a.y) != (b.x, b.y)}
    assert best == {spot.name for spot in spots} - beaten


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [-1e-9, 1e-9], [-300.0, 4000.0], []])
def test_a_scale_has_ticks_within_its_ends(values: list[float]) -> None:
    scale = Scale.of(values, 0, 100)

    assert 1 <= len(scale.ticks) <= 12
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks)


def test_a_line_with_intervals_has_one_at_each_point_that_has_one() -> None:
    line = Line("a", ((0, 1.0), (1, 3.0)), ((0.5, 1.5), (float("nan"), float("nan"))))
    svg = str(drawn(Curves("t", "x", "y", (line,), steps=("rare", "common"))))

    low, high = map(float, re.search(r'class="interval" d="M[\d.]+ ([\d.]+)L[\d.]+ ([\d.]+)', svg).groups())  # type: ignore[union-attr]
    first, _ = map(float, re.findall(r'<circle class="dot" cx="[\d.]+" cy="([\d.]+)"', svg))
    assert first == pytest.approx((low + high) / 2, abs=0.1)
    assert svg.count('class="interval"') == 1
    assert ">rare</text>" in svg


def test_an_axis_leaves_out_names_that_would_lie_on_others() -> None:
    points = tuple((float(x), 1.0) for x in (1000, 1010, 64000))
    svg = str(drawn(Curves("t", "pairs", "y", (Line("a", points),), doubling=True)))

    assert ">1,000</text>" in svg
    assert ">1,010</text>" not in svg
    assert ">64,000</text>" in svg
