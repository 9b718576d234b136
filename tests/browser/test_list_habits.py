"""What a list gains where scripts run: boxes ticked at once, a run with Shift, long choices narrowed by a word."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Route, expect

from tests.helpers.chromium import Site

ADMIN, LIST = "administrateur@lovelace", "/admin/eleves/"


class TestRows:
    def test_rows_are_ticked_together_and_counted(self, site: Site, screenshots: Path | None) -> None:
        page = site.visitor(ADMIN)
        page.goto(LIST)
        boxes = page.locator("input[name=rowid]")
        every = page.get_by_label("Tout cocher sur cette page")

        boxes.nth(1).click()
        boxes.nth(3).click(modifiers=["Shift"])
        expect(page.locator(".rows-count")).to_have_text("3 lignes cochées sur cette page")
        assert every.evaluate("each => each.indeterminate")
        every.check()
        assert boxes.evaluate_all("all => all.every((each) => each.checked)")
        if screenshots:
            page.screenshot(path=screenshots / "rows.png", full_page=True)
        expect(page.locator(".listing-bulk button")).to_be_in_viewport(ratio=1)
        every.uncheck()
        expect(page.locator(".rows-count")).to_have_text("")
        page.get_by_label("Toutes les lignes de cette liste").check()
        expect(page.locator(".rows-count")).to_have_text("Toutes les lignes de cette liste")

    def test_rows_all_of_the_list_need_no_script(self, site: Site) -> None:
        page = site.visitor(ADMIN, javascript=False)
        page.goto(f"{LIST}?situation=presents")
        page.get_by_label("Toutes les lignes de cette liste").check()
        page.get_by_label("Pour les lignes cochées").select_option("Fiches d’activation")
        page.get_by_role("button", name="Continuer").click()

        expect(page.get_by_role("heading", level=1)).to_have_text("Fiches d’activation")


class TestChoose:
    def test_choose_narrows_a_long_list_by_code_or_label(self, site: Site) -> None:
        page = site.visitor(ADMIN)
        page.route(f"**{LIST}", _with_more_divisions)
        page.goto(LIST)
        page.get_by_text("Plus de filtres").click()
        choice = page.get_by_label("Division", exact=True)
        narrow = page.get_by_label("Réduire la liste\u202f: Division")
        assert choice.locator("option").count() > 20

        narrow.fill("annee 7")  # of a label, without case nor accent
        expect(choice).to_have_value("ZZ7")
        narrow.fill("zz1")  # ZZ1, ZZ10, ZZ11…: the code that was typed whole
        expect(choice).to_have_value("ZZ1")
        narrow.fill("")
        assert choice.locator("option").count() > 20


def _with_more_divisions(route: Route) -> None:
    """Answer with the page of the platform, its divisions being twenty more."""
    answer = route.fetch()
    more = "".join(f'<option value="ZZ{n}">ZZ{n} – ANNÉE {n}</option>' for n in range(20))
    body = answer.text().replace("toutes les divisions</option>", f"toutes les divisions</option>{more}")
    route.fulfill(response=answer, body=body)


class TestArranged:
    """A list is kept under a name and its columns chosen with nothing but a browser."""

    def test_arranged_list_is_kept_found_and_let_go_without_script(self, site: Site) -> None:
        page = site.visitor(ADMIN, javascript=False)
        page.goto(f"{LIST}?situation=presents&ine=sans")
        page.locator("summary", has_text="Garder cette liste").click()
        page.get_by_label("Nom de la liste").fill("Présents sans INE")
        page.get_by_role("button", name="Garder cette liste").click()

        page.goto(LIST)
        page.get_by_role("link", name="Présents sans INE").click()
        expect(page).to_have_url(re.compile("situation=presents&ine=sans$"))
        page.get_by_role("link", name="Renommer ou supprimer").click()
        page.get_by_label("Supprimer «\u202fPrésents sans INE\u202f»").check()
        page.get_by_role("button", name="Valider").click()
        expect(page.get_by_role("link", name="Présents sans INE")).to_have_count(0)

    def test_arranged_columns_are_all_on_the_cards_of_a_telephone(self, site: Site, screenshots: Path | None) -> None:
        page = site.visitor(ADMIN, javascript=False)
        page.set_viewport_size({"width": 320, "height": 700})
        page.goto(LIST)
        page.get_by_text("Colonnes", exact=True).click()
        for column in ("Nom d’usage", "Provenance"):
            page.get_by_label(f"Colonne {column}").check()
        page.get_by_role("button", name="Montrer ces colonnes").click()

        origin = page.locator('td[data-label="Provenance"]').first
        expect(origin).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        if screenshots:
            page.screenshot(path=screenshots / "columns.png", full_page=True)
        page.get_by_text("Colonnes (choisies par vous)").click()
        page.get_by_role("button", name="Colonnes habituelles").click()
        expect(origin).to_be_hidden()

    def test_arranged_filters_stand_on_one_line(self, site: Site) -> None:
        page = site.visitor(ADMIN)
        page.goto(LIST)

        tops = page.locator(".listing-filters > .listing-filter > label").evaluate_all(
            "all => all.map((each) => each.getBoundingClientRect().top)"
        )

        assert len(tops) == 3
        assert len(set(tops)) == 1


def test_choices_of_the_support_are_read_whole_where_they_are_chosen(site: Site) -> None:
    page = site.visitor("support@", width=1280)
    page.goto("/ecoles?etat=arret")
    choice = page.get_by_label("Activité")

    spare = choice.evaluate(
        """each => {
             const whole = each.cloneNode(true);
             whole.removeAttribute("id");
             whole.style.cssText = "position: absolute; width: auto; max-width: none";
             document.body.append(whole);
             return each.offsetWidth - whole.offsetWidth;
           }"""
    )

    assert spare >= 0, f"the choice lacks {-spare} pixels"
