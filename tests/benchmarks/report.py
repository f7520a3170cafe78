"""Writes down what was measured: targets, a chart, a table for every group of figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks import chart, targets
from tests.benchmarks.records import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.records import Figure, Record
    from tests.benchmarks.targets import Verdict

_FOLDER: Final = Path("benchmarks")
_INTRODUCTION: Final = """\
# What was measured

Written by `make bench`; [docs/performance.md](../docs/performance.md) says what bounds these \
figures, and [decision 0034](../docs/decisions/0034-benchmarks.md) how they are taken.
Each figure is the median of its runs, with the lowest and the highest in brackets.
Within a run everybody is measured in turn, on the same machine, by the same load generator and \
against the same far end; so trust the ratios, and take absolute values for what this machine gives.

![Acknowledged and answered updates a second](chart.svg)
"""


def as_text(record: Record) -> str:
    """Give the figures of a part for the terminal."""
    lines = []
    for group in groups(record):
        lines.append(group)
        for figure in record.figures:
            if figure.group == group:
                value = f"{_shown(figure)} {figure.unit}"
                lines.append(f"  {figure.who:30} {figure.name:22} {value}")
    return "\n".join([*lines, *record.notes])


def write(found: Sequence[Record]) -> None:
    """Write the report and its chart from all parts that were measured."""
    _FOLDER.mkdir(exist_ok=True)
    sections = [_INTRODUCTION, _targets(targets.judge(found))]
    for record in found:
        sections.append(_measured(record))
        sections += [_table(record, group) for group in groups(record)]
    (_FOLDER / "results.md").write_text("\n".join(sections))
    (_FOLDER / "chart.svg").write_text(chart.draw(found))


def groups(record: Record) -> list[str]:
    return list(dict.fromkeys(figure.group for figure in record.figures))


def _targets(verdicts: Sequence[Verdict]) -> str:
    lines = ["## Targets", "", "| target | at least or at most | measured | |", "|---|---|---|---|"]
    for verdict in verdicts:
        target, unit = verdict.target, verdict.target.unit
        bound = f"{'≤' if target.at_most else '≥'} {target.bound:g} {unit}"
        measured = f"{_spread(verdict.found)} {unit}"
        lines.append(
            f"| {target.says} | {bound} | {measured} | {'met' if verdict.met else '**missed**'} |"
        )
    return "\n".join([*lines, ""])


def _measured(record: Record) -> str:
    runs = max((len(figure.values) for figure in record.figures), default=0)
    lines = [
        f"## {record.part.replace('_', ' ').capitalize()}",
        "",
        f"{runs} runs, {record.when}, commit `{record.commit}`, {record.machine}.",
        *record.notes,
    ]
    return "\n".join([*lines, ""])


def _table(record: Record, group: str) -> str:
    figures = [figure for figure in record.figures if figure.group == group]
    rows = list(dict.fromkeys(figure.who for figure in figures))
    units = {figure.name: figure.unit for figure in figures}
    heads = [f"{name}, {unit}" if unit else name for name, unit in units.items()]
    lines = [f"### {group}", "", f"| | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for who in rows:
        cells = []
        for name in units:
            figure = record.find(group, who, name)
            cells.append(_shown(figure) if figure is not None else "–")
        lines.append(f"| {who} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _shown(figure: Figure) -> str:
    return _spread(Summary.of(figure.values))


def _spread(found: Summary) -> str:
    return f"{_number(found.median)} ({_number(found.low)}–{_number(found.high)})"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
