"""What is typed and not saved: left by Back, by Help, by closing the page, found again; warned of where no draft is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.scenes import end_sign_in
from tests.helpers.chromium import Site

TEACHER, ADMIN, PUPIL = "enseignante@lovelace", "administrateur@lovelace", "apprenant@lovelace"
NEW, EDIT = "/scenarios/nouveau", "/scenarios/1/modifier"
MASKS = "/admin/parametres/masques?diplome=40025520"
FOUND = "Vous aviez commencé à écrire le"
KEPT = re.compile(r"Brouillon enregistré à \d+\sh\s\d\d")


@pytest.fixture(autouse=True)
def no_draft_before(site: Site) -> Iterator[None]:
    """Give up what an earlier test left."""
    for who, path in ((TEACHER, NEW), (TEACHER, EDIT), (ADMIN, MASKS)):
        page = site.visitor(who)
        page.goto(path)
        while page.get_by_role("button", name="Abandonner le brouillon").count():
            page.get_by_role("button", name="Abandonner le brouillon").click()
            page.wait_for_load_state("networkidle")
    yield


def write(page: Page, words: str) -> None:
    """Write a title, and some words in a rich text, as fast as a person does."""
    page.wait_for_load_state()  # the text area is there before its editor takes its place
    page.get_by_label("Titre").fill(f"Titre {words}")
    page.get_by_role("textbox", name="Description").click()
    page.keyboard.type(words)


def expect_found(page: Page, words: str) -> None:
    """Find the words in the form, and the sentence above it."""
    expect(page.locator(".draft-notice")).to_contain_text(FOUND)
    expect(page.get_by_label("Titre")).to_have_value(f"Titre {words}")
    expect(page.get_by_role("textbox", name="Description")).to_contain_text(words)


class TestAutomatic:
    def test_the_hour_is_shown_a_moment_after_the_last_key(self, site: Site, screenshots: Path | None) -> None:
        page = site.visitor(TEACHER)
        page.goto(NEW)
        expect(page.get_by_role("button", name="Enregistrer le brouillon")).to_be_hidden()

        write(page, "tapés sans valider")

        state = page.locator("[data-draft-state]")
        expect(state).to_have_text(KEPT)
        assert state.get_attribute("aria-live") == "polite"
        if screenshots:
            page.screenshot(path=screenshots / "draft-kept.png", full_page=True)
        stored = page.evaluate("[localStorage.length, sessionStorage.length]")
        assert stored == [0, 0]
        assert page.evaluate("indexedDB.databases().then((all) => all.length)") == 0

    @pytest.mark.parametrize("path", [NEW, EDIT])
    def test_left_at_once_by_a_link_it_is_there_after_back(self, site: Site, path: str) -> None:
        page = site.visitor(TEACHER)
        page.goto(path)
        write(page, "avant l’aide")
        page.get_by_role("link", name="Aide sur cette page").click()
        page.wait_for_url("**/aide/scenarios")

        page.go_back()

        expect_found(page, "avant l’aide")

    def test_left_by_back_it_is_there_when_one_comes_again(self, site: Site) -> None:
        page = site.visitor(TEACHER)
        page.goto("/scenarios")
        page.goto(EDIT)
        write(page, "avant le retour")
        page.go_back()
        page.wait_for_url("**/scenarios")

        page.goto(EDIT)

        expect_found(page, "avant le retour")

    def test_closing_the_page_loses_nothing(self, site: Site) -> None:
        page = site.visitor(TEACHER)
        page.goto(NEW)
        write(page, "avant de fermer")
        page.close(run_before_unload=True)

        again = site.visitor(TEACHER)
        again.wait_for_timeout(500)
        again.goto(NEW)

        expect_found(again, "avant de fermer")

    def test_saved_it_is_gone(self, site: Site) -> None:
        page = site.visitor(TEACHER)
        page.goto(NEW)
        write(page, "puis validés")
        expect(page.locator("[data-draft-state]")).to_have_text(KEPT)
        page.keyboard.type(", avec une suite")

        page.get_by_role("main").get_by_role("button", name="Valider", exact=True).click()

        expect(page.locator(".flash")).to_contain_text("Scénario enregistré")
        expect(page.locator("main")).to_contain_text("puis validés, avec une suite")
        page.goto(NEW)
        expect(page.locator(".draft-notice")).to_have_count(0)
        expect(page.get_by_label("Titre")).to_have_value("")

    def test_given_up_it_is_gone_even_with_words_just_typed(self, site: Site) -> None:
        page = site.visitor(TEACHER)
        page.goto(EDIT)
        title = page.get_by_label("Titre").input_value()
        write(page, "à abandonner")
        page.reload()  # at once: what is under way is waited for
        expect_found(page, "à abandonner")
        page.get_by_label("Titre").fill("Encore un mot")

        page.get_by_role("button", name="Abandonner le brouillon").click()

        expect(page.locator(".flash")).to_contain_text("Brouillon abandonné")
        expect(page.get_by_label("Titre")).to_have_value(title)
        page.reload()
        expect(page.locator(".draft-notice")).to_have_count(0)

    def test_what_a_refused_form_holds_is_kept_too(self, site: Site) -> None:
        page = site.visitor(TEACHER)
        page.goto(NEW)
        page.get_by_role("textbox", name="Description").click()
        page.keyboard.type("sans titre")
        page.get_by_role("main").get_by_role("button", name="Valider", exact=True).click()
        expect(page.locator(".error-summary")).to_be_visible()
        expect(page.locator("[data-draft-state]")).to_have_text(KEPT)

        page.goto("/scenarios")
        page.goto(NEW)

        expect(page.get_by_role("textbox", name="Description")).to_contain_text("sans titre")

    def test_an_ended_session_is_shown_and_the_text_comes_back(self, site: Site) -> None:
        page = site.visitor()
        from tests.helpers.chromium import sign_in

        page.goto("/connexion")
        sign_in(page, "chatelet", "enseignante")
        page.goto(NEW)
        end_sign_in(site)
        write(page, "après la fin")

        expect(page.locator("[data-draft-state]")).to_contain_text("Votre session a pris fin")
        expect(page.get_by_label("Titre")).to_have_value("Titre après la fin")
        page.get_by_role("main").get_by_role("button", name="Valider", exact=True).click()
        page.wait_for_url(lambda address: "/connexion" in address)
        sign_in(page, "chatelet", "enseignante")
        expect(page.get_by_label("Titre")).to_have_value("Titre après la fin")
        witness = site.witness(page)
        witness.complaints[:] = [each for each in witness.complaints if not each.startswith("status 401")]

    def test_a_busy_server_is_shown_and_asked_again(self, site: Site) -> None:
        page = site.visitor(TEACHER)
        page.goto(NEW)
        refusals = iter([503, 503])
        page.route(
            f"**{NEW}",
            lambda route: route.fulfill(status=code, body="") if (code := next(refusals, 0)) else route.continue_(),
        )

        write(page, "malgré la base occupée")

        expect(page.locator("[data-draft-state]")).to_contain_text("pas encore enregistré")
        expect(page.locator("[data-draft-state]")).to_have_text(KEPT, timeout=20_000)
        page.goto(NEW)
        expect_found(page, "malgré la base occupée")
        witness = site.witness(page)
        witness.complaints[:] = [each for each in witness.complaints if "503" not in each]


class TestWithoutScript:
    def test_the_button_keeps_what_is_typed(self, site: Site) -> None:
        page = site.visitor(TEACHER, javascript=False)
        page.goto(NEW)
        page.get_by_label("Description").fill("Tapé sans script")

        page.get_by_role("button", name="Enregistrer le brouillon").click()

        expect(page.locator(".flash")).to_contain_text("Vous seul pouvez le voir")
        page.goto("/scenarios")
        page.goto(NEW)
        expect(page.get_by_label("Description")).to_have_value("Tapé sans script")
        page.get_by_role("button", name="Abandonner le brouillon").click()
        expect(page.get_by_label("Description")).to_have_value("")


class TestMasks:
    @pytest.mark.parametrize("javascript", [True, False])
    def test_another_diploma_keeps_what_was_typed(self, site: Site, javascript: bool) -> None:
        page = site.visitor(ADMIN, javascript=javascript)
        page.goto(MASKS)
        page.locator("[name=links]").fill("Intitulé en cours")

        page.get_by_label("Diplôme").select_option("50025524")
        page.get_by_role("button", name="Afficher").click()

        page.wait_for_url("**diplome=50025524")
        expect(page.locator("[name=links]")).to_have_value("")
        page.get_by_label("Diplôme").select_option("40025520")
        page.get_by_role("button", name="Afficher").click()
        page.wait_for_url("**diplome=40025520")
        expect(page.locator("[name=links]")).to_have_value("Intitulé en cours")
        expect(page.locator(".draft-notice")).to_contain_text(FOUND)

    def test_an_arrow_in_the_list_sends_nothing(self, site: Site) -> None:
        page = site.visitor(ADMIN)
        page.goto(MASKS)
        page.get_by_label("Diplôme").focus()
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(500)
        expect(page).to_have_url(re.compile("diplome=40025520$"))

        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        page.wait_for_url(lambda address: "40025520" not in address)

    def test_enter_in_a_wording_saves(self, site: Site) -> None:
        page = site.visitor(ADMIN)
        page.goto("/admin/parametres/masques?diplome=50025524")
        page.locator("[name=resources]").fill("Salles")
        page.keyboard.press("Enter")
        expect(page.locator(".flash")).to_contain_text("enregistrés")


class TestWarning:
    def leave(self, page: Page) -> list[str]:
        """Follow a link and return the kinds of dialogs that the browser showed."""
        shown: list[str] = []
        page.on("dialog", lambda dialog: (shown.append(dialog.type), dialog.accept()))
        page.get_by_role("link", name="Données personnelles").click()
        page.wait_for_url("**/donnees-personnelles")
        return shown

    def test_a_form_without_draft_warns(self, site: Site) -> None:
        page = site.visitor(ADMIN)
        page.goto("/admin/parametres/etablissement")
        page.locator("[name=city]").click()
        page.keyboard.type("Ville")
        assert self.leave(page) == ["beforeunload"]

    def test_a_form_reset_to_what_it_was_does_not(self, site: Site) -> None:
        page = site.visitor(ADMIN)
        page.goto("/admin/parametres/etablissement")
        page.locator("[name=city]").click()
        page.keyboard.type("x")
        page.keyboard.press("Backspace")
        assert self.leave(page) == []

    def test_a_form_that_is_sent_does_not(self, site: Site) -> None:
        page = site.visitor(ADMIN)
        shown: list[str] = []
        page.on("dialog", lambda dialog: (shown.append(dialog.type), dialog.accept()))
        page.goto("/admin/parametres/etablissement")
        page.locator("[name=phone]").fill("01 02 03 04 05")
        page.get_by_role("main").get_by_role("button", name="Valider").first.click()
        expect(page.locator(".flash")).to_be_visible()
        assert shown == []

    def test_a_form_with_a_draft_does_not(self, site: Site) -> None:
        page = site.visitor(TEACHER)
        page.goto(NEW)
        write(page, "gardés")
        assert self.leave(page) == []

    def test_no_warning_on_the_sign_in_pages(self, site: Site) -> None:
        page = site.visitor()
        page.goto("/connexion")
        page.locator("[name=login]").click()
        page.keyboard.type("enseignante")
        assert page.locator("script[src*=unsaved]").count() == 0
