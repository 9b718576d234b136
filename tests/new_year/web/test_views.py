"""« Rentrée », as a browser uses it: what each person is offered, marks, the report."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from cpro.new_year.declared import STEPS as DECLARED
from cpro.new_year.models import NewYearReport, StepMark
from cpro.students.models import Student
from tests.factories import NOW, World, make_import, make_mandate, make_student
from tests.helpers.browser import Browser
from tests.helpers.office import Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_school, set_up
from tests.new_year.test_steps import STAFF_FILE

INDEX, STEPS, FINISH, REPORT = (
    "/admin/rentree",
    "/admin/rentree/etapes",
    "/admin/rentree/terminer",
    "/admin/rentree/bilan/2026",
)
As = Callable[..., Browser]


@pytest.fixture(autouse=True)
def october() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


def say(browser: Browser, step: str, mark: str) -> Page:
    """Press a step's button, and return the page that follows."""
    browser.get(INDEX)
    return Page(browser.post(STEPS, {"etape": step, "pointage": mark}, follow_redirects=True))


def offered(page: Page) -> set[tuple[str, str]]:
    """Return the buttons of the steps: step and mark."""
    found = set()
    for form in page.main.iter("form"):
        step = next((each.get("value", "") for each in form.iter("input") if each.get("name") == "etape"), "")
        found |= {(step, each.get("value", "")) for each in form.iter("button") if each.get("name") == "pointage"}
    return found


def import_everything(session: Session, world: World) -> None:
    session.add_all([make_import(world.a.id), make_import(world.a.id, files=STAFF_FILE)])
    pupil = session.get_one(Student, world.a.student_id)
    pupil.division_id, pupil.account_id = world.a.division_id, world.a.account_ids["student"]


class TestIndex:
    def test_index_a_step_worked_on_before_the_import_is_started(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, uses_siecle=False)
        browser = as_("administrator")
        assert "Vérifier les divisions après l’import des élèves" in Page(browser.get(INDEX)).text

        browser.post("/admin/divisions/new/", {"code": "2AGORA9", "label": "", "diploma": ""})

        assert "Vérifier les divisions commencé Le " in Page(browser.get(INDEX)).text

    def test_index_leads_on_inside_the_steps_and_stays_at_the_one_marked(self, as_: As) -> None:
        browser = as_("administrator")
        browser.get(INDEX)
        answer = browser.post(STEPS, {"etape": "staff", "pointage": "set-aside"})
        page = Page(browser.get(INDEX))

        assert answer.location.endswith(f"{INDEX}#staff")
        progress = re.search(r"(\d+) étapes? faites? et 1 laissée de côté, sur (\d+)", page.text)
        left = re.search(
            r"(\d+) étapes restent à faire, dont \d+ par d’autres que vous. Continuer : Importer", page.text
        )
        assert progress and left
        assert int(progress[1]) + 1 + int(left[1]) == int(progress[2])
        assert "points restent à régler" not in page.text
        assert "#pupils" in page.links

    def test_index_offers_each_the_steps_that_are_theirs(self, as_: As) -> None:
        heads = {"consents", "mandates"}
        marks = {role: offered(Page(as_(role).get(INDEX))) for role in ("administrator", "head")}

        assert {step for step, _mark in marks["head"]} <= heads
        assert ("mandates", "checked") in marks["head"]
        assert not {step for step, _mark in marks["administrator"]} & heads
        assert ("masks", "checked") in marks["administrator"]

    def test_index_says_who_does_what_is_not_the_readers(self, as_: As) -> None:
        assert "À faire par le chef d’établissement" in Page(as_("administrator").get(INDEX)).text
        assert "À faire par l’administrateur" in Page(as_("head").get(INDEX)).text

    @pytest.mark.parametrize(
        ("role", "uses_siecle", "is_offered"),
        [("administrator", False, True), ("administrator", True, False), ("head", False, False), ("head", True, False)],
    )
    def test_index_offers_to_note_a_departure_to_those_who_may(
        self, app: Flask, as_: As, world: World, role: str, uses_siecle: bool, is_offered: bool
    ) -> None:
        set_school(app, world.a.id, uses_siecle=uses_siecle)

        page = Page(as_(role).get(INDEX))

        assert ("Noter un départ" in page.text) is is_offered
        assert "Voir les élèves partis" in page.text

    def test_index_leads_those_who_do_not_do_a_step_only_to_see(self) -> None:
        shown = [link for step in DECLARED for link in step.links if link.to_others]

        assert all(link.label.startswith("Voir ") for link in shown)

    def test_index_every_link_opens_for_whoever_it_is_shown_to(self, as_: As) -> None:
        for role in ("administrator", "head"):
            browser = as_(role)
            main = Page(browser.get(INDEX)).main
            for link in {each.get("href", "") for each in main.iter("a")}:
                assert browser.get(link, follow_redirects=True).status_code == 200, (role, link)

    def test_index_the_administrator_reads_nothing_about_mandates(self, app: Flask, as_: As, world: World) -> None:
        administrator = as_("administrator")
        before = Page(administrator.get(INDEX)).text
        set_up(app, lambda session: session.add(make_mandate(world)))

        assert Page(administrator.get(INDEX)).text == before
        assert "1 accès en cours" in Page(as_("head").get(INDEX)).text

    def test_index_says_what_remains_and_who_does_it(self, as_: As) -> None:
        text = Page(as_("administrator").get(INDEX)).text
        assert "Reste « Importer les élèves »." in text
        assert "Reste « Relire les accès inspecteur », à faire par le chef d’établissement." in text


