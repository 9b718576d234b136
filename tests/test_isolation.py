"""Another school's object does not exist: by id, by list, by look-up, on GET and POST, in generated screens too."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from flask_admin import Admin
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro import create_app
from cpro.core.jobs.runner import Runner
from cpro.core.permissions import Permission
from cpro.core.tenancy import TenancyError
from cpro.core.web.screens.base import SecureModelView
from cpro.extensions import db
from cpro.masks.models import Mask
from cpro.students.models import Diploma, Division, Student
from tests.factories import World, make_diploma, make_mandate, make_scenario, make_transfer, make_transfer_side
from tests.helpers.browser import Browser

Look = Callable[[], AbstractContextManager[Session]]


class TestIsolationOfSettings:
    @pytest.mark.parametrize("role", ["administrator", "head"])
    def test_isolation_of_settings_each_school_sees_itself_only(
        self, as_: Callable[..., Browser], world: World, role: str
    ) -> None:
        pages = [
            "/admin/",
            "/admin/parametres/etablissement",
            "/admin/parametres/transferts",
            "/admin/parametres/transferts/effectues",
            f"/admin/parametres/masques?diplome={world.diploma_code}",
            "/admin/parametres/logo",
            *(f"/admin/parametres/historique?de={part}" for part in ("etablissement", "transferts", "masques", "logo")),
            "/admin/eleves-sans-ine",
            "/admin/parametres/conservation",
            "/admin/acces",
        ]
        for school, other in (("a", "beta"), ("b", "alpha")):
            browser = as_(role, school)
            for page in pages:
                text = browser.get(page).text
                assert other not in text, f"{page} shows {other} to the other school"

    def test_isolation_of_settings_support_sees_the_school_entered_only(self, as_: Callable[..., Browser]) -> None:
        browser = as_("support", enter="a")

        assert "Secret-alpha" in browser.get("/admin/eleves-sans-ine").text.replace("SECRET-ALPHA", "Secret-alpha")
        assert "beta" not in browser.get("/admin/eleves-sans-ine").text.lower()

    def test_isolation_of_settings_another_schools_diploma_does_not_exist(
        self, as_: Callable[..., Browser], world: World, arrange: Look
    ) -> None:
        with arrange() as session:
            session.add(make_diploma(code="MAISON-B", establishment_id=world.b.id))
        browser = as_("administrator", "a")
        address = "/admin/parametres/masques?diplome=MAISON-B"

        assert browser.get(address).status_code == 404
        assert browser.post(address, {"links": "Chez vous"}).status_code == 404
        assert browser.get("/admin/parametres/masques/reinitialiser?diplome=MAISON-B").status_code == 404
        assert browser.post("/admin/parametres/masques/reinitialiser", {"diplome": "MAISON-B"}).status_code == 404
        assert "MAISON-B" not in browser.get("/admin/parametres/masques").text

    def test_isolation_of_settings_saving_touches_ones_own_rows_only(
        self, as_: Callable[..., Browser], world: World, platform: Look
    ) -> None:
        browser = as_("administrator", "a")

        browser.post(f"/admin/parametres/masques?diplome={world.diploma_code}", {"links": "À moi"})
        browser.post("/admin/parametres/masques/reinitialiser", {"diplome": world.diploma_code})

        with platform() as session:
            assert [mask.wording for mask in session.scalars(select(Mask))] == ["Liens de beta"]


class TestIsolationOfPassports:
    @pytest.mark.parametrize("role", ["head", "teacher", "student"])
    def test_isolation_of_passports_another_schools_pupils_and_divisions_have_none(
        self, as_: Callable[..., Browser], world: World, role: str
    ) -> None:
        browser = as_(role, "b")

        answer = browser.get(f"/passeport/{world.a.student_id}.pdf")
        assert answer.status_code == 404
        assert "alpha" not in answer.text.lower()
        browser.get("/mon-compte")
        asked = browser.post(f"/passeports/divisions/{world.a.division_id}")
        assert asked.status_code == (403 if role == "student" else 404)


class TestIsolationOfWorkbooks:
    @pytest.mark.parametrize("role", ["administrator", "head"])
    def test_isolation_of_workbooks_another_schools_do_not_exist(
        self, as_: Callable[..., Browser], app: Flask, monkeypatch: pytest.MonkeyPatch, role: str
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_XLSX_ROWS", 0)
        owner = as_(role, "a")
        owner.get("/admin/eleves/export/xlsx/")
        progress = owner.post("/admin/eleves/export/classeurs/").location
        Runner(app, threading.Event()).drain()
        workbook = f"/admin/eleves/export/classeurs/{progress.rpartition('/')[2]}/"
        assert owner.get(workbook).status_code == 200

        stranger = as_(role, "b")

        assert [stranger.get(path).status_code for path in (workbook, progress)] == [404, 404]
        assert "Vos classeurs" not in stranger.get("/admin/eleves/export/xlsx/").text


class TestIsolationOfTransfers:
    """One transfer, two sides: each school has its own, and the other's does not exist for it."""

    @pytest.mark.parametrize("role", ["administrator", "head"])
    def test_isolation_of_transfers_the_other_schools_side_does_not_exist(
        self, as_: Callable[..., Browser], world: World, arrange: Look, role: str
    ) -> None:
        with arrange() as session:
            session.add(transfer := make_transfer(world.b.id, world.a.id))
            session.flush()
            session.add(side := make_transfer_side(transfer.id, world.b.id, student_label="Secret-beta"))
            session.flush()
            address = f"/admin/parametres/transferts/effectues/{side.id}"
        browser = as_(role, "a")
        actions = ("confirmer", "accorder", "accepter", "refuser", "reprendre", "redemander", "annuler")

        for path in ("", "/recepisse.pdf", *(f"/{action}" for action in actions)):
            answer = browser.get(address + path)
            assert (answer.status_code, "Secret-beta" in answer.text) == (404, False), path
        for action in (*actions, "verifier"):
            answer = browser.post(f"{address}/{action}", {"reason": "Non", "student": str(world.a.student_id)})
            assert (answer.status_code, "Secret-beta" in answer.text) == (404, False), action
        for page in ("/admin/parametres/transferts/effectues", "/admin/transferts/", "/admin/"):
            assert "Secret-beta" not in browser.get(page).text


