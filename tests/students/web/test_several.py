"""What is said by hand of several students: departure, return, course; who is refused, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.jobs.models import Job
from cpro.core.ticked_rows import MOST_AT_ONCE, NoRowTicked, NoSuchRow, TooManyRows
from cpro.students.models import Diploma, Division, Student
from cpro.transfers.jobs import RUN_JOB
from tests.factories import NOW, World, make_diploma, make_mef, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of
from tests.helpers.records import nothing_written, set_school, watching

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
DEPART, RETURN = "/admin/eleves/depart", "/admin/eleves/retour"
COURSE, DIVISION = "/admin/eleves/formation", "/admin/eleves/division"


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def administrator(app: Flask, as_: As, world: World) -> Browser:
    """Return the administrator of a school that does not use SIECLE."""
    set_school(app, world.a.id, uses_siecle=False)
    return as_("administrator")


def state_of(platform: Look, student_id: int) -> tuple[bool, str]:
    with platform() as session:
        student = session.get_one(Student, student_id)
        return student.is_active, str(student.departed_on or "")


class TestDepart:
    def test_depart_says_the_day_in_the_pupil_and_in_the_journal(
        self, app: Flask, administrator: Browser, world: World, platform: Look
    ) -> None:
        page = Page(administrator.get(f"/admin/eleves/details/?id={world.a.student_id}"))
        assert "Noter son départ" in page.text
        address = f"{DEPART}?ids={world.a.student_id}"

        with watching(app) as watch:
            answer = administrator.post(address, administrator.form(address) | {"departed_on": "2026-10-02"})

        assert answer.status_code == 303
        assert state_of(platform, world.a.student_id) == (False, "2026-10-02")
        assert (watch.line["action"], watch.line["changes"]) == (
            "student:departed",
            {"is_active": [True, False], "left_on": ["", "2026-10-02"]},
        )
        gone = Page(administrator.get(f"/admin/eleves/details/?id={world.a.student_id}"))
        assert "parti le 02/10/2026" in gone.text
        assert "Noter son retour" in gone.text

    def test_depart_takes_several_at_once_and_leaves_who_had_left(
        self, administrator: Browser, world: World, arrange: Look, platform: Look
    ) -> None:
        with arrange() as session:
            here = make_student(world.a.id)
            gone = make_student(world.a.id, is_active=False)
            session.add_all([here, gone])
            session.flush()
            ids = [world.a.student_id, here.id, gone.id]
        address = f"{DEPART}?ids={','.join(map(str, ids))}"

        answer = administrator.post(address, administrator.form(address) | {"departed_on": "2026-10-05"})

        assert answer.headers["Location"] == "/admin/eleves/"
        assert [state_of(platform, each) for each in ids] == [(False, "2026-10-05")] * 2 + [(False, "")]

    @pytest.mark.parametrize(
        ("day", "sentence"),
        [
            ("", "Indiquez le jour"),
            ("hier", "comme 31/01/2026"),
            ("2026-10-06", "à venir"),
            ("2016-10-05", "cette nuit"),
        ],
    )
    def test_depart_refuses_a_day_that_cannot_be_and_writes_nothing(
        self, app: Flask, administrator: Browser, world: World, day: str, sentence: str
    ) -> None:
        address = f"{DEPART}?ids={world.a.student_id}"
        values = administrator.form(address) | {"departed_on": day}

        with nothing_written(app):
            answer = administrator.post(address, values)

        assert answer.status_code == 422
        assert sentence in Page(answer).error("departed_on")

    @pytest.mark.parametrize(("ine", "runs"), [("0123456789A", 1), (None, 0)])
    def test_depart_looks_for_the_school_that_receives_a_pupil_with_an_ine(
        self, administrator: Browser, world: World, arrange: Look, platform: Look, ine: str | None, runs: int
    ) -> None:
        with arrange() as session:
            session.get_one(Student, world.a.student_id).ine = ine
        address = f"{DEPART}?ids={world.a.student_id}"

        administrator.post(address, administrator.form(address) | {"departed_on": "2026-10-02"})

        with platform() as session:
            assert len(session.scalars(select(Job).where(Job.kind == RUN_JOB)).all()) == runs

    @pytest.mark.parametrize("address", [DEPART, RETURN])
    def test_depart_of_rows_that_are_no_pupils_of_the_school(
        self, app: Flask, administrator: Browser, world: World, address: str
    ) -> None:
        many = ",".join(map(str, range(1, MOST_AT_ONCE + 2)))
        refused = {
            "mot": NoSuchRow,
            f"{world.a.student_id},{world.b.student_id}": NoSuchRow,
            many: TooManyRows,
            "": NoRowTicked,
        }

        for ids, refusal in refused.items():
            with nothing_written(app):
                answers = [
                    administrator.get(f"{address}?ids={ids}"),
                    administrator.post(address, {"ids": ids, "departed_on": "2026-10-02"}),
                ]
            assert [each.status_code for each in answers] == [refusal.status] * 2, ids
            assert all(Page(each).says(refusal.message) for each in answers), ids

    def test_depart_is_left_to_siecle_where_the_school_uses_it(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, uses_siecle=True)
        administrator = as_("administrator")
        details = Page(administrator.get(f"/admin/eleves/details/?id={world.a.student_id}"))
        assert "Noter son départ" not in details.text
        assert "Noter le départ" not in Page(administrator.get("/admin/eleves/")).text
        posts = (
            (DEPART, {"ids": str(world.a.student_id), "departed_on": "2026-10-02"}),
            (COURSE, {"ids": str(world.a.student_id), "mef_code": ""}),
            (RETURN, {"ids": str(world.a.student_id)}),
        )

        for address, values in posts:
            with nothing_written(app):
                answer = administrator.post(address, values)
            assert answer.status_code == 403
            assert "à corriger dans SIECLE puis à importer à nouveau" in Page(answer).text


class TestComeBack:
    def test_come_back_asks_once_then_makes_the_pupil_present_again(
        self, app: Flask, administrator: Browser, world: World, arrange: Look, platform: Look
    ) -> None:
        with arrange() as session:
            student = session.get_one(Student, world.a.student_id)
            student.is_active, student.departed_on = False, NOW.date()
        address = f"{RETURN}?ids={world.a.student_id}"
        with nothing_written(app):
            assert "redevient présent" in Page(administrator.get(address)).text

        with watching(app) as watch:
            answer = administrator.post(address)

        assert answer.location == f"/admin/eleves/details/?id={world.a.student_id}"
        assert state_of(platform, world.a.student_id) == (True, "")
        assert watch.line["action"] == "student:returned"
        assert watch.line["changes"] == {"is_active": [False, True], "left_on": ["2026-10-05", ""]}
        with nothing_written(app):  # a second tap changes nothing
            assert administrator.post(address).status_code == 303
        assert "n’est pas parti" in Page(administrator.get(answer.location)).text

    def test_come_back_takes_several_and_names_who_cannot(
        self, app: Flask, administrator: Browser, world: World, arrange: Look, platform: Look
    ) -> None:
        with arrange() as session:
            gone = [make_student(world.a.id, last_name=name, is_active=False) for name in ("GRES", "SCHISTE")]
            twice = make_student(world.a.id, last_name="TUF", is_active=False, merged_into_id=world.a.student_id)
            session.add_all([*gone, twice])
            session.flush()
            ids, twice_id = [each.id for each in gone], twice.id
        address = f"{RETURN}?ids={','.join(map(str, [*ids, twice_id, world.a.student_id]))}"
        with nothing_written(app):
            page = Page(administrator.get(address))
        assert "2 élèves" in page.text
        assert "Noter 2 retours" in page.text
        assert "Rien ne change pour Zoé SECRET-ALPHA" in page.text
        assert "TUF" in page.text

        with watching(app) as watch:
            answer = administrator.post(address, administrator.form(address))

        assert answer.location == "/admin/eleves/"
        assert "2 retours sont notés" in Page(administrator.get(answer.location)).text
        assert [line["action"] for line in watch.lines] == ["student:returned"] * 2
        assert [state_of(platform, each)[0] for each in [*ids, twice_id]] == [True, True, False]

    def test_come_back_is_the_way_back_of_the_departures_just_recorded(
        self, administrator: Browser, world: World, arrange: Look, platform: Look
    ) -> None:
        with arrange() as session:
            here, gone = make_student(world.a.id), make_student(world.a.id, is_active=False)
            session.add_all([here, gone])
            session.flush()
            ids, gone_id = [world.a.student_id, here.id], gone.id
        address = f"{DEPART}?ids={','.join(map(str, [*ids, gone_id]))}"
        page = Page(administrator.get(address))
        assert "Noter 2 départs" in page.text
        assert "propose d’annuler ces départs" in page.text
        answer = administrator.post(address, administrator.form(address) | {"departed_on": "2026-10-05"})

        done = Page(administrator.get(answer.location))
        assert done.flashes == ["C’est fait 2 départs sont notés. Annuler ces départs"]
        (way_back,) = [each for each in done.links if each.startswith(RETURN)]
        administrator.post(way_back, administrator.form(way_back))

        assert [state_of(platform, each) for each in ids] == [(True, "")] * 2
        assert not state_of(platform, gone_id)[0]

    def test_come_back_of_as_many_as_can_be_ticked_fits_in_a_cookie(
        self, administrator: Browser, world: World, arrange: Look
    ) -> None:
        with arrange() as session:
            many = [make_student(world.a.id, id=9_000_000 + 97 * each) for each in range(MOST_AT_ONCE)]
            session.add_all(many)
            session.flush()
            ids = ",".join(str(each.id) for each in many)

        page = Page(administrator.get(f"{DEPART}?ids={ids}"))
        assert {"400 élèves", "Voir les 380 autres", "Noter 400 départs"} <= set(map(text_of, page.main.iter()))
        answer = administrator.post(DEPART, {"ids": ids, "departed_on": "2026-10-05"})

        assert max(map(len, answer.headers.getlist("Set-Cookie"))) < 4000
        (way_back,) = [each for each in Page(administrator.get(answer.location)).links if each.startswith(RETURN)]
        assert way_back.count(",") == MOST_AT_ONCE - 1

    def test_come_back_is_the_administrators(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, uses_siecle=False)
        others = [as_(role) for role in ("head", "teacher", "student")]
        with nothing_written(app):
            for each in others:
                assert each.post(RETURN, {"ids": str(world.a.student_id)}).status_code == 403


class TestGiveCourse:
    @pytest.fixture
    def course(self, world: World, arrange: Look) -> str:
        """Add to the school's list a course that leads to a diploma of its own, and return its code."""
        with arrange() as session:
            session.add(diploma := make_diploma(code="ROCHE", establishment_id=world.a.id))
            session.flush()
            session.add(mef := make_mef(world.a.id, diploma_id=diploma.id))
            session.flush()
            return mef.code

    def test_give_course_to_a_division_gives_it_the_diploma_too(
        self, app: Flask, administrator: Browser, world: World, platform: Look, course: str
    ) -> None:
        address = f"{COURSE}?division=2ALP"
        assert "Donner une formation à ses élèves" in administrator.get(
            f"/admin/divisions/details/?id={world.a.division_id}"
        ).text.replace("\n", " ")

        with watching(app) as watch:
            answer = administrator.post(address, administrator.form(address) | {"mef_code": course.lower()})

        assert answer.status_code == 303
        with platform() as session:
            assert session.get_one(Student, world.a.student_id).mef_code == course
            division = session.get_one(Division, world.a.division_id)
            assert session.get_one(Diploma, division.diploma_id).code == "ROCHE"
        assert [line["action"] for line in watch.lines] == ["student:changed", "division:changed"]
        assert watch.lines[0]["changes"] == {"mef_code": ["", course]}

    @pytest.mark.parametrize(
        ("code", "sentence"), [("24799999999", "ajoutez-la d’abord"), ("MELEC", "onze chiffres ou lettres")]
    )
    def test_give_course_refuses_a_code_that_is_none_of_the_schools(
        self, app: Flask, administrator: Browser, world: World, course: str, code: str, sentence: str
    ) -> None:
        address = f"{COURSE}?ids={world.a.student_id}"
        values = administrator.form(address) | {"mef_code": code}

        with nothing_written(app):
            answer = administrator.post(address, values)

        assert answer.status_code == 422
        assert sentence in Page(answer).error("mef_code")

    def test_give_course_another_schools_pupil_or_division_does_not_exist(
        self, app: Flask, administrator: Browser, world: World, arrange: Look, course: str
    ) -> None:
        with arrange() as session:
            session.get_one(Division, world.b.division_id).code = "2BET"

        for asked in (f"ids={world.b.student_id}", "division=2BET", ""):
            with nothing_written(app):
                assert administrator.get(f"{COURSE}?{asked}").status_code == 404
                assert administrator.post(f"{COURSE}?{asked}", {"mef_code": course}).status_code == 404

    def test_update_student_takes_a_course_and_keeps_one_that_no_list_names(
        self, app: Flask, administrator: Browser, world: World, arrange: Look, platform: Look, course: str
    ) -> None:
        address = f"/admin/eleves/edit/?id={world.a.student_id}"
        with arrange() as session:
            session.get_one(Student, world.a.student_id).mef_code = "24799999999"

        kept = administrator.post(address, administrator.form(address) | {"first_name": "Gypse"})
        changed = administrator.post(address, administrator.form(address) | {"mef_code": course})
        refused = administrator.post(address, administrator.form(address) | {"mef_code": "24799999999"})

        assert [answer.status_code for answer in (kept, changed, refused)] == [303, 303, 422]
        with platform() as session:
            student = session.get_one(Student, world.a.student_id)
            assert (student.first_name, student.mef_code) == ("Gypse", course)


