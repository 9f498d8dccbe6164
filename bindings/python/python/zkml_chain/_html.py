"""Tables and plots for notebooks: plain HTML and SVG, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

# Most rows of a plot; a page of them says less than the largest.
_ROWS = 24
_STYLE = (
    "<style>.zkml{font:13px/1.5 system-ui,sans-serif}.zkml h4{margin:.2em 0 .4em;font-size:1.05em}"
    ".zkml table{border-collapse:collapse;margin:.2em 0 .8em}.zkml td{font-size:13px;text-align:left;padding:.1em 1.2em .1em 0}"
    ".zkml td:first-child{opacity:.7}.zkml svg{display:block;margin:.4em 0 .8em}</style>"
)


class Picture:
    """A picture that notebooks show."""

    def __init__(self, svg: str) -> None:
        self._svg = svg

    def __str__(self) -> str:
        return self._svg

    def _repr_svg_(self) -> str:
        return self._svg


def bars(title: str, values: Mapping[str, float], form: str) -> Picture:
    """Horizontal bars, one for each value; ``form`` writes the values."""
    shown = list(values.items())
    if len(shown) > _ROWS:
        kept = sorted(values, key=lambda name: -values[name])[:_ROWS]
        title += f" (the largest {_ROWS} of {len(shown)})"
        shown = [(name, value) for name, value in shown if name in kept]
    width, left, row, top = 640, 220, 20, 26
    most = max((value for _, value in shown), default=0.0) or 1.0
    parts = [f'<text x="0" y="14" font-weight="600">{escape(title)}</text>']
    for at, (name, value) in enumerate(shown):
        y = top + at * row
        length = max((width - left - 90) * value / most, 1.0)
        label = name if len(name) <= 30 else f"{name[:14]}…{name[-15:]}"
        parts.append(
            f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(label)}<title>{escape(name)}</title></text>'
            f'<rect x="{left}" y="{y + 3}" width="{length:.1f}" height="{row - 7}" rx="2" fill="#4c78a8"/>'
            f'<text x="{left + length + 6:.1f}" y="{y + 13}" opacity=".8">{escape(form.format(value))}</text>'
        )
    height = top + len(shown) * row + 4
    return Picture(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui,sans-serif" font-size="12" fill="currentColor" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )


def chain(title: str, boxes: Iterable[tuple[str, str]]) -> Picture:
    """Boxes in a row that wraps, each a name with a line below it: the nodes of a model in their order."""
    shown = list(boxes)
    more = len(shown) - 40
    shown = shown[:40]
    across, wide, high = 4, 152, 52
    parts = [f'<text x="0" y="14" font-weight="600">{escape(title)}{f", and {more} more" if more > 0 else ""}</text>']
    for at, (name, below) in enumerate(shown):
        x, y = (at % across) * (wide + 12), 24 + (at // across) * (high + 8)
        parts.append(
            f'<rect x="{x + 0.5}" y="{y + 0.5}" width="{wide}" height="{high - 8}" rx="5" fill="none" stroke="currentColor" opacity=".4"/>'
            f'<text x="{x + 8}" y="{y + 18}">{escape(_short(name, 22))}<title>{escape(name)}</title></text>'
            f'<text x="{x + 8}" y="{y + 35}" opacity=".7" font-size="11">{escape(_short(below, 25))}</text>'
        )
        if at % across < across - 1 and at < len(shown) - 1:
            parts.append(f'<text x="{x + wide + 2}" y="{y + 27}" opacity=".6">›</text>')
    height = 28 + -(-len(shown) // across) * (high + 8)
    return Picture(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 650 {height}" width="650" height="{height}" '
        'font-family="system-ui,sans-serif" font-size="12" fill="currentColor">' + "".join(parts) + "</svg>"
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most - most // 2) :]}"


def table(rows: Mapping[str, str]) -> str:
    """A table of two columns."""
    cells = "".join(f"<tr><td>{escape(k)}</td><td>{escape(v)}</td></tr>" for k, v in rows.items())
    return f"<table>{cells}</table>"


def page(title: str, parts: Iterable[str | Picture]) -> str:
    """A piece of a page with a title; texts are HTML."""
    return f'{_STYLE}<div class="zkml"><h4>{escape(title)}</h4>' + "".join(str(part) for part in parts) + "</div>"
