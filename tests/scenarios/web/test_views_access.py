"""Who sees a scenario: its school's teachers and head, an inspector within the mandate; nobody else, by any way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core import tenancy
from cpro.extensions import db
from cpro.inspectors.models import MandateDiploma
from cpro.scenarios.models import ScenarioCoAuthor, ScenarioCompetence, ScenarioLink
from tests.factories import World, make_mandate, make_scenario
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_school
from tests.scenarios.conftest import SECRET, Written

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
READING = ("", "/imprimer")
WRITING = ("/modifier", "/archiver", "/reprendre")


class TestScenariosWithoutRight:
    @pytest.mark.parametrize("role", ["administrator", "student", "support"])
    def test_scenarios_access_is_refused_everywhere_and_shows_nothing(
        self, app: Flask, as_: As, written: Written, role: str
    ) -> None:
        browser = as_(role, enter="a" if role == "support" else None)

        with nothing_written(app):
            for address in ("/scenarios", "/scenarios/nouveau", *(written.page(end) for end in READING + WRITING)):
                answer = browser.get(address)
                assert (answer.status_code, SECRET in answer.text) == (403, False), address
            for end in WRITING:
                answer = browser.post(written.page(end), written.typed())
                assert (answer.status_code, SECRET in answer.text) == (403, False), end
            for address in ("/scenarios/nouveau", f"/scenarios/nouveau?copie={written.own}"):
                assert browser.post(address, written.typed()).status_code == 403

    @pytest.mark.parametrize("role", ["administrator", "support"])
    def test_scenarios_leave_no_trace_in_what_others_may_read(self, as_: As, written: Written, role: str) -> None:
        teacher = as_("teacher")
        teacher.post(written.page("/modifier"), written.typed(title="Nouveau-secret-titre"))
        teacher.post(f"/scenarios/nouveau?copie={written.own}", written.typed(title="Copie-secret-titre"))
        teacher.post(written.page("/archiver"))
        browser = as_(role, enter="a" if role == "support" else None)

        journal = browser.get("/admin/journal/?lignes=100").text

        assert f"Scénario n° {written.own} (Bac pro MELEC)" in Page(browser.get("/admin/journal/")).text
        assert SECRET not in journal
        for address in ("/admin/", "/admin/parametres/masques?diplome=40025520", "/admin/journal/export/csv/"):
            assert SECRET not in browser.get(address).text, address

    def test_scenarios_access_of_the_head_reads_and_writes_nothing(self, app: Flask, as_: As, written: Written) -> None:
        browser = as_("head")

        assert "Texte-secret-alpha" in browser.get(written.page()).text
        assert browser.get(written.page("/imprimer")).mimetype == "application/pdf"
        page = Page(browser.get("/scenarios"))
        assert "Écrire un scénario" not in page.text
        with nothing_written(app):
            for end in WRITING:
                assert browser.post(written.page(end), written.typed()).status_code == 403


class TestScenariosOfAnotherSchool:
    def test_scenarios_of_another_school_has_no_scenario(self, app: Flask, as_: As, written: Written) -> None:
        browser = as_("teacher")

        with nothing_written(app):
            for end in READING + WRITING:
                assert browser.get(f"/scenarios/{written.theirs}{end}").status_code == 404
            for end in WRITING:
                answer = browser.post(f"/scenarios/{written.theirs}{end}", written.typed())
                assert (answer.status_code, "beta" in answer.text) == (404, False)
        for query in ("", "?etat=tous", "?recherche=secret", f"?apres={written.theirs}", f"?avant={written.theirs}"):
            assert "beta" not in browser.get(f"/scenarios{query}").text

    def test_scenarios_of_another_school_has_no_teacher_to_write_with(
        self, app: Flask, as_: As, world: World, written: Written
    ) -> None:
        browser = as_("teacher")

        with nothing_written(app):
            answer = browser.post("/scenarios/nouveau", written.typed(co_authors=[str(world.b.account_ids["teacher"])]))

        assert answer.status_code == 422
        assert "n’est pas un enseignant de l’établissement" in Page(answer).error("co_authors")


class TestScenariosOfAnInspector:
    def test_scenarios_of_an_inspector_reads_within_the_mandate_and_each_page_is_recorded_without_its_words(
        self, app: Flask, as_: As, world: World, arrange: Look, written: Written
    ) -> None:
        with arrange() as session:
            session.add(make_mandate(world))
        browser = as_("inspector", enter="a")

        assert "Titre-secret-alpha" in browser.get("/scenarios?recherche=secret").text
        assert "Texte-secret-alpha" in browser.get(written.page()).text
        assert browser.get(written.page("/imprimer")).status_code == 200
        assert browser.get(written.page("/modifier")).status_code == 403
        consultations = [row for row in rows(app, AuditEntry) if row["actor_role"] == "inspector"]
        assert [row["action"] for row in consultations][-4:] == [
            "list:searched",
            "record:opened",
            "record:opened",
            "access:refused",
        ]
        assert SECRET not in str(consultations) and "recherche" not in str(consultations)

    def test_scenarios_of_an_inspector_sees_nothing_of_another_diploma(
        self, as_: As, world: World, arrange: Look, written: Written
    ) -> None:
        with arrange() as session:
            mandate = make_mandate(world, all_diplomas=False)
            session.add(mandate)
            session.flush()
            session.add(
                MandateDiploma(establishment_id=world.a.id, mandate_id=mandate.id, diploma_id=written.other_diploma)
            )
        browser = as_("inspector", enter="a")

        assert "Titre-secret" not in browser.get("/scenarios?etat=tous").text
        for end in READING:
            assert browser.get(written.page(end)).status_code == 404


class TestScenariosModule:
    def test_scenarios_module_switched_off_closes_every_page_and_keeps_everything(
        self, app: Flask, as_: As, world: World, written: Written
    ) -> None:
        browser = as_("teacher")
        set_school(app, world.a.id, scenarios_enabled=False)

        with nothing_written(app):
            for address in ("/scenarios", "/scenarios/nouveau", *(written.page(end) for end in READING + WRITING)):
                answer = browser.get(address)
                assert answer.status_code == 403
                assert "désactivé le module « Scénarios »" in Page(answer).text
            assert browser.post("/scenarios/nouveau", written.typed()).status_code == 403
        assert 'href="/scenarios"' not in browser.get("/mon-compte").text
        set_school(app, world.a.id, scenarios_enabled=True)

        assert "Texte-secret-alpha" in browser.get(written.page()).text
        assert 'href="/scenarios"' in browser.get("/mon-compte").text

    def test_scenarios_module_shows_the_head_what_switching_changes(
        self, app: Flask, as_: As, world: World, written: Written
    ) -> None:
        browser = as_("head")

        on = Page(browser.get("/admin/parametres/modules")).text
        set_school(app, world.a.id, scenarios_enabled=False)
        off = Page(browser.get("/admin/parametres/modules")).text

        assert "fermerait 1 scénario en cours" in on
        assert "Le module « Scénarios » est désactivé : 1 scénario en cours" in off


class TestCoAuthors:
    def test_update_scenario_co_authors_write_no_other_scenario_than_theirs(
        self, app: Flask, world: World, written: Written, as_colleague: Browser, arrange: Look
    ) -> None:
        with arrange() as session:
            shared = make_scenario(world.a, written.diploma)
            session.add(shared)
            session.flush()
            keys = {"establishment_id": world.a.id, "scenario_id": shared.id}
            session.add(ScenarioCoAuthor(account_id=written.colleague, **keys))
            theirs = f"/scenarios/{shared.id}/modifier"
        assert as_colleague.get(theirs).status_code == 200

        with nothing_written(app):
            assert as_colleague.get(written.page("/modifier")).status_code == 403
            for end in WRITING:
                assert as_colleague.post(written.page(end), written.typed()).status_code == 403, end

        assert "Modifier" not in Page(as_colleague.get(written.page())).text


class TestPartsOfScenarios:
    @pytest.mark.parametrize("part", [ScenarioLink, ScenarioCompetence, ScenarioCoAuthor])
    def test_scenario_parts_are_within_a_mandate_as_their_scenario_is(
        self, app: Flask, world: World, written: Written, add_co_author: Callable[[], None], part: type[Any]
    ) -> None:
        add_co_author()
        seen = {}
        for name, diploma in (("theirs", written.diploma), ("other", written.other_diploma)):
            with app.app_context():
                tenancy.enter(tenancy.Scope(world.a.id, diploma_ids=frozenset({diploma}), read_only=True))
                seen[name] = set(db.session.scalars(select(part.scenario_id)))

        assert seen == {"theirs": {written.own}, "other": set()}
