"""Drawings as inline SVG, for pages: marks over a picture, dots, curves of a run."""

import math
from collections.abc import Sequence
from html import escape

from motes.apps.drawing.marks import Mark

# of a curve, in its own units
WIDTH = 300.0
HEIGHT = 100.0


def rings(found: Sequence[Mark], picture: int, rows: int, columns: int) -> str:
    """A ring a particle, with its number; `data-mote` names it, so that a page can show what belongs
    together."""
    unit = min(rows, columns)
    drawn = []
    for mark in found:
        x = 0.5 + mark.column * (columns - 1)
        y = 0.5 + mark.row * (rows - 1)
        r = mark.radius * unit
        kind = "mote" if mark.there else "mote doubted"
        at = min(x + r, columns - 0.06 * unit), max(y - r, 0.065 * unit)  # up and right, never outside
        number = f'<text x="{at[0]:.2f}" y="{at[1]:.2f}">{mark.number}</text>' if mark.there else ""
        drawn.append(
            f'<g class="{kind}" data-mote="{picture}-{mark.number}" style="--c:{_css(mark)}"><title>{escape(mark.label)}</title>'
            f'<circle class="rim" cx="{x:.2f}" cy="{y:.2f}" r="{r:.2f}"/><circle cx="{x:.2f}" cy="{y:.2f}" r="{r:.2f}"/>{number}</g>'
        )
    return _over("".join(drawn), rows, columns)


def dots(points: Sequence[Sequence[float]], rows: int, columns: int) -> str:
    """Points given as (row, column) in [-1, 1]."""
    places = [
        (0.5 + (column + 1) / 2 * (columns - 1), 0.5 + (row + 1) / 2 * (rows - 1)) for row, column in points
    ]
    return _over(
        "".join(
            f'<circle class="dot" cx="{x:.2f}" cy="{y:.2f}" r="{min(rows, columns) / 55:.2f}"/>'
            for x, y in places
        ),
        rows,
        columns,
    )


def curve(
    points: Sequence[tuple[int, float]], title: str, last_step: int, stages: Sequence[tuple[int, str]] = ()
) -> str:
    """One line over steps, with its first and last values; logarithmic where the values span decades; a tick
    where a stage begins."""
    usable = [(x, y) for x, y in points if math.isfinite(y)]
    if not usable:
        return ""
    low = min(y for _, y in usable)
    high = max(y for _, y in usable)
    scale = math.log10 if low > 0 and high / low > 30 else float
    bottom = scale(low)
    span = (scale(high) - scale(low)) or 1.0
    last = last_step or 1.0
    places = [(x / last * WIDTH, HEIGHT - 8 - (scale(y) - bottom) / span * (HEIGHT - 20)) for x, y in usable]
    note = f"{usable[0][1]:.4g} → {usable[-1][1]:.4g}" if len(usable) > 1 else f"{usable[0][1]:.4g}"
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    ticks = "".join(
        f'<line class="stage" x1="{x / last * WIDTH:.1f}" x2="{x / last * WIDTH:.1f}" y1="4" y2="{HEIGHT - 4:.0f}"><title>{escape(name)} begins at step {x:g}</title></line>'
        for x, name in stages
    )
    end = f'<circle class="end" cx="{places[-1][0]:.1f}" cy="{places[-1][1]:.1f}" r="2.6"/>'
    name = escape(title.replace("_", " "))
    return (
        f'<figure class="curve"><figcaption><b>{name}</b><span>{note}{" · log" if scale is math.log10 else ""}</span></figcaption>'
        f'<svg viewBox="-3 0 {WIDTH + 6:.0f} {HEIGHT:.0f}" role="img" aria-label="{name}: {note}">{ticks}'
        f'<line x1="0" y1="{HEIGHT - 4:.0f}" x2="{WIDTH:.0f}" y2="{HEIGHT - 4:.0f}"/><polyline points="{path}"/>{end}</svg></figure>'
    )


def _over(drawing: str, rows: int, columns: int) -> str:
    return f'<svg class="over" viewBox="0 0 {columns} {rows}" style="--u:{min(rows, columns) / 64:.3f}px">{drawing}</svg>'


def _css(mark: Mark) -> str:
    return "rgb({} {} {})".format(*mark.colour)
