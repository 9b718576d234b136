"""Gérer les imports, what people decide: proposals to tick, doubtful lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.imports.models import ChangeAction, ImportChange, ImportQuestion
from cpro.students.models import Student
from cpro.users.models import Account
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.deposits import ONE, analyse, apply, drain
from tests.helpers.imports import SAMPLES, Desk
from tests.helpers.pages import Page
from tests.helpers.siecle import FILES

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
pytestmark = pytest.mark.usefixtures("october")


class TestChoose:
    def test_choose_absent_teachers_are_proposed_unticked_and_done_once_ticked(
        self, app: Flask, as_: As, desk: Desk
    ) -> None:
        browser = as_("administrator")
        apply(app, browser, analyse(browser, *SAMPLES))
        sts = (FILES / "sts_emp_0999001W_2026.xml").read_bytes()
        start = sts.index(b"<INDIVIDU ")
        shorter = sts[:start] + sts[sts.index(b"<INDIVIDU ", start + 1) :]
        address = analyse(browser, ("sts.xml", shorter))
        with desk.look() as session:
            proposed = session.scalars(select(ImportChange).where(ImportChange.run_id == 2)).all()
            wanted = [(each.id, each.object_id) for each in proposed if each.action == ChangeAction.DEACTIVATE]
        assert len(wanted) == 1
        assert Page(browser.get(address)).rows()[1][3] == "0"

        browser.post(f"{address}/choix", {"montre": [wanted[0][0]], "coche": [wanted[0][0]]})

        assert Page(browser.get(address)).rows()[1][3] == "1"
        apply(app, browser, address)
        with desk.look() as session:
            assert not session.get_one(Account, wanted[0][1]).is_active

        # Nobody of them ever chose a password: undoing gives the account back, not the code on their sheet.
        assert "codes d’activation qu’il a annulés" in Page(browser.get(f"{address}/annuler")).text
        undone = Page(browser.post(f"{address}/annuler", follow_redirects=True))
        with desk.look() as session:
            assert session.get_one(Account, wanted[0][1]).is_active
        assert "restent sans effet" in undone.text
        assert "/admin/utilisateurs/fiches?pour=sans-code" in undone.links

    def test_choose_the_report_says_of_those_left_unticked_that_nothing_changed(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        apply(app, browser, analyse(browser, *SAMPLES))
        sts = (FILES / "sts_emp_0999001W_2026.xml").read_bytes()
        start = sts.index(b"<INDIVIDU ")
        address = analyse(browser, ("sts.xml", sts[:start] + sts[sts.index(b"<INDIVIDU ", start + 1) :]))
        waiting = Page(browser.get(address)).rows()
        name = next(row[0] for row in waiting if "proposé, non coché" in " ".join(row))

        browser.post(f"{address}/appliquer", {"version": browser.form(address)["version"]})
        meanwhile = Page(browser.get(address))
        row = next(row for row in meanwhile.rows() if row[0] == name)
        assert row[2:] == ["non coché : rien ne change", ""]
        remains = "1 personnel absent des fichiers et non coché est laissé tel quel : désactivez ensuite"
        assert remains in meanwhile.text
        drain(app)

        assert remains in Page(browser.get(address)).text
        row = next(row for row in Page(browser.get(address)).rows() if row[0] == name)
        assert row[2:] == ["non coché : rien n’a changé", ""]
        exported = browser.get(f"{address}/export/csv").text.replace("\u202f", " ")
        assert next(line for line in exported.splitlines() if name in line).endswith(
            "non coché : rien n’a changé;non;;;;;"
        )

    def test_choose_ticking_all_then_none(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        apply(app, browser, analyse(browser, *SAMPLES))
        head_only = (FILES / "sts_emp_0999001W_2026.xml").read_bytes()
        first, last = head_only.index(b"<INDIVIDU "), head_only.rindex(b"</INDIVIDU>")
        keep = head_only[first : head_only.index(b"</INDIVIDU>")]
        address = analyse(browser, ("sts.xml", head_only[:first] + keep + head_only[last:]))

        browser.post(f"{address}/choix", {"geste": "tout"})
        ticked = Page(browser.get(address)).rows()[1][3]
        browser.post(f"{address}/choix", {"geste": "rien"})

        assert int(ticked) >= 3
        assert Page(browser.get(address)).rows()[1][3] == "0"

    @pytest.mark.parametrize("posted", [{}, {"montre": "x", "coche": "99999999999"}, {"montre": "1", "coche": "1"}])
    def test_choose_odd_choices_change_nothing(self, app: Flask, as_: As, posted: dict[str, str]) -> None:
        browser = as_("administrator")
        address = analyse(browser, *SAMPLES)
        before = Page(browser.get(address)).rows()

        assert browser.post(f"{address}/choix", posted).status_code == 303

        assert Page(browser.get(address)).rows()[:4] == before[:4]


class TestAnswer:
    @pytest.fixture
    def namesake(self, world: World, arrange: Look) -> int:
        """Give school A a pupil without numbers who bears the name and birth date of the file's."""
        with arrange() as session:
            pupil = make_student(
                world.a.id, last_name="Testeur", first_name="Alix", birth_date=dt.date(2010, 3, 14), ine=None
            )
            session.add(pupil)
            session.flush()
            return pupil.id

    def _question(self, desk: Desk) -> str:
        with desk.look() as session:
            return session.scalars(select(ImportQuestion)).one().field

    @pytest.mark.parametrize(("ine", "said"), [(None, "sans numéro qui le confirme"), ("070707070AB", "un autre INE")])
    def test_answer_is_asked_for_with_what_speaks_for_two_people(
        self, as_: As, namesake: int, arrange: Look, ine: str | None, said: str
    ) -> None:
        with arrange() as session:
            session.get_one(Student, namesake).ine = ine
        browser = as_("administrator")

        assert said in Page(browser.get(analyse(browser, ONE))).text

    def test_answer_unanswered_the_line_is_left_out(self, app: Flask, as_: As, desk: Desk, namesake: int) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        assert "Est-ce la même personne ? 1 question sans réponse" in Page(browser.get(address)).text

        apply(app, browser, address)

        with desk.look() as session:
            pupil = session.get_one(Student, namesake)
            assert (pupil.is_active, pupil.siecle_id) == (True, None)
        assert desk.students() == {}

    def test_answer_the_same_person_receives_the_numbers(self, app: Flask, as_: As, desk: Desk, namesake: int) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)

        answer = browser.post(f"{address}/reponses", {self._question(desk): str(namesake)}, follow_redirects=True)
        assert "1 réponse enregistrée" in Page(answer).flashes[0]
        apply(app, browser, address)

        assert {key: pupil["id"] for key, pupil in desk.students().items()} == {"1": namesake}
        browser.post(f"{address}/annuler")
        assert desk.students() == {}

    def test_answer_another_person_is_created(self, app: Flask, as_: As, desk: Desk, namesake: int) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)

        browser.post(f"{address}/reponses", {self._question(desk): "0"})
        apply(app, browser, address, "deactivations")

        assert desk.students()["1"]["id"] != namesake
        with desk.look() as session:
            assert not session.get_one(Student, namesake).is_active  # the file does not name them

    def test_answer_an_answer_holds_when_the_analysis_is_done_again(
        self, app: Flask, as_: As, desk: Desk, namesake: int
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        browser.post(f"{address}/reponses", {self._question(desk): str(namesake)})

        browser.post(f"{address}/analyser")
        apply(app, browser, address)

        assert desk.students()["1"]["id"] == namesake

    @pytest.mark.parametrize("answer", ["999999", "x", "-1", "", "99999999999"])
    def test_answer_what_is_no_answer_is_refused(self, as_: As, desk: Desk, namesake: int, answer: str) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)

        refused = browser.post(f"{address}/reponses", {self._question(desk): answer})

        assert refused.status_code == 422
        assert "n’est plus proposée" in Page(refused).text
        assert desk.run(1).answers == {}

    def test_answer_the_other_schools_pupil_is_no_answer(
        self, as_: As, desk: Desk, world: World, namesake: int
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)

        answer = browser.post(f"{address}/reponses", {self._question(desk): str(world.b.student_id)})

        assert answer.status_code == 422

    def test_answer_two_people_under_two_numbers_are_told_apart_without_exchanging_them(
        self, app: Flask, as_: As, desk: Desk
    ) -> None:
        desk.import_files(
            desk.file_of({"id": "1", "ine": "990000011DB"}, {"id": "2", "ine": "990000022CA", "PRENOM": "Noé"})
        )
        first = desk.students()["1"]["id"]
        browser = as_("administrator")
        other = desk.file_of({"id": "2", "ine": "990000011DB", "PRENOM": "Alixe"})
        address = analyse(browser, other)

        browser.post(f"{address}/reponses", {self._question(desk): str(first)})
        apply(app, browser, address, "deactivations")

        found = desk.students()
        assert (found["1"]["first_name"], found["1"]["ine"], found["1"]["id"]) == ("Alixe", "990000011DB", first)
        assert not found["2"]["is_active"]


