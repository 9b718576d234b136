"""Charts: an SVG that says in words what it shows, the same figures as a table, nothing the page's policy refuses."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core.charts import SVG, Chart, Line, Plot, Series, print_plot, render_lines
from cpro.students.models import Division
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.statements import statements_sent

NS = "{http://www.w3.org/2000/svg}"
As = Callable[..., Browser]


def chart(**values: object) -> Chart:
    return Chart(
        **{
            "key": "essai",
            "title": "Divisions",
            "summary": "Trois élèves.",
            "heading": "Division",
            "categories": ["2MELEC", "TMELEC"],
            "series": [Series("Apprenants", [1200, 3]), Series("Comptes activés", [600, 0])],
            **values,
        }  # type: ignore[arg-type]
    )


def parsed(rendered: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(str(rendered.svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


class TestChart:
    def test_chart_refuses_figures_that_do_not_fit_its_categories(self) -> None:
        with pytest.raises(ValueError, match="one figure for each category"):
            chart(series=[Series("Apprenants", [1])])

    def test_chart_refuses_more_series_than_there_are_patterns(self) -> None:
        with pytest.raises(ValueError, match="one or two series"):
            chart(series=[Series(str(number), [1, 2]) for number in range(3)])

    @pytest.mark.parametrize(
        ("figures", "has_comparison"),
        [(([1200, 3], [0, 0]), True), (([5, 0], [0, 1]), True), (([5, 0], [4, 0]), False), (([0, 0], [0, 0]), False)],
    )
    def test_chart_tells_something_once_two_places_have_figures(
        self, figures: tuple[list[int], list[int]], has_comparison: bool
    ) -> None:
        assert (
            chart(series=[Series("Apprenants", figures[0]), Series("Activés", figures[1])]).has_comparison
            is has_comparison
        )

    def test_chart_says_in_words_what_it_shows(self) -> None:
        root = parsed(chart())

        names = {each.get("id"): each.text for each in root if each.tag in (f"{NS}title", f"{NS}desc")}
        assert root.get("role") == "img"
        assert names[root.get("aria-labelledby")] == "Divisions"
        assert names[root.get("aria-describedby")] == "Trois élèves."

    def test_chart_tells_series_apart_by_a_pattern_a_legend_and_a_figure(self) -> None:
        root = parsed(chart())

        texts = [each.text for each in root.iter(f"{NS}text")]
        fills = {each.get("fill") for each in root.iter(f"{NS}rect") if "chart-bar-1" in (each.get("class") or "")}
        (pattern,) = root.iter(f"{NS}pattern")
        assert {"Apprenants", "Comptes activés", "1\u202f200", "600"} <= set(texts)
        assert fills == {f"url(#{pattern.get('id')})"}

    def test_chart_renders_lengths_in_proportion_and_inside(self) -> None:
        root = parsed(chart())
        width = float(root.get("width", "0"))

        bars = [each for each in root.iter(f"{NS}rect") if "chart-bar" in (each.get("class") or "")][2:]
        lengths = [float(each.get("width", "0")) for each in bars]
        assert lengths[1] == pytest.approx(lengths[0] / 2, abs=0.1)
        assert lengths[3] == 0
        assert all(float(each.get("x", "0")) + float(each.get("width", "0")) < width for each in bars)

    def test_chart_renders_nothing_but_zeros_without_dividing_by_them(self) -> None:
        root = parsed(chart(series=[Series("Apprenants", [0, 0])]))

        assert [each.text for each in root.iter(f"{NS}text")].count("0") == 2

    def test_chart_escapes_what_it_is_given(self) -> None:
        rendered = str(chart(title="<script>", categories=['"><b>', "&"]).svg)

        assert "<script>" not in rendered
        assert "<b>" not in rendered

    def test_chart_holds_no_style_and_no_handler(self) -> None:
        rendered = str(chart().svg)

        assert "style=" not in rendered
        assert " on" not in rendered

    def test_chart_gives_the_same_figures_as_a_table(self) -> None:
        assert chart().rows == [("2MELEC", ["1\u202f200", "600"]), ("TMELEC", ["3", "0"])]


class TestDrawLines:
    LINE = Line("C1", [(0.0, 1), (1.0, 3)])

    def test_draw_lines_a_line_is_drawn_alike_on_a_page_and_in_print(self) -> None:
        page = ElementTree.fromstring(render_lines("niveaux", "Titre", "Résumé", [self.LINE], ["1", "2"], 4))
        plot = Plot(86, 268, inset=4, top=12, step=9, scale=4, radius=3.5)
        printed = ElementTree.fromstring(print_plot(self.LINE, plot, width=300, height=78, style=".a{fill:#000}"))

        drawn = [each.attrib for each in page if (each.get("class") or "").startswith("chart-level")]
        assert drawn == [each.attrib for each in printed if each.tag != f"{NS}style"]
        assert drawn[-1] == {"class": "chart-level-dot", "cx": "264.0", "cy": "21", "r": "3.5"}

    def test_svg_what_is_added_to_markup_is_escaped(self) -> None:
        assert SVG("<g>") + SVG("</g>") + "<&" == "<g></g>&lt;&amp;"
        assert "<b>" not in render_lines("niveaux", "<b>", "<b>", [Line("<b>", [(0.5, 1)])], ["<b>"], 4)


class TestDrawAccountsByDivision:
    def _fill(self, arrange: Callable[..., object], world: World, divisions: int) -> None:
        with arrange() as session:  # type: ignore[attr-defined]
            assert isinstance(session, Session)
            for number in range(divisions):
                division = Division(establishment_id=world.a.id, code=f"D{number:02}", label="")
                session.add(division)
                session.flush()
                session.add(make_student(world.a.id, division_id=division.id))

    def test_draw_accounts_by_division_shows_each_chart_with_its_table(
        self, as_: As, arrange: Callable[..., object], world: World
    ) -> None:
        self._fill(arrange, world, 3)

        page = Page(as_("administrator").get("/admin/"))

        assert "4 apprenants dans 4 divisions ; 0 compte activé." in page.text
        assert ["2ALP", "1", "0"] in page.rows()
        assert "1 connexion" in page.text, "one sign-in this week: the reader's own"
        assert not [row for row in page.rows() if "/" in row[0]], "one week alone: the sentence says it"

    def test_draw_accounts_by_division_shows_ones_own_school_only(
        self, as_: As, arrange: Callable[..., object], world: World
    ) -> None:
        self._fill(arrange, world, 3)

        page = Page(as_("head", "b").get("/admin/"))

        assert "1 apprenant dans 1 division ; 0 compte activé." in page.text
        assert "D00" not in page.text

    def test_draw_accounts_by_division_adds_up_the_divisions_beyond_a_dozen(
        self, as_: As, arrange: Callable[..., object], world: World
    ) -> None:
        self._fill(arrange, world, 30)

        page = Page(as_("administrator").get("/admin/"))

        assert ["19 autres", "19", "0"] in page.rows()

    def test_draw_accounts_by_division_asks_the_same_number_of_queries_however_many_divisions(
        self, app: Flask, as_: As, arrange: Callable[..., object], world: World
    ) -> None:
        browser = as_("administrator")
        browser.get("/admin/")

        few = self._count(app, browser)
        self._fill(arrange, world, 30)
        many = self._count(app, browser)

        assert few == many

    def _count(self, app: Flask, browser: Browser) -> int:
        with statements_sent(app) as statements:
            assert browser.get("/admin/").status_code == 200
        return len(statements)
