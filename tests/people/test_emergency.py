"""« Urgence », as a browser uses it: three steps to closed, what each person is offered, what a thief's page does."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cpro.core.permissions import Role
from cpro.users.emergency.models import RoleLock
from cpro.users.operations import access
from cpro.users.sign_in_models import SignIn
from tests.factories import PASSWORD, World, make_mandate
from tests.helpers.browser import Browser
from tests.helpers.credential_sheets import confirmation
from tests.helpers.office import Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_up

URGENCE, CLOSE, REOPEN = "/admin/urgence", "/admin/urgence/fermer", "/admin/urgence/rouvrir"
ONE_S_OWN = "Vous gardez cette session"

As = Callable[..., Browser]


def text_of(answer: TestResponse) -> str:
    """Return what a page says, plain spaces."""
    return Page(answer).text


def close(browser: Browser, role: str) -> str:
    """Close a role as its pages lead to it, and return what the page says then."""
    asked = browser.get(f"{CLOSE}?role={role}")
    assert asked.status_code == 200, asked.text
    return text_of(browser.post(CLOSE, {"role": role}, follow_redirects=True))


def reopen(browser: Browser, role: str, password: str = PASSWORD) -> TestResponse:
    """Reopen a role as its pages lead to it."""
    browser.get(f"{REOPEN}?role={role}")
    return browser.post(REOPEN, {"role": role, "current_password": password})


def leave_first_unused(session: Session) -> None:
    """Have the first sign-in unused for long: it is over, though nobody ended it."""
    session.scalars(select(SignIn).order_by(SignIn.id)).first().last_seen_at -= timedelta(hours=2)  # type: ignore[union-attr]


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


class TestIndex:
    def test_index_offers_the_head_every_role(self, as_: As) -> None:
        page = as_("head").get(URGENCE)

        for people in ("Administrateurs", "Chefs d’établissement", "Enseignants", "Apprenants", "Inspecteurs"):
            assert people in text_of(page)
        for role in ("administrator", "head", "teacher", "student", "inspector", "tous"):
            assert f"{CLOSE}?role={role}" in page.text
        assert "Aucun accès n’a jamais été fermé d’urgence" in text_of(page)

    def test_index_offers_the_administrator_neither_heads_nor_inspectors(self, as_: As) -> None:
        page = as_("administrator").get(URGENCE)

        assert "Vous ne fermez ni les comptes des chefs d’établissement, ni les accès inspecteur" in text_of(page)
        assert f"{CLOSE}?role=teacher" in page.text
        for role in ("head", "inspector"):
            assert f"role={role}" not in page.text

    def test_index_offers_to_reopen_to_the_head_alone(self, as_: As) -> None:
        head, administrator = as_("head"), as_("administrator")
        close(administrator, "teacher")

        assert REOPEN not in administrator.get(URGENCE).text
        assert f"{REOPEN}?role=teacher" in head.get(URGENCE).text
        assert "par Alix GRANITE" in text_of(head.get(URGENCE))

    def test_index_is_in_the_menu_of_those_who_may(self, as_: As) -> None:
        for role, offered in (("head", True), ("administrator", True), ("teacher", False), ("student", False)):
            assert (f'href="{URGENCE}"' in as_(role).get("/mon-compte").text) is offered, role

    def test_index_tells_nothing_of_another_school(self, as_: As) -> None:
        close(as_("head", "b"), "teacher")

        assert "toujours fermé" not in text_of(as_("head", "a").get(URGENCE))

    def test_index_offers_new_sheets_once_reopened(self, app: Flask, as_: As, office: Office) -> None:
        administrator, head = as_("administrator"), as_("head")
        [pupil] = office.add_pupils(1)
        administrator.post("/admin/utilisateurs/fiches", {"pour": "role", "role": "student", "layout": "8"})
        close(head, "student")
        sheets = "/admin/utilisateurs/fiches?pour=sans-code"
        assert sheets not in administrator.get(URGENCE).text

        assert reopen(head, "student").status_code == 303

        assert sheets in administrator.get(URGENCE).text
        assert sheets not in head.get(URGENCE).text  # who prints is the administrator
        drawn = administrator.post(
            "/admin/utilisateurs/fiches", {"pour": "sans-code", "layout": "8", "format": "csv"}, follow_redirects=True
        )
        assert "1 fiche" in text_of(drawn)
        assert office.find(pupil).activated_at is None

    def test_index_offers_new_sheets_to_an_account_that_was_reset(self, as_: As, office: Office, world: World) -> None:
        administrator, head = as_("administrator"), as_("head")
        office.act(access.reset_account, password_given=True, account=world.a.account_ids["teacher"])
        close(head, "teacher")
        reopen(head, "teacher")

        drawn = administrator.post(
            "/admin/utilisateurs/fiches", {"pour": "sans-code", "layout": "8", "format": "csv"}, follow_redirects=True
        )

        assert "1 fiche" in text_of(drawn)

    @pytest.mark.parametrize("reopened", [False, True])
    def test_index_leads_the_administrator_to_resets_that_void_stolen_passwords(
        self, app: Flask, as_: As, world: World, reopened: bool
    ) -> None:
        administrator, head = as_("administrator"), as_("head")
        close(head, "teacher")
        if reopened:
            reopen(head, "teacher")

        assert "Réinitialiser les comptes des enseignants" in text_of(administrator.get(URGENCE))
        [link] = [each for each in Page(administrator.get(URGENCE)).links if "fiches?pour=role&role=teacher" in each]
        assert administrator.form(link)["reset"] == "y"
        assert "reset" not in administrator.form("/admin/utilisateurs/fiches?pour=role&role=teacher")
        form = {**administrator.form(link), "pour": "role", "role": "teacher", "layout": "8", "format": "csv"}
        asked = administrator.post("/admin/utilisateurs/fiches", {**form, "reset": "y"})
        assert "1 mot de passe déjà choisi cesse" in Page(asked).text
        confirmed = {**confirmation(asked), "current_password": PASSWORD}
        drawn = administrator.post("/admin/utilisateurs/fiches", confirmed, follow_redirects=True)
        assert "1 fiche" in text_of(drawn)
        login = world.logins["teacher"]
        assert Browser(app).sign_in(world.a.code, login, PASSWORD).status_code == 422


class TestElsewhere:
    def test_page_of_a_person_says_that_their_role_is_closed(self, as_: As, office: Office, world: World) -> None:
        head, administrator = as_("head"), as_("administrator")
        address = f"/admin/utilisateurs/details/?id={world.a.account_ids['teacher']}"
        close(head, "teacher")

        for reader in (head, administrator):
            assert "Accès fermé depuis le" in text_of(reader.get(address))
            assert "par Claude BASALTE" in text_of(reader.get(address))
        others = f"/admin/utilisateurs/details/?id={world.a.account_ids['student']}"
        assert "Accès fermé" not in text_of(administrator.get(others))

        reopen(head, "teacher")
        assert "Accès fermé" not in text_of(administrator.get(address))

    def test_page_of_whoever_closed_their_own_role_says_nothing(self, as_: As, office: Office, world: World) -> None:
        head, second = as_("head"), office.add(Role.HEAD, login="second.chef")
        close(head, "head")

        own, other = world.a.account_ids["head"], second
        assert "Accès fermé" not in text_of(head.get(f"/admin/utilisateurs/details/?id={own}"))
        assert "Accès fermé" in text_of(head.get(f"/admin/utilisateurs/details/?id={other}"))

    @pytest.mark.parametrize("closed", [False, True])
    def test_page_of_a_new_code_warns_that_it_waits(self, as_: As, world: World, closed: bool) -> None:
        administrator, teacher = as_("administrator"), world.a.account_ids["teacher"]
        if closed:
            close(administrator, "teacher")
        posted = {"id": teacher, "current_password": PASSWORD}

        shown = text_of(administrator.post("/admin/utilisateurs/reinitialiser/", posted))
        sheets = {"pour": "role", "role": "teacher", "layout": "8", "format": "csv", "confirme": "oui"}
        drawn = text_of(administrator.post("/admin/utilisateurs/fiches", sheets, follow_redirects=True))

        assert ("ne servira qu’une fois l’accès des enseignants rouvert" in shown) is closed
        assert "1 fiche prête" in drawn
        assert ("ne serviront qu’après la réouverture" in drawn) is closed


class TestClose:
    def test_close_says_what_follows_then_does_it(self, as_: As) -> None:
        head, thief = as_("head"), as_("teacher")

        asked = text_of(head.get(f"{CLOSE}?role=teacher"))
        said = close(head, "teacher")

        assert "Fermer maintenant l’accès des enseignants ?" in asked
        assert "1 compte est fermé, et 1 session ouverte prend fin" in asked
        assert ONE_S_OWN not in asked
        assert "L’accès des enseignants est fermé : 1 session terminée, 0 code annulé." in said
        assert "fermé le" in said
        assert thief.get("/scenarios").headers["Location"].startswith("/connexion")

    @pytest.mark.parametrize("role", ["teacher", "tous"])
    def test_close_counts_what_was_announced(
        self, app: Flask, as_: As, office: Office, world: World, role: str
    ) -> None:
        office.add(Role.TEACHER, login="parti", is_active=False)
        set_up(app, lambda session: session.add(make_mandate(world)))
        stale, _live, _inspector = as_("teacher"), as_("teacher"), as_("inspector", enter="a")
        head = as_("head")
        set_up(app, leave_first_unused)
        announced = text_of(head.get(f"{CLOSE}?role={role}"))

        said = close(head, role)

        accounts, ended = (1, 1) if role == "teacher" else (3, 1)
        assert re.search(
            rf"{accounts} comptes? (est fermé|sont fermés), et {ended} session ouverte prend fin", announced
        )
        assert f"est fermé : {ended} session terminée" in said
        assert f"{accounts} compte{'s' if accounts > 1 else ''}, {ended} session terminée" in said
        assert stale.get("/scenarios").status_code == 303

    def test_close_announces_only_what_is_open_still(self, as_: As) -> None:
        head, _teacher, _pupil = as_("head"), as_("teacher"), as_("student")
        close(head, "teacher")

        asked = text_of(head.get(f"{CLOSE}?role=tous"))

        assert "2 comptes sont fermés, et 1 session ouverte prend fin" in asked
        assert "2 comptes, 1 session terminée" in close(head, "tous")

    def test_close_the_whole_school_keeps_the_head_who_closes_it(self, app: Flask, as_: As) -> None:
        phone, others = as_("head"), [as_(role) for role in ("head", "administrator", "teacher", "student")]

        asked = text_of(phone.get(f"{CLOSE}?role=tous"))
        close(phone, "tous")

        assert "Fermer maintenant l’accès de tout l’établissement ?" in asked
        assert ONE_S_OWN in asked
        assert phone.get(URGENCE).status_code == 200
        assert [each.get("/mon-compte").status_code for each in others] == [303, 303, 303, 303]
        assert {row["role"] for row in rows(app, RoleLock)} == {
            "administrator", "head", "teacher", "student", "inspector",
        }  # fmt: skip

    def test_close_every_role_of_the_administrator_leaves_the_head_in(self, app: Flask, as_: As) -> None:
        administrator, head = as_("administrator"), as_("head")

        asked = text_of(administrator.get(f"{CLOSE}?role=tous"))
        close(administrator, "tous")

        assert "Le chef d’établissement en est averti aussitôt. Lui seul peut rouvrir." in asked
        assert head.get(URGENCE).status_code == administrator.get(URGENCE).status_code == 200
        assert {row["role"] for row in rows(app, RoleLock)} == {"administrator", "teacher", "student"}

    @pytest.mark.parametrize("role", ["head", "inspector"])
    def test_close_what_is_the_heads_is_refused_to_the_administrator(self, app: Flask, as_: As, role: str) -> None:
        administrator = as_("administrator")

        with nothing_written(app):
            assert administrator.get(f"{CLOSE}?role={role}").status_code == 403
            assert administrator.post(CLOSE, {"role": role}).status_code == 403

    @pytest.mark.parametrize("role", ["", "support", "proviseur"])
    def test_close_what_is_no_role_is_refused(self, app: Flask, as_: As, role: str) -> None:
        head = as_("head")

        with nothing_written(app):
            status = 403 if role == "support" else 404
            assert (
                head.get(f"{CLOSE}?role={role}").status_code == head.post(CLOSE, {"role": role}).status_code == status
            )

    def test_close_twice_is_said(self, app: Flask, as_: As) -> None:
        head = as_("head")
        close(head, "teacher")

        with nothing_written(app):
            assert "Cet accès est déjà fermé." in close(head, "teacher")

    def test_close_leaves_a_page_of_the_thief_nothing_to_do(self, app: Flask, as_: As) -> None:
        head, thief = as_("head"), as_("administrator")
        thief.get("/admin/utilisateurs/new/")
        close(head, "administrator")

        with nothing_written(app):
            for path in ("/admin/utilisateurs/new/", "/admin/parametres/etablissement", CLOSE, "/mon-compte"):
                assert (
                    thief.post(path, {"role": "teacher", "last_name": "Voleur"})
                    .headers["Location"]
                    .startswith("/connexion")
                )
                assert thief.get(path).headers["Location"].startswith("/connexion")

    def test_close_keeps_what_an_honest_person_was_typing(self, as_: As, world: World) -> None:
        head, teacher = as_("head"), as_("teacher")
        form = teacher.form("/scenarios/nouveau")
        close(head, "teacher")
        typed = {**form, "title": "Poser une prise"}
        left = teacher.post("/scenarios/nouveau", typed, headers={"Sec-Fetch-Site": "same-origin"})
        assert left.headers["Location"].startswith("/connexion")

        reopen(head, "teacher")
        teacher.mint_sign_in(world.a.code, world.logins["teacher"])

        assert "Poser une prise" in teacher.get("/scenarios/nouveau").text

    def test_close_shuts_inspectors_out_and_keeps_their_mandates(self, app: Flask, as_: As, world: World) -> None:
        set_up(app, lambda session: session.add(make_mandate(world)))
        inspector, head = as_("inspector", enter="a"), as_("head")
        assert inspector.get("/admin/eleves/").status_code == 200

        close(head, "inspector")

        assert inspector.get("/admin/eleves/").headers["Location"] == "/ecoles"
        assert "Lycée alpha" not in text_of(inspector.get("/ecoles"))
        assert inspector.post(f"/ecoles/{world.a.id}/entrer").status_code == 404
        assert "0 compte, 0 session terminée, 0 code annulé" in text_of(head.get(URGENCE))  # of the platform all

        reopen(head, "inspector")
        assert inspector.post(f"/ecoles/{world.a.id}/entrer").status_code == 303


class TestReopen:
    def test_reopen_says_who_resets_a_stolen_password_and_where(self, as_: As) -> None:
        head = as_("head")
        close(head, "teacher")

        asked = text_of(head.get(f"{REOPEN}?role=teacher"))

        assert "demandez d’abord à l’administrateur de réinitialiser le compte concerné" in asked
        for step in (
            "menu « Gérer les profils utilisateurs »",
            "« Réinitialiser »",
            "« Réinitialiser les comptes des enseignants »",
        ):
            assert step in asked

    def test_reopen_asks_for_the_password(self, app: Flask, as_: As) -> None:
        head = as_("head")
        close(head, "teacher")

        with nothing_written(app):
            assert reopen(head, "teacher", "").status_code == 422
            assert "Le mot de passe n’est pas le bon" in reopen(head, "teacher", "faux").text

        assert reopen(head, "teacher").status_code == 303
        assert "rouvert le" in text_of(head.get(URGENCE))

    def test_reopen_all_at_once(self, app: Flask, as_: As) -> None:
        head = as_("head")
        close(head, "tous")

        assert reopen(head, "tous").status_code == 303

        assert all(row["reopened_by"] == "Claude BASALTE" for row in rows(app, RoleLock))

    def test_reopen_what_is_open_is_said(self, app: Flask, as_: As) -> None:
        head = as_("head")

        with nothing_written(app):
            answer = reopen(head, "teacher")

        assert answer.status_code == 409
        assert "Cet accès est déjà ouvert." in answer.text

    def test_reopen_is_not_the_administrators(self, app: Flask, as_: As) -> None:
        administrator = as_("administrator")
        close(administrator, "teacher")

        assert administrator.get(f"{REOPEN}?role=teacher").status_code == 403
        assert administrator.post(REOPEN, {"role": "teacher", "current_password": PASSWORD}).status_code == 403
