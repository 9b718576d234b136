"""Courses (MEF): linked to diplomas by hand, with what follows for divisions, and the import that agrees with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.establishments.models import Establishment
from cpro.students.models import MEF, Diploma, Division, Student
from tests.factories import World, make_diploma, make_student
from tests.helpers.browser import Browser
from tests.students.conftest import FIRST_YEAR, OTHER, SECOND_YEAR

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
DiplomaOf = Callable[[str, int], str | None]
SCREEN = "/admin/mefs"


@pytest.fixture
def diploma_of(platform: Look) -> DiplomaOf:
    """Return a function that tells the code of the diploma of a division or course."""

    def read(kind: str, row_id: int) -> str | None:
        with platform() as session:
            row = session.get_one(Division if kind == "division" else MEF, row_id)
            return session.get_one(Diploma, row.diploma_id).code if row.diploma_id else None

    return read


def link(browser: Browser, mef_id: int, diploma: str, **fields: str) -> int:
    """Correct a course as the page does, the box of its other years as it stands unless said; return the status."""
    address = f"{SCREEN}/edit/?id={mef_id}"
    return browser.post(address, {**browser.form(address), "diploma": diploma, **fields}).status_code


class TestMEFsScreenRights:
    def test_mefs_screen_head_and_support_read_and_do_not_write(self, as_: As, courses: dict[str, int]) -> None:
        for browser in (as_("head"), as_("support", enter="a")):
            assert browser.get(f"{SCREEN}/?diplome=non").text.count(FIRST_YEAR) >= 1
            assert browser.get(f"{SCREEN}/edit/?id={courses[FIRST_YEAR]}").status_code == 403
            assert browser.post(f"{SCREEN}/edit/?id={courses[FIRST_YEAR]}", {"diploma": "PRO"}).status_code == 403
            assert browser.post(f"{SCREEN}/new/", {"code": "24725510399"}).status_code == 403
            assert browser.post(f"{SCREEN}/delete/", {"id": courses[OTHER]}).status_code == 403

    def test_mefs_screen_another_schools_course_does_not_exist(self, as_: As, courses: dict[str, int]) -> None:
        browser = as_("administrator", "b")

        for path in ("details", "edit", "delete"):
            assert browser.get(f"{SCREEN}/{path}/?id={courses[FIRST_YEAR]}").status_code == 404
        assert browser.post(f"{SCREEN}/edit/?id={courses[FIRST_YEAR]}", {"diploma": "40025520"}).status_code == 404
        assert FIRST_YEAR not in browser.get(f"{SCREEN}/").text

    def test_mefs_screen_another_schools_diploma_is_no_diploma(
        self, as_: As, world: World, courses: dict[str, int], arrange: Look, diploma_of: DiplomaOf
    ) -> None:
        with arrange() as session:
            session.add(make_diploma(code="CHEZ-B", establishment_id=world.b.id))

        assert link(as_("administrator"), courses[FIRST_YEAR], "CHEZ-B") == 422
        assert diploma_of("mef", courses[FIRST_YEAR]) is None


class TestEditMEF:
    def test_edit_mef_the_course_its_other_years_and_their_divisions_receive_the_diploma(
        self, as_: As, courses: dict[str, int], diploma_of: DiplomaOf
    ) -> None:
        browser = as_("administrator")
        page = browser.get(f"{SCREEN}/edit/?id={courses[FIRST_YEAR]}").text

        assert SECOND_YEAR in page
        assert OTHER not in page
        assert link(browser, courses[FIRST_YEAR], "CAP-X") == 303
        assert [diploma_of("mef", courses[code]) for code in (FIRST_YEAR, SECOND_YEAR, OTHER)] == [
            "CAP-X",
            "CAP-X",
            None,
        ]
        assert [diploma_of("division", courses[code]) for code in ("1CAP", "2CAP")] == ["CAP-X", "CAP-X"]

    def test_edit_mef_without_the_box_the_other_years_wait(
        self, as_: As, courses: dict[str, int], diploma_of: DiplomaOf
    ) -> None:
        browser = as_("administrator")
        address = f"{SCREEN}/edit/?id={courses[FIRST_YEAR]}"
        form = {name: value for name, value in browser.form(address).items() if name != "other_years"}

        assert browser.post(address, {**form, "diploma": "CAP-X"}).status_code == 303
        assert diploma_of("mef", courses[SECOND_YEAR]) is None
        assert diploma_of("division", courses["2CAP"]) is None

    def test_edit_mef_a_wrong_link_corrected_takes_its_divisions_along(
        self, as_: As, courses: dict[str, int], diploma_of: DiplomaOf
    ) -> None:
        browser = as_("administrator")
        link(browser, courses[FIRST_YEAR], "CAP-X")

        link(browser, courses[FIRST_YEAR], "PRO")
        corrected = diploma_of("division", courses["1CAP"])
        link(browser, courses[FIRST_YEAR], "")

        assert corrected == "PRO"
        assert diploma_of("division", courses["1CAP"]) is None
        assert diploma_of("division", courses["2CAP"]) == "CAP-X"

    def test_edit_mef_a_division_of_several_diplomas_keeps_its_own_unless_it_came_from_this_link(
        self, as_: As, world: World, courses: dict[str, int], arrange: Look, diploma_of: DiplomaOf
    ) -> None:
        with arrange() as session:
            session.add(make_student(world.a.id, division_id=courses["1CAP"], mef_code=OTHER))
        browser = as_("administrator")
        link(browser, courses[FIRST_YEAR], "CAP-X")
        alone = diploma_of("division", courses["1CAP"])

        link(browser, courses[OTHER], "PRO")
        mixed = diploma_of("division", courses["1CAP"])
        link(browser, courses[FIRST_YEAR], world.diploma_code)

        assert (alone, mixed) == ("CAP-X", "CAP-X")
        assert diploma_of("division", courses["1CAP"]) is None

    def test_edit_mef_divisions_of_departed_pupils_do_not_follow(
        self, as_: As, courses: dict[str, int], arrange: Look, diploma_of: DiplomaOf
    ) -> None:
        with arrange() as session:
            pupils = session.scalars(select(Student).where(Student.division_id == courses["1CAP"]))
            for pupil in pupils:
                pupil.is_active = False

        link(as_("administrator"), courses[FIRST_YEAR], "CAP-X")

        assert diploma_of("division", courses["1CAP"]) is None

    def test_edit_mef_is_recorded_in_one_line_of_the_journal(
        self, as_: As, courses: dict[str, int], platform: Look
    ) -> None:
        link(as_("administrator"), courses[FIRST_YEAR], "CAP-X")

        with platform() as session:
            lines = session.scalars(select(AuditEntry).where(AuditEntry.object_type == "mef")).all()
        assert [(line.action, line.object_label) for line in lines] == [("mef:changed", FIRST_YEAR)]
        assert lines[0].changes == {
            "diploma": [None, "CAP-X"],
            "other_years": [None, SECOND_YEAR],
            "divisions": [None, "1CAP, 2CAP"],
        }

    def test_edit_mef_what_changes_nothing_is_not_recorded(
        self, as_: As, courses: dict[str, int], platform: Look
    ) -> None:
        assert link(as_("administrator"), courses[FIRST_YEAR], "") == 303

        with platform() as session:
            assert session.scalars(select(AuditEntry).where(AuditEntry.object_type == "mef")).all() == []

    @pytest.mark.parametrize("diploma", ["rien", "X" * 60, "\x00", "'; DROP TABLE mef"])
    def test_edit_mef_a_diploma_that_is_none_is_refused_beside_its_field(
        self, as_: As, courses: dict[str, int], diploma: str
    ) -> None:
        browser = as_("administrator")
        address = f"{SCREEN}/edit/?id={courses[FIRST_YEAR]}"

        answer = browser.post(address, {**browser.form(address), "label": "Ma saisie", "diploma": diploma})

        assert answer.status_code == 422
        assert 'value="Ma saisie"' in answer.text
        assert 'aria-invalid="true"' in answer.text

    def test_edit_mef_the_second_of_two_people_is_warned(
        self, as_: As, courses: dict[str, int], diploma_of: DiplomaOf
    ) -> None:
        browser = as_("administrator")
        address = f"{SCREEN}/edit/?id={courses[FIRST_YEAR]}"
        opened = browser.form(address)
        link(browser, courses[FIRST_YEAR], "PRO")

        late = browser.post(address, {**opened, "diploma": "CAP-X"})

        assert late.status_code == 409
        assert '<option selected value="CAP-X">' in late.text
        assert diploma_of("mef", courses[FIRST_YEAR]) == "PRO"


class TestOfferDiplomas:
    @pytest.mark.parametrize(
        "path", ["mefs/edit/?id={mef}", "mefs/new/", "divisions/edit/?id={division}", "masques/new/"]
    )
    def test_offer_diplomas_a_diploma_is_chosen_by_its_name_among_those_of_the_school(
        self, as_: As, world: World, courses: dict[str, int], arrange: Look, path: str
    ) -> None:
        with arrange() as session:
            session.get_one(Establishment, world.a.id).uses_siecle = False
            session.add(make_diploma(code="CHEZ-B", short_label="CAP de B", establishment_id=world.b.id))
            session.add(make_diploma(code="ELEC", short_label="CAP Électricien", establishment_id=world.a.id))

        page = as_("administrator").get(f"/admin/{path.format(mef=courses[OTHER], division=courses['1CAP'])}").text
        choices = dict(re.findall(r'<option[^>]* value="([^"]*)">([^<]*)</option>', page))

        assert choices["ELEC"] == "CAP Électricien – ELEC"
        assert {"", "CAP-X", world.diploma_code} <= set(choices)
        assert "CHEZ-B" not in choices
        assert '<a href="/admin/diplomes/">Diplômes</a>' in page

    def test_offer_diplomas_the_form_opens_on_the_diploma_it_has(self, as_: As, courses: dict[str, int]) -> None:
        browser = as_("administrator")
        link(browser, courses[OTHER], "PRO")

        assert browser.form(f"{SCREEN}/edit/?id={courses[OTHER]}")["diploma"] == "PRO"


class TestCreateAndDeleteMEF:
    @pytest.mark.parametrize("code", ["", "2412522121", "241252212100", FIRST_YEAR, "24125221é10", "\x00"])
    def test_create_mef_a_code_that_is_none_or_taken_is_refused(
        self, as_: As, courses: dict[str, int], code: str
    ) -> None:
        answer = as_("administrator").post(f"{SCREEN}/new/", {"code": code, "label": "Ma saisie"})

        assert answer.status_code == 422
        assert 'value="Ma saisie"' in answer.text

    def test_create_mef_a_course_is_added_in_advance(self, as_: As, courses: dict[str, int], platform: Look) -> None:
        answer = as_("administrator").post(
            f"{SCREEN}/new/", {"code": "2472 551 031a", "label": "Seconde", "diploma": "PRO"}
        )

        assert answer.status_code == 303
        with platform() as session:
            mef = session.scalars(select(MEF).where(MEF.code == "2472551031A")).one()
            assert mef.diploma_id == session.scalars(select(Diploma.id).where(Diploma.code == "PRO")).one()

    def test_delete_mef_that_pupils_follow_is_refused(self, as_: As, courses: dict[str, int], platform: Look) -> None:
        browser = as_("administrator")

        followed = browser.post(f"{SCREEN}/delete/", {"id": courses[FIRST_YEAR]})
        free = browser.post(f"{SCREEN}/delete/", {"id": courses[OTHER]})

        assert followed.status_code == 409
        assert "1 élève suit cette formation" in followed.text
        assert free.status_code == 303
        with platform() as session:
            assert sorted(session.scalars(select(MEF.code))) == [FIRST_YEAR, SECOND_YEAR]

    def test_delete_diploma_to_which_courses_are_linked_is_refused(
        self, as_: As, courses: dict[str, int], platform: Look
    ) -> None:
        browser = as_("administrator")
        link(browser, courses[OTHER], "PRO")
        with platform() as session:
            diploma = session.scalars(select(Diploma.id).where(Diploma.code == "PRO")).one()

        answer = browser.post("/admin/diplomes/delete/", {"id": diploma})

        assert answer.status_code == 409
        assert "1 formation (MEF) est rattachée" in answer.text


class TestListStudentItems:
    def test_list_student_items_what_is_to_be_linked_is_counted_until_nothing_is(
        self, as_: As, courses: dict[str, int]
    ) -> None:
        browser = as_("administrator")
        title = "Rattacher les formations (MEF)"

        before = browser.get("/admin/").text
        for code in (FIRST_YEAR, OTHER):
            link(browser, courses[code], "PRO")
        after = browser.get("/admin/").text

        assert title in before
        assert f"{SCREEN}/?diplome=non" in before
        assert "Toutes les formations sont rattachées" in after
        assert FIRST_YEAR not in browser.get(f"{SCREEN}/?diplome=non").text

    def test_list_student_items_a_school_without_courses_is_not_bothered(
        self, as_: As, courses: dict[str, int]
    ) -> None:
        assert "Rattacher les formations" not in as_("administrator", "b").get("/admin/").text
