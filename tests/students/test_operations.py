"""Students, divisions and diplomas written by hand: what the journal records, and two people at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.errors import FieldErrors
from cpro.core.permissions import Role
from cpro.core.transactions import unit_of_work
from cpro.students import operations
from cpro.students.models import Division, TeacherDivision
from tests.factories import NOW, TESTER, World, make_account, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, watching

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def administrator(app: Flask, as_: As, world: World) -> Browser:
    """Return the administrator of a school that does not use SIECLE."""
    set_school(app, world.a.id, uses_siecle=False)
    return as_("administrator")


class TestUpdateJournal:
    def test_update_student_records_the_division_of_a_student_by_its_code(
        self, app: Flask, administrator: Browser, world: World
    ) -> None:
        administrator.post("/admin/divisions/new/", {"code": "1NEUVE", "label": "", "diploma": ""})
        address = f"/admin/eleves/edit/?id={world.a.student_id}"
        before = administrator.form(address)["division"]

        with watching(app) as watch:
            answer = administrator.post(address, administrator.form(address) | {"division": "1NEUVE"})

        assert answer.status_code == 303
        assert watch.line["changes"] == {"division": [before, "1NEUVE"]}
        text = Page(administrator.get(f"/admin/eleves/details/?id={world.a.student_id}")).text
        assert "division_id" not in text

    def test_update_division_records_the_diploma_of_a_division_by_its_code(
        self, app: Flask, administrator: Browser, world: World
    ) -> None:
        address = f"/admin/divisions/edit/?id={world.a.division_id}"

        with watching(app) as watch:
            administrator.post(address, administrator.form(address) | {"diploma": ""})

        assert watch.line["changes"] == {"diploma": [world.diploma_code, ""]}

    def test_update_student_records_nothing_of_what_stayed_the_same(
        self, app: Flask, administrator: Browser, world: World
    ) -> None:
        for address in (
            f"/admin/eleves/edit/?id={world.a.student_id}",
            f"/admin/divisions/edit/?id={world.a.division_id}",
        ):
            with watching(app) as watch:
                assert administrator.post(address, administrator.form(address)).status_code == 303
            assert watch.lines == []


class TestDeleteDivision:
    @pytest.fixture
    def empty(self, world: World, arrange: Look) -> int:
        """Return the id of a division without anybody."""
        with arrange() as session:
            session.add(division := Division(establishment_id=world.a.id, code="2 VIDE", label=""))
            session.flush()
            return division.id

    def test_delete_division_empty_goes_from_its_page_and_the_journal_says_so(
        self, app: Flask, administrator: Browser, empty: int, platform: Look
    ) -> None:
        assert f"/admin/divisions/delete/?id={empty}" in administrator.get(f"/admin/divisions/details/?id={empty}").text
        assert "la recrée" in Page(administrator.get(f"/admin/divisions/delete/?id={empty}")).text

        with watching(app) as watch:
            answer = administrator.post("/admin/divisions/delete/", {"id": empty})

        assert answer.status_code == 303
        assert (watch.line["action"], watch.line["object_label"]) == ("division:deleted", "2 VIDE")
        with platform() as session:
            assert session.get(Division, empty) is None

    @pytest.mark.parametrize("is_active", [True, False])
    def test_delete_division_that_a_pupil_has_or_had_is_refused(
        self, app: Flask, administrator: Browser, world: World, arrange: Look, empty: int, is_active: bool
    ) -> None:
        with arrange() as session:
            session.add(make_student(world.a.id, division_id=empty, is_active=is_active))

        with nothing_written(app):
            answer = administrator.post("/admin/divisions/delete/", {"id": empty})

        assert answer.status_code == 409
        assert "1 élève a cette division" in Page(answer).text
        assert "/delete/" not in administrator.get(f"/admin/divisions/details/?id={empty}").text

    def test_delete_division_that_a_teacher_has_is_refused(
        self, app: Flask, administrator: Browser, world: World, arrange: Look, empty: int
    ) -> None:
        with arrange() as session:
            teacher = make_account(world.a.id, Role.TEACHER)
            session.add(teacher)
            session.flush()
            session.add(TeacherDivision(establishment_id=world.a.id, account_id=teacher.id, division_id=empty))

        with nothing_written(app):
            answer = administrator.post("/admin/divisions/delete/", {"id": empty})

        assert answer.status_code == 409
        assert "1 enseignant a cette division" in Page(answer).text

    def test_delete_division_is_refused_to_other_roles_and_to_the_other_school(
        self, app: Flask, as_: As, administrator: Browser, empty: int
    ) -> None:
        browsers = [as_("head"), as_("teacher"), as_("administrator", "b")]
        with nothing_written(app):
            posted = [each.post("/admin/divisions/delete/", {"id": empty}) for each in browsers]
        assert [each.status_code for each in posted] == [403, 403, 404]

    def test_delete_division_is_left_to_siecle(self, app: Flask, as_: As, empty: int) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post("/admin/divisions/delete/", {"id": empty})

        assert answer.status_code == 403
        assert "viennent de ses fichiers" in Page(answer).text


@pytest.mark.parametrize(
    ("create", "values"),
    [
        (operations.create_division, {"code": "1NEUVE"}),
        (operations.create_diploma, {"code": "CAP-N", "label": "CAP neuf", "short_label": "CAP neuf"}),
    ],
)
def test_create_division_or_diploma_warns_the_second_of_two_who_give_one_code(
    app: Flask, world: World, create: Callable[..., Any], values: dict[str, str]
) -> None:
    set_school(app, world.a.id, uses_siecle=False)

    def give(_turn: int) -> str:
        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            try:
                with unit_of_work():
                    create(values, by=TESTER, now=NOW)
                    time.sleep(0.3)  # the other one has begun before this one is safe
            except FieldErrors as refusal:
                return refusal.errors["code"]
            return "created"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(give, range(2)))

    assert outcomes[1] == "created"
    assert "porte déjà le code" in outcomes[0]


class TestCreateDivision:
    @pytest.mark.parametrize("code", ["2melec", "2mELEC", "2MÉLEC", " 2Melec "])
    def test_create_division_refuses_a_code_that_reads_as_another(self, app: Flask, world: World, code: str) -> None:
        set_school(app, world.a.id, uses_siecle=False)
        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            with unit_of_work():
                operations.create_division({"code": "2MELEC"}, by=TESTER, now=NOW)

            with pytest.raises(FieldErrors) as refused, unit_of_work():
                operations.create_division({"code": code}, by=TESTER, now=NOW)

        assert "«\u202f2MELEC\u202f» ne se distingue de ce code que par la casse" in refused.value.errors["code"]

    def test_create_division_takes_the_near_code_of_another_school(self, app: Flask, world: World) -> None:
        for school, code in ((world.a.id, "2MELEC"), (world.b.id, "2melec")):
            set_school(app, school, uses_siecle=False)
            with app.app_context():
                tenancy.enter(tenancy.Scope(school))
                with unit_of_work():
                    assert operations.create_division({"code": code}, by=TESTER, now=NOW).code == code


class TestUpdateDivision:
    def test_update_division_renames_a_twin_and_leaves_it_its_own_code(self, app: Flask, world: World) -> None:
        set_school(app, world.a.id, uses_siecle=False)
        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            with unit_of_work() as work:
                twins = [Division(establishment_id=world.a.id, code=code, label="") for code in ("2MELEC", "2melec")]
                work.session.add_all(twins)
                work.session.flush()
                for values in ({"code": "2melec", "label": "Seconde"}, {"code": "2ELEC"}):
                    operations.update_division(twins[1], values, opened_on=None, by=TESTER, now=NOW)

            assert twins[1].code == "2ELEC"
