"""Inline SVG for web pages: marks over a picture, dots, and curves of a run."""

import math
from collections.abc import Callable, Sequence
from html import escape

from motes.apps.drawing.marks import Mark

# of a curve's box, in its own units; the curve keeps off its upper and lower edge
WIDTH = 300.0
HEIGHT = 100.0
ABOVE = 12
BELOW = 8
# a curve has a logarithmic axis if its largest value is more than this many times its smallest
DECADES = 30


def rings(marks: Sequence[Mark], picture: int, rows: int, columns: int) -> str:
    """A ring with a number for each mark.

    The attribute `data-mote` names the particle, so that a page can highlight it in every drawing.
    """
    return _over("".join(_ring(mark, picture, rows, columns) for mark in marks), rows, columns)


def _ring(mark: Mark, picture: int, rows: int, columns: int) -> str:
    unit = min(rows, columns)
    x = mark.column * columns
    y = mark.row * rows
    radius = mark.radius * unit
    circle = f'cx="{x:.2f}" cy="{y:.2f}" r="{radius:.2f}"'
    number = ""
    if mark.sure:
        # up and right, never outside
        number = _number(mark, min(x + radius, columns - 0.06 * unit), max(y - radius, 0.065 * unit))
    kind = "mote" if mark.sure else "mote doubted"
    return (
        f'<g class="{kind}" data-mote="{picture}-{mark.number}" style="--c:{_css(mark)}">'
        f"<title>{escape(mark.label)}</title>"
        f'<circle class="rim" {circle}/><circle {circle}/>{number}</g>'
    )


def _number(mark: Mark, left: float, bottom: float) -> str:
    return f'<text x="{left:.2f}" y="{bottom:.2f}">{mark.number}</text>'


def dots(points: Sequence[Sequence[float]], rows: int, columns: int) -> str:
    """A dot at each of the points, which are (row, column) in [-1, 1].

    -1 and 1 are the middles of the outermost pixels.
    """
    radius = min(rows, columns) / 55
    circles = []
    for row, column in points:
        x = 0.5 + (column + 1) / 2 * (columns - 1)
        y = 0.5 + (row + 1) / 2 * (rows - 1)
        circles.append(f'<circle class="dot" cx="{x:.2f}" cy="{y:.2f}" r="{radius:.2f}"/>')
    return _over("".join(circles), rows, columns)


def curve(
    points: Sequence[tuple[int, float]], title: str, last_step: int, stages: Sequence[tuple[int, str]] = ()
) -> str:
    """A curve of (step, value) points with its first and last values, and a tick where each stage begins.

    The scale is logarithmic where the values span decades. Values that are not finite are left out.
    """
    usable = [(step, value) for step, value in points if math.isfinite(value)]
    if not usable:
        return ""
    values = [value for _, value in usable]
    scale = _scale(values)
    last = last_step or 1.0
    heights = _heights(values, scale)
    line = [(step / last * WIDTH, height) for (step, _), height in zip(usable, heights, strict=True)]
    ticks = "".join(_tick(step / last * WIDTH, step, name) for step, name in stages)
    name = escape(title.replace("_", " "))
    return _figure(name, _note(values), " · log" if scale is math.log10 else "", ticks + _line(line))


def _scale(values: Sequence[float]) -> Callable[[float], float]:
    low = min(values)
    return math.log10 if low > 0 and max(values) / low > DECADES else float


def _heights(values: Sequence[float], scale: Callable[[float], float]) -> list[float]:
    """The vertical coordinates of the values, measured downwards from the upper edge."""
    bottom = scale(min(values))
    span = (scale(max(values)) - bottom) or 1.0
    return [HEIGHT - BELOW - (scale(value) - bottom) / span * (HEIGHT - BELOW - ABOVE) for value in values]


def _note(values: Sequence[float]) -> str:
    first = f"{values[0]:.4g}"
    return f"{first} → {values[-1]:.4g}" if len(values) > 1 else first


def _tick(x: float, step: int, stage: str) -> str:
    return (
        f'<line class="stage" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{HEIGHT - 4:.0f}">'
        f"<title>{escape(stage)} begins at step {step:g}</title></line>"
    )


def _line(points: Sequence[tuple[float, float]]) -> str:
    """A curve through the points, over a base line, with a dot at its end."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return (
        f'<line x1="0" y1="{HEIGHT - 4:.0f}" x2="{WIDTH:.0f}" y2="{HEIGHT - 4:.0f}"/>'
        f'<polyline points="{path}"/><circle class="end" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'
    )


def _figure(name: str, note: str, scale: str, drawing: str) -> str:
    return (
        f'<figure class="curve"><figcaption><b>{name}</b><span>{note}{scale}</span></figcaption>'
        f'<svg viewBox="-3 0 {WIDTH + 6:.0f} {HEIGHT:.0f}" role="img" aria-label="{name}: {note}">'
        f"{drawing}</svg></figure>"
    )


def _over(drawing: str, rows: int, columns: int) -> str:
    unit = min(rows, columns) / 64
    return f'<svg class="over" viewBox="0 0 {columns} {rows}" style="--u:{unit:.3f}px">{drawing}</svg>'


def _css(mark: Mark) -> str:
    return "rgb({} {} {})".format(*mark.colour)