class TestIsolationOfScenarios:
    def test_isolation_of_scenarios_another_schools_do_not_exist(
        self, as_: Callable[..., Browser], world: World, arrange: Look
    ) -> None:
        with arrange() as session:
            diploma = session.scalars(select(Diploma)).one()
            theirs = make_scenario(world.b, diploma.id)
            session.add(theirs)
            session.flush()
            address = f"/scenarios/{theirs.id}"

        for role, ends in (("teacher", ("", "/imprimer", "/modifier", "/archiver")), ("head", ("", "/imprimer"))):
            browser = as_(role)
            assert [browser.get(f"{address}{end}").status_code for end in ends] == [404] * len(ends)
            assert "secret" not in browser.get("/scenarios?etat=tous").text
        teacher = as_("teacher")
        for end in ("/modifier", "/archiver", "/reprendre"):
            assert teacher.post(f"{address}{end}", {"title": "Pris"}).status_code == 404
        assert teacher.get(f"/scenarios/nouveau?copie={address.rpartition('/')[2]}").status_code == 404


@pytest.fixture
def careless(world: World, migrated_app: Flask) -> Iterator[Flask]:
    """Yield an application with a feature that never heard of schools: stock generated screens with every power."""

    class CarelessStudents(SecureModelView):
        permission = Permission.STUDENTS_VIEW
        can_edit = can_delete = can_export = can_view_details = True
        column_list = column_details_list = column_searchable_list = column_filters = form_columns = (
            "last_name",
            "first_name",
        )
        form_ajax_refs = {"division": {"fields": ["code"]}}

        def update_model(self, form: Any, model: Any) -> bool:
            from cpro.core.transactions import unit_of_work

            with unit_of_work():
                form.populate_obj(model)
            return True

        def delete_model(self, model: Any) -> bool:
            from cpro.core.transactions import unit_of_work

            with unit_of_work():
                db.session.delete(model)
            return True

    app = create_app(dict(migrated_app.config))
    site: Admin = app.extensions["admin"][0]
    site.add_view(CarelessStudents(Student, db, url="/admin/negligents", endpoint="careless"))
    yield app
    with app.app_context():
        db.engine.dispose()


