"""Small bar charts rendered by the server as SVG with a text alternative; no script, no style, no colour alone.

Pure: figures in, markup out. Colours are classes of static/css/charts.css; series are told apart by a pattern, a legend
and the figure at the end of each bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cpro.core.formatting import format_count

#: In units of the SVG, which a page shows at about one pixel each: it stays readable on a phone.
_WIDTH, _LABELS, _FIGURES = 288, 74, 40
_BAR, _BAR_GAP, _GROUP_GAP, _LEGEND = 13, 2, 12, 20
_MAX_SERIES = 2
_MAX_LABEL = 10


@dataclass(frozen=True)
class Series:
    """One kind of figure: its name in the legend, and a figure for each category."""

    label: str
    values: Sequence[int]


@dataclass(frozen=True)
class Chart:
    """Figures by category, as an SVG and as a table.

    `key` (letters and hyphens) begins the SVG's ids in the page, `heading` names the categories, `summary` is a
    sentence for those who do not see it. Raises `ValueError` for too many series, and for a series that has not one
    figure for each category.
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
        """Return the same figures as a table: each category and its figures, written in French."""
        return [
            (category, [format_count(each.values[index]) for each in self.series])
            for index, category in enumerate(self.categories)
        ]

    @property
    def svg(self) -> Markup:
        """Return the chart as an SVG element."""
        return render_chart(self)


def render_chart(chart: Chart) -> Markup:
    """Return horizontal bars as an SVG element with a title and a description; whatever it holds is escaped."""
    legend_height = _LEGEND * len(chart.series) + 6
    group_height = (_BAR + _BAR_GAP) * len(chart.series) + _GROUP_GAP
    height = legend_height + group_height * len(chart.categories)
    largest = max((value for each in chart.series for value in each.values), default=0)
    groups = [
        _group(chart, index, top=legend_height + group_height * index, largest=largest)
        for index in range(len(chart.categories))
    ]
    title_id, summary_id = f"graphique-{chart.key}-titre", f"graphique-{chart.key}-resume"
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' aria-labelledby="{title_id}" aria-describedby="{summary_id}" focusable="false">'
        '<title id="{title_id}">{title}</title><desc id="{summary_id}">{summary}</desc>'
        "<defs>{patterns}</defs>{legend}{axis}{groups}</svg>"
    ).format(
        width=_WIDTH,
        height=height,
        title_id=title_id,
        summary_id=summary_id,
        title=chart.title,
        summary=chart.summary,
        patterns=_pattern(chart),
        legend=Markup().join(_legend(chart, index) for index in range(len(chart.series))),
        axis=Markup('<line class="chart-axis" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>').format(
            x=_LABELS, top=legend_height - 4, bottom=height - _GROUP_GAP + 4
        ),
        groups=Markup().join(groups),
    )


def _pattern(chart: Chart) -> Markup:
    """Return the hatching of the second series; the first is plain."""
    return Markup(
        '<pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="chart-hatch-ground" width="6" height="6"/>'
        '<line class="chart-hatch" x1="0" x2="0" y1="0" y2="6"/></pattern>'
    ).format(id=_pattern_id(chart))


def _pattern_id(chart: Chart) -> str:
    return f"graphique-{chart.key}-hachures"


def _group(chart: Chart, index: int, *, top: int, largest: int) -> Markup:
    label = chart.categories[index]
    if len(label) > _MAX_LABEL:
        label = f"{label[: _MAX_LABEL - 1]}…"
    height = (_BAR + _BAR_GAP) * len(chart.series)
    parts = [
        Markup('<text class="chart-label" x="{x}" y="{y}" text-anchor="end">{label}</text>').format(
            x=_LABELS - 8, y=top + height / 2 + 4, label=label
        )
    ]
    for rank, each in enumerate(chart.series):
        y, value = top + rank * (_BAR + _BAR_GAP), each.values[index]
        length = round((_WIDTH - _LABELS - _FIGURES) * value / largest, 1) if largest else 0
        parts.append(_bar(chart, rank, x=_LABELS, y=y, width=length, height=_BAR))
        parts.append(
            Markup('<text class="chart-figure" x="{x}" y="{y}">{value}</text>').format(
                x=_LABELS + length + 5, y=y + _BAR - 2, value=format_count(value)
            )
        )
    return Markup().join(parts)


def _legend(chart: Chart, rank: int) -> Markup:
    y = rank * _LEGEND
    text = Markup('<text class="chart-legend" x="22" y="{y}">{label}</text>').format(
        y=y + 11, label=chart.series[rank].label
    )
    return _bar(chart, rank, x=1, y=y + 1, width=14, height=12) + text


def _bar(chart: Chart, rank: int, *, x: float, y: float, width: float, height: float) -> Markup:
    fill = Markup(' fill="url(#{id})"').format(id=_pattern_id(chart)) if rank else Markup()
    return Markup(
        '<rect class="chart-bar chart-bar-{rank}"{fill} x="{x}" y="{y}" width="{width}" height="{height}"/>'
    ).format(rank=rank, fill=fill, x=x, y=y, width=width, height=height)
