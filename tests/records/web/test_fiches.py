"""Fiches: their life from draft to validated, what is refused on the way, and two people at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.records.models import Evaluation, Fiche, FicheState
from cpro.students.models import Student
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_up, watching
from tests.helpers.two_people import Shared, play
from tests.records.conftest import Class, make_fiche

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]

TYPED = {
    "title": "Pose d’un tableau",
    "place": "company",
    "place_name": "Ampère et Fils",
    "starts_on": "2026-09-07",
    "ends_on": "2026-09-18",
    "tasks": "Première ligne\n\n- un\n- deux",
}


@pytest.fixture
def own(classroom: Class) -> str:
    """Return the address of the pupil's page."""
    return f"/eleves/{classroom.own}"


def fiches_of(app: Flask, student_id: int) -> list[dict[str, Any]]:
    return [row for row in rows(app, Fiche) if row["student_id"] == student_id]


def state_of(app: Flask, fiche_id: int) -> str:
    return next(row["state"] for row in rows(app, Fiche) if row["id"] == fiche_id)


class TestCreateFiche:
    #: what is typed instead, the field blamed, what the sentence says
    REFUSED = {
        "no title": ({"title": " "}, "title", "Donnez un titre"),
        "a long title": ({"title": "x" * 151}, "title", "compte 151 caractères"),
        "a NUL in the title": ({"title": "a\x00b"}, "title", "caractère de contrôle"),
        "no place": ({"place": ""}, "place", "Dites où"),
        "no such place": ({"place": "moon"}, "place", "Dites où"),
        "a long place name": ({"place_name": "x" * 151}, "place_name", "compte 151 caractères"),
        "no first day": ({"starts_on": ""}, "starts_on", "Indiquez le premier jour"),
        "no such day": ({"starts_on": "2026-02-30"}, "starts_on", "Cette date n’existe pas"),
        "not a day": ({"ends_on": "hier"}, "ends_on", "Cette date n’existe pas"),
        "another century": ({"starts_on": "1826-09-07"}, "starts_on", "Vérifiez l’année"),
        "days the wrong way": ({"ends_on": "2026-09-01"}, "ends_on", "vient avant le premier"),
        "a long text": ({"tasks": "x" * 20_001}, "tasks", "caractères"),
    }

    @pytest.mark.parametrize("case", REFUSED)
    @pytest.mark.parametrize("address", ["nouvelle", "{draft}/modifier"])
    def test_create_fiche_what_is_refused_is_reported_beside_its_field_and_kept(
        self, app: Flask, as_: As, classroom: Class, own: str, case: str, address: str
    ) -> None:
        typed, field, sentence = self.REFUSED[case]
        browser = as_("student")

        with nothing_written(app):
            answer = browser.post(f"{own}/fiches/{address.format(draft=classroom.draft)}", {**TYPED, **typed})

        page = Page(answer)
        assert answer.status_code == 422
        assert sentence in page.error(field)
        if field != "title":
            assert page.values()["title"] == "Pose d’un tableau"

    def test_create_fiche_a_draft_is_kept_as_it_was_typed(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        browser = as_("student")

        with watching(app) as watch:
            answer = browser.post(f"{own}/fiches/nouvelle", TYPED)

        row = fiches_of(app, classroom.own)[-1]
        assert answer.location == f"{own}/fiches/{row['id']}"
        assert (row["title"], row["place"], row["state"]) == ("Pose d’un tableau", "company", "draft")
        assert row["tasks"] == "<p>Première ligne</p><ul><li>un</li><li>deux</li></ul>"
        assert (row["author_label"], row["origin_school"], row["received_in"]) == ("Noé AGATE", "", None)
        assert len(row["origin_uid"]) == 36
        assert watch.line["action"] == "fiche:created"

    def test_create_fiche_what_could_run_in_a_page_is_not_stored(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        hostile = '<p>Bien<script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:x">ici</a></p>'

        as_("student").post(f"{own}/fiches/nouvelle", {**TYPED, "tasks": hostile, "tasks_format": "html"})

        stored = fiches_of(app, classroom.own)[-1]["tasks"]
        assert "Bien" in stored
        assert not any(word in stored for word in ("script", "onerror", "img"))

    @pytest.mark.parametrize("field", ["title", "tasks"])
    def test_create_fiche_refuses_a_sign_that_the_passport_cannot_print(
        self, app: Flask, as_: As, own: str, field: str
    ) -> None:
        browser = as_("student")

        with nothing_written(app):
            answer = browser.post(f"{own}/fiches/nouvelle", {**TYPED, field: "Pose 🎓"})

        page = Page(answer)
        assert answer.status_code == 422
        assert "« 🎓 », un signe que les documents ne peuvent pas imprimer" in page.error(field)
        assert "Pose 🎓" in answer.text

    @pytest.mark.parametrize(("role", "state"), [("student", "submitted"), ("teacher", "validated")])
    def test_create_fiche_a_finished_fiche_is_handed_in_or_validated(
        self, app: Flask, as_: As, classroom: Class, own: str, role: str, state: str
    ) -> None:
        as_(role).post(f"{own}/fiches/nouvelle", {**TYPED, "then": "done"})

        assert fiches_of(app, classroom.own)[-1]["state"] == state

    def test_create_fiche_two_of_the_same_have_two_origins(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        browser = as_("student")
        for _ in range(2):
            browser.post(f"{own}/fiches/nouvelle", TYPED)

        assert len({row["origin_uid"] for row in fiches_of(app, classroom.own)}) == 4


class TestFicheStates:
    def test_submit_validate_and_send_back_fiche(self, app: Flask, as_: As, classroom: Class, own: str) -> None:
        pupil, teacher, fiche = as_("student"), as_("teacher"), f"{own}/fiches/{classroom.draft}"
        assert teacher.post(f"{fiche}/valider").status_code == 409
        assert state_of(app, classroom.draft) == "draft"

        pupil.post(f"{fiche}/soumettre")
        assert state_of(app, classroom.draft) == "submitted"
        teacher.post(f"{fiche}/valider")
        assert state_of(app, classroom.draft) == "validated"
        assert "validée par Inès QUARTZ" in pupil.post(f"{fiche}/modifier", TYPED).text
        assert pupil.get(f"{fiche}/modifier").status_code == 409
        assert pupil.post(f"{fiche}/supprimer").status_code == 409
        assert pupil.post(f"{fiche}/soumettre").status_code == 409
        teacher.post(f"{fiche}/rendre")
        row = next(row for row in rows(app, Fiche) if row["id"] == classroom.draft)
        assert (row["state"], row["validated_at"], row["validated_by_label"]) == ("draft", None, "")
        assert pupil.post(f"{fiche}/modifier", TYPED).status_code == 303

    def test_validate_fiche_is_never_a_pupils(self, app: Flask, as_: As, classroom: Class, own: str) -> None:
        pupil = as_("student")
        pupil.post(f"{own}/fiches/{classroom.draft}/soumettre")

        assert pupil.post(f"{own}/fiches/{classroom.draft}/valider").status_code == 403
        assert pupil.post(f"{own}/fiches/{classroom.draft}/rendre").status_code == 403
        assert state_of(app, classroom.draft) == "submitted"

    def test_update_fiche_saved_again_as_a_draft_is_not_handed_in_any_more(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        pupil = as_("student")
        pupil.post(f"{own}/fiches/{classroom.draft}/soumettre")

        pupil.post(f"{own}/fiches/{classroom.draft}/modifier", TYPED)

        assert state_of(app, classroom.draft) == "draft"

    def test_submit_fiche_or_validate_fiche_twice_is_once(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        pupil, teacher = as_("student"), as_("teacher")
        assert [pupil.post(f"{own}/fiches/{classroom.draft}/soumettre").status_code for _ in range(2)] == [303, 303]

        first, second = (teacher.post(f"{own}/fiches/{classroom.draft}/valider") for _ in range(2))

        assert (first.status_code, second.status_code) == (303, 409)
        assert "a été validée par Inès QUARTZ" in second.text

    def test_update_fiche_a_teacher_changes_no_word_of_a_pupils_fiche(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        browser = as_("teacher")

        with nothing_written(app):
            answer = browser.post(f"{own}/fiches/{classroom.draft}/modifier", TYPED)

        assert answer.status_code == 403
        assert "Seul l’auteur peut modifier" in Page(answer).text
        assert 'name="tasks"' not in answer.text, "the form is not offered to whoever may not save it"

    def test_validate_fiche_refuses_one_that_changed_meanwhile(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        pupil, teacher, fiche = as_("student"), as_("teacher"), f"{own}/fiches/{classroom.draft}"
        pupil.post(f"{fiche}/soumettre")
        read = teacher.form(fiche)
        pupil.post(f"{fiche}/modifier", {**TYPED, "then": "done"})

        answer = teacher.post(f"{fiche}/valider", {"version": read["version"]})

        assert answer.status_code == 409
        assert "Pose d’un tableau" in answer.text
        assert state_of(app, classroom.draft) == "submitted"

    def test_update_fiche_what_each_window_changed_is_kept(self, as_: As, classroom: Class, own: str) -> None:
        address, draft = f"{own}/fiches/{classroom.draft}/modifier", ("then", "")

        play(as_("student"), as_("student"), Shared(address, "tasks", ("Un", "Deux", "Trois"), ("title", "T"), draft))

    def test_update_fiche_two_windows_on_one_fiche(self, app: Flask, as_: As, classroom: Class, own: str) -> None:
        browser, address = as_("student"), f"{own}/fiches/{classroom.draft}/modifier"
        opened = browser.form(address)
        browser.post(address, {**TYPED, "version": opened["version"]})

        with nothing_written(app):
            answer = browser.post(address, {**TYPED, "title": "Autre titre", "version": opened["version"]})

        assert answer.status_code == 409
        assert "Pose d’un tableau" in answer.text
        assert Page(answer).values()["title"] == "Autre titre"
        assert browser.post(address, {**TYPED, **Page(answer).values()}).status_code == 303


class TestDeleteFiche:
    def test_delete_fiche_is_asked_once_then_done(self, app: Flask, as_: As, classroom: Class, own: str) -> None:
        pupil, address = as_("student"), f"{own}/fiches/{classroom.draft}/supprimer"
        with nothing_written(app):
            assert "Supprimer la fiche" in pupil.get(address).text

        assert pupil.post(address).status_code == 303

        assert classroom.draft not in {row["id"] for row in rows(app, Fiche)}
        assert pupil.post(address).status_code == 404

    def test_delete_fiche_one_that_an_evaluation_is_about_stays(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        teacher = as_("teacher")
        teacher.post(f"{own}/fiches/{classroom.fiche}/rendre")

        with nothing_written(app):
            answer = teacher.post(f"{own}/fiches/{classroom.fiche}/supprimer")

        assert answer.status_code == 409
        assert "1 évaluation porte sur elle" in Page(answer).text


class TestFrozenFiche:
    def test_fiche_a_pupil_who_has_left_is_read_and_not_written(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        set_up(app, lambda session: setattr(session.get_one(Student, classroom.own), "is_active", False))

        for role in ("teacher", "student", "head"):
            page = Page(as_(role).get(own))
            assert "Cet apprenant a quitté l’établissement" in page.text, role
            assert not any(word in page.text for word in ("Écrire une fiche", "Rédiger un bilan")), role
            shown = as_(role).get(f"{own}/fiches/{classroom.draft}").text
            assert "Supprimer" not in shown and "Modifier" not in shown

        pupil, teacher = as_("student"), as_("teacher")
        with nothing_written(app):
            pages = ("modifier", "soumettre", "supprimer")
            answers = [pupil.post(f"{own}/fiches/{classroom.draft}/{page}", TYPED) for page in pages]
            answers += [teacher.post(f"{own}/fiches/{classroom.draft}/{page}") for page in ("valider", "rendre")]
            answers.append(pupil.post(f"{own}/fiches/nouvelle", TYPED))
            answers.append(teacher.post(f"{own}/evaluations/{classroom.evaluation}/supprimer"))
            answers.append(teacher.post(f"{own}/bilans/{classroom.bilan}/supprimer"))
        assert [answer.status_code for answer in answers] == [409] * 8
        assert all("a quitté l’établissement" in answer.text for answer in answers)

    def test_create_fiche_what_was_typed_when_the_pupil_left_is_not_lost(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        browser = as_("teacher")
        browser.get(f"{own}/fiches/nouvelle")
        set_up(app, lambda session: setattr(session.get_one(Student, classroom.own), "is_active", False))

        answer = browser.post(f"{own}/fiches/nouvelle", TYPED)

        assert answer.status_code == 409
        assert Page(answer).values()["title"] == "Pose d’un tableau"

    def test_fiche_a_copy_says_where_it_comes_from_and_is_read_only(
        self, app: Flask, as_: As, classroom: Class, own: str, world: World
    ) -> None:
        def receive(session: Session) -> None:
            copy = make_fiche(
                session.get_one(Student, classroom.own), received_in=7, origin_school="Lycée d’avant (0999009A)"
            )
            session.add(copy)
            for model, row_id in ((Evaluation, classroom.evaluation), (Fiche, classroom.draft)):
                row = session.get_one(model, row_id)
                row.received_in, row.origin_school = 7, "Lycée d’avant (0999009A)"

        set_up(app, receive)
        copy_id = fiches_of(app, classroom.own)[-1]["id"]

        page = Page(as_("teacher").get(f"{own}/fiches/{copy_id}"))
        assert "Reçu du lycée d’avant (0999009A) : écrit par Inès QUARTZ le 05/10/2026" in page.text
        teacher, pupil = as_("teacher"), as_("student")
        with nothing_written(app):
            answers = [teacher.post(f"{own}/fiches/{copy_id}/{page}") for page in ("rendre", "valider", "supprimer")]
            answers.append(pupil.post(f"{own}/fiches/{classroom.draft}/modifier", TYPED))
            answers.append(teacher.post(f"{own}/evaluations/{classroom.evaluation}/supprimer"))
        assert [answer.status_code for answer in answers] == [409] * 5
        assert all("reçue d’un autre établissement" in answer.text for answer in answers)


class TestFicheTypedBeforeSignIn:
    def test_fiche_typed_before_sign_in_comes_back(
        self, app: Flask, as_: As, classroom: Class, own: str, world: World
    ) -> None:
        from datetime import UTC, datetime

        from cpro.users.sign_in_models import SignIn

        browser, address = as_("student"), f"{own}/fiches/nouvelle"
        browser.get(address)
        set_up(app, lambda session: _idle(session, SignIn, datetime(2020, 1, 1, tzinfo=UTC)))

        browser.post(address, TYPED, headers={"Sec-Fetch-Site": "same-origin"})
        browser.sign_in(world.a.code, world.logins["student"], world.password)
        page = Page(browser.get(address))

        assert page.values()["title"] == "Pose d’un tableau"
        assert "Première ligne" in page.text
        assert "Saisie retrouvée" in page.text


class TestFicheText:
    def test_fiche_text_is_shown_as_text_and_markup_alone(
        self, app: Flask, as_: As, classroom: Class, own: str
    ) -> None:
        def spoil(session: Session) -> None:
            session.get_one(Fiche, classroom.fiche).tasks = "<p>Sûr</p><script>alert(1)</script>"

        set_up(app, spoil)

        text = as_("head").get(f"{own}/fiches/{classroom.fiche}").text
        assert "<p>Sûr</p>" in text
        assert "alert(1)" not in text

    def test_fiche_states_have_their_words(self) -> None:
        assert [state.label for state in FicheState] == ["brouillon", "à valider", "validée"]


def _idle(session: Session, model: Any, instant: Any) -> None:
    from sqlalchemy import update

    session.execute(update(model).values(last_seen_at=instant))
