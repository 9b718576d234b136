"""The head's switches: who, what they say, and that « accès inspecteur » off suspends, on again resumes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment, Module
from cpro.establishments.operations.modules import is_module_on
from tests.factories import World, make_establishment
from tests.helpers.records import nothing_written, watching
from tests.inspectors.conftest import FORM, TAB, Desk

MODULES = "/admin/parametres/modules"
Look = Callable[[], AbstractContextManager[Session]]
Opener = Callable[..., int]


class TestSaveModulesRefused:
    @pytest.mark.parametrize("role", ["administrator", "teacher", "student"])
    def test_save_modules_is_refused_to_other_roles_of_the_school(self, desk: Desk, role: str) -> None:
        browser = desk.browser(role)

        with nothing_written(desk.app):
            assert browser.get(MODULES).status_code == 403
            assert browser.post(MODULES, {"inspectors": "non"}).status_code == 403

    def test_save_modules_the_administrator_has_no_such_tab(self, desk: Desk) -> None:
        assert MODULES not in desk.browser("administrator").get(TAB).text
        assert MODULES in desk.browser("head").get(TAB).text


class TestSaveModules:
    @pytest.mark.parametrize("module", list(Module))
    def test_save_modules_a_module_is_switched_in_ones_own_school_with_its_line(
        self, desk: Desk, world: World, platform: Look, module: Module
    ) -> None:
        browser = desk.browser("head")

        with watching(desk.app) as watch:
            answer = browser.post(MODULES, {module.value: "non"})

        assert answer.status_code == 303
        assert watch.line["action"] == "establishment:modules:switched"
        assert watch.line["changes"] == {module.value: [True, False]}
        with platform() as session:
            own, other = (session.get_one(Establishment, school.id) for school in (world.a, world.b))
            assert [each for each in Module if not is_module_on(own, each)] == [module]
            assert all(is_module_on(other, each) for each in Module)
        assert module.label in browser.get("/admin/journal/").text

    def test_save_modules_nothing_changed_writes_nothing(self, desk: Desk) -> None:
        browser = desk.browser("head")

        with nothing_written(desk.app):
            assert browser.post(MODULES, browser.form(MODULES)).status_code == 303

    def test_save_modules_an_odd_answer_is_refused(self, desk: Desk) -> None:
        assert desk.browser("head").post(MODULES, {"passport": "peut-être"}).status_code == 422

    def test_save_modules_the_second_of_two_people_is_warned(self, desk: Desk) -> None:
        first, second = desk.browser("head"), desk.browser("head")
        form, late = first.form(MODULES), second.form(MODULES)
        first.post(MODULES, {**form, "passport": "non"})

        answer = second.post(MODULES, {**late, "scenarios": "non"})

        assert answer.status_code == 303
        assert "Claude BASALTE avait changé" in second.get(answer.location).text
        assert [second.form(MODULES)[name] for name in ("passport", "scenarios")] == ["non", "non"]

    def test_is_module_on_a_school_begins_with_every_module(self, arrange: Look) -> None:
        with arrange() as session:
            school = make_establishment()
            session.add(school)
            session.flush()
            assert all(is_module_on(school, module) for module in Module)


class TestSaveModulesOfInspectors:
    def test_save_modules_suspends_inspectors_at_the_next_request_and_resumes(
        self, desk: Desk, world: World, open_to_inspector: Opener
    ) -> None:
        open_to_inspector()
        open_to_inspector("b")
        inspector, head = desk.browser("inspector", enter="a"), desk.browser("head")
        assert inspector.get("/admin/eleves/").status_code == 200
        before = desk.mandates()

        head.post(MODULES, {"inspectors": "non"})
        assert inspector.get("/admin/eleves/").location == "/ecoles"
        text = inspector.get("/ecoles").text
        assert "Lycée beta" in text
        assert "Lycée alpha" not in text
        assert inspector.post(f"/ecoles/{world.a.id}/entrer").status_code == 404
        assert desk.mandates() == before

        head.post(MODULES, {"inspectors": "oui"})
        assert inspector.post(f"/ecoles/{world.a.id}/entrer").status_code == 303
        assert inspector.get("/admin/eleves/").status_code == 200

    def test_save_modules_the_panel_says_in_figures_whom_it_would_cut(
        self, desk: Desk, open_to_inspector: Opener
    ) -> None:
        head = desk.browser("head")
        assert "ne coupe personne" in head.get(MODULES).text
        open_to_inspector()

        assert "1 accès en cours" in head.get(MODULES).text.replace("\u202f", " ")

    def test_save_modules_off_no_mandate_opens_and_the_tab_says_why(self, desk: Desk) -> None:
        head = desk.browser("head")
        head.post(MODULES, {"inspectors": "non"})
        future = {**FORM, "starts_on": "2026-12-01", "ends_on": "2026-12-31"}

        answer, page = head.post(TAB, future), head.get(TAB).text

        assert answer.status_code == 409
        assert desk.mandates() == []
        assert "désactivé" in page
        assert 'name="email"' not in page
