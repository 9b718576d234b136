"""Tables where there is little room: a division evaluated on a telephone, the list of users on a desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser import letters
from tests.browser.transfer_scenes import exchange_of
from tests.helpers.chromium import Site
from tests.transfers.pages_moves import waiting_destination

#: How far beyond its frame a table goes, in pixels.
_HIDDEN = "frame => frame.scrollWidth - frame.clientWidth"

#: A name as long as people's.
_LONG = "marie-genevieve.de-la-roche"

#: The words, dates and numbers of which a part goes on the next line, in cells without the long name.
_BROKEN = r"""(name) => [...document.querySelectorAll(".table :is(td, th)")].flatMap((cell) => {
  if (cell.innerText.includes(name)) return [];
  const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), range = document.createRange(), broken = [];
  while (walker.nextNode()) {
    for (const word of walker.currentNode.data.matchAll(/\d+(\/\d+){2}|[\p{L}\d]{3,}/gu)) {
      range.setStart(walker.currentNode, word.index);
      range.setEnd(walker.currentNode, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((each) => Math.round(each.top))).size > 1) broken.push(word[0]);
    }
  }
  return broken;
})"""


def _opened(site: Site, who: str, address: str, width: int) -> Page:
    page = site.visitor(who, width=width)
    page.goto(address)
    return page


class TestNarrowTables:
    def test_on_a_telephone_the_lists_of_levels_are_as_wide_as_the_page(self, site: Site) -> None:
        page = _opened(site, "enseignante@lovelace", "/eleves", 320)
        page.get_by_role("link", name="Évaluer la division 1MELEC").click()
        page.get_by_role("link", name="Une seule compétence").click()
        lists = page.locator("select[name^=niveau-]")

        assert lists.count() > 1
        for each in lists.all():
            box = each.bounding_box()
            assert box is not None and box["width"] > 200
        assert page.locator(".levels-table .table-frame").evaluate(_HIDDEN) <= 0

    def test_on_a_desk_the_last_column_of_the_users_shows_whatever_their_names(self, site: Site) -> None:
        page = _opened(site, "administrateur@lovelace", "/admin/utilisateurs/", 1280)

        # Names as long as people's: what the list shows is written over, not stored.
        page.locator("table.listing tbody tr").evaluate_all(
            "(rows, name) => rows.forEach(row => row.querySelectorAll('td:not(:has(*))')"
            ".forEach(cell => cell.append(name)))",
            _LONG,
        )

        assert page.get_by_role("columnheader", name="Actions").count() == 1
        assert page.locator(".table-frame").evaluate(_HIDDEN) <= 0

    @pytest.mark.parametrize(
        ("who", "address", "longest"),
        [
            ("chef@lovelace", "/admin/transferts/", "établissement"),
            ("chef@lovelace", "/admin/acces", "établissement"),
            ("administrateur@lovelace", "/admin/utilisateurs/", "Administrateur"),
            ("administrateur@lovelace", "/admin/eleves/", "990010"),
        ],
    )
    def test_on_a_desk_no_word_is_broken_in_wide_letters(
        self, site: Site, who: str, address: str, longest: str
    ) -> None:
        waiting_destination(exchange_of(site))
        page = _opened(site, who, address, 1280)
        letters.load(page)
        letters.write_in(page, "* { font-family: wide !important; }")

        assert longest in page.locator("tbody").first.inner_text()
        assert page.evaluate(_BROKEN, _LONG) == []
        page.locator(".listing tbody :is(th a, [data-label=Prénom], [data-label=Identifiant])").evaluate_all(
            "(cells, name) => cells.forEach(cell => cell.append(name))", _LONG
        )
        assert page.evaluate(_BROKEN, _LONG) == []
        for frame in page.locator(".table-frame").all():
            assert frame.evaluate(_HIDDEN) <= 0

    def test_on_a_telephone_the_titles_of_the_help_stand_one_under_the_other(self, site: Site) -> None:
        page = _opened(site, "chef@lovelace", "/aide/transferts", 360)

        titles = page.locator("tbody th").evaluate_all("all => all.map((each) => each.getBoundingClientRect().left)")
        assert len(titles) > 1
        assert len(set(titles)) == 1

    def test_on_a_telephone_each_row_is_a_card_and_still_a_row_for_the_ear(self, site: Site) -> None:
        page = _opened(site, "administrateur@lovelace", "/admin/utilisateurs/", 360)
        row = page.get_by_role("row", name="AGATE")

        assert page.locator(".table-frame").evaluate(_HIDDEN) <= 0
        box = row.bounding_box()
        assert box is not None and box["width"] > 300
        assert row.get_by_role("rowheader").inner_text() == "AGATE"
        assert row.get_by_role("cell", name="Apprenant", exact=True).count() == 1
        assert row.get_by_role("link", name="Corriger").is_visible()
        assert not row.locator("[data-more]").first.is_visible()
        assert page.get_by_role("link", name="Nom").is_visible()

    def test_on_a_small_telephone_cards_show_what_people_decide_by_and_nothing_is_cut(self, site: Site) -> None:
        page = _opened(site, "administrateur@lovelace", "/admin/utilisateurs/?recherche=quartz", 320)
        page.get_by_role("main").get_by_role("link", name="Corriger").click()
        page.get_by_label("Discipline").fill("Électrotechnique industrielle")
        page.get_by_role("main").get_by_role("button", name="Valider").click()

        for address, columns in (
            ("/admin/eleves/", ("INE", "Situation")),
            ("/admin/journal/?action=account:changed", ("Objet", "Ancien → nouveau")),
        ):
            page.goto(address)
            for column in columns:
                cells = page.locator(f'td[data-label="{column}"]')
                assert cells.first.is_visible()
                cells.first.evaluate("cell => cell.append(' ' + '" + _LONG * 9 + "')")
            assert page.locator(".table-frame").evaluate(_HIDDEN) <= 0
            assert page.evaluate("document.documentElement.scrollWidth") <= 320

    def test_on_a_small_desk_the_menu_is_its_icons_and_keeps_its_names(self, site: Site) -> None:
        page = _opened(site, "chef@lovelace", "/admin/", 1000)
        side = page.locator(".side")
        link = side.get_by_role("link", name="Paramètres")

        box = side.bounding_box()
        assert box is not None and box["width"] <= 64
        assert link.get_attribute("title") == "Paramètres"
        link.click()
        page.wait_for_url("**/parametres/**")

    def test_a_form_longer_than_the_screen_keeps_its_buttons_in_sight(self, site: Site) -> None:
        page = _opened(site, "administrateur@lovelace", "/admin/parametres/etablissement", 1280)
        button = page.get_by_role("main").get_by_role("button", name="Valider")

        box, city = button.bounding_box(), page.locator("[name=city]")
        assert box is not None and box["y"] + box["height"] <= 900
        city.focus()
        field = city.bounding_box()
        assert field is not None and field["y"] + field["height"] < box["y"]
