"""The page of an import is one form: whatever button is pressed, what it shows ticked and answered is what is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cpro.core.formatting import person_name
from cpro.imports.models import ChangeAction, ImportChange, ImportQuestion, RunState
from cpro.imports.runs import deposits, listing
from cpro.imports.web import run_page
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


class Form:
    """The form of the page of an import, as a browser sends it: the boxes and choices it shows, and one button."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser, self.address = browser, address
        self.read(browser.get(address))

    def read(self, answer: TestResponse) -> None:
        """Take the form of an answer."""
        forms = [each for each in Page(answer).main.iter("form") if each.get("method") == "post"]
        assert len(forms) == 1, "the page has more than one form"
        self.element, self.ticks, self.fields = forms[0], set(), {}
        self.shown: list[str] = []
        for control in self.element.iter("input"):
            name, value = control.get("name", ""), control.get("value", "")
            is_checked = control.get("checked") is not None
            if name == "coche":
                self.ticks |= {value} if is_checked else set()
            elif name == "montre":
                self.shown.append(value)
            elif control.get("type") not in ("radio", "checkbox") or is_checked:
                self.fields[name] = value

    def press(self, label: str) -> TestResponse:
        """Press a button: the address is its own, or the form's."""
        everywhere = [*self.element.iter("button"), *Page(self.browser.get(self.address)).main.iter("button")]
        button = next(each for each in everywhere if "".join(each.itertext()) == label)
        data: dict[str, Any] = {**self.fields, "montre": self.shown, "coche": sorted(self.ticks)}
        if button.get("name"):
            data[button.get("name", "")] = button.get("value", "")
        data.pop("csrf_token", None)
        return self.browser.post(button.get("formaction") or self.element.get("action", ""), data)


@pytest.fixture
def teachers(app: Flask, as_: As) -> str:
    """Return the address of an analysis that proposes to deactivate every teacher but the first person of the file."""
    browser = as_("administrator")
    apply(app, browser, analyse(browser, *SAMPLES))
    sts = (FILES / "sts_emp_0999001W_2026.xml").read_bytes()
    first, last = sts.index(b"<INDIVIDU "), sts.rindex(b"</INDIVIDU>")
    return analyse(browser, ("sts.xml", sts[:first] + sts[first : sts.index(b"</INDIVIDU>")] + sts[last:]))


@pytest.fixture
def namesake(world: World, arrange: Look) -> int:
    """Give school A a pupil without numbers who bears the name and birth date of the file's."""
    with arrange() as session:
        pupil = make_student(
            world.a.id, last_name="Testeur", first_name="Alix", birth_date=dt.date(2010, 3, 14), ine=None
        )
        session.add(pupil)
        session.flush()
        return pupil.id


def question(desk: Desk) -> str:
    """Return the field of the only question there is."""
    with desk.look() as session:
        return session.scalars(select(ImportQuestion)).one().field


def gone(desk: Desk) -> set[str]:
    """Return the accounts that imports deactivated, as lists name them."""
    with desk.look() as session:
        accounts = [each for each in session.scalars(select(Account)) if not each.is_active]
        return {person_name(each.last_name, each.first_name) for each in accounts}


def person_of(desk: Desk, change_id: str) -> str:
    """Return whom a box is about."""
    with desk.look() as session:
        return session.get_one(ImportChange, int(change_id)).object_label


