"""`as_cards`: a table that may be shown as cards stays a table, and each cell says which column it stands in."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from cpro.core.web.tables import as_cards

pytestmark = pytest.mark.any_database

_HEAD = "<thead><tr><th scope='col'><a href='?tri=nom'>Nom<svg></svg></a></th>{}</tr></thead>"


def _cards(headings: str, row: str) -> str:
    columns = "".join(f'<th scope="col">{heading}</th>' for heading in headings.split())
    return as_cards(Markup(f"{_HEAD.format(columns)}<tbody><tr>{row}</tr></tbody>"))


class TestAsCards:
    def test_cards_name_each_cell_by_its_column(self) -> None:
        page = _cards("Division Rôle", '<th scope="row">AGATE</th><td>2MELEC</td><td class="long">Apprenant</td>')

        assert '<th scope="row" role="rowheader" data-label="Nom">AGATE</th>' in page
        assert '<td role="cell" data-label="Division">2MELEC</td>' in page
        assert '<td class="long" role="cell" data-label="Rôle">Apprenant</td>' in page

    def test_cards_stay_a_table_for_the_ear(self) -> None:
        page = _cards("Division", '<th scope="row">AGATE</th><td>2MELEC</td>')

        assert '<thead role="rowgroup"><tr role="row"><th scope=\'col\' role="columnheader"' in page
        assert '<tbody role="rowgroup"><tr role="row">' in page

    def test_cards_mark_the_facts_beyond_the_second(self) -> None:
        row = "<th>AGATE</th><td>Anaïs</td><td>a</td><td></td><td>actif</td><td>c</td><td>d</td><td>Corriger</td>"
        page = _cards("Prénom A B État C D Actions", row)

        assert [name for name in ("A", "B", "C", "D") if f'data-label="{name}" data-more' in page] == ["D"]
        assert page.count("data-more") == 1

    def test_cards_always_say_what_people_decide_by(self) -> None:
        row = "<th>TOPAZE</th><td>a</td><td>b</td><td>c</td><td>sans INE</td><td>parti le 18/09/2026</td>"
        page = _cards("A B C INE Situation", row)

        assert '<td role="cell" data-label="C" data-more>' in page
        assert '<td role="cell" data-label="INE">sans INE</td>' in page
        assert '<td role="cell" data-label="Situation">parti le 18/09/2026</td>' in page

    def test_cards_leave_nothing_in_a_cell_that_is_empty_and_escape_names(self) -> None:
        page = as_cards(Markup('<thead><tr><th>A &amp; "B"</th></tr></thead><tbody><tr><td>\n </td></tr></tbody>'))

        assert '<td role="cell" data-label="A &amp; &#34;B&#34;"></td>' in page

    def test_cards_name_no_cell_over_several_columns(self) -> None:
        page = _cards("A B", '<th scope="rowgroup" colspan="2">Bloc</th><td>b</td>')

        assert '<th scope="rowgroup" colspan="2" role="rowheader">Bloc</th>' in page
        assert '<td role="cell" data-label="B">b</td>' in page

    def test_cards_read_a_cell_whose_attribute_holds_the_end_of_a_tag(self) -> None:
        page = _cards("A", "<th>AGATE</th><td title=\"a > b\" class='c'>a</td>")

        assert '<td title="a > b" class=\'c\' role="cell" data-label="A">a</td>' in page

    @pytest.mark.parametrize(
        "table", ["<tbody></tbody>", "<thead></thead><tbody><tr><td><table></table></td></tr></tbody>"]
    )
    def test_cards_refuse_a_table_without_head_or_with_another_inside(self, table: str) -> None:
        with pytest.raises(ValueError, match="has_cards"):
            as_cards(Markup(table))
