"""A fiche, a bilan, an évaluation, a division's grid half written: kept for who writes, about whom they may write."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core import clock, events, tenancy
from cpro.core.drafts.models import Draft
from cpro.core.transactions import unit_of_work
from cpro.records.models import Bilan, Evaluation, Fiche
from cpro.records.operations.retention import delete_expired
from cpro.students.models import Student, TeacherDivision
from tests.factories import TESTER, World
from tests.helpers.browser import Browser
from tests.helpers.drafts import KEEP, SCRIPT, kept_by_script, opened, says_found
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_up
from tests.records.conftest import Class

As = Callable[..., Browser]
TYPED = "Brouillon-confidentiel"


def forms(classroom: Class) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Return, for each form: who writes, its address, what they type."""
    return {
        "new fiche": ("student", f"/eleves/{classroom.own}/fiches/nouvelle", {"title": TYPED, "starts_on": "2026-13"}),
        "fiche": ("student", f"/eleves/{classroom.own}/fiches/{classroom.draft}/modifier", {"tasks": TYPED}),
        "new bilan": ("teacher", f"/eleves/{classroom.own}/bilans/nouveau", {"body": TYPED}),
        "bilan": ("teacher", f"/eleves/{classroom.own}/bilans/{classroom.bilan}/modifier", {"body": TYPED}),
        "new evaluation": ("teacher", f"/eleves/{classroom.own}/evaluations/nouvelle", {"evaluated_on": "2026-09-30"}),
        "evaluation": (
            "teacher",
            f"/eleves/{classroom.own}/evaluations/{classroom.evaluation}/modifier",
            {"evaluated_on": "2026-09-30"},
        ),
        "grid": (
            "teacher",
            f"/eleves/evaluer/{classroom.division}",
            {"evaluated_on": "2026-09-30", f"niveau-{classroom.own}": "3", f"niveau-{classroom.mate}": "1"},
        ),
    }


FORMS = ["new fiche", "fiche", "new bilan", "bilan", "new evaluation", "evaluation", "grid"]


@pytest.mark.parametrize("name", FORMS)
class TestDraft:
    def test_draft_comes_back_as_it_was_typed_and_nothing_is_saved(
        self, as_: As, classroom: Class, app: Flask, name: str
    ) -> None:
        role, path, typed = forms(classroom)[name]
        browser = as_(role)
        before = [rows(app, model) for model in (Fiche, Bilan, Evaluation)]

        answer = browser.post(path, {**opened(browser, path), **typed, **KEEP})

        assert (answer.status_code, answer.location) == (303, path)
        again = as_(role)
        assert says_found(again.get(path))
        found = opened(again, path)
        assert {field: found[field] for field in typed} == typed
        assert [rows(app, model) for model in (Fiche, Bilan, Evaluation)] == before
        assert len({row["subject"] for row in rows(app, Draft)}) == 1

    def test_draft_is_kept_by_those_who_may_write_alone(self, as_: As, classroom: Class, app: Flask, name: str) -> None:
        _who, path, typed = forms(classroom)[name]
        for other, school, status in (
            ("administrator", "a", 403),
            ("head", "a", 403),
            ("support", "a", 403),
            ("teacher", "b", 404),
        ):
            browser = as_(other, school, enter="a") if other == "support" else as_(other, school)
            for headers in ({}, SCRIPT):
                with nothing_written(app):
                    answer = browser.post(path, {**typed, **KEEP}, headers=headers)
                assert answer.status_code == status, other

    def test_draft_is_not_shown_to_others(self, as_: As, classroom: Class, name: str) -> None:
        role, path, typed = forms(classroom)[name]
        browser = as_(role)
        browser.post(path, {**opened(browser, path), **typed, **KEEP})

        for other in {"head", "teacher", "student"} - {role}:
            for page in (
                path,
                f"/eleves/{classroom.own}",
                f"/eleves/{classroom.own}/fiches",
                f"/eleves/{classroom.own}/bilans",
            ):
                answer = as_(other).get(page)
                assert TYPED not in answer.text
                assert answer.status_code in (403, 404) or not says_found(answer)


