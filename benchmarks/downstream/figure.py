"""One panel per task: the task's score over that of BLI on the same pairs, a dot per method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from crossgraft.analysis.mappings.standings import Standing, TaskStandings
from crossgraft.analysis.wording import number_of

PANEL, LEFT, TOP, GAP = 250, 60, 40, 70
COLUMNS = 3
LINE = 10  # from one name to the next
TICKS = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Dot:
    name: str
    x: float
    y: float

    @property
    def is_smaller(self) -> bool:
        """Whether the method had only a part of the dictionary: such dots are pale and have no name."""
        return "(" in self.name


def drawn(tasks: Sequence[TaskStandings]) -> str:
    """The first task is BLI."""
    bli, *others = tasks
    columns, lines = min(len(others), COLUMNS), -(-len(others) // COLUMNS)
    width, height = LEFT + columns * (PANEL + GAP), lines * (PANEL + TOP + GAP)
    parts = [f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for number, task in enumerate(others):
        origin = LEFT + number % COLUMNS * (PANEL + GAP), TOP + number // COLUMNS * (PANEL + TOP + GAP)
        title = f"{task.task}, {task.metric}, {number_of(len(task.pairs), 'pair')}"
        parts += panel(origin, title, dots(bli, task))
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="10">{"".join(parts)}</svg>\n'


def dots(bli: TaskStandings, task: TaskStandings) -> list[Dot]:
    """The methods that both tasks have, from the highest score down."""
    x_of = {standing.row: standing for standing in bli.standings}
    found = [
        Dot(standing.row.label, on_pairs(x_of[standing.row], task.pairs), standing.mean.value)
        for standing in task.standings
        if standing.row in x_of
    ]
    return sorted(found, key=lambda dot: -dot.y)


def on_pairs(standing: Standing, pairs: Sequence[str]) -> float:
    values = [standing.by_pair[pair].value for pair in pairs if pair in standing.by_pair]
    return sum(values) / len(values)


def panel(origin: tuple[int, int], title: str, shown: Sequence[Dot]) -> Iterator[str]:
    left, top = origin
    most = Dot("", *(1.15 * max(values, default=1) or 1 for values in ([d.x for d in shown], [d.y for d in shown])))
    yield f'<text x="{left}" y="{top - 8}" font-size="12" font-weight="bold">{escape(title)}</text>'
    yield from axes(left, top, most)
    free = 0.0  # where the next name may stand, so that none covers another
    for dot in shown:
        x, y = left + PANEL * dot.x / most.x, top + PANEL * (1 - dot.y / most.y)
        opacity = 0.3 if dot.is_smaller else 0.9
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#1f62a8" fill-opacity="{opacity}"/>'
        if not dot.is_smaller:
            beside = max(y + 3, free)
            free = beside + LINE
            yield from name(dot.name, (x, y), beside, inner=left + PANEL * 0.55 if dot.x > 0.6 * most.x else None)


def axes(left: int, top: int, most: Dot) -> Iterator[str]:
    yield f'<path d="M{left} {top}v{PANEL}h{PANEL}" fill="none" stroke="#666"/>'
    yield f'<text x="{left + PANEL}" y="{top + PANEL + 28}" text-anchor="end">BLI, MAP on the same pairs</text>'
    for part in TICKS:
        x, y = left + PANEL * part, top + PANEL * (1 - part)
        yield f'<text x="{x}" y="{top + PANEL + 14}" text-anchor="middle">{most.x * part:.2f}</text>'
        yield f'<text x="{left - 5}" y="{y + 4}" text-anchor="end">{most.y * part:.2f}</text>'


def name(text: str, dot: tuple[float, float], beside: float, *, inner: float | None) -> Iterator[str]:
    """The name of a dot with a line to it: to the right of the dot, or ending at ``inner`` where the panel ends soon."""
    x, y = dot
    start, end, anchor = (x + 4, x + 8, "start") if inner is None else (x - 4, inner, "end")
    yield f'<path d="M{start:.1f} {y:.1f}L{end:.1f} {beside - 3:.1f}" stroke="#bbb" stroke-width="0.6"/>'
    yield f'<text x="{end:.1f}" y="{beside:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
