"""Every page × every situation of an inspector, tried against the running application: one table.

What the people of the school and the support get of each page is in tests/access_table.csv and docs/droits.md;
its last column is the inspector inside the school by an open mandate.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core.permissions import Role, can
from cpro.establishments.models import Establishment
from cpro.inspectors.models import Mandate
from tests.factories import NOW, World
from tests.helpers.access_table import GET, POST
from tests.helpers.records import nothing_written
from tests.helpers.screens import screens
from tests.inspectors.conftest import Desk
from tests.test_screens import POWERS

pytestmark = pytest.mark.slow

Arrange = Callable[[], AbstractContextManager[Session]]
Opener = Callable[..., int]
PAST, FUTURE = date(2021, 1, 1), date(2099, 1, 1)
SECRET = "SECRET-ALPHA"

#: situation: how the mandate comes to it once the inspector is inside
OVER: dict[str, Callable[[Session, Mandate], object]] = {
    "ended": lambda session, mandate: setattr(mandate, "ends_on", PAST),
    "closed": lambda session, mandate: _close(mandate),
    "to come": lambda session, mandate: setattr(mandate, "starts_on", FUTURE),
    "module off": lambda session, mandate: setattr(
        session.get_one(Establishment, mandate.establishment_id), "inspectors_enabled", False
    ),
}


def _close(mandate: Mandate, at: datetime = NOW) -> None:
    mandate.closed_at, mandate.closing_reason = at, "Fin de la visite"


def every_page(app: Flask, world: World) -> list[tuple[str, str]]:
    """Return method and address of every page there is, the generated screens' included."""
    pages = [("GET", page) for page in GET] + [("POST", page.format(b=world.b.id)) for page in POST]
    for screen in screens(app):
        pages += [("GET", screen.url + path.format(id=1)) for _method, path in POWERS.values()]
        pages += [("POST", screen.url + path) for path in ("/new/", "/edit/?id=1", "/delete/?id=1", "/action/")]
    return pages


#: page: (mandate on every diploma, on the diploma of the school's student, on another one)
READ = {
    "/admin/parametres/etablissement": ("Lycée alpha", "Lycée alpha", "Lycée alpha"),
    "/admin/eleves/": (SECRET, SECRET, None),
    "/admin/eleves/?recherche=secret": (SECRET, SECRET, None),
    "/admin/eleves/?division=2ALP": (SECRET, SECRET, None),
    "/admin/eleves/details/?id={student}": (SECRET, SECRET, 404),
    "/eleves": (SECRET, SECRET, None),
    "/eleves/{student}": (SECRET, SECRET, 404),
    "/eleves/{other_student}": (404, 404, 404),
    "/admin/divisions/": ("2ALP", "2ALP", None),
    "/admin/divisions/details/?id={division}": ("2ALP", "2ALP", 404),
    "/admin/diplomes/": ("Bac pro MELEC", "Bac pro MELEC", None),
    "/admin/diplomes/details/?id={diploma}": ("Bac pro MELEC", "Bac pro MELEC", 404),
    # another school's
    "/admin/eleves/details/?id={other_student}": (404, 404, 404),
    "/admin/divisions/details/?id={other_division}": (404, 404, 404),
}