class TestMarkStep:
    def test_mark_is_kept_with_who_and_when_and_taken_back(self, app: Flask, office: Office, as_: As) -> None:
        head = as_("head")

        page = say(head, "mandates", "checked")

        assert "Relire les accès inspecteur » : relu." in " ".join(page.flashes)
        assert "par Claude BASALTE" in page.text
        assert [(row["step"], row["mark"]) for row in rows(app, StepMark)] == [("mandates", "checked")]
        say(head, "mandates", "")
        assert rows(app, StepMark) == []
        assert [line.action for line in office.lines() if line.object_type == "new-year"] == [
            "new-year:step:marked",
            "new-year:step:unmarked",
        ]

    @pytest.mark.parametrize(
        ("role", "step", "mark"),
        [
            ("administrator", "mandates", "checked"),
            ("administrator", "consents", "set-aside"),
            ("head", "pupils", "set-aside"),
        ],
    )
    def test_mark_of_a_step_that_is_not_theirs_is_refused(
        self, app: Flask, as_: As, role: str, step: str, mark: str
    ) -> None:
        browser = as_(role)
        browser.get(INDEX)
        with nothing_written(app):
            page = Page(browser.post(STEPS, {"etape": step, "pointage": mark}, follow_redirects=True))
        assert "n’est pas la vôtre" in " ".join(page.flashes)

    def test_mark_of_a_step_that_its_figures_judge_takes_nobodys_word(self, app: Flask, as_: As) -> None:
        administrator = as_("administrator")
        administrator.get(INDEX)
        with nothing_written(app):
            page = Page(administrator.post(STEPS, {"etape": "pupils", "pointage": "checked"}, follow_redirects=True))
        assert "se juge sur ses chiffres" in " ".join(page.flashes)

    def test_mark_that_would_change_nothing_is_not_offered(self, app: Flask, as_: As, world: World) -> None:
        set_up(app, lambda session: import_everything(session, world))
        set_up(app, lambda session: session.add(make_student(world.a.id)))
        administrator = as_("administrator")
        assert ("leavers", "set-aside") in offered(Page(administrator.get(INDEX)))
        assert ("leavers", "checked") not in offered(Page(administrator.get(INDEX)))
        with nothing_written(app):
            administrator.post(STEPS, {"etape": "leavers", "pointage": "checked"})

    @pytest.mark.parametrize(("step", "mark"), [("", ""), ("nothing", "checked"), ("masks", "done"), ("masks", "\x00")])
    def test_mark_that_no_button_posts_is_not_found(self, app: Flask, as_: As, step: str, mark: str) -> None:
        browser = as_("administrator")
        browser.get(INDEX)
        with nothing_written(app):
            assert browser.post(STEPS, {"etape": step, "pointage": mark}).status_code == 404

    def test_mark_said_twice_is_one_line(self, office: Office, as_: As) -> None:
        administrator = as_("administrator")
        say(administrator, "masks", "checked")
        say(administrator, "masks", "checked")
        assert len(office.lines("new-year:step:marked")) == 1


class TestFinish:
    def test_finish_while_steps_remain_names_them(self, app: Flask, as_: As) -> None:
        administrator = as_("administrator")
        page = Page(administrator.get(FINISH, follow_redirects=True))
        assert "restent « Importer les personnels et leurs services »" in " ".join(page.flashes)
        with nothing_written(app):
            administrator.post(FINISH)

    def test_finish_keeps_a_report_of_each_step(self, app: Flask, office: Office, as_: As, world: World) -> None:
        set_up(app, lambda session: import_everything(session, world))
        say(as_("head"), "mandates", "checked")
        administrator = as_("administrator")
        for step, _mark in sorted(offered(Page(administrator.get(INDEX)))):
            say(administrator, step, "set-aside")

        asked = administrator.get(FINISH)
        assert "Déclarer terminée la rentrée 2026-2027" in Page(asked).text
        assert "Laissée de côté : « Relire les masques de saisie »." in Page(asked).text
        page = Page(administrator.post(FINISH, follow_redirects=True))

        assert page.title.startswith("C’est fait – Bilan de la rentrée 2026-2027")
        for step in DECLARED:
            assert step.title in page.text
        assert re.search(r"Relire les accès inspecteur fait – Le .* par Claude BASALTE", page.text)
        assert len(rows(app, NewYearReport)) == 1
        assert len(office.lines("new-year:finished")) == 1
        assert "Préparer la rentrée" not in Page(administrator.get("/admin/")).text
        administrator.get(FINISH)
        administrator.post(FINISH)
        assert len(rows(app, NewYearReport)) == 1

    def test_report_of_another_school_does_not_exist(self, app: Flask, as_: As, world: World) -> None:
        report = NewYearReport(
            establishment_id=world.b.id, school_year=2026, finished_at=NOW, finished_by="Secret-beta", lines=[]
        )
        set_up(app, lambda session: session.add(report))

        assert as_("head").get(REPORT).status_code == 404
        assert "Secret-beta" in Page(as_("head", "b").get(REPORT)).text


class TestDashboard:
    @pytest.mark.parametrize(("month", "leads"), [(6, False), (7, True), (10, True), (11, False)])
    def test_dashboard_leads_to_the_steps_from_july_to_october(self, as_: As, month: int, leads: bool) -> None:
        with time_machine.travel(NOW.replace(month=month), tick=True):
            text = Page(as_("administrator").get("/admin/")).text
        assert ("Préparer la rentrée 2026-2027" in text) is leads
