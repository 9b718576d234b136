"""The list of a diploma: who may read it, how a school keeps its own."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cpro.competences.models import Competence
from cpro.scenarios.models import ScenarioCompetence
from tests.competences.conftest import Diplomas
from tests.factories import World, make_competence, make_mandate, make_scenario
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, watching

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
LIST = "code;intitulé\nC1;Étudier\nC2;Poser\n"


def drop(browser: Browser, address: str, text: str | bytes) -> TestResponse:
    """Deposit a file."""
    content = text.encode() if isinstance(text, str) else text
    return browser.post(
        f"{address}/deposer", {"file": (io.BytesIO(content), "liste.csv")}, content_type="multipart/form-data"
    )


def confirm(browser: Browser, page: TestResponse, address: str) -> TestResponse:
    """Press the button of the page that says what will change."""
    hidden = {
        each.get("name"): each.get("value", "")
        for each in Page(page).main.iter("input")
        if each.get("type") == "hidden" and each.get("name") != "csrf_token"
    }
    return browser.post(f"{address}/deposer", hidden)


def stored(app: Flask, diploma_id: int) -> list[tuple[str, str, int]]:
    found = [row for row in rows(app, Competence) if row["diploma_id"] == diploma_id]
    return [(row["code"], row["label"], row["position"]) for row in sorted(found, key=lambda row: row["position"])]


class TestCompetencesPage:
    def test_competences_page_comes_next_after_a_diploma_is_created(self, as_: As) -> None:
        browser = as_("administrator")
        typed = {"code": "ROCHE", "label": "CAP Roche", "short_label": "Roche"}
        page = Page(browser.post("/admin/diplomes/new/", typed, follow_redirects=True))

        assert "La fiche est créée : Roche. Ajoutez maintenant ses compétences." in page.text
        [paste] = {link for link in page.links if link.endswith("/competences/coller")}
        assert browser.get(paste).status_code == 200
        empty = Page(browser.get(paste.removesuffix("/coller")))
        assert "collez-la, telle que le référentiel la donne, ou déposez-en une, à partir du modèle" in empty.text
        assert empty.links.count(paste) == 2, "above, and under the sentence"

    @pytest.mark.parametrize("role", ["administrator", "head", "support"])
    def test_competences_page_is_open_to_those_who_read_diplomas(self, as_: As, diplomas: Diplomas, role: str) -> None:
        browser = as_(role, enter="a" if role == "support" else None)

        page = Page(browser.get(diplomas.page("national")))

        assert "C13" in page.text and "Communiquer avec le client/usager sur l’opération" in page.text
        assert "Déposer une liste" not in page.text

    def test_competences_page_is_reached_from_the_page_of_the_diploma(self, as_: As, diplomas: Diplomas) -> None:
        page = as_("administrator").get(f"/admin/diplomes/details/?id={diplomas.national}").text

        assert f'href="{diplomas.page("national")}"' in page
        assert "13 compétences" in page.replace("\u202f", " ")

    def test_competences_page_of_another_school_does_not_exist(self, as_: As, diplomas: Diplomas) -> None:
        browser = as_("administrator")

        for end in ("", "/modele", "/deposer", "/coller", "/vider"):
            assert browser.get(diplomas.page("theirs", end)).status_code == 404
        for end in ("/deposer", "/coller", "/vider"):
            assert browser.post(diplomas.page("theirs", end)).status_code == 404

    def test_competences_page_an_inspector_reads_those_of_the_mandate_alone(
        self, as_: As, world: World, arrange: Look, diplomas: Diplomas
    ) -> None:
        from cpro.inspectors.models import MandateDiploma

        with arrange() as session:
            mandate = make_mandate(world, all_diplomas=False)
            session.add(mandate)
            session.flush()
            session.add(
                MandateDiploma(establishment_id=world.a.id, mandate_id=mandate.id, diploma_id=diplomas.national)
            )
        browser = as_("inspector", enter="a")

        assert browser.get(diplomas.page("national")).status_code == 200
        assert browser.get(diplomas.page("own")).status_code == 404

    def test_template_the_template_holds_the_list_or_an_example(self, as_: As, diplomas: Diplomas) -> None:
        browser = as_("administrator")

        national = browser.get(diplomas.page("national", "/modele"))

        assert national.mimetype == "text/csv"
        assert national.text.splitlines()[1] == "C1;Analyser les conditions de l’opération et son contexte"
        assert browser.get(diplomas.page("own", "/modele")).text.splitlines()[0] == "\ufeffcode;intitulé"


class TestDepositList:
    def test_deposit_list_says_what_it_will_change_and_writes_nothing_yet(
        self, app: Flask, as_: As, diplomas: Diplomas
    ) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            page = Page(drop(browser, diplomas.page("own"), LIST))

        assert "Ajoutées 2" in page.text
        assert "C1 : Étudier" in page.text

    def test_deposit_list_saves_once_confirmed(self, app: Flask, as_: As, diplomas: Diplomas) -> None:
        browser, address = as_("administrator"), diplomas.page("own")

        with watching(app) as watch:
            answer = confirm(browser, drop(browser, address, LIST), address)

        assert (answer.status_code, answer.location) == (303, address)
        assert stored(app, diplomas.own) == [("C1", "Étudier", 1), ("C2", "Poser", 2)]
        assert watch.line["action"] == "competences:changed"
        assert watch.line["changes"] == {"competences_added": [None, ["C1", "C2"]]}
        assert watch.changed == {"competence", "audit_entry"}

    def test_deposit_list_corrects_moves_and_removes(self, app: Flask, as_: As, diplomas: Diplomas) -> None:
        browser, address = as_("administrator"), diplomas.page("own")
        confirm(browser, drop(browser, address, LIST), address)

        page = drop(browser, address, "code;intitulé\nC3;Régler\nC1;Étudier l’existant\n")
        text = Page(page).text
        answer = confirm(browser, page, address)

        assert "« Étudier » devient « Étudier l’existant »" in text
        assert "Retirées 1" in text
        assert Page(browser.get(answer.location)).flashes == [
            "C’est fait Liste enregistrée : 1 compétence ajoutée, 1 corrigée et 1 retirée."
        ]
        assert stored(app, diplomas.own) == [("C3", "Régler", 1), ("C1", "Étudier l’existant", 2)]

    def test_deposit_list_never_removes_a_competence_in_use(
        self, app: Flask, as_: As, world: World, arrange: Look, diplomas: Diplomas
    ) -> None:
        with arrange() as session:
            used = make_competence(diplomas.own, code="C9", establishment_id=world.a.id)
            scenario = make_scenario(world.a, diplomas.own)
            session.add_all([used, scenario])
            session.flush()
            session.add(ScenarioCompetence(establishment_id=world.a.id, scenario_id=scenario.id, competence_id=used.id))
            label = used.label
        browser, address = as_("administrator"), diplomas.page("own")

        page = drop(browser, address, LIST)
        confirm(browser, page, address)
        emptied = browser.post(f"{address}/vider", follow_redirects=True)

        assert "déjà utilisées" in Page(page).text and "Titre-secret" not in page.text
        assert stored(app, diplomas.own) == [("C9", label, 3)]
        assert "2 compétences retirées" in Page(emptied).text

    def test_deposit_list_the_same_list_changes_nothing(self, app: Flask, as_: As, diplomas: Diplomas) -> None:
        browser, address = as_("administrator"), diplomas.page("own")
        confirm(browser, drop(browser, address, LIST), address)

        with nothing_written(app):
            answer = drop(browser, address, LIST)

        assert (answer.status_code, answer.location) == (303, address)

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("", "Choisissez d’abord un fichier."),
            ("code;intitulé\nC1;Étudier\nC1;Encore", "le code C1 est déjà celui de la ligne 2."),
            ("n’importe quoi", "La première ligne du fichier doit nommer"),
            (b"PK\x03\x04", "Ce fichier est un classeur"),
            (b"\xff\xfe\x00\x81\x8d", "Ce fichier n’est pas un"),
            ("code;intitulé\nC1;" + "é" * 251, "le maximum est 250"),
        ],
    )
    def test_deposit_list_refuses_a_bad_file_with_each_line(
        self, app: Flask, as_: As, diplomas: Diplomas, content: str | bytes, sentence: str
    ) -> None:
        browser, address = as_("administrator"), diplomas.page("own")

        with nothing_written(app):
            if content:
                answer = drop(browser, address, content)
            else:
                answer = browser.post(f"{address}/deposer")

        assert answer.status_code == 422
        assert sentence in Page(answer).text

    def test_deposit_list_does_not_overwrite_a_file_stored_meanwhile(
        self, app: Flask, as_: As, diplomas: Diplomas
    ) -> None:
        browser, other, address = as_("administrator"), as_("administrator"), diplomas.page("own")
        page = drop(browser, address, LIST)
        confirm(other, drop(other, address, "code;intitulé\nX1;Autre\n"), address)

        with nothing_written(app):
            answer = confirm(browser, page, address)

        assert answer.status_code == 409
        assert "La liste a changé" in Page(answer).text

    def test_deposit_list_a_tampered_confirmation_is_refused(self, app: Flask, as_: As, diplomas: Diplomas) -> None:
        browser, address = as_("administrator"), diplomas.page("own")

        with nothing_written(app):
            answer = browser.post(f"{address}/deposer", {"content": "code;intitulé\n;x"})

        assert answer.status_code == 422

    @pytest.mark.parametrize("role", ["head", "teacher", "student"])
    def test_deposit_list_is_the_administrators(self, app: Flask, as_: As, diplomas: Diplomas, role: str) -> None:
        browser = as_(role)

        with nothing_written(app):
            assert browser.get(diplomas.page("own", "/deposer")).status_code == 403
            assert browser.post(diplomas.page("own", "/vider")).status_code == 403


class TestDeleteDiploma:
    def test_delete_diploma_is_refused_while_it_has_competences(self, app: Flask, as_: As, diplomas: Diplomas) -> None:
        browser, address = as_("administrator"), diplomas.page("own")
        confirm(browser, drop(browser, address, LIST), address)

        with nothing_written(app):
            refused = browser.post("/admin/diplomes/delete/", {"id": diplomas.own})
        browser.post(f"{address}/vider")
        done = browser.post("/admin/diplomes/delete/", {"id": diplomas.own})

        assert refused.status_code == 409
        assert "une liste de 2 compétences : videz-la d’abord" in Page(refused).text
        assert done.status_code == 303

    def test_delete_diploma_is_refused_while_scenarios_are_written_for_it(
        self, app: Flask, as_: As, world: World, arrange: Look, diplomas: Diplomas
    ) -> None:
        with arrange() as session:
            session.add(make_scenario(world.a, diplomas.own))
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post("/admin/diplomes/delete/", {"id": diplomas.own})

        assert answer.status_code == 409
        assert "1 scénario est écrit pour ce diplôme" in Page(answer).text
        assert "Titre-secret" not in answer.text


def test_save_list_confirming_says_what_it_does(as_: As, diplomas: Diplomas) -> None:
    browser, address = as_("administrator"), diplomas.page("own")
    confirm(browser, drop(browser, address, LIST), address)

    page: Any = Page(browser.get(f"{address}/vider"))

    assert "2 compétences seront retirées" in page.text
