"""Small charts rendered by the server as SVG, bars or lines over time, with a text alternative; no script.

Pure functions: figures in, markup out. Colours are CSS classes, defined by static/css/charts.css in a page and
passed to `print_plot` in print. No information depends on colour alone: series of bars are distinguished by a
pattern, a legend and the figure at the end of each bar; each line has its own row and its last figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from cpro.core.formatting import MoreThan, format_count

#: In SVG units, about one pixel each in a page, so that a chart remains readable on a phone.
_WIDTH, _LABELS, _FIGURES, _FIGURES_BEYOND = 288, 74, 40, 56
_BAR, _BAR_GAP, _GROUP_GAP, _LEGEND = 13, 2, 12, 20
_MAX_SERIES = 2
_MAX_LABEL = 10
#: The same for lines: where a row of a line begins and ends, its height, and the space above and below the rows.
_LINES_WIDTH, _ROW, _ROWS_TOP, _ROWS_BOTTOM = 300, 46, 8, 24


class SVG(str):
    """Markup whose texts are escaped; templates insert it unchanged."""

    def __html__(self) -> str:
        """Return the markup; templates call this on values that need no escaping."""
        return self

    def __add__(self, other: str) -> SVG:
        """Return this markup followed by another, escaped unless it is markup too."""
        return _svg("{}{}", self, other)


@dataclass(frozen=True)
class Series:
    """One kind of figure: its name in the legend, and a figure for each category."""

    label: str
    values: Sequence[int]


@dataclass(frozen=True)
class Chart:
    """Figures by category, as an SVG and as a table.

    `key` (letters and hyphens) prefixes the SVG's ids in the page, `heading` names the categories, `summary` is the
    text alternative, one sentence. Raises `ValueError` for too many series, and for a series without exactly one
    figure per category.
    """

    key: str
    title: str
    summary: str
    heading: str
    categories: Sequence[str]
    series: Sequence[Series]

    def __post_init__(self) -> None:
        if not 1 <= len(self.series) <= _MAX_SERIES:
            raise ValueError(f"a chart has one or two series, the patterns there are; {self.key} has another number")
        if any(len(each.values) != len(self.categories) for each in self.series):
            raise ValueError(f"each series of {self.key} needs one figure for each category")

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """Return the figures as a table: each category and its figures, formatted in French."""
        return [
            (category, [format_count(each.values[index]) for each in self.series])
            for index, category in enumerate(self.categories)
        ]

    @property
    def has_comparison(self) -> bool:
        """Return whether there is something to compare: at least two categories with a non-zero figure."""
        return sum(any(each.values[index] for each in self.series) for index in range(len(self.categories))) > 1

    @property
    def svg(self) -> SVG:
        """Return the chart as an SVG element."""
        return _render_bars(self)


@dataclass(frozen=True)
class Line:
    """One figure over time: its name and its points (share of the time, figure from 1 to the top of the scale)."""

    label: str
    points: Sequence[tuple[float, int]]


@dataclass(frozen=True)
class Plot:
    """The geometry of a line: its edges, the margin of its first and last points, its highest figure, its sizes."""

    left: float
    right: float
    inset: float
    top: float
    step: float
    scale: int
    radius: float

    def x(self, share: float) -> float:
        """Return the abscissa of a share of the time."""
        return round(self.left + self.inset + share * (self.right - self.left - 2 * self.inset), 2)

    def y(self, figure: float) -> float:
        """Return the ordinate of a figure."""
        return round(self.top + (self.scale - figure) * self.step, 3)


def render_plot(line: Line, plot: Plot) -> SVG:
    """Return the grid of the figures, a line and its points, to be put in an SVG element."""
    places = [(plot.x(share), plot.y(figure)) for share, figure in line.points]
    parts = SVG("")
    for y in (plot.y(figure) for figure in range(1, plot.scale + 1)):
        parts += _svg('<line class="chart-level-grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>', plot.left, plot.right, y=y)
    parts += _svg('<polyline class="chart-level-line" points="{}"/>', " ".join(f"{x},{y}" for x, y in places))
    for x, y in places:
        parts += _svg('<circle class="chart-level-dot" cx="{}" cy="{}" r="{}"/>', x, y, plot.radius)
    return parts


def print_plot(line: Line, plot: Plot, *, width: float, height: float, style: str) -> SVG:
    """Return a line as an SVG file for a printed document, whose text must describe it.

    `style` is a style sheet that gives the classes their colours.
    """
    return _svg(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><style>{style}</style>{plot}</svg>',
        width=width,
        height=height,
        style=style,
        plot=render_plot(line, plot),
    )


def render_lines(key: str, title: str, summary: str, lines: Sequence[Line], ends: Sequence[str], scale: int) -> SVG:
    """Return lines over the same period, each in its own row, as an SVG element.

    `key` and `summary` are those of `Chart`; `ends` are the first and the last day, or the only one.
    """
    height = _ROWS_TOP + _ROW * len(lines) + _ROWS_BOTTOM
    plot, parts = Plot(86, 268, inset=4, top=0, step=9, scale=scale, radius=3.5), SVG("")
    for rank, line in enumerate(lines):
        plot = replace(plot, top=_ROWS_TOP + _ROW * rank + 4)
        latest = line.points[-1][1]
        parts += render_plot(line, plot)
        parts += _text("chart-label", plot.left - 10, plot.y(2), _shortened(line.label), anchor="end")
        parts += _text("chart-figure", plot.right + 10, plot.y(latest) + 4, str(latest))
    places = (
        [(plot.left, "start"), (plot.right, "end")] if len(ends) > 1 else [((plot.left + plot.right) // 2, "middle")]
    )
    for (x, anchor), day in zip(places, ends, strict=True):
        parts += _text("chart-label", x, height - 6, day, anchor=anchor)
    return _element(key, title, summary, _LINES_WIDTH, height, parts)


def _element(key: str, title: str, summary: str, width: float, height: float, parts: SVG) -> SVG:
    """Return an SVG element with a title and a description; their text is escaped."""
    return _svg(
        '<svg class="chart" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' aria-labelledby="{key}-titre" aria-describedby="{key}-resume" focusable="false">'
        '<title id="{key}-titre">{title}</title><desc id="{key}-resume">{summary}</desc>{parts}</svg>',
        width=width,
        height=height,
        key=key,
        title=title,
        summary=summary,
        parts=parts,
    )


def _render_bars(chart: Chart) -> SVG:
    legend_height = _LEGEND * len(chart.series) + 6
    group_height = (_BAR + _BAR_GAP) * len(chart.series) + _GROUP_GAP
    height = legend_height + group_height * len(chart.categories)
    largest = max((value for each in chart.series for value in each.values), default=0)
    parts = _svg("<defs>{}</defs>", _pattern(chart))
    for rank in range(len(chart.series)):
        parts += _legend(chart, rank)
    parts += _svg(
        '<line class="chart-axis" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>',
        x=_LABELS,
        top=legend_height - 4,
        bottom=height - _GROUP_GAP + 4,
    )
    for index in range(len(chart.categories)):
        parts += _group(chart, index, top=legend_height + group_height * index, largest=largest)
    return _element(f"graphique-{chart.key}", chart.title, chart.summary, _WIDTH, height, parts)


def _pattern(chart: Chart) -> SVG:
    """Return the hatching of the second series; the first is plain."""
    return _svg(
        '<pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="chart-hatch-ground" width="6" height="6"/>'
        '<line class="chart-hatch" x1="0" x2="0" y1="0" y2="6"/></pattern>',
        id=_pattern_id(chart),
    )


def _pattern_id(chart: Chart) -> str:
    return f"graphique-{chart.key}-hachures"


def _group(chart: Chart, index: int, *, top: int, largest: int) -> SVG:
    height = (_BAR + _BAR_GAP) * len(chart.series)
    parts = _text("chart-label", _LABELS - 8, top + height / 2 + 4, _shortened(chart.categories[index]), anchor="end")
    stops = any(isinstance(value, MoreThan) for each in chart.series for value in each.values)
    room = _WIDTH - _LABELS - (_FIGURES_BEYOND if stops else _FIGURES)
    for rank, each in enumerate(chart.series):
        y, value = top + rank * (_BAR + _BAR_GAP), each.values[index]
        length = round(room * value / largest, 1) if largest else 0
        parts += _bar(chart, rank, x=_LABELS, y=y, width=length, height=_BAR)
        parts += _text("chart-figure", _LABELS + length + 5, y + _BAR - 2, _figure(value))
    return parts


def _figure(value: int) -> str:
    """Return a figure as written at the end of a bar: « > 10 000 » where counting stopped."""
    return format_count(value).replace("plus de", ">")


def _legend(chart: Chart, rank: int) -> SVG:
    y = rank * _LEGEND
    return _bar(chart, rank, x=1, y=y + 1, width=14, height=12) + _text(
        "chart-legend", 22, y + 11, chart.series[rank].label
    )


def _bar(chart: Chart, rank: int, *, x: float, y: float, width: float, height: float) -> SVG:
    fill = _svg(' fill="url(#{id})"', id=_pattern_id(chart)) if rank else SVG("")
    return _svg(
        '<rect class="chart-bar chart-bar-{rank}"{fill} x="{x}" y="{y}" width="{width}" height="{height}"/>',
        rank=rank,
        fill=fill,
        x=x,
        y=y,
        width=width,
        height=height,
    )


def _text(css: str, x: float, y: float, words: str, *, anchor: str = "") -> SVG:
    anchored = _svg(' text-anchor="{}"', anchor) if anchor else SVG("")
    return _svg(
        '<text class="{css}" x="{x}" y="{y}"{anchored}>{words}</text>',
        css=css,
        x=x,
        y=y,
        anchored=anchored,
        words=words,
    )


def _shortened(label: str) -> str:
    return label if len(label) <= _MAX_LABEL else f"{label[: _MAX_LABEL - 1]}…"


def _svg(template: str, *values: object, **named: object) -> SVG:
    """Return the template filled with values, each escaped unless it is markup itself."""
    return SVG(template.format(*map(_escaped, values), **{name: _escaped(each) for name, each in named.items()}))


def _escaped(value: object) -> str:
    return value if isinstance(value, SVG) else escape(str(value))