class TestDraftEnded:
    def test_draft_is_forgotten_once_saved(self, as_: As, classroom: Class, app: Flask) -> None:
        browser, path = as_("teacher"), f"/eleves/evaluer/{classroom.division}"
        kept_by_script(browser, path, {**opened(browser, path), f"niveau-{classroom.own}": "3"})

        saved = browser.post(path, {**opened(browser, path), "competence": str(classroom.competences[0])})

        assert saved.status_code == 303, Page(saved).text
        assert not says_found(browser.get(path))

    def test_draft_a_record_deleted_takes_its_drafts(self, as_: As, classroom: Class, app: Flask) -> None:
        browser, path = as_("student"), f"/eleves/{classroom.own}/fiches/{classroom.draft}"
        kept_by_script(browser, f"{path}/modifier", {**opened(browser, f"{path}/modifier"), "title": TYPED})

        assert browser.post(f"{path}/supprimer").status_code == 303

        assert rows(app, Draft) == []

    def test_draft_a_right_that_ended_shows_and_keeps_nothing(
        self, as_: As, classroom: Class, app: Flask, world: World
    ) -> None:
        browser, path = as_("teacher"), f"/eleves/{classroom.own}/bilans/nouveau"
        values = {**opened(browser, path), "body": TYPED}
        kept_by_script(browser, path, values)
        set_up(app, lambda session: session.query(TeacherDivision).delete())  # type: ignore[arg-type]

        page = browser.get(path)
        with nothing_written(app):
            late = kept_by_script(browser, path, values, 2)

        assert page.status_code == late.status_code == 403
        assert TYPED not in page.text

    def test_draft_the_end_of_retention_takes_the_drafts_about_the_pupil(
        self, as_: As, classroom: Class, app: Flask, world: World
    ) -> None:
        browser = as_("teacher")
        for pupil in (classroom.own, classroom.mate):
            path = f"/eleves/{pupil}/bilans/nouveau"
            kept_by_script(browser, path, {**opened(browser, path), "body": TYPED})

        def leave_and_expire(session: Session) -> None:
            student = session.get_one(Student, classroom.own)
            student.is_active, student.departed_on = False, date(2019, 1, 1)
            session.flush()
            delete_expired(session, world.a.id, by=TESTER, now=clock.utcnow())

        set_up(app, leave_and_expire)

        assert [row["subject"] for row in rows(app, Draft)] == [f"student:{classroom.mate}"]

    def test_draft_an_import_undone_takes_the_drafts_about_those_it_created(
        self, as_: As, classroom: Class, app: Flask, world: World
    ) -> None:
        browser = as_("teacher")
        for pupil in (classroom.own, classroom.mate):
            path = f"/eleves/{pupil}/bilans/nouveau"
            kept_by_script(browser, path, {**opened(browser, path), "body": TYPED})

        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            with unit_of_work():
                events.import_undone.send(
                    establishment_id=world.a.id,
                    run_id=1,
                    student_ids=[classroom.own],
                    created_ids=[classroom.own],
                    applied_at=clock.utcnow() - timedelta(hours=1),
                    by=TESTER,
                    now=clock.utcnow(),
                )

        assert [row["subject"] for row in rows(app, Draft)] == [f"student:{classroom.mate}"]


class TestOwnDataDrafts:
    def test_own_data_a_pupil_takes_away_their_own_drafts_alone(self, as_: As, classroom: Class) -> None:
        pupil, path = as_("student"), f"/eleves/{classroom.own}/fiches/nouvelle"
        typed = {"title": TYPED, "tasks": "Du **gras**", "place_name": "Atelier"}
        pupil.post(path, {**opened(pupil, path), **typed, **KEEP})
        teacher = as_("teacher")
        teacher.post(path, {**opened(teacher, path), "title": "De l’enseignante", **KEEP})

        answer = pupil.get("/mon-compte/mes-donnees.zip")

        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            data = json.loads(archive.read("mes-donnees.json"))
        [draft] = data["brouillons"]
        assert (draft["titre"], draft["taches"], draft["nom_du_lieu"]) == (TYPED, "Du gras", "Atelier")
        assert draft["taches_html"] == "<p>Du <strong>gras</strong></p>"
        assert "De l’enseignante" not in json.dumps(data, ensure_ascii=False)
