"""Generated screens: who may what, and that none of stock Flask-Admin's weaknesses is there."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.permissions import ROLE_PERMISSIONS, Role
from cpro.core.web.screens import Screen, exported
from cpro.students.models import Diploma, Division, Student
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.screens import screens
from tests.helpers.statements import count_statements

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "droits.md"

POWERS = {
    "voir": ("GET", "/"),
    "détailler": ("GET", "/details/?id={id}"),
    "créer": ("GET", "/new/"),
    "corriger": ("GET", "/edit/?id={id}"),
    "supprimer": ("GET", "/delete/?id={id}"),
    "exporter": ("GET", "/export/csv/"),
}
CLOSED = ("teacher", "student")
#: How the table names a role, where it is not by its label.
_SHORT = {"head": "chef"}
ROLES = {role.value: _SHORT.get(role.value, role.label.lower()) for role in Role if role.value not in CLOSED}


def a_row_of(session: Session, screen: Screen, world: World, school: str) -> int:
    """Return the id of a row of a school: its own before a shared one."""
    establishment = world.school(school).id
    owner = getattr(screen.model, "establishment_id", screen.model.id)
    return session.scalars(select(screen.model.id).where(owner == establishment).order_by(screen.model.id)).first() or 0


class TestScreensPowers:
    def test_screens_answer_what_the_table_in_docs_says(
        self, migrated_app: Flask, as_: As, filled: World, platform: Look
    ) -> None:
        browsers = {role: as_(role, enter="a" if role in ("support", "inspector") else None) for role in ROLES}
        lines = ["| écran | geste | " + " | ".join(ROLES.values()) + " |", "|---|---|" + "---|" * len(ROLES)]
        for screen in screens(migrated_app):
            with platform() as session:
                row = a_row_of(session, screen, filled, "a")
            for power, (_method, path) in POWERS.items():
                answers = [browsers[role].get(screen.url + path.format(id=row)).status_code for role in ROLES]
                assert set(answers) <= {200, 403, 409}, f"{screen.url}{path}: {answers}"
                words = " | ".join("–" if status == 403 else "oui" for status in answers)
                lines.append(f"| {screen.title} | {power} | {words} |")

        table = "\n".join(lines)
        said = re.findall(r"^\| .+ \|$|^\|-.+\|$", DOCUMENT.read_text().partition("\n## ")[0], re.M)
        assert sorted(said) == sorted(lines), f"docs/droits.md is not true any more; the application says:\n{table}"

    @pytest.mark.parametrize("role", CLOSED)
    def test_screens_are_closed_to_teachers_and_students(self, migrated_app: Flask, as_: As, role: str) -> None:
        browser = as_(role)

        for screen in screens(migrated_app):
            for _method, path in POWERS.values():
                assert browser.get(screen.url + path.format(id=1)).status_code == 403

    def test_screens_refuse_a_power_one_lacks_on_posts_too(self, migrated_app: Flask, as_: As, filled: World) -> None:
        browser = as_("support", enter="a")

        for screen in screens(migrated_app):
            for path in ("/new/", "/edit/?id=1", "/delete/?id=1", "/action/", "/export/classeurs/"):
                assert browser.post(screen.url + path, {"id": "1"}).status_code == 403, screen.url + path

    def test_screens_lead_to_the_sign_in_when_signed_out(
        self, migrated_app: Flask, browser: Callable[[], Browser]
    ) -> None:
        stranger = browser()

        for screen in screens(migrated_app):
            for _method, path in POWERS.values():
                answer = stranger.get(screen.url + path.format(id=1))
                assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/connexion")


class TestScreensOfAnotherSchool:
    def test_screens_of_another_school_by_id_another_schools_row_does_not_exist(
        self, migrated_app: Flask, as_: As, filled: World, platform: Look
    ) -> None:
        as_("administrator", "b")  # whose sign-in is a line of B's journal
        browser = as_("administrator", "a")

        for screen in screens(migrated_app):
            with platform() as session:
                row = a_row_of(session, screen, filled, "b")
            assert row, screen.title
            there = 404 if screen.permission in ROLE_PERMISSIONS[Role.ADMINISTRATOR] else 403
            assert browser.get(f"{screen.url}/details/?id={row}").status_code == there, screen.title
            for power, path in ((screen.edit_permission, "edit"), (screen.delete_permission, "delete")):
                expected = 404 if power else 403
                assert browser.get(f"{screen.url}/{path}/?id={row}").status_code == expected, f"{screen.url}/{path}"
                assert browser.post(f"{screen.url}/{path}/?id={row}", {"id": row}).status_code == expected

    def test_screens_of_another_school_lists_searches_and_exports_hold_ones_own_rows(
        self, migrated_app: Flask, as_: As, filled: World
    ) -> None:
        browser = as_("administrator", "a")

        for screen in screens(migrated_app):
            for path in (
                "/",
                "/?recherche=beta",
                "/?recherche=secret",
                "/?lignes=100",
                "/export/csv/",
                "/export/papier/",
            ):
                text = browser.get(screen.url + path).text  # which repeats what was sought
                text = re.sub(r"recherche(=|%3D)beta|value=\"beta\"|«\s?beta\s?»", "", text)
                assert "beta" not in text.lower(), screen.url + path


#: What addresses may hold; none of it is a crash.
ODD_ADDRESSES = (
    "/?page=99999999999999999999",
    "/?page=-1",
    "/?page=deux",
    "/?page=1٣",
    "/?lignes=1000000",
    "/?tri=mot_de_passe&ordre=desc",
    "/?tri=name';DROP TABLE student",
    "/?recherche=%25",
    "/?recherche=_",
    "/?recherche=" + "a" * 5000,
    "/?situation=inconnue&ine=&division=%27",
    "/?recherche=\\",
    "/details/",
    "/details/?id=",
    "/details/?id=un",
    "/details/?id=99999999999999999999",
    "/details/?id=-1",
    "/details/?id=1,2",
    "/edit/?id=abc",
    "/delete/?id=abc",
    "/export/pdf/",
    "/ajax/lookup/?name=x&query=y",
)


class TestScreensWeaknesses:
    @pytest.mark.parametrize("path", ODD_ADDRESSES)
    def test_screens_no_address_is_a_crash(self, migrated_app: Flask, as_: As, filled: World, path: str) -> None:
        browser = as_("administrator")

        for screen in screens(migrated_app):
            answer = browser.get(screen.url + path)
            assert answer.status_code in (200, 403, 404), f"{screen.url}{path}: {answer.status_code}"
            assert "Traceback" not in answer.text

    def test_screens_a_post_without_token_is_refused(self, migrated_app: Flask, as_: As, filled: World) -> None:
        browser = as_("administrator")

        for screen in screens(migrated_app):
            for path in ("/new/", "/edit/?id=1", "/delete/?id=1", "/action/", "/ajax/update/"):
                assert browser.post(screen.url + path, {"id": "1"}, token=False).status_code in (400, 303, 403)

    @pytest.mark.parametrize(
        ("sought", "found"), [("%", 0), ("_", 0), ("zoe", 1), ("ZOÉ", 1), ("oeuvre", 1), ("100 %", 1)]
    )
    def test_screens_a_search_ignores_case_and_accents_and_takes_signs_literally(
        self, as_: As, filled: World, arrange: Look, sought: str, found: int
    ) -> None:
        with arrange() as session:
            session.execute(Student.__table__.delete().where(Student.establishment_id == filled.a.id))
            session.add(
                make_student(filled.a.id, last_name="Cent 100 %" if "100" in sought else "Œuvré", first_name="Zoé")
            )

        page = as_("administrator").get("/admin/eleves/", query_string={"recherche": sought}).text

        assert len(re.findall(r'<th scope="row"', page)) == found

    def test_screens_no_exported_cell_is_a_formula(self, as_: As, filled: World, arrange: Look) -> None:
        with arrange() as session:
            for name in ("=HYPERLINK(1)", "+1", "-2+3", "@SUM(A1)"):
                session.add(make_student(filled.a.id, last_name="Z", usage_name=name, first_name=name))
        browser = as_("administrator")

        cells = [
            cell for line in browser.get("/admin/eleves/export/csv/").text.splitlines() for cell in line.split(";")
        ]
        book = zipfile.ZipFile(io.BytesIO(browser.get("/admin/eleves/export/xlsx/").data))

        assert "'=HYPERLINK(1)" in cells
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")

    def test_screens_all_rows_are_printed_at_once_as_many_as_a_page_may_hold(
        self, as_: As, filled: World, arrange: Look, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with arrange() as session:
            session.add_all(make_student(filled.a.id, last_name=f"Calcite {number}") for number in range(60))
        browser = as_("administrator")
        address = "/admin/eleves/export/papier/?recherche=calcite"

        assert address in browser.get("/admin/eleves/?recherche=calcite").text
        assert len(re.findall(r'<th scope="row"', browser.get(address).text)) == 60
        monkeypatch.setattr(exported, "MOST_PRINTED", 40)
        page = browser.get(address).text
        assert len(re.findall(r'<th scope="row"', page)) == 40
        assert "Seules les premières lignes sont ici" in page

    def test_screens_an_export_holds_what_the_list_shows(self, as_: As, filled: World, arrange: Look) -> None:
        with arrange() as session:
            session.add(make_student(filled.a.id, last_name="Parti", is_active=False))

        lines = as_("administrator").get("/admin/eleves/export/csv/?situation=partis").text.splitlines()

        assert [line.split(";")[0] for line in lines[1:]] == ["PARTI"]

    def test_screens_deleting_asks_once_and_names_the_object(self, as_: As, filled: World, platform: Look) -> None:
        browser = as_("administrator")
        with platform() as session:
            own = session.scalars(select(Diploma).where(Diploma.establishment_id == filled.a.id)).one().id

        page = browser.get(f"/admin/diplomes/delete/?id={own}")
        with platform() as session:
            assert session.get(Diploma, own) is not None
        answer = browser.post("/admin/diplomes/delete/", {"id": own})

        assert page.status_code == 200
        assert "Supprimer Bac pro MELEC" in page.text
        assert answer.status_code == 303
        with platform() as session:
            assert session.get(Diploma, own) is None

    def test_screens_no_form_renders_a_long_list(
        self, migrated_app: Flask, as_: As, filled: World, arrange: Look
    ) -> None:
        with arrange() as session:
            session.add_all(Division(establishment_id=filled.a.id, code=f"D{i}", label="") for i in range(60))
        browser = as_("administrator")

        for screen in screens(migrated_app):
            page = browser.get(f"{screen.url}/new/").text
            assert page.count("<option") <= 110, screen.title

    @pytest.mark.parametrize(
        "screen_url", ["/admin/eleves", "/admin/divisions", "/admin/journal", "/admin/utilisateurs"]
    )
    def test_screens_a_list_asks_as_many_queries_for_100_rows_as_for_20(
        self, app: Flask, as_: As, filled: World, arrange: Look, screen_url: str
    ) -> None:
        with arrange() as session:
            for i in range(120):
                session.add(Division(establishment_id=filled.a.id, code=f"D{i}", label="", diploma_id=1))
                session.flush()
                session.add(make_student(filled.a.id))
        browser = as_("administrator")
        browser.get(screen_url + "/")

        counts = [
            count_statements(app, lambda size=size: browser.get(f"{screen_url}/?lignes={size}")) for size in (20, 100)
        ]

        assert counts[0] == counts[1]


class TestScreensTwoPeople:
    def test_screens_the_second_is_warned_and_loses_nothing(self, as_: As, filled: World, platform: Look) -> None:
        first, second = as_("administrator"), as_("administrator")
        address = f"/admin/eleves/edit/?id={filled.a.student_id}"
        form, late_form = first.form(address), second.form(address)

        saved = first.post(address, {**form, "first_name": "Anaïs"})
        late = second.post(address, {**late_form, "first_name": "Chloé"})

        assert saved.status_code == 303
        assert late.status_code == 409
        assert "Anaïs" in late.text
        assert 'value="Chloé"' in late.text
        with platform() as session:
            assert session.get_one(Student, filled.a.student_id).first_name == "Anaïs"

    def test_screens_posting_again_applies_knowingly(self, as_: As, filled: World, platform: Look) -> None:
        first, second = as_("administrator"), as_("administrator")
        address = f"/admin/eleves/edit/?id={filled.a.student_id}"
        form, late_form = first.form(address), second.form(address)
        first.post(address, {**form, "first_name": "Anaïs"})
        late = second.post(address, {**late_form, "first_name": "Chloé"})
        version = re.search(r'name="version"[^>]*value="([^"]+)"', late.text)
        assert version is not None

        again = second.post(address, {**late_form, "first_name": "Chloé", "version": version[1]})

        assert again.status_code == 303
        with platform() as session:
            assert session.get_one(Student, filled.a.student_id).first_name == "Chloé"


class TestScreensWithSIECLE:
    def test_screens_a_school_that_uses_it_creates_and_corrects_no_pupil_by_hand(self, as_: As, world: World) -> None:
        browser = as_("administrator")

        assert browser.post("/admin/eleves/new/", {"last_name": "X"}).status_code == 409
        assert "SIECLE" in browser.get("/admin/eleves/new/").text
        answer = browser.post(f"/admin/eleves/edit/?id={world.a.student_id}", {"last_name": "X"})
        assert answer.status_code == 403

    def test_screens_no_form_writes_an_ine(self, as_: As, filled: World, platform: Look) -> None:
        browser = as_("administrator")
        address = f"/admin/eleves/edit/?id={filled.a.student_id}"

        assert "ine" not in browser.form(address)
        browser.post(address, {**browser.form(address), "ine": "9900000044N"})

        with platform() as session:
            assert session.get_one(Student, filled.a.student_id).ine is None


class TestScreensOfTheSupport:
    def test_screens_an_ine_shows_its_last_three_characters_only(self, as_: As, filled: World, arrange: Look) -> None:
        with arrange() as session:
            student = make_student(filled.a.id, last_name="Topaze", ine="9900000044N")
            session.add(student)
            session.flush()
            row = student.id
        browser = as_("support", enter="a")

        for path in ("/", "/?recherche=topaze", f"/details/?id={row}", "/?ine=sans", "/?recherche=9900000044N"):
            page = browser.get(f"/admin/eleves{path}").text
            typed = r'recherche=9900000044N|value="9900000044N"|«\s?9900000044N\s?»'  # what was sought is repeated
            assert "9900000044N" not in re.sub(typed, "", page), path
        assert "44N" in browser.get(f"/admin/eleves/details/?id={row}").text


class TestScreensCorrection:
    def test_screens_a_division_is_corrected(self, as_: As, filled: World, platform: Look) -> None:
        browser = as_("administrator")
        address = f"/admin/divisions/edit/?id={filled.a.division_id}"

        answer = browser.post(address, {**browser.form(address), "label": "Intitulé corrigé"})

        assert answer.status_code == 303
        with platform() as session:
            assert session.get_one(Division, filled.a.division_id).label == "Intitulé corrigé"