class TestChangeDivision:
    @pytest.fixture
    def goal(self, world: World, arrange: Look) -> int:
        """Give both schools a division of one code, and return school A's."""
        with arrange() as session:
            session.add(Division(establishment_id=world.b.id, code="1NEUVE", label=""))
            session.add(goal := Division(establishment_id=world.a.id, code="1NEUVE", label="Première neuve"))
            session.flush()
            return goal.id

    def test_change_division_says_to_whom_and_writes_a_line_for_each(
        self, app: Flask, administrator: Browser, world: World, arrange: Look, platform: Look, goal: int
    ) -> None:
        with arrange() as session:
            session.add(other := make_student(world.a.id, last_name="SCHISTE", division_id=goal))
            session.add(gone := make_student(world.a.id, last_name="GRES", is_active=False))
            session.flush()
            other_id, gone_id = other.id, gone.id
        address = f"{DIVISION}?ids={world.a.student_id},{other_id},{gone_id}"
        page = Page(administrator.get(address))
        assert "2 élèves" in page.text
        assert "GRES" not in page.text

        with watching(app) as watch:
            answer = administrator.post(address, administrator.form(address) | {"division": "1NEUVE"})

        assert answer.status_code == 303
        assert "1 élève changé de division : 1NEUVE." in Page(administrator.get(answer.location)).text
        assert [(line["action"], line["changes"]) for line in watch.lines] == [
            ("student:changed", {"division": ["2ALP", "1NEUVE"]}),
            ("division:joined", {"moved": [None, 1], "names": [None, "Zoé SECRET-ALPHA"]}),
        ]
        assert [watch.lines[-1][name] for name in ("object_type", "object_id", "object_label")] == [
            "division",
            str(goal),
            "1NEUVE",
        ]
        with platform() as session:
            assert session.get_one(Student, world.a.student_id).division_id == goal
            assert session.get_one(Student, gone_id).division_id is None

    @pytest.mark.parametrize(("code", "sentence"), [("", "Choisissez la division"), ("AILLEURS", "Aucune division")])
    def test_change_division_refuses_none_and_one_of_no_such_code(
        self, app: Flask, administrator: Browser, world: World, code: str, sentence: str
    ) -> None:
        address = f"{DIVISION}?ids={world.a.student_id}"

        with nothing_written(app):
            answer = administrator.post(address, administrator.form(address) | {"division": code})

        assert answer.status_code == 422
        assert sentence in Page(answer).error("division")

    def test_change_division_is_the_administrators_outside_siecle_in_their_school(
        self, app: Flask, administrator: Browser, as_: As, world: World, goal: int
    ) -> None:
        typed = {"ids": str(world.a.student_id), "division": "1NEUVE"}
        others = [as_(role) for role in ("head", "teacher", "student")]
        with nothing_written(app):
            assert [each.post(DIVISION, typed).status_code for each in others] == [403, 403, 403]
            assert administrator.post(DIVISION, typed | {"ids": str(world.b.student_id)}).status_code == 404
        set_school(app, world.a.id, uses_siecle=True)
        with nothing_written(app):
            assert administrator.post(DIVISION, typed).status_code == 403
