"""« Créer un utilisateur »: what it says when nobody is left to choose, and when several things are wrong."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.students.models import Division, Student, TeacherDivision
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, set_up

NEW = "/admin/utilisateurs/new/"
TEACHER = {"role": "teacher", "last_name": "Nouvelle", "first_name": "Ada", "email": "ada@ecole.example"}
As = Callable[..., Browser]


def test_user_form_no_pupil_left_to_choose_says_what_to_do(app: Flask, as_: As, world: World) -> None:
    def link(session: Session) -> None:
        session.get_one(Student, world.a.student_id).account_id = world.a.account_ids["student"]

    set_up(app, link)
    browser = as_("administrator")

    shown = Page(browser.get(NEW))
    with nothing_written(app):
        refused = Page(browser.post(NEW, {"role": "student", "email": "non"}))

    assert "Tous les élèves présents ont un compte" in shown.text
    for address in ("/admin/imports", "/admin/utilisateurs/?etat=sans-eleve"):
        assert address in shown.links
        assert browser.get(address).status_code == 200
    assert "/admin/eleves/new/" not in shown.links  # locked: the school uses SIECLE
    assert "Tous les élèves présents ont déjà un compte" in refused.error("student")
    assert refused.error("email")
    set_school(app, world.a.id, uses_siecle=False)
    assert "/admin/eleves/new/" in Page(browser.get(NEW)).links


def test_user_form_all_that_is_wrong_is_reported_at_once(app: Flask, as_: As, world: World) -> None:
    browser = as_("administrator")
    browser.get(NEW)
    typed = {
        "role": "teacher",
        "last_name": "",
        "first_name": "Ada",
        "email": "non",
        "divisions": "RIEN, 2ALP, NON",
    }

    with nothing_written(app):
        page = Page(browser.post(NEW, typed))

    assert "« RIEN », « NON »" in page.error("divisions")
    assert page.error("email")
    assert page.error("last_name")
    assert "3 points sont à corriger" in page.text


def test_user_form_divisions_are_typed_as_people_write_them(app: Flask, as_: As, world: World) -> None:
    set_up(app, lambda session: session.add(Division(establishment_id=world.a.id, code="1 TOP")))
    browser = as_("administrator")

    answer = browser.post(NEW, {**TEACHER, "divisions": "2alp et 1\u00a0top ; 2ALP"})

    assert answer.status_code == 303, answer.text
    with app.app_context(), tenancy.platform_session("test") as session:
        taught = session.scalars(
            select(Division.code).join(TeacherDivision, TeacherDivision.division_id == Division.id)
        )
        assert {"2ALP", "1 TOP"} <= set(taught)


def test_user_form_a_division_that_two_codes_read_as_is_asked_exactly(app: Flask, as_: As, world: World) -> None:
    set_up(app, lambda session: session.add(Division(establishment_id=world.a.id, code="2Alp")))
    browser = as_("administrator")

    with nothing_written(app):
        refused = Page(browser.post(NEW, {**TEACHER, "divisions": "2alp"}))

    assert "Aucune division ne porte le code « 2alp »" in refused.error("divisions")
    assert browser.post(NEW, {**TEACHER, "divisions": "2Alp"}).status_code == 303


class TestSamePerson:
    def test_user_form_posted_twice_makes_one_person(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        assert browser.post(NEW, TEACHER).status_code == 303
        with nothing_written(app):
            answer = browser.post(NEW, TEACHER)

        page = Page(answer)
        assert answer.status_code == 409
        assert "Est-ce la même personne ?" in page.text
        assert "Ouvrir la fiche : Ada NOUVELLE (ada.nouvelle)" in page.text

    def test_user_form_the_same_address_under_another_name_is_asked_about(self, as_: As) -> None:
        browser = as_("administrator")
        browser.post(NEW, TEACHER)
        other = {**TEACHER, "last_name": "Mariée", "email": "ADA@ecole.example"}

        assert browser.post(NEW, other).status_code == 409
        assert browser.post(NEW, {**other, "confirmed": "oui"}).status_code == 303

    def test_user_form_a_namesake_of_another_role_or_school_asks_nothing(self, as_: As) -> None:
        browser = as_("administrator")
        browser.post(NEW, TEACHER)

        assert browser.post(NEW, {**TEACHER, "role": "administrator"}).status_code == 303
        assert as_("administrator", "b").post(NEW, TEACHER).status_code == 303