class TestIsolationOfGeneratedScreens:
    def test_isolation_holds_a_careless_feature(self, careless: Flask, world: World) -> None:
        browser = Browser(careless).sign_in_as(world, "administrator", "a")
        other = world.b.student_id

        for page in (
            "/admin/negligents/",
            "/admin/negligents/?search=Secret",
            "/admin/negligents/?flt0_0=Secret",
            "/admin/negligents/?page_size=100&sort=0",
            "/admin/negligents/export/csv/",
        ):
            text = browser.get(page).text
            assert "Secret-alpha" in text, page
            assert "Secret-beta" not in text, page
        for page in (f"/admin/negligents/details/?id={other}", f"/admin/negligents/edit/?id={other}"):
            answer = browser.get(page, follow_redirects=True)
            assert "Secret-beta" not in answer.text, page
        look_up = browser.get("/admin/negligents/ajax/lookup/?name=division&query=2")
        assert [label for _id, label in look_up.json] == [label for _id, label in look_up.json if "BET" not in label]

    def test_isolation_keeps_an_inspector_within_their_diplomas(
        self, careless: Flask, world: World, arrange: Look, platform: Look
    ) -> None:
        with arrange() as session:
            session.add(make_mandate(world, all_diplomas=False))
        browser = Browser(careless).sign_in_as(world, "inspector", enter="a")
        own = world.a.student_id

        for page in ("/admin/negligents/", "/admin/negligents/?search=Secret", "/admin/negligents/export/csv/"):
            assert "Secret" not in browser.get(page).text.replace("search=Secret", "").replace('value="Secret"', "")
        assert "Secret" not in browser.get(f"/admin/negligents/details/?id={own}", follow_redirects=True).text
        browser.post(f"/admin/negligents/edit/?id={own}", {"last_name": "Pris", "first_name": "Pris"})

        with platform() as session:
            assert session.get_one(Student, own).last_name == "Secret-alpha"

    def test_isolation_lets_a_careless_feature_write_nothing_for_an_inspector(
        self, careless: Flask, world: World, arrange: Look, platform: Look
    ) -> None:
        with arrange() as session:
            session.add(make_mandate(world))
        browser = Browser(careless).sign_in_as(world, "inspector", enter="a")
        own = world.a.student_id
        assert "Secret-alpha" in browser.get("/admin/negligents/").text

        with pytest.raises(TenancyError):
            browser.post(f"/admin/negligents/edit/?id={own}", {"last_name": "Pris", "first_name": "Pris"})

        with platform() as session:
            assert session.get_one(Student, own).last_name == "Secret-alpha"

    def test_isolation_lets_a_careless_feature_write_nothing_elsewhere(
        self, careless: Flask, world: World, platform: Look
    ) -> None:
        browser = Browser(careless).sign_in_as(world, "administrator", "a")
        other = world.b.student_id
        browser.get("/admin/negligents/")

        browser.post(f"/admin/negligents/edit/?id={other}", {"last_name": "Pris", "first_name": "Pris"})
        browser.post("/admin/negligents/delete/", {"id": other})
        browser.post("/admin/negligents/action/", {"action": "delete", "rowid": other})

        with platform() as session:
            student = session.get_one(Student, other)
            assert student.last_name == "Secret-beta"

    def test_isolation_lets_a_careless_feature_reach_its_own_rows(
        self, careless: Flask, world: World, platform: Look
    ) -> None:
        browser = Browser(careless).sign_in_as(world, "administrator", "a")
        own = world.a.student_id

        assert browser.get(f"/admin/negligents/details/?id={own}").status_code == 200
        browser.post(f"/admin/negligents/edit/?id={own}", {"last_name": "Corrigé", "first_name": "Zoé"})

        with platform() as session:
            assert session.get_one(Student, own).last_name == "Corrigé"
            assert session.get_one(Division, world.b.division_id).code == "2BET"

    def test_generated_screen_without_permission_is_closed_to_everyone(self, careless: Flask, world: World) -> None:
        class Undeclared(SecureModelView):
            can_view_details = True

        careless.extensions["admin"][0].add_view(Undeclared(Student, db, url="/admin/oublie", endpoint="undeclared"))
        browser = Browser(careless).sign_in_as(world, "administrator", "a")

        assert browser.get("/admin/oublie/").status_code == 403
        assert browser.get(f"/admin/oublie/details/?id={world.a.student_id}").status_code == 403
