"""« Nouveautés » of the records: what waits for a teacher, what a pupil was given, each with its item."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.competences.models import Competence
from cpro.core.permissions import Actor
from cpro.records.models import FicheState
from cpro.site.news import presenters, queries
from cpro.students.models import Student
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.records.conftest import Class, classroom, make_bilan, make_evaluation, make_fiche
from tests.site.news.conftest import MORNING, PAGE, bell, mark_read

__all__ = ["classroom"]
As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SAME = {"created_at": NOW, "changed_at": NOW}


@pytest.fixture
def submit(arrange: Arrange, classroom: Class) -> Callable[..., int]:
    """Return what has a pupil submit a fiche, and gives its id."""

    def submit(pupil: str, **values: Any) -> int:
        with arrange() as session:
            student = session.get_one(Student, getattr(classroom, pupil))
            given = {"title": f"Éclairage de {pupil}", "author_label": "Noé AGATE", "state": FicheState.SUBMITTED}
            fiche = make_fiche(student, **SAME | given | {"validated_at": None, "validated_by_label": ""} | values)
            session.add(fiche)
            session.flush()
            return fiche.id

    return submit


class TestWaitingForATeacher:
    def test_news_tell_a_teacher_of_the_fiches_submitted_in_their_divisions(
        self, as_: As, classroom: Class, submit: Callable[..., int]
    ) -> None:
        fiche = submit("own")
        for pupil in ("stranger", "gone"):
            submit(pupil)
        submit("mate", received_in=1, origin_school="Autre lycée")
        teacher = as_("teacher")

        page = Page(teacher.get(PAGE))

        assert "Noé AGATE a soumis « Éclairage de own »." in page.text
        assert not [each for each in ("stranger", "gone", "mate") if f"de {each}" in page.text]
        assert bell(teacher) == "Nouveautés 1 à lire"
        address = f"/eleves/{classroom.own}/fiches/{fiche}"
        assert address in page.links and teacher.get(address).status_code == 200

    def test_news_of_fiches_are_read_and_gone_once_validated(
        self, as_: As, classroom: Class, submit: Callable[..., int]
    ) -> None:
        fiche = submit("own")
        teacher = as_("teacher")
        mark_read(teacher)
        assert bell(teacher) == "Nouveautés" and "Éclairage" in Page(teacher.get(PAGE)).text

        address = f"/eleves/{classroom.own}/fiches/{fiche}"
        teacher.post(f"{address}/valider", Page(teacher.get(address)).posts())

        assert "Éclairage" not in Page(teacher.get(PAGE)).text
        pupil = as_("student")
        page = Page(pupil.get(PAGE))
        assert "Inès QUARTZ a validé « Éclairage de own »." in page.text and address in page.links
        assert bell(pupil) == "Nouveautés 1 à lire"

    @pytest.mark.parametrize(
        ("role", "school"), [("administrator", "a"), ("head", "a"), ("student", "a"), ("teacher", "b")]
    )
    def test_news_of_submitted_fiches_are_their_teachers_alone(
        self, as_: As, submit: Callable[..., int], role: str, school: str
    ) -> None:
        submit("own")
        browser = as_(role, school)

        assert "Éclairage" not in Page(browser.get(PAGE)).text
        assert bell(browser) == "Nouveautés"

    def test_news_of_fiches_never_shown_stay_new(
        self, as_: As, submit: Callable[..., int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (queries, presenters):
            monkeypatch.setattr(module, "SHOWN", 2)
        for rank in range(3):
            submit("own", title=f"Fiche {rank}", changed_at=NOW + timedelta(minutes=rank))
        teacher = as_("teacher")
        text = Page(teacher.get(PAGE)).text
        assert [rank for rank in range(3) if f"Fiche {rank}" in text] == [0, 1]

        mark_read(teacher)

        assert bell(teacher) == "Nouveautés 1 à lire"
        assert "Fiche 2" in Page(teacher.get(PAGE)).text

    def test_news_of_a_fiche_committed_after_the_page_stay_new(self, as_: As, submit: Callable[..., int]) -> None:
        submit("own")
        teacher = as_("teacher")
        mark_read(teacher)

        submit("own", changed_at=MORNING - timedelta(minutes=2))

        assert bell(teacher) == "Nouveautés 1 à lire"


class TestGivenToAPupil:
    def test_news_tell_a_pupil_of_levels_however_they_were_given(
        self, as_: As, arrange: Arrange, classroom: Class, world: World
    ) -> None:
        teacher = as_("teacher")
        grid = f"/eleves/evaluer/{classroom.division}/grille?jour=2026-11-20"
        values = Page(teacher.get(grid)).posts()
        values |= {f"niveau-{pupil}-{classroom.competences[0]}": ["3"] for pupil in (classroom.own, classroom.mate)}
        assert teacher.post(
            grid, values | {f"niveau-{classroom.own}-{classroom.competences[1]}": ["2"]}
        ).status_code in (
            302,
            303,
        )
        with arrange() as session:
            given = {"evaluated_on": date(2026, 11, 19), "author_id": world.a.account_ids["teacher"]} | SAME
            competence = session.get_one(Competence, classroom.competences[0])
            session.add(make_evaluation(session.get_one(Student, classroom.own), competence, **given))
        pupil = as_("student")

        page = Page(pupil.get(PAGE))

        assert "Inès QUARTZ vous a évalué le 20/11/2026 : 2 compétences." in page.text
        assert "Inès QUARTZ vous a évalué le 19/11/2026 : compétence C1." in page.text
        assert f"/eleves/{classroom.own}/evaluations" in page.links
        assert bell(pupil) == "Nouveautés 2 à lire"
        mark_read(pupil)
        assert bell(pupil) == "Nouveautés"

    def test_news_tell_a_pupil_of_a_bilan_and_of_a_fiche_handed_back(
        self, as_: As, arrange: Arrange, classroom: Class, world: World
    ) -> None:
        by = Actor("account", world.a.account_ids["teacher"], "Inès QUARTZ", "teacher", "test")
        with arrange() as session:
            session.add(make_bilan(session.get_one(Student, classroom.own), **SAME))
            session.add(make_bilan(session.get_one(Student, classroom.mate), **SAME))
            for pupil in (classroom.own, classroom.mate):
                about = About("pupil_records", pupil, "Noé")
                record("fiche:sent-back", about, by=by, now=NOW, establishment_id=world.a.id, session=session)
        pupil = as_("student")

        page = Page(pupil.get(PAGE))

        assert "Inès QUARTZ a rédigé votre bilan du 01/09/2026 au 30/09/2026." in page.text
        assert "Inès QUARTZ vous a rendu une fiche." in page.text
        for address in ("bilans", "fiches"):
            assert f"/eleves/{classroom.own}/{address}" in page.links
        assert bell(pupil) == "Nouveautés 2 à lire"
        assert bell(as_("teacher")) == "Nouveautés"
