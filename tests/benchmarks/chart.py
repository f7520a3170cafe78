"""The chart of the report: bars as SVG, readable on a light and on a dark ground."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from tests.benchmarks.parts import ingress, round_trip
from tests.benchmarks.records import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.records import Figure, Record

_WIDTH: Final = 760
_LABELS: Final = 210
_NUMBERS: Final = 90
_BAR: Final = 18
_ROW: Final = 28
#: What is drawn, with the heading of each block: a group of figures and the name of one.
_BLOCKS: Final = (
    (ingress.answered(32), "acknowledged", "Updates acknowledged a second, 32 connections"),
    (round_trip.SUSTAINED, "answered", "Updates answered at the far end a second, 1,000 chats"),
)
_STYLE: Final = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.head { font-weight: 600 }
.ours { fill: #8250df } .theirs { fill: #9aa4af } .spread { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ours { fill: #b18bff } .theirs { fill: #6b7683 } .spread { stroke: #e6edf3 }
}"""


def draw(found: Sequence[Record]) -> str:
    """Draw the blocks whose figures were taken; the thin line shows the spread of the runs."""
    parts: list[str] = []
    top = 24
    for group, name, heading in _BLOCKS:
        figures = [
            figure
            for record in found
            for figure in record.figures
            if figure.group == group and figure.name == name
        ]
        if figures:
            parts.append(f'<text class="head" x="0" y="{top}">{escape(heading)}</text>')
            parts += _bars(figures, top + 12)
            top += 12 + _ROW * len(figures) + 36
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}"'
        f' width="{_WIDTH}" height="{top}" role="img">\n<style>\n{_STYLE}\n</style>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _bars(figures: Sequence[Figure], top: int) -> list[str]:
    most = max(Summary.of(figure.values).high for figure in figures)
    scale = (_WIDTH - _LABELS - _NUMBERS) / most
    drawn = []
    for row, figure in enumerate(figures):
        found = Summary.of(figure.values)
        y, middle = top + row * _ROW, top + row * _ROW + _BAR / 2
        kind = "ours" if figure.who.startswith("Velvet Rope") else "theirs"
        length = found.median * scale
        low, high = _LABELS + found.low * scale, _LABELS + found.high * scale
        drawn += [
            f'<text x="{_LABELS - 8}" y="{y + 14}" text-anchor="end">{escape(figure.who)}</text>',
            f'<rect class="{kind}" x="{_LABELS}" y="{y}" width="{length:.1f}" height="{_BAR}"/>',
            f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>',
            f'<text x="{high + 8:.1f}" y="{y + 14}">{found.median:,.0f}</text>',
        ]
    return drawn
