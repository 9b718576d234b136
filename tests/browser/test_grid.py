"""The grid of a division by keyboard: saved as it is typed; and sent whole by a browser without script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.record_scenes import follow
from tests.helpers.chromium import Site

TEACHER = "enseignante@lovelace"
SAVED = re.compile(r"Enregistré à \d+\sh\s\d\d")


def open_grid(site: Site, *, width: int = 1280, javascript: bool = True) -> Page:
    """Open the grid of the teacher's first division."""
    page = site.visitor(TEACHER, width=width, javascript=javascript)
    page.goto("/eleves")
    follow("Évaluer la division 1MELEC")(site, page)
    page.wait_for_load_state("networkidle")
    return page


class TestGrid:
    def test_digits_and_arrows_set_and_move_and_each_level_is_kept(self, site: Site, screenshots: Path | None) -> None:
        page = open_grid(site)
        lines = page.locator("form[data-grid] tbody tr")
        cells = [lines.nth(rank).locator(".grid-level") for rank in (1, 2, 3)]

        cells[0].nth(0).focus()
        page.keyboard.press("3")
        expect(cells[1].nth(0)).to_be_focused()
        page.keyboard.press("ArrowRight")
        expect(cells[1].nth(1)).to_be_focused()
        page.keyboard.press("x")
        page.keyboard.press("2")
        expect(cells[2].nth(1)).to_be_focused()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("4")
        expect(page.locator("[data-grid-state]")).to_have_text(SAVED)
        if screenshots:
            page.screenshot(path=screenshots / "grid-typed.png", full_page=True)

        page.reload()
        expect(cells[0].nth(0)).to_have_value("3")
        expect(cells[1].nth(1)).to_have_value("4")
        cells[0].nth(0).focus()
        page.keyboard.press("Delete")
        expect(page.locator("[data-grid-state]")).to_have_text(SAVED)
        page.reload()
        expect(cells[0].nth(0)).to_have_value("")

    def test_the_same_level_for_all_fills_a_column_in_one_request(self, site: Site) -> None:
        page = open_grid(site)
        page.locator(".grid-all .grid-level").nth(2).focus()

        with page.expect_response(lambda answer: answer.request.method == "POST") as posted:
            page.keyboard.press("2")

        column = page.locator("form[data-grid] tbody tr:not(.grid-all) td:nth-of-type(3) .grid-level")
        assert {cell.input_value() for cell in column.all()} == {"2"}
        assert len(posted.value.json()["stored"]) == column.count()

    def test_the_same_level_for_all_is_undone_and_leaves_what_was_changed_since(self, site: Site) -> None:
        page = open_grid(site)
        column = page.locator("form[data-grid] tbody tr:not(.grid-all) td:nth-of-type(5) .grid-level")
        state, undo = page.locator("[data-grid-state]"), page.get_by_role("button", name="Annuler le 2 pour tous en C5")
        first = page.locator(".grid-all .grid-level").nth(4)
        first.press("2")
        expect(state).to_have_text(SAVED)
        column.nth(0).press("4")

        undo.click()

        expect(first).to_be_focused()
        expect(undo).to_be_hidden()
        expect(state).to_have_text(SAVED)
        page.reload()
        assert [cell.input_value() for cell in column.all()] == ["4", *[""] * (column.count() - 1)]
        first.press("3")
        first.press("Control+z")
        assert column.nth(1).input_value() == ""

    def test_what_is_saved_is_said_in_the_bar_and_a_wrong_key_is_told(self, site: Site) -> None:
        page = open_grid(site)
        cell, state = page.locator("form[data-grid] tbody tr:nth-child(2) .grid-level").nth(5), "[data-grid-state]"
        cell.press("3")
        expect(page.locator(state)).to_have_text(SAVED)

        cell.press("5")

        expect(page.locator(state)).to_have_text(re.compile(r"«\s5\s» n’est pas un niveau"))
        at_its_middle = """(element) => {
            const box = element.getBoundingClientRect();
            return element.contains(document.elementFromPoint(box.x + 5, box.y + box.height / 2));
        }"""
        assert page.locator(state).evaluate(at_its_middle), "something covers the message"

    def test_a_level_typed_just_before_f5_is_stored_before_the_page_comes_again(self, site: Site) -> None:
        page = open_grid(site)
        cell = page.locator("form[data-grid] tbody tr:nth-child(2) .grid-level").nth(7)
        order: list[str] = []
        page.on("response", lambda answer: order.append(answer.request.method) if "grille" in answer.url else None)

        cell.press("3")
        with page.expect_navigation():
            page.keyboard.press("F5")

        assert order == ["POST", "GET"]
        assert cell.input_value() == "3"

    def test_a_level_typed_just_before_a_reload_is_shown_once_it_is_stored(self, site: Site) -> None:
        page = open_grid(site)
        cell = page.locator("form[data-grid] tbody tr:nth-child(2) .grid-level").nth(6)
        cell.press("3")

        page.reload()

        expect(cell).to_have_value("3")

    def test_the_competence_of_the_cell_and_its_heading_stay_in_sight(self, site: Site) -> None:
        page = open_grid(site)
        page.set_viewport_size({"width": 1280, "height": 500})
        cell = page.locator("form[data-grid] tbody tr:last-child .grid-level").nth(1)
        heading = page.locator("form[data-grid] thead th").nth(2)

        cell.focus()

        label = heading.get_attribute("title") or ""
        assert label
        expect(page.locator("[data-grid-competence]")).to_contain_text(label)
        in_sight = """(element) => {
            const box = element.getBoundingClientRect();
            return element.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
        }"""
        assert heading.evaluate(in_sight), "the heading went out of sight"
        assert cell.evaluate(in_sight), "something covers the cell in focus"

    def test_two_windows_are_told_and_nothing_is_lost(self, site: Site) -> None:
        first, second = open_grid(site), open_grid(site)
        place = "form[data-grid] tbody tr:nth-child(2) td:nth-of-type(4) .grid-level"
        first.locator(place).press("1")
        expect(first.locator("[data-grid-state]")).to_have_text(SAVED)

        second.locator(place).press("4")

        state = second.locator("[data-grid-state]")
        expect(state).to_contain_text("Vous avez déjà, pour ce jour, le niveau 1")
        expect(second.locator(place)).to_have_value("4")
        expect(second.locator(place)).to_have_attribute("aria-invalid", "true")
        site.witness(second).complaints.clear()  # the refused request is what was wanted
        second.locator(place).press("4")
        expect(state).to_have_text(SAVED)

    @pytest.mark.parametrize("width", [320, 1280])
    def test_without_script_the_form_sends_the_whole_grid(
        self, site: Site, width: int, screenshots: Path | None
    ) -> None:
        page = open_grid(site, width=width, javascript=False)
        cell = page.locator("form[data-grid] tbody tr:nth-child(4) td:nth-of-type(1) .grid-level")
        level = "1" if width == 320 else "2"
        cell.fill(level)
        if screenshots:
            page.screenshot(path=screenshots / f"grid-{width}.png", full_page=True)
        page.get_by_role("button", name="Enregistrer les niveaux").click()

        expect(page.locator(".flash")).to_contain_text("1 niveau enregistré")
        expect(cell).to_have_value(level)