class TestInspectorInside:
    @pytest.mark.parametrize("column", [0, 1, 2], ids=["every diploma", "its diploma", "another diploma"])
    def test_inspector_inside_what_is_read_is_within_the_diplomas(
        self,
        desk: Desk,
        world: World,
        open_to_inspector: Opener,
        arrange: Arrange,
        first_diploma: int,
        second_diploma: int,
        column: int,
    ) -> None:
        from cpro.inspectors.models import MandateDiploma

        mandate_id = open_to_inspector(all_diplomas=column == 0)
        with arrange() as session:
            if column:
                named = first_diploma if column == 1 else second_diploma
                session.add(MandateDiploma(establishment_id=world.a.id, mandate_id=mandate_id, diploma_id=named))
        browser = desk.browser("inspector", enter="a")
        ids = {
            "student": world.a.student_id,
            "division": world.a.division_id,
            "diploma": first_diploma,
            "other_student": world.b.student_id,
            "other_division": world.b.division_id,
        }

        for page, cells in READ.items():
            answer, expected = browser.get(page.format(**ids)), cells[column]
            text = answer.text.replace("recherche=secret", "")
            if isinstance(expected, int):
                assert answer.status_code == expected, page
                continue
            assert answer.status_code == 200, page
            if expected is None:
                assert cells[0] not in text, f"{page} shows what the mandate does not open"
            else:
                assert expected in text, page
            assert "beta" not in text.lower(), page

    def test_inspector_inside_a_mandate_whose_diplomas_are_gone_opens_nothing(
        self, desk: Desk, world: World, open_to_inspector: Opener
    ) -> None:
        open_to_inspector(all_diplomas=False)
        browser = desk.browser("inspector", enter="a")

        for page in ("/admin/eleves/", "/admin/divisions/", "/admin/diplomes/"):
            assert "<tbody>" not in browser.get(page).text, page

    def test_inspector_inside_nothing_is_written_by_any_post(
        self, desk: Desk, world: World, open_to_inspector: Opener
    ) -> None:
        open_to_inspector()
        browser = desk.browser("inspector", enter="a")
        pages = [page for method, page in every_page(desk.app, world) if method == "POST"]

        for page in pages:
            if page.startswith("/admin"):
                with nothing_written(desk.app):
                    assert browser.post(page, {"id": 1}).status_code == 403, page

    def test_inspector_inside_no_link_leads_to_a_page_that_is_refused(
        self, desk: Desk, open_to_inspector: Opener
    ) -> None:
        import re

        open_to_inspector()
        browser = desk.browser("inspector", enter="a")

        for page in ("/admin/eleves/", "/admin/divisions/", "/admin/diplomes/", "/admin/parametres/etablissement"):
            for link in re.findall(r'href="(/[^"#]*)"', browser.get(page).text):
                if not link.startswith(("/static", "/admin/static")):
                    status = browser.get(link.replace("&amp;", "&")).status_code
                    assert status in (200, 303), f"{page} leads to {link}: {status}"

    def test_inspector_inside_no_picture_and_no_ine(
        self, desk: Desk, open_to_inspector: Opener, arrange: Arrange, world: World
    ) -> None:
        with arrange() as session:
            from tests.factories import make_student

            session.add(
                make_student(world.a.id, last_name="Topaze", ine="9900000044N", division_id=world.a.division_id)
            )
        open_to_inspector()
        browser = desk.browser("inspector", enter="a")

        page = browser.get("/admin/eleves/").text

        assert "9900000044N" not in page
        assert "44N" in page
        assert "logo/image" not in page
        assert "Historique" not in browser.get(f"/admin/eleves/details/?id={world.a.student_id}").text


