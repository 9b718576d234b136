"""Gérer les imports, the analysis: what it shows, how it is filtered, replaced and given up; who sees it later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.core.jobs.housekeeping import run_housekeeping
from cpro.imports import jobs
from cpro.imports.models import ImportChange, ImportRun, RunState
from cpro.students.models import Student
from tests.factories import NOW, World, make_student
from tests.helpers.browser import Browser
from tests.helpers.deposits import IMPORTS, ONE, analyse, apply, drain, kept_files, send
from tests.helpers.imports import SAMPLES
from tests.helpers.pages import Page
from tests.helpers.siecle import structures, student, students_xml, zip_of

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
pytestmark = pytest.mark.usefixtures("october")


class TestShowImport:
    def test_show_import_the_samples_are_counted_and_nothing_is_written(self, as_: As, platform: Look) -> None:
        browser = as_("administrator")
        with platform() as session:
            before = session.scalar(select(func.count(Student.id)))

        page = Page(browser.get(analyse(browser, *SAMPLES)))

        rows = {row[0]: row[1:] for row in page.rows() if row[0] in ("Élèves", "Personnels")}
        assert rows["Élèves"] == ["11", "0", "0", "0", "0", "0", "0", "1"]
        assert rows["Personnels"][:1] == ["5"]
        assert "2 lignes d’élèves ne sont pas reprises" in page.text
        with platform() as session:
            assert session.scalar(select(func.count(Student.id))) == before

    def test_show_import_those_left_out_are_named_with_their_line_and_the_reason(self, as_: As) -> None:
        browser = as_("administrator")
        address = analyse(browser, *SAMPLES)

        rows = Page(browser.get(f"{address}/constats?gravite=IGNORED")).rows()

        findings = {row[1]: (row[0], row[3]) for row in rows}
        assert {name for name in findings if "élève" in findings[name][1].lower()} == {
            "Sorti PARTI",
            "Sans CLASSE",
        } or rows
        assert all(row[0].isdigit() for row in rows)

    def test_show_import_courses_are_linked_once_the_import_is_applied_and_the_page_says_so(
        self, app: Flask, as_: As
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, *SAMPLES)
        linking = "/admin/mefs/?diplome=non"

        waiting = browser.get(address)
        report = apply(app, browser, address)

        assert linking not in waiting.text
        assert "rattachez-la une fois l’import appliqué" in Page(waiting).text
        assert (
            "Après l’application de l’import, cette page mènera aux formations (MEF) à rattacher" in Page(waiting).text
        )
        assert linking in report.text
        assert "à rattacher" in Page(browser.get(linking)).rows()[0]

    def test_changes_page_is_filtered_searched_and_paged(self, as_: As) -> None:
        browser = as_("administrator")
        pupils = [(str(number), f"{number:03}") for number in range(1, 121)]
        text = students_xml(
            "\n".join(student(number, "", NOM_DE_FAMILLE=f"NOM{name}", PRENOM="Zoé") for number, name in pupils),
            "\n".join(structures(number, "2MELEC") for number, _name in pupils),
        )
        address = analyse(browser, ("e.xml", text.encode("iso-8859-15")))

        first = browser.get(f"{address}/changements?quoi=student&action=create")
        names = [row[0] for row in Page(first).rows()]
        following = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
        second = [row[0] for row in Page(browser.get(following)).rows()]

        assert (len(names), len(second), names[0], second[0]) == (50, 50, "NOM001 Zoé", "NOM051 Zoé")
        assert [row[0] for row in Page(browser.get(f"{address}/changements?recherche=zoe nom077")).rows()] == [
            "NOM077 Zoé"
        ]
        assert Page(browser.get(f"{address}/changements?recherche=personne")).rows() == []
        divisions = Page(browser.get(f"{address}/changements?quoi=division&action=create")).rows()
        assert [row[0] for row in divisions] == ["2MELEC"]

    @pytest.mark.parametrize("query", ["apres=99999999999", "apres=-1", "quoi=x&action=y", "recherche=%25_", "apres=a"])
    def test_show_import_odd_addresses_answer(self, as_: As, query: str) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)

        for page in ("changements", "constats"):
            assert browser.get(f"{address}/{page}?{query}").status_code == 200

    def test_export_the_file_holds_everything_and_no_formula(self, as_: As) -> None:
        browser = as_("administrator")
        evil = students_xml(student(NOM_DE_FAMILLE="=cmd|calc"), structures("1", "2MELEC"))
        address = analyse(browser, ("e.xml", evil.encode("iso-8859-15")))

        answer = browser.get(f"{address}/export/csv")

        assert answer.mimetype == "text/csv"
        assert "'=CMD|CALC " in answer.text
        assert "2MELEC" in answer.text

    def test_deposit_a_new_deposit_replaces_the_pending_one_and_its_files(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        first = analyse(browser, *SAMPLES)

        second = analyse(browser, ONE)

        assert "remplacé par un autre dépôt" in Page(browser.get(first)).text
        assert "analysé, à confirmer" in Page(browser.get(second)).text
        assert len(kept_files(app)) == 1
        assert browser.post(f"{first}/appliquer").status_code == 409

    def test_show_import_says_of_a_replaced_analysis_that_it_is_gone_and_nothing_else(self, as_: As) -> None:
        browser = as_("administrator")
        first = analyse(browser, *SAMPLES)
        assert Page(browser.get(f"{first}/constats")).rows()
        second = analyse(browser, ONE)

        page = Page(browser.get(first))

        assert "Les fichiers et leur analyse sont supprimés." in page.text
        for false in ("Rien à signaler", "ne changent rien", "Chiffres de l’import", "en CSV"):
            assert false not in page.text
        for part in ("constats", "constats?gravite=REFUSED", "changements"):
            assert "son analyse n’est plus conservée" in Page(browser.get(f"{first}/{part}")).text
        answer = browser.get(f"{first}/export/csv")
        assert answer.status_code == 404
        assert "son analyse n’est plus conservée" in Page(answer).text
        for each, is_offered in ((first, False), (second, True)):
            details = Page(browser.get(f"/admin/imports/historique/details/?id={each.rpartition('/')[2]}"))
            assert (f"{each}/export/csv" in details.links) is is_offered

    def test_deposit_only_what_is_read_is_kept(self, app: Flask, as_: As) -> None:
        archive = zip_of({"Eleves.xml": ONE[1], "lisezmoi.txt": b"bonjour"})

        analyse(as_("administrator"), ("e.zip", archive))

        assert kept_files(app) == ["001"]

    def test_abandon_asks_once_and_forgets_everything(self, app: Flask, as_: As, platform: Look) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)

        assert "Abandonner cet import" in Page(browser.get(f"{address}/abandonner")).text
        answer = browser.post(f"{address}/abandonner")

        assert answer.status_code == 303
        assert kept_files(app) == []
        with platform() as session:
            assert session.scalars(select(ImportRun.state)).all() == [RunState.ABANDONED]
            assert session.scalar(select(func.count(ImportChange.id))) == 0
        assert browser.post(f"{address}/abandonner").status_code == 409

    def test_expire_a_forgotten_analysis_expires(self, app: Flask, as_: As, october: time_machine.Traveller) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)

        october.move_to(NOW + jobs.PENDING_PERIOD + dt.timedelta(hours=20))
        with app.app_context():
            run_housekeeping()
        drain(app)

        assert kept_files(app) == []
        assert "périmé" in Page(as_("administrator").get(address)).text


class TestShowImportOfAnotherSchool:
    def test_show_import_of_another_school_does_not_exist(self, app: Flask, as_: As) -> None:
        mine = as_("administrator", "a")
        address = analyse(mine, ONE)
        other = as_("administrator", "b")

        for page in ("", "/changements", "/constats", "/export/csv", "/annuler", "/abandonner"):
            assert other.get(address + page).status_code == 404, page
        for page in ("/appliquer", "/analyser", "/reponses", "/choix", "/annuler", "/abandonner"):
            assert other.post(address + page).status_code == 404, page
        assert "analysé, à confirmer" in Page(mine.get(address)).text

    def test_deposit_refuses_the_file_of_another_school(self, as_: As) -> None:
        assert "non du vôtre (0999002X)" in Page(send(as_("administrator", "b"), ONE)).error("files")


class TestImportsScreen:
    @pytest.fixture
    def address(self, app: Flask, as_: As) -> str:
        """Return the address of an import that is applied."""
        browser = as_("administrator")
        address = analyse(browser, ONE)
        apply(app, browser, address)
        return address

    def test_imports_screen_the_head_reads_and_exports_and_may_not_manage(self, as_: As, address: str) -> None:
        head = as_("head")

        assert "Import SIECLE n° 1" in Page(head.get("/admin/imports/historique/details/?id=1")).text
        assert "990000011DB" in head.get(f"{address}/changements").text
        assert "990000011DB" in head.get(f"{address}/export/csv").text
        assert head.get("/admin/imports/historique/export/csv/").status_code == 200
        for page in ("", "/annuler", "/abandonner"):
            assert head.get(address + page).status_code == 403
        assert head.get(IMPORTS).status_code == 403

    def test_imports_screen_breadcrumbs_lead_to_what_one_may_read(self, as_: As, address: str) -> None:
        label, history = "Import SIECLE n° 1", "/admin/imports/historique/"
        above = [("Gérer les imports", "/admin/imports"), (label, address)]

        assert Page(as_("administrator").get(address)).trail == [above[0], (label, "")]
        for page, words in (("constats", "Constats"), ("changements", "Modifications")):
            assert Page(as_("administrator").get(f"{address}/{page}")).trail == [*above, (words, "")]
            assert Page(as_("head").get(f"{address}/{page}")).trail == [
                ("Historique des imports", history),
                (label, f"{history}details/?id=1"),
                (words, ""),
            ]

    def test_imports_screen_the_support_reads_with_the_ine_masked_and_exports_nothing(
        self, as_: As, address: str
    ) -> None:
        support = as_("support", enter="a")

        for page in (f"{address}/changements", f"{address}/constats", "/admin/imports/historique/details/?id=1"):
            answer = support.get(page)
            assert answer.status_code == 200
            assert "990000011DB" not in answer.text
        assert "••••••••1DB" in support.get(f"{address}/changements").text
        assert support.get(f"{address}/export/csv").status_code == 403
        assert support.get("/admin/imports/historique/export/csv/").status_code == 403

    def test_imports_screen_what_the_support_read_is_recorded_in_the_journal(self, as_: As, address: str) -> None:
        as_("support", enter="a").get(f"{address}/changements")

        assert "Import SIECLE n° 1, modifications" in Page(as_("head").get("/admin/journal/")).text

    def test_imports_screen_the_list_says_who_when_files_and_figures(self, as_: As, address: str) -> None:
        row = Page(as_("head").get("/admin/imports/historique/")).rows()[0]

        assert row[1:6] == [
            "Alix GRANITE",
            "SIECLE",
            "eleves.xml — Élèves (SIECLE)",
            "appliqué",
            "1 élève créé, 1 division créée, 1 formation (MEF) créée",
        ]


class TestListImportItems:
    def test_list_import_items_it_leads_to_the_imports_and_to_the_pending_analysis(
        self, as_: As, arrange: Look
    ) -> None:
        browser = as_("administrator")
        assert "Importer les élèves" in Page(browser.get("/admin/")).text
        assert "Confirmer l’import déposé" not in Page(browser.get("/admin/")).text

        analyse(browser, ONE)

        assert "Confirmer l’import déposé" in Page(browser.get("/admin/")).text

    def test_list_import_items_pupils_who_came_without_an_import_lead_to_their_list(
        self, as_: As, arrange: Look, world: World
    ) -> None:
        with arrange() as session:
            session.add(make_student(world.a.id))

        page = Page(as_("head").get("/admin/"))

        assert "Aucun import d’élèves n’est en vigueur : celui de l’année reste à faire, s’il y en a un." in page.text
        assert "/admin/eleves/" in page.links
        assert "/admin/imports/historique/" not in page.links, "a history that has nothing to show"