class TestReadDecisions:
    def test_read_decisions_ticks_that_were_not_saved_first_are_applied(
        self, app: Flask, as_: As, desk: Desk, teachers: str
    ) -> None:
        form = Form(as_("administrator"), teachers)
        form.ticks = {form.shown[0]}
        person = person_of(desk, form.shown[0])

        answer = form.press("Appliquer l’import")
        drain(app)

        assert (answer.status_code, desk.run(2).state) == (303, RunState.APPLIED)
        assert gone(desk) == {person}

    def test_read_decisions_a_saved_tick_that_is_taken_off_again_is_not_applied(
        self, app: Flask, as_: As, desk: Desk, teachers: str
    ) -> None:
        form = Form(as_("administrator"), teachers)
        form.ticks = set(form.shown)
        form.press("Enregistrer les choix")
        form = Form(form.browser, teachers)
        assert form.ticks == set(form.shown)
        form.ticks = set()

        form.press("Appliquer l’import")
        drain(app)

        assert gone(desk) == set()

    def test_read_decisions_an_answer_that_was_not_saved_first_is_applied(
        self, app: Flask, as_: As, desk: Desk, namesake: int
    ) -> None:
        browser = as_("administrator")
        form = Form(browser, analyse(browser, ONE))
        form.fields[question(desk)] = str(namesake)

        assert form.press("Appliquer l’import").status_code == 303
        drain(app)

        assert desk.run(1).state is RunState.APPLIED
        assert {key: pupil["id"] for key, pupil in desk.students().items()} == {"1": namesake}

    def test_read_decisions_an_answer_that_deactivates_a_pupil_is_shown_first_then_applied(
        self, app: Flask, as_: As, desk: Desk, namesake: int
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        form = Form(browser, address)
        form.fields[question(desk)] = "0"  # somebody else: the namesake is in no file any more

        form.press("Appliquer l’import")
        drain(app)

        assert desk.students() == {}
        page = browser.get(address)
        assert "Relisez l’analyse, puis appliquez-la" in Page(page).flashes[0]
        form = Form(browser, address)
        assert form.fields[question(desk)] == "0"
        form.fields["confirmations"] = "deactivations"
        form.press("Appliquer l’import")
        drain(app)
        assert desk.students()["1"]["id"] != namesake
        with desk.look() as session:
            assert not session.get_one(Student, namesake).is_active

    def test_read_decisions_a_large_import_keeps_the_answer_while_it_is_analysed_again(
        self, app: Flask, as_: As, desk: Desk, namesake: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deposits, "AT_ONCE_SIZE", 100)
        browser = as_("administrator")
        address = analyse(browser, ONE)
        drain(app)
        form = Form(browser, address)
        form.fields[question(desk)] = str(namesake)
        form.press("Appliquer l’import")
        drain(app)

        Form(browser, address).press("Appliquer l’import")
        drain(app)

        assert desk.students()["1"]["id"] == namesake

    def test_read_decisions_a_missing_confirmation_keeps_what_was_answered(
        self, app: Flask, as_: As, desk: Desk, namesake: int
    ) -> None:
        browser = as_("administrator")
        form = Form(browser, analyse(browser, ("e.xml", ONE[1].replace(b">2026<", b">2025<"))))
        form.fields[question(desk)] = str(namesake)

        answer = form.press("Appliquer l’import")

        assert (answer.status_code, desk.run(1).state) == (422, RunState.ANALYSED)
        assert "confirmez l’année" in Page(answer).error("confirmations")
        form.read(answer)
        assert form.fields[question(desk)] == str(namesake)

    def test_read_decisions_choices_made_meanwhile_in_another_window_are_not_overwritten(
        self, app: Flask, as_: As, desk: Desk, teachers: str
    ) -> None:
        browser = as_("administrator")
        old, new = Form(browser, teachers), Form(browser, teachers)
        new.ticks = {new.shown[0]}
        new.press("Enregistrer les choix")
        old.ticks = {old.shown[1]}

        for label in ("Appliquer l’import", "Enregistrer les choix"):
            answer = old.press(label)
            assert answer.status_code == 409
            assert "depuis que vous avez ouvert cette page" in Page(answer).alerts[0]
            shown = Form(browser, teachers)
            shown.read(answer)
            assert shown.ticks == {old.shown[1]}, "what was ticked is not shown any more"
        drain(app)
        assert gone(desk) == set()


class TestReadDecisionsOfOtherButtons:
    @pytest.mark.parametrize("label", ["Enregistrer les choix", "Refaire l’analyse"])
    def test_read_decisions_each_keeps_the_ticks(self, as_: As, desk: Desk, teachers: str, label: str) -> None:
        form = Form(as_("administrator"), teachers)
        form.ticks = {form.shown[1]}
        person = person_of(desk, form.shown[1])

        assert form.press(label).status_code == 303

        form = Form(form.browser, teachers)
        assert [person_of(desk, each) for each in form.ticks] == [person]
        assert Page(form.browser.get(teachers)).rows()[1][3] == "1"

    @pytest.mark.parametrize(
        "label", ["Enregistrer les réponses", "Refaire l’analyse", "Enregistrer les choix", "Tout décocher"]
    )
    def test_read_decisions_each_keeps_the_answers(
        self, app: Flask, as_: As, desk: Desk, namesake: int, label: str, arrange: Look, world: World
    ) -> None:
        browser = as_("administrator")
        sts = (FILES / "sts_emp_0999001W_2026.xml").read_bytes()
        apply(app, browser, analyse(browser, ("sts.xml", sts)))
        start = sts.index(b"<INDIVIDU ")
        shorter = sts[:start] + sts[sts.index(b"<INDIVIDU ", start + 1) :]
        address = analyse(browser, ONE, ("sts.xml", shorter))
        form = Form(browser, address)
        form.fields[question(desk)] = str(namesake)

        assert form.press(label).status_code == 303

        assert Form(browser, address).fields[question(desk)] == str(namesake)
        assert desk.run(2).state is RunState.ANALYSED

    def test_read_decisions_a_large_analysis_done_again_keeps_the_ticks(
        self, app: Flask, as_: As, desk: Desk, teachers: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deposits, "AT_ONCE_SIZE", 100)
        form = Form(as_("administrator"), teachers)
        form.ticks = {form.shown[1]}
        person = person_of(desk, form.shown[1])
        form.press("Refaire l’analyse")

        drain(app)

        form = Form(form.browser, teachers)
        assert [person_of(desk, each) for each in form.ticks] == [person]


class TestReadPlace:
    @pytest.fixture(autouse=True)
    def short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let a page show two proposals."""
        monkeypatch.setattr(listing, "MAX_SHOWN", 2)
        monkeypatch.setattr(run_page, "MAX_SHOWN", 2)

    def test_read_place_ticks_of_the_other_pages_stay_as_they_were_saved(
        self, app: Flask, as_: As, desk: Desk, teachers: str
    ) -> None:
        browser = as_("administrator")
        form = Form(browser, teachers)
        assert len(form.shown) == 2
        form.ticks = {form.shown[0]}
        wanted = {person_of(desk, form.shown[0])}
        address = form.press("Enregistrer et voir les suivantes").headers["Location"]
        form = Form(browser, address)
        assert form.ticks == set()
        form.ticks = {form.shown[0]}
        wanted.add(person_of(desk, form.shown[0]))

        form.press("Appliquer l’import")
        drain(app)

        assert len(wanted) == 2
        assert gone(desk) == wanted

    def test_read_place_coming_back_to_the_first_saves_too(self, as_: As, desk: Desk, teachers: str) -> None:
        browser = as_("administrator")
        form = Form(browser, Form(browser, teachers).press("Enregistrer et voir les suivantes").headers["Location"])
        form.ticks = {form.shown[0]}
        person = person_of(desk, form.shown[0])

        answer = form.press("Enregistrer et revenir aux premières")

        assert answer.headers["Location"] == teachers
        with desk.look() as session:
            ticked = session.scalars(
                select(ImportChange.object_label).where(
                    ImportChange.run_id == 2, ImportChange.action == ChangeAction.DEACTIVATE, ImportChange.is_selected
                )
            ).all()
        assert list(ticked) == [person]

    @pytest.mark.parametrize("place", ["x", "-1", "99999999999", "999999"])
    def test_read_place_odd_places_answer(self, as_: As, teachers: str, place: str) -> None:
        assert as_("administrator").get(f"{teachers}?apres={place}").status_code == 200
        form = Form(as_("administrator"), teachers)
        form.fields["suite"] = place
        assert form.browser.post(f"{teachers}/choix", form.fields).status_code == 303
