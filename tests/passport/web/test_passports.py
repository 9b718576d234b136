"""The passport of a pupil: who may have it, when it is closed, what is written down."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.records.models import FicheState
from cpro.students.models import Student, TeacherDivision
from tests.factories import NOW, World, make_mandate
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import failing_journal, nothing_written, rows, set_school, set_up, watching
from tests.passport.conftest import SECRET, Class_, fiche, pdf_of, printed_code

As = Callable[..., Browser]
OWN, DATA = "/mon-passeport.pdf", "/mon-compte/mes-donnees.zip"


def of(pupil_id: int) -> str:
    return f"/passeport/{pupil_id}.pdf"


class TestPassportAccess:
    @pytest.mark.parametrize("role", ["administrator", "support", "inspector"])
    def test_passport_a_role_without_the_right_is_refused(
        self, app: Flask, as_: As, world: World, class_a: Class_, role: str
    ) -> None:
        set_up(app, lambda session: session.add(make_mandate(world)))
        browser = as_(role, enter="a" if role != "administrator" else None)

        with nothing_written(app):
            answers = [browser.get(path) for path in (of(class_a.pupil_id), OWN, DATA)]

        assert [answer.status_code for answer in answers] == [403] * 3
        assert not any(SECRET in answer.text for answer in answers)

    def test_passport_a_teacher_of_another_division_is_refused(self, app: Flask, as_: As, class_a: Class_) -> None:
        set_up(app, lambda session: session.query(TeacherDivision).delete())
        browser = as_("teacher")

        with nothing_written(app):
            answer = browser.get(of(class_a.pupil_id))

        assert answer.status_code == 403

    def test_passport_another_pupil_is_refused(self, app: Flask, as_: As, class_a: Class_) -> None:
        other, browser = class_a.add_pupil(), as_("student")

        with nothing_written(app):
            assert browser.get(of(other)).status_code == 403

    @pytest.mark.parametrize("role", ["head", "teacher", "student"])
    def test_passport_another_schools_pupil_does_not_exist(
        self, app: Flask, as_: As, class_a: Class_, class_b: Class_, role: str
    ) -> None:
        browser = as_(role)

        with nothing_written(app):
            assert browser.get(of(class_b.pupil_id)).status_code == 404

    @pytest.mark.parametrize("role", ["head", "teacher", "student"])
    def test_passport_the_head_their_teacher_and_the_pupil_have_it(self, as_: As, class_a: Class_, role: str) -> None:
        answer = as_(role).get(of(class_a.pupil_id))

        assert SECRET in "".join(page.extract_text() for page in pdf_of(answer).pages)
        assert "passeport-agate-noe.pdf" in answer.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "no-store"

    def test_passport_of_a_merged_row_is_that_of_the_row_kept(self, app: Flask, as_: As, class_a: Class_) -> None:
        merged, browser = class_a.add_pupil(), as_("head")

        def merge(session: Session) -> None:
            row = session.get_one(Student, merged)
            row.is_active, row.merged_into_id = False, class_a.pupil_id

        set_up(app, merge)

        with nothing_written(app):
            answers = browser.get(of(merged)), browser.get(f"/eleves/{merged}")
        assert [answer.location for answer in answers] == [of(class_a.pupil_id), f"/eleves/{class_a.pupil_id}"]

    def test_own_passport_a_pupil_has_their_own(self, as_: As, class_a: Class_) -> None:
        assert "Noé AGATE" in pdf_of(as_("student").get(OWN)).pages[0].extract_text()

    @pytest.mark.parametrize("role", ["head", "teacher", "student"])
    def test_passport_what_it_cannot_print_is_reported_beside_its_button(
        self, as_: As, class_a: Class_, role: str
    ) -> None:
        text = Page(as_(role).get(f"/eleves/{class_a.pupil_id}")).text

        assert "Les émojis, et quelques écritures comme le chinois, le coréen ou le thaï, s’y impriment « ? »" in text

    def test_passport_an_account_of_no_pupil_has_none(self, as_: As, world: World) -> None:
        browser = as_("student")

        assert browser.get(OWN).status_code == browser.get(DATA).status_code == 404

    @pytest.mark.parametrize("role", ["head", "teacher", "student"])
    def test_passport_one_who_has_left_can_still_have_it(self, as_: As, class_a: Class_, role: str) -> None:
        class_a.change(Student, class_a.pupil_id, is_active=False, departed_on=date(2026, 7, 3))

        page = pdf_of(as_(role).get(of(class_a.pupil_id))).pages[0].extract_text()

        assert "03/07/2026" in page


class TestPassportGate:
    @pytest.mark.parametrize("field", ["name", "email", "uai"])
    def test_passport_gate_a_missing_particular_closes_it_with_an_explanation(
        self, app: Flask, as_: As, class_a: Class_, world: World, field: str
    ) -> None:
        set_school(app, world.a.id, **{field: None if field == "uai" else ""})
        browser = as_("head")

        with nothing_written(app):
            answer = browser.get(of(class_a.pupil_id))

        assert answer.status_code == 409
        assert answer.mimetype == "text/html"
        assert f'/admin/parametres/etablissement#{field}"' in answer.text
        assert 'aria-disabled="true"' in answer.text

    def test_passport_gate_who_cannot_complete_it_reads_whom_to_ask(
        self, app: Flask, as_: As, class_a: Class_, world: World
    ) -> None:
        set_school(app, world.a.id, email="")

        answer = as_("student").get(OWN)

        assert answer.status_code == 409
        assert "Demandez à l’administrateur" in answer.text
        assert "/admin/parametres" not in answer.text

    def test_passport_gate_the_module_switched_off_closes_it(
        self, app: Flask, as_: As, class_a: Class_, world: World
    ) -> None:
        set_school(app, world.a.id, passport_enabled=False)
        browser = as_("head")

        with nothing_written(app):
            answer = browser.get(of(class_a.pupil_id))

        assert answer.status_code == 403
        assert "a désactivé le module «\u202fPasseport\u202f»" in answer.text

    def test_passport_gate_the_settings_say_how_many_it_concerns(
        self, app: Flask, as_: As, class_a: Class_, world: World
    ) -> None:
        page = "/admin/parametres/etablissement"
        assert "Les passeports de 2 apprenants peuvent être exportés" in as_("head").get(page).text

        set_school(app, world.a.id, passport_enabled=False)
        assert "2 passeports en attente" in as_("head").get(page).text

        set_school(app, world.a.id, email="")
        assert "2 apprenants ne peuvent pas exporter leur passeport" in as_("head").get(page).text

    def test_passport_gate_the_button_stays_with_the_reason(
        self, app: Flask, as_: As, class_a: Class_, world: World
    ) -> None:
        page = f"/eleves/{class_a.pupil_id}"
        assert f'href="{of(class_a.pupil_id)}"' in as_("head").get(page).text

        set_school(app, world.a.id, uai=None)

        text = as_("head").get(page).text
        assert of(class_a.pupil_id) not in text
        assert "Télécharger le passeport" in text
        assert 'aria-disabled="true"' in text


class TestPassportIssue:
    def test_passport_is_written_down_without_content(self, app: Flask, as_: As, class_a: Class_, world: World) -> None:
        browser = as_("teacher")

        with watching(app) as watch:
            answer = browser.get(of(class_a.pupil_id))

        reader, [issue] = pdf_of(answer), class_a.issues()
        assert watch.changed == {"passport_issue", "audit_entry"}
        assert (issue.establishment_id, issue.student_id) == (world.a.id, class_a.pupil_id)
        assert (issue.school_name, issue.school_uai) == (world.a.name, world.a.uai)
        assert (issue.page_count, issue.entry_count) == (len(reader.pages), 4)
        assert issue.code == printed_code(reader).replace("-", "")
        assert issue.issued_at == NOW
        assert watch.line["action"] == "passport:issued"
        assert watch.line["changes"] == {"pages": [None, len(reader.pages)], "entries": [None, 4]}
        assert SECRET not in json.dumps(rows(app, type(issue)), default=str)

    def test_passport_each_export_has_a_code_of_its_own(self, as_: As, class_a: Class_) -> None:
        browser = as_("teacher")
        for _ in range(3):
            browser.get(of(class_a.pupil_id))

        codes = [issue.code for issue in class_a.issues()]

        assert len(set(codes)) == 3
        assert all(len(code) == 16 and not set(code) & set("ILOU") for code in codes)

    def test_passport_asking_for_headers_issues_nothing(self, app: Flask, as_: As, class_a: Class_) -> None:
        browser = as_("student")

        with nothing_written(app):
            answers = [browser.client.head(path) for path in (of(class_a.pupil_id), OWN, DATA)]

        assert [answer.status_code for answer in answers] == [200] * 3

    def test_passport_without_its_line_there_is_no_passport(self, as_: As, class_a: Class_) -> None:
        browser = as_("teacher")

        with failing_journal(), pytest.raises(RuntimeError):
            browser.get(of(class_a.pupil_id))

        assert class_a.issues() == []

    def test_passport_reads_in_the_journal(self, as_: As, class_a: Class_) -> None:
        as_("teacher").get(of(class_a.pupil_id))

        text = as_("administrator").get("/admin/journal/").text

        assert "a exporté un passeport" in text
        assert SECRET not in text

    def test_passport_leaves_out_what_is_not_validated(self, as_: As, class_a: Class_) -> None:
        class_a.add(
            fiche(class_a.pupil_id, title="Encore un brouillon", state=FicheState.DRAFT),
            fiche(class_a.pupil_id, title="Pas encore lue", state=FicheState.SUBMITTED),
        )

        text = "".join(page.extract_text() for page in pdf_of(as_("head").get(of(class_a.pupil_id))).pages)

        assert "brouillon" not in text
        assert "Pas encore lue" not in text


class TestOwnData:
    def test_own_data_holds_the_records_and_the_passport(self, app: Flask, as_: As, class_a: Class_) -> None:
        browser = as_("student")

        with watching(app) as watch:
            answer = browser.get(DATA)

        assert answer.mimetype == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            assert archive.namelist() == ["mes-donnees.json", "passeport.pdf"]
            data = json.loads(archive.read("mes-donnees.json"))
            assert archive.read("passeport.pdf").startswith(b"%PDF-")
        assert len(data["fiches"]) == 1
        assert SECRET in json.dumps(data, ensure_ascii=False)
        assert [line["action"] for line in watch.lines] == ["passport:issued", "personal_data:exported"]

    def test_own_data_is_given_without_passport_while_the_gate_is_closed(
        self, app: Flask, as_: As, class_a: Class_, world: World
    ) -> None:
        set_school(app, world.a.id, email="")

        answer = as_("student").get(DATA)

        assert answer.status_code == 200
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            assert archive.namelist() == ["mes-donnees.json"]
            assert "L’adresse électronique" in json.loads(archive.read("mes-donnees.json"))["passeport"]
        assert class_a.issues() == []

    def test_own_data_is_offered_to_pupils_alone(self, as_: As, class_a: Class_) -> None:
        assert DATA in as_("student").get("/mon-compte").text
        assert DATA not in as_("teacher").get("/mon-compte").text