class TestInspectorOutside:
    @pytest.mark.parametrize("situation", OVER)
    def test_inspector_outside_every_page_leads_out_with_a_sentence(
        self, desk: Desk, world: World, open_to_inspector: Opener, arrange: Arrange, situation: str
    ) -> None:
        mandate_id = open_to_inspector()
        browser = desk.browser("inspector", enter="a")
        assert browser.get("/admin/eleves/").status_code == 200
        with arrange() as session:
            OVER[situation](session, session.get_one(Mandate, mandate_id))

        for method, page in every_page(desk.app, world):
            if page in ("/deconnexion", "/sante"):  # who asks is never looked at
                continue
            self._back_inside(arrange, world)
            answer = browser.get(page) if method == "GET" else browser.post(page)
            assert (answer.status_code, answer.location) == (303, "/ecoles"), f"{method} {page}"
            assert SECRET not in answer.text
        self._back_inside(arrange, world)
        assert "a pris fin" in browser.get("/admin/eleves/", follow_redirects=True).text

    @pytest.mark.parametrize("situation", OVER)
    def test_inspector_outside_entering_is_a_404_and_nothing_is_proposed(
        self, desk: Desk, world: World, open_to_inspector: Opener, arrange: Arrange, situation: str
    ) -> None:
        mandate_id = open_to_inspector()
        with arrange() as session:
            OVER[situation](session, session.get_one(Mandate, mandate_id))
        browser = desk.browser("inspector")

        assert "Lycée alpha" not in browser.get("/ecoles").text
        assert browser.post(f"/ecoles/{world.a.id}/entrer").status_code == 404
        assert browser.get("/admin/eleves/").location == "/ecoles"

    def test_inspector_outside_another_school_is_a_404_before_and_after_entering_ones_own(
        self, desk: Desk, world: World, open_to_inspector: Opener
    ) -> None:
        open_to_inspector()
        browser = desk.browser("inspector")

        assert browser.post(f"/ecoles/{world.b.id}/entrer").status_code == 404
        assert browser.post(f"/ecoles/{world.a.id}/entrer").status_code == 303
        assert browser.post(f"/ecoles/{world.b.id}/entrer").status_code == 404
        assert SECRET in browser.get("/admin/eleves/").text

    def test_inspector_outside_another_inspector_is_not_let_in_by_it(
        self, desk: Desk, world: World, open_to_inspector: Opener, arrange: Arrange
    ) -> None:
        from cpro.users.models import PlatformAccount
        from tests.factories import password_hash

        with arrange() as session:
            other = PlatformAccount(
                email="autre@ac-test.example",
                role=Role.INSPECTOR,
                name="Autre",
                password_hash=password_hash(),
                activated_at=NOW,
                created_at=NOW,
            )
            session.add(other)
            session.flush()
            open_to = other.id
        open_to_inspector(inspector_id=open_to)

        assert desk.browser("inspector").post(f"/ecoles/{world.a.id}/entrer").status_code == 404

    def test_inspector_outside_a_page_of_a_school_left_through_another_window_leads_to_the_choice(
        self, desk: Desk, open_to_inspector: Opener
    ) -> None:
        open_to_inspector()
        browser = desk.browser("inspector", enter="a")
        browser.post("/ecoles/quitter")

        assert browser.get("/admin/eleves/").location == "/ecoles"

    def test_inspector_outside_signing_out_still_works_when_the_mandate_is_over(
        self, desk: Desk, open_to_inspector: Opener, arrange: Arrange
    ) -> None:
        mandate_id = open_to_inspector()
        browser = desk.browser("inspector", enter="a")
        browser.get("/admin/eleves/")
        with arrange() as session:
            _close(session.get_one(Mandate, mandate_id))

        browser.post("/deconnexion")

        assert browser.get("/mon-compte").location.startswith("/connexion")

    def _back_inside(self, arrange: Arrange, world: World) -> None:
        """Put the inspector's sign-in back in the school, as if it had just been entered."""
        from sqlalchemy import update

        from cpro.users.sign_in_models import SignIn

        with arrange() as session:
            session.execute(
                update(SignIn)
                .where(SignIn.platform_account_id == world.inspector_id)
                .values(entered_establishment_id=world.a.id)
            )


def test_inspector_role_has_no_right_that_writes_or_exports() -> None:
    from cpro.core.permissions import ROLE_PERMISSIONS, Permission

    assert {right.name for right in ROLE_PERMISSIONS[Role.INSPECTOR]} == {
        "OWN_ACCOUNT",
        "HELP_READ",
        "SCHOOL_CHOOSE",
        "MANDATE_ENTER",
        "SCHOOL_RECORDS_READ",
        "PARTICULARS_VIEW",
        "STUDENTS_VIEW",
        "SCENARIOS_VIEW",
        "PUPILS_VIEW",
        "PUPIL_RECORDS_READ",
    }
    assert not can(None, Permission.STUDENTS_VIEW)