class TestQuestionsAndErrors:
    """A question is no error: each is counted apart, in sentences that hold for none, one and several."""

    SENTENCES = (None, "1 question attend votre réponse", "2 questions attendent votre réponse")
    REFUSED = (None, "1 ligne est refusée", "2 lignes sont refusées")

    @pytest.mark.parametrize("refused", range(3))
    @pytest.mark.parametrize("asked", range(3))
    def test_show_import_counts_questions_and_errors_apart(
        self, app: Flask, as_: As, desk: Desk, world: World, arrange: Look, asked: int, refused: int
    ) -> None:
        born, names = dt.date(2010, 3, 14), ("Onyx", "Opale")[:asked]
        with arrange() as session:
            session.add_all(
                make_student(world.a.id, last_name=each, first_name="Alix", birth_date=born, ine=None) for each in names
            )
        lines = [{"id": f"8{n}", "ine": "", "NOM_DE_FAMILLE": name} for n, name in enumerate(names)]
        lines += [{"id": f"9{n}", "ine": "", "DATE_NAISS": "31/02/2010"} for n in range(refused)]
        browser = as_("administrator")
        address = analyse(browser, desk.file_of({"id": "1", "ine": "990000011DB"}, *lines))

        page = Page(browser.get(address))

        head = page.text.partition("Ce qui changerait")[0]
        for sentences, number in ((self.SENTENCES, asked), (self.REFUSED, refused)):
            assert [each for each in sentences[1:] if each in head] == [sentences[number]][: min(number, 1)]
        assert (page.links.count("#questions"), f"{address}/constats?gravite=REFUSED" in page.links) == (
            min(asked, 1),
            refused > 0,
        )
        figures = next(row for row in page.rows() if row[0] == "Élèves")
        assert figures[6:8] == [str(refused), str(asked)]
        for severity, number in (("REFUSED", refused), ("QUESTION", asked)):
            assert len(Page(browser.get(f"{address}/constats?gravite={severity}")).rows()) == number

        with desk.look() as session:
            questions = session.scalars(select(ImportQuestion)).all()
        if questions:
            plural = ("question, avec une réponse", "questions, toutes avec une réponse")[len(questions) - 1]
            browser.post(f"{address}/reponses", {each.field: "0" for each in questions})
            page = Page(browser.get(address))
            assert f"Est-ce la même personne ? {asked} {plural}" in page.text
            assert "#questions" not in page.links

    def test_show_import_applied_counts_the_lines_without_an_answer(
        self, app: Flask, as_: As, desk: Desk, world: World, arrange: Look
    ) -> None:
        with arrange() as session:
            session.add(
                make_student(world.a.id, last_name="Onyx", first_name="Alix", birth_date=dt.date(2010, 3, 14), ine=None)
            )
        browser = as_("administrator")
        files = desk.file_of({"id": "1", "ine": "990000011DB"}, {"id": "8", "ine": "", "NOM_DE_FAMILLE": "Onyx"})

        page = Page(apply(app, browser, analyse(browser, files), "deactivations"))

        figures = next(row for row in page.rows() if row[0] == "Élèves")
        assert figures[6:8] == ["0", "1"]
        assert "1 sans réponse" in Page(browser.get("/admin/imports")).text

    def test_show_import_a_line_left_out_by_an_answer_is_refused(self, as_: As, desk: Desk) -> None:
        desk.import_files(
            desk.file_of({"id": "1", "ine": "990000011DB"}, {"id": "2", "ine": "990000022CA", "PRENOM": "Noé"})
        )
        browser = as_("administrator")
        address = analyse(browser, desk.file_of({"id": "2", "ine": "990000011DB"}))
        with desk.look() as session:
            field = session.scalars(select(ImportQuestion)).one().field

        browser.post(f"{address}/reponses", {field: "0"})

        [line] = Page(browser.get(f"{address}/constats?gravite=REFUSED")).rows()
        assert "refuséligne laissée de côté" in " ".join(line)
        assert "1 ligne est refusée" in Page(browser.get(address)).text
