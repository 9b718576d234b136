"""The levels of a pupil as a chart: order, days, one chart for each diploma."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

from cpro.records.levels import list_charts
from cpro.records.queries import LevelPoint


class TestChartsOf:
    POINTS = [
        LevelPoint("M", "Bac pro <M>", code, f"Libellé {code}", day, level)
        for code, day, level in (
            ("C10", date(2026, 1, 5), 1),
            ("C2", date(2026, 1, 5), 4),
            ("C2", date(2026, 6, 5), 2),
            ("CODE-TRÈS-LONG", date(2026, 3, 1), 3),
        )
    ]

    def test_charts_of_competences_come_in_the_order_of_their_numbers(self) -> None:
        (chart,) = list_charts(self.POINTS)

        assert [each.code for each in chart.competences] == ["C2", "C10", "CODE-TRÈS-LONG"]

    def test_charts_of_each_diploma_has_its_own(self) -> None:
        other = LevelPoint("CAP", "CAP", "C2", "Autre", date(2026, 1, 1), 1)

        assert [chart.title for chart in list_charts([*self.POINTS, other])] == ["Bac pro <M>", "CAP"]
        assert list_charts([]) == []

    def test_charts_of_the_chart_places_each_level_in_its_day(self) -> None:
        (chart,) = list_charts(self.POINTS)
        svg = ElementTree.fromstring(str(chart.svg))
        dots = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in svg.iter("circle")]

        assert len(dots) == 4
        (first_x, first_y), (last_x, last_y) = dots[0], dots[1]  # C2: level 4 in January, 2 in June
        assert first_x < last_x and first_y < last_y
        assert svg.find("title") is not None and svg.get("aria-labelledby") == svg.find("title").get("id")  # type: ignore[union-attr]
        assert "&lt;M&gt;" in str(chart.svg)

    def test_charts_of_one_day_alone_is_placed_in_the_middle(self) -> None:
        (chart,) = list_charts(self.POINTS[:2])

        assert "le 05/01/2026." in chart.summary
        assert len({dot.get("cx") for dot in ElementTree.fromstring(str(chart.svg)).iter("circle")}) == 1
