"""The choice of a school by support and inspectors."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from cpro.audit.models import AuditEntry
from cpro.core.permissions import access_of
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.models import Establishment
from cpro.users.sign_in_models import SignIn
from tests.factories import World, make_establishment
from tests.helpers.browser import Browser
from tests.users.conftest import Desk

PARTICULARS = "/admin/parametres/etablissement"


@pytest.fixture
def desk(app: Flask, world: World) -> Desk:
    return Desk(app, world)


def journal(desk: Desk) -> list[AuditEntry]:
    """Return the lines of the journal in the order they were written."""
    return sorted(desk.rows(AuditEntry), key=lambda row: row.id)


class TestChooseSchool:
    @pytest.mark.parametrize("role", ["support", "inspector"])
    def test_choose_school_every_page_of_a_school_leads_to_the_choice(
        self, app: Flask, as_: Callable[..., Browser], role: str
    ) -> None:
        browser = as_(role)
        paths = [
            rule.rule
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or ()) and not rule.arguments and rule.rule.startswith("/admin/")
            if access_of(app.view_functions[rule.endpoint]) is not None
        ]
        assert PARTICULARS in paths

        for path in paths:
            answer = browser.get(path)
            assert (answer.status_code, answer.location) == (303, "/ecoles"), path

    @pytest.mark.parametrize("role", ["support", "inspector"])
    def test_choose_school_writing_without_a_school_chosen_leads_to_the_choice(
        self, as_: Callable[..., Browser], desk: Desk, role: str
    ) -> None:
        answer = as_(role).post(PARTICULARS, {"name": "Pirate"})

        assert (answer.status_code, answer.location) == (303, "/ecoles")
        assert "Pirate" not in [school.name for school in desk.rows(Establishment)]

    def test_choose_school_support_sees_the_schools_and_finds_one(
        self, as_: Callable[..., Browser], world: World
    ) -> None:
        browser = as_("support")

        assert {"Lycée alpha", "Lycée beta"} <= set(re.findall(r"Lycée \w+", browser.get("/ecoles").text))
        found = browser.get("/ecoles?recherche=lycee+BETA").text
        assert "Lycée beta" in found
        assert "Lycée alpha" not in found
        assert "0999001W" in browser.get("/ecoles?recherche=0999001w").text

    @pytest.mark.parametrize("sought", ["introuvable", "%", "_", "'", "\\", "x" * 10_000, "<b>"])
    def test_choose_school_an_odd_search_finds_nothing_and_breaks_nothing(
        self, as_: Callable[..., Browser], sought: str
    ) -> None:
        answer = as_("support").get("/ecoles", query_string={"recherche": sought})

        assert answer.status_code == 200
        assert "Lycée alpha" not in answer.text
        assert "<b>" not in answer.text

    def test_choose_school_an_inspector_reads_why_there_is_no_school(self, as_: Callable[..., Browser]) -> None:
        page = as_("inspector").get("/ecoles").text

        assert "Aucun établissement ne vous a ouvert d’accès" in page
        assert "Lycée" not in page


class TestEnterSchool:
    def test_enter_school_an_inspector_enters_no_school(
        self, as_: Callable[..., Browser], world: World, desk: Desk
    ) -> None:
        browser = as_("inspector")

        assert browser.post(f"/ecoles/{world.a.id}/entrer").status_code == 404
        assert browser.post("/ecoles/999999/entrer").status_code == 404
        assert browser.get("/admin/").location == "/ecoles"
        assert [row.action for row in desk.rows(AuditEntry)] == ["account:signed-in"]

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student"])
    def test_enter_school_people_of_a_school_enter_no_other(
        self, as_: Callable[..., Browser], world: World, desk: Desk, role: str
    ) -> None:
        assert as_(role).post(f"/ecoles/{world.b.id}/entrer").status_code == 403
        assert [row.entered_establishment_id for row in desk.rows(SignIn)] == [None]

    def test_enter_school_a_school_that_does_not_exist_is_not_found(self, as_: Callable[..., Browser]) -> None:
        browser = as_("support")

        assert browser.post("/ecoles/999999/entrer").status_code == 404
        assert browser.post("/ecoles/0/entrer").status_code == 404
        assert browser.post("/ecoles/beta/entrer").status_code == 404
        assert browser.post("/ecoles/-1/entrer").status_code == 404
        assert browser.post("/ecoles/99999999999999999999/entrer").status_code == 404

    def test_enter_school_a_link_or_a_form_without_token_enters_nothing(
        self, as_: Callable[..., Browser], world: World
    ) -> None:
        browser = as_("support")

        assert browser.get(f"/ecoles/{world.a.id}/entrer").status_code == 405
        assert browser.post(f"/ecoles/{world.a.id}/entrer", token=False).status_code == 400
        assert browser.get("/admin/").location == "/ecoles"

    def test_enter_school_support_reads_that_school_and_no_other(
        self, as_: Callable[..., Browser], world: World
    ) -> None:
        browser = as_("support")

        answer = browser.post(f"/ecoles/{world.b.id}/entrer")

        assert (answer.status_code, answer.location) == (303, "/admin/")
        page = browser.get(PARTICULARS).text
        assert "Lycée beta" in page
        assert "alpha" not in page
        assert browser.get("/admin/eleves-sans-ine").text.count("Secret-alpha") == 0

    def test_enter_school_support_writes_nothing(self, as_: Callable[..., Browser], desk: Desk) -> None:
        browser = as_("support", enter="a")

        for path, fields in (
            (PARTICULARS, {"name": "Pirate"}),
            ("/admin/parametres/transferts", {"transfers_enabled": "oui"}),
            ("/admin/parametres/masques?diplome=40025520", {"links": "Pirate"}),
            ("/admin/parametres/masques/reinitialiser", {"diplome": "40025520"}),
            ("/admin/parametres/logo/televerser/logo", {}),
            ("/admin/parametres/logo/supprimer/logo", {}),
            ("/admin/parametres/logo/annuler/cachet", {}),
        ):
            assert browser.post(path, fields).status_code == 403, path
        assert "Pirate" not in [school.name for school in desk.rows(Establishment)]
        assert "Valider" not in browser.get(PARTICULARS).text

    def test_enter_school_support_goes_from_one_school_to_another_and_leaves(
        self, as_: Callable[..., Browser], world: World
    ) -> None:
        browser = as_("support", enter="a")
        browser.post(f"/ecoles/{world.b.id}/entrer")
        assert "Lycée beta" in browser.get(PARTICULARS).text

        left = browser.post("/ecoles/quitter")

        assert (left.status_code, left.location) == (303, "/ecoles")
        assert browser.get(PARTICULARS).location == "/ecoles"

    def test_leave_school_leads_back_to_the_list_as_it_was_searched(
        self, as_: Callable[..., Browser], world: World
    ) -> None:
        browser = as_("support")
        searched = "/ecoles?recherche=beta&etat=arret"
        assert browser.get(searched).status_code == 200
        browser.post(f"/ecoles/{world.b.id}/entrer")

        assert browser.post("/ecoles/quitter").location == searched

        browser.get("/ecoles")
        browser.post(f"/ecoles/{world.b.id}/entrer")
        assert browser.post("/ecoles/quitter").location == "/ecoles"

    def test_enter_school_each_browser_enters_for_itself(self, as_: Callable[..., Browser]) -> None:
        as_("support", enter="a")

        assert as_("support").get(PARTICULARS).location == "/ecoles"

    def test_enter_school_is_recorded_in_the_journal_of_the_school(
        self, as_: Callable[..., Browser], world: World, desk: Desk
    ) -> None:
        browser = as_("support", enter="a")
        browser.post(f"/ecoles/{world.b.id}/entrer")
        browser.post("/ecoles/quitter")

        lines = [row for row in journal(desk) if row.action.startswith("school:")]
        assert [(row.action, row.establishment_id) for row in lines] == [
            ("school:entered", world.a.id),
            ("school:left", world.a.id),
            ("school:entered", world.b.id),
            ("school:left", world.b.id),
        ]
        assert {(row.actor_kind, row.actor_role, row.actor_label) for row in lines} == {
            ("platform", "support", "Personne support")
        }

    def test_enter_school_where_one_is_already_is_no_second_entrance(
        self, as_: Callable[..., Browser], world: World, desk: Desk
    ) -> None:
        browser = as_("support", enter="a")
        assert browser.post(f"/ecoles/{world.a.id}/entrer").status_code == 303
        browser.post("/ecoles/quitter")
        browser.post("/ecoles/quitter")

        lines = [row.action for row in journal(desk) if row.action.startswith("school:")]
        assert lines == ["school:entered", "school:left"]

    def test_enter_school_a_school_without_a_name_can_be_entered(
        self, app: Flask, as_: Callable[..., Browser], world: World
    ) -> None:
        with app.app_context(), platform_unit_of_work("test") as work:
            school = make_establishment(code="sans-nom", name="", email="")
            work.session.add(school)
            work.session.flush()
            school_id = school.id
        browser = as_("support")

        assert "sans-nom" in browser.get("/ecoles").text
        assert browser.post(f"/ecoles/{school_id}/entrer").status_code == 303
        assert browser.get(PARTICULARS).status_code == 200
