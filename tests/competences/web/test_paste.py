"""A school's own list, pasted: shown first, corrected in the text, saved once what was shown is accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from cpro.core.drafts.models import Draft
from tests.competences.conftest import Diplomas
from tests.competences.web.test_views import LIST, confirm, drop, stored
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, watching

As = Callable[..., Browser]
TEXT = "Bloc n° 1\n• C1.1 – Étudier\nC1.2 : Poser une\ninstallation\nPage 3\n"


def paste(browser: Browser, address: str, text: str, **fields: Any) -> TestResponse:
    """Press « Lire le texte »."""
    return browser.post(f"{address}/coller", {"text": text, "geste": "lire", **fields})


def accept(browser: Browser, page: TestResponse, address: str, text: str) -> TestResponse:
    """Press « Valider la liste » on a page that shows what a text becomes."""
    shown = {
        each.get("name"): each.get("value", "")
        for each in Page(page).main.iter("input")
        if each.get("type") == "hidden" and each.get("name") != "csrf_token"
    }
    return browser.post(f"{address}/coller", {**shown, "text": text, "geste": "valider"})


class TestPasteList:
    def test_paste_list_shows_what_the_text_becomes_and_writes_nothing_yet(
        self, app: Flask, as_: As, diplomas: Diplomas
    ) -> None:
        browser, address = as_("administrator"), diplomas.page("own")

        before = Page(browser.get(f"{address}/coller"))
        with nothing_written(app):
            page = Page(paste(browser, address, TEXT))

        assert "CPro garde les compétences, non les blocs" in before.text
        assert "2 compétences, chacune sous le titre de son bloc" in page.text
        assert "Bloc n° 1" in page.text
        assert "C1.2Poser une installation" in page.text
        assert "Ligne 5, « Page 3 » : un numéro de page." in page.text
        assert "écrivez un code devant, comme « C1 – Accueillir la clientèle »" in page.text

    def test_paste_list_saves_what_was_shown_and_writes_it_in_the_journal(
        self, app: Flask, as_: As, diplomas: Diplomas
    ) -> None:
        browser, address = as_("administrator"), diplomas.page("own")

        with watching(app) as watch:
            answer = accept(browser, paste(browser, address, TEXT), address, TEXT)

        assert (answer.status_code, answer.location) == (303, address)
        assert stored(app, diplomas.own) == [("C1.1", "Étudier", 1), ("C1.2", "Poser une installation", 2)]
        assert watch.line["changes"] == {"competences_added": [None, ["C1.1", "C1.2"]]}

    def test_paste_list_corrected_since_it_was_shown_is_shown_again(
        self, app: Flask, as_: As, diplomas: Diplomas
    ) -> None:
        browser, address = as_("administrator"), diplomas.page("own")
        page, corrected = paste(browser, address, TEXT), TEXT.replace("Étudier", "Étudier l’existant")

        with nothing_written(app):
            again = accept(browser, page, address, corrected)
        saved = accept(browser, again, address, corrected)

        assert "Le texte a changé depuis la dernière lecture" in Page(again).text
        assert "C1.1Étudier l’existant" in Page(again).text
        assert saved.status_code == 303
        assert stored(app, diplomas.own)[0] == ("C1.1", "Étudier l’existant", 1)

    def test_paste_list_says_what_leaves_the_present_one(self, as_: As, diplomas: Diplomas) -> None:
        browser, address = as_("administrator"), diplomas.page("own")
        confirm(browser, drop(browser, address, LIST), address)

        page = Page(paste(browser, address, "C1 Étudier l’existant"))

        assert "C1 : « Étudier » devient « Étudier l’existant »" in page.text
        assert "Retirées 1 C2 : Poser" in page.text

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "obligatoire"),
            ("Rien de tel", "Aucune compétence n’a été trouvée"),
            ("C1 " + "é" * 251, "le maximum est 250"),
            ("C1 \x00", "trop long"),
        ],
    )
    def test_paste_list_refuses_what_is_no_list_beside_the_text(
        self, app: Flask, as_: As, diplomas: Diplomas, text: str, sentence: str
    ) -> None:
        browser, address = as_("administrator"), diplomas.page("own")

        with nothing_written(app):
            answer = paste(browser, address, text, geste="valider")

        assert answer.status_code == 422
        assert sentence in Page(answer).text
        assert Page(answer).error("text")

    def test_paste_list_does_not_overwrite_a_list_stored_meanwhile(
        self, app: Flask, as_: As, diplomas: Diplomas
    ) -> None:
        browser, other, address = as_("administrator"), as_("administrator"), diplomas.page("own")
        page = paste(browser, address, TEXT)
        confirm(other, drop(other, address, LIST), address)

        with nothing_written(app):
            answer = accept(browser, page, address, TEXT)
        again = accept(browser, answer, address, TEXT)

        assert answer.status_code == 409
        assert "La liste a changé entre-temps" in Page(answer).text
        assert "Retirées 2" in Page(answer).text
        assert again.status_code == 303

    def test_paste_list_keeps_what_is_not_saved_as_a_draft_and_shows_it_again(
        self, app: Flask, as_: As, diplomas: Diplomas
    ) -> None:
        browser, address = as_("administrator"), diplomas.page("own")
        browser.get(f"{address}/coller")

        kept = browser.post(f"{address}/coller", {"text": TEXT, "brouillon": "enregistrer"}, follow_redirects=True)
        page = browser.get(f"{address}/coller")

        assert "Brouillon enregistré" in Page(kept).text
        assert "C1.2Poser une installation" in Page(page).text
        accept(browser, page, address, TEXT)
        assert all(row["over_at"] for row in rows(app, Draft))

    @pytest.mark.parametrize("role", ["head", "teacher", "student"])
    def test_paste_list_is_the_administrators(self, app: Flask, as_: As, diplomas: Diplomas, role: str) -> None:
        browser = as_(role)

        with nothing_written(app):
            assert browser.get(diplomas.page("own", "/coller")).status_code == 403
            assert paste(browser, diplomas.page("own"), TEXT).status_code == 403
