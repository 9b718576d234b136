"""Merging where SIECLE describes pupils: the row it knows is kept, as it says; two that it knows are two pupils."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.records.models import Fiche
from cpro.students.models import Division, Origin, Student
from cpro.transfers.models import Direction, TransferState
from tests.factories import PASSWORD, World, make_student, make_transfer, make_transfer_side
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, watching
from tests.people.test_duplicates import As, add_records, address, merge

Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def administrator(app: Flask, as_: As, world: World) -> Browser:
    """Return the administrator of a school that uses SIECLE, which knows its pupil."""
    set_school(app, world.a.id, uses_siecle=True)
    return as_("administrator")


@pytest.fixture
def known(world: World, arrange: Look) -> int:
    """Let SIECLE know school A's pupil, without what its exports may leave out; return the row's id."""
    with arrange() as session:
        student = session.get_one(Student, world.a.student_id)
        student.siecle_id, student.came_by, student.ine = "71", Origin.SIECLE, None
        student.birth_date, student.division_id, student.mef_code = None, None, ""
        return student.id


@pytest.fixture
def typed(world: World, known: int, arrange: Look) -> int:
    """Add the row typed by hand of the same pupil, which says more than SIECLE, and a fiche of it."""
    with arrange() as session:
        session.add(division := Division(establishment_id=world.a.id, code="2HAND"))
        session.flush()
        same = session.get_one(Student, known)
        student = make_student(
            world.a.id,
            last_name=same.last_name,
            first_name=same.first_name,
            usage_name="Main",
            birth_date=date(2010, 3, 14),
            division_id=division.id,
            mef_code="24725512311",
            ine="0123456789A",
            local_id="42",
            came_by=Origin.TABLE,
        )
        session.add(student)
        session.flush()
        add_records(session, world, student.id, author_id=world.a.account_ids["teacher"])
        return student.id


def row_of(platform: Look, student_id: int) -> Student:
    with platform() as session:
        student = session.get_one(Student, student_id)
        session.expunge(student)
        return student


class TestMergeWithSIECLE:
    def test_merge_keeps_the_row_that_siecle_knows_and_only_fills_what_it_leaves_out(
        self, app: Flask, administrator: Browser, platform: Look, known: int, typed: int
    ) -> None:
        page = Page(administrator.get(address(known, typed)))
        assert "que CPro propose de garder : SIECLE ne connaît qu’elle." in page.text
        assert "la date de naissance, la formation, l’INE, le numéro. Le reste ne change pas" in page.text
        assert "Garder plutôt l’autre fiche" not in page.text

        with watching(app) as watch:
            assert merge(administrator, known, typed) == 303

        kept, other = row_of(platform, known), row_of(platform, typed)
        assert (kept.siecle_id, kept.usage_name, kept.division_id) == ("71", "", None)
        assert (kept.birth_date, kept.mef_code) == (date(2010, 3, 14), "24725512311")
        assert (kept.ine, kept.local_id) == ("0123456789A", "42")
        assert (other.merged_into_id, other.is_active, other.ine) == (known, False, None)
        with platform() as session:
            assert session.scalars(select(Fiche.student_id)).all() == [known]
        (line,) = [each for each in watch.lines if each["action"] == "student:merged"]
        assert {"duplicate", "fiches", "birth_date", "ine"} <= line["changes"].keys()
        assert not {"usage_name", "division", "is_active"} & line["changes"].keys()

    def test_merge_overwrites_nothing_that_siecle_gives(
        self, administrator: Browser, arrange: Look, platform: Look, known: int, typed: int
    ) -> None:
        with arrange() as session:
            student = session.get_one(Student, known)
            student.birth_date, student.mef_code = date(2010, 3, 15), "24725512312"

        assert merge(administrator, known, typed) == 303

        kept = row_of(platform, known)
        assert (kept.birth_date, kept.mef_code) == (date(2010, 3, 15), "24725512312")

    def test_merge_leaves_departed_whom_siecle_says_departed(
        self, administrator: Browser, arrange: Look, platform: Look, known: int, typed: int
    ) -> None:
        with arrange() as session:
            student = session.get_one(Student, known)
            student.is_active, student.departed_on = False, date(2026, 9, 1)
        assert "L’élève reste parti, comme SIECLE le dit" in Page(administrator.get(address(known, typed))).text

        assert merge(administrator, known, typed) == 303

        kept = row_of(platform, known)
        assert (kept.is_active, kept.departed_on) == (False, date(2026, 9, 1))

    def test_merge_takes_either_of_two_rows_that_siecle_does_not_know(
        self, administrator: Browser, world: World, arrange: Look, platform: Look, typed: int
    ) -> None:
        with arrange() as session:
            session.add(third := make_student(world.a.id, last_name="Secret-alpha", ine=None))
            session.flush()
            third_id = third.id

        assert "Garder plutôt l’autre fiche" in administrator.get(address(typed, third_id)).text
        assert merge(administrator, third_id, typed) == 303

        kept = row_of(platform, third_id)
        assert (kept.usage_name, kept.ine) == ("Main", "0123456789A")


class TestMergeWithSIECLERefused:
    def test_merge_refuses_to_keep_the_row_that_siecle_does_not_know(
        self, app: Flask, administrator: Browser, known: int, typed: int
    ) -> None:
        page = administrator.get(address(typed, known))
        with nothing_written(app):
            answer = administrator.post(address(typed, known), {"current_password": PASSWORD})

        assert [page.status_code, answer.status_code] == [409, 409]
        assert "SIECLE connaît l’autre fiche, et pas celle-ci" in Page(answer).text
        assert address(known, typed) in Page(answer).links
        assert administrator.get(address(typed, known) + "?proposer=oui").location == address(known, typed)

    def test_merge_refuses_two_rows_that_siecle_knows_and_says_the_way_on(
        self, app: Flask, administrator: Browser, arrange: Look, known: int, typed: int
    ) -> None:
        with arrange() as session:
            session.get_one(Student, typed).siecle_id = "72"

        for one, other in ((known, typed), (typed, known)):
            page = administrator.get(address(one, other))
            with nothing_written(app):
                answer = administrator.post(address(one, other), {"current_password": PASSWORD})

            assert [page.status_code, answer.status_code] == [409, 409]
            assert "corrigez-le dans SIECLE, puis importez le nouvel export" in Page(answer).text
            assert "/admin/imports" in " ".join(Page(answer).links)
            assert "Garder plutôt" not in answer.text
            assert "propose de garder" not in answer.text
            assert "reçoit ce que tient l’autre" not in answer.text

    def test_merge_refuses_a_row_tied_to_a_transfer_where_siecle_knows_the_other(
        self, app: Flask, administrator: Browser, world: World, arrange: Look, known: int, typed: int
    ) -> None:
        with arrange() as session:
            session.add(transfer := make_transfer(world.a.id, world.b.id, state=TransferState.DONE))
            session.flush()
            side = make_transfer_side(
                transfer.id, world.a.id, state=TransferState.DONE, direction=Direction.SOURCE, student_id=typed
            )
            session.add(side)

        with nothing_written(app):
            answer = administrator.post(address(known, typed), {"current_password": PASSWORD})

        assert answer.status_code == 409
        assert "elles restent deux" in Page(answer).text
        assert "Garder plutôt" not in answer.text
        swapped = administrator.get(address(typed, known))
        assert "elles restent deux" in Page(swapped).text
        assert "ardez plutôt" not in swapped.text

    def test_merge_refuses_two_ine_and_leads_to_siecle(
        self, app: Flask, administrator: Browser, arrange: Look, known: int, typed: int
    ) -> None:
        with arrange() as session:
            session.get_one(Student, known).ine = "9876543210B"

        with nothing_written(app):
            answer = administrator.post(address(known, typed), {"current_password": PASSWORD})

        assert answer.status_code == 409
        assert "Corrigez d’abord l’INE dans SIECLE" in Page(answer).text
        assert "/admin/imports" in Page(answer).links
        swapped = administrator.get(address(typed, known))
        assert "Corrigez d’abord l’INE dans SIECLE" in Page(swapped).text, "no way that is refused next"

    def test_merge_with_another_schools_row_does_not_exist(
        self, app: Flask, administrator: Browser, world: World, known: int, typed: int
    ) -> None:
        for page in (address(known, world.b.student_id), address(world.b.student_id, typed)):
            with nothing_written(app):
                answers = [administrator.get(page), administrator.post(page, {"current_password": PASSWORD})]
            assert [answer.status_code for answer in answers] == [404, 404]


class TestChooseWithSIECLE:
    def test_choose_is_offered_where_it_can_succeed(
        self, administrator: Browser, as_: As, arrange: Look, known: int, typed: int
    ) -> None:
        def offers(student_id: int, browser: Browser = administrator) -> bool:
            page = browser.get(f"/admin/eleves/details/?id={student_id}").text
            return f"/admin/eleves/{student_id}/doublon" in page

        assert offers(known)
        assert offers(typed)
        assert not offers(known, as_("head"))
        with arrange() as session:
            session.get_one(Student, typed).siecle_id = "72"
        assert not offers(known)

    def test_choose_proposes_to_a_row_that_siecle_knows_only_those_it_does_not(
        self, administrator: Browser, world: World, arrange: Look, known: int, typed: int
    ) -> None:
        with arrange() as session:
            session.add(second := make_student(world.a.id, last_name="Secret-alpha", siecle_id="72", ine=None))
            session.flush()
            second_id = second.id

        page = administrator.get(f"/admin/eleves/{known}/doublon").text
        assert "sont proposées les fiches qu’il ne connaît pas, saisies à la main ou venues d’un tableau" in page
        assert address(known, typed) in page
        assert address(known, second_id) not in page
        assert address(typed, second_id) in administrator.get(f"/admin/eleves/{typed}/doublon").text

    def test_choose_for_a_row_that_siecle_knows_says_why_nobody_of_that_name_is_offered(
        self, administrator: Browser, known: int, typed: int
    ) -> None:
        said_of_known, said_of_unknown = (
            Page(administrator.get(f"/admin/eleves/{student_id}/doublon?recherche=personne")).text
            for student_id in (known, typed)
        )

        assert "Deux élèves que SIECLE connaît ne se réunissent pas ici : corrigez-les dans SIECLE" in said_of_known
        assert "ne connaît pas ne porte" not in said_of_known
        assert "Choisissez l’autre fiche du même élève. Vous verrez" in said_of_unknown
        assert "Aucune autre fiche ne porte ce nom : cherchez-la par un autre nom." in said_of_unknown
        assert "se réunissent" not in said_of_unknown
