"""« Visualiser les transferts effectués » and the timeline of one: who sees what, what is said, what never is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from cpro.core.jobs.models import Job
from cpro.establishments.queries import get_current_establishment
from cpro.students.models import Origin, Student
from cpro.transfers import cancellation, decisions
from cpro.transfers.jobs import RUN_JOB
from cpro.transfers.models import TransferState
from cpro.transfers.timeline import list_steps
from tests.factories import World, make_transfer, make_transfer_side
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, walk
from tests.helpers.records import nothing_written
from tests.helpers.statements import count_statements
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import (
    FOLLOW_UP,
    STATES,
    cancelled,
    confirmed,
    conflict,
    done,
    move,
    twins,
    waiting_destination,
)

As = Callable[..., Browser]


def side_of(exchange: Exchange, school: str) -> int:
    """Return the id of the side that a school sees, the latest."""
    return exchange.sides(school)[-1].id


class TestWhoSees:
    @pytest.mark.parametrize("role", ["teacher", "student"])
    def test_transfers_pages_teachers_and_pupils_see_none_of_it(self, as_: As, exchange: Exchange, role: str) -> None:
        done(exchange)
        browser = as_(role, "b")

        for path in ("", f"/{side_of(exchange, 'b')}", f"/{side_of(exchange, 'b')}/recepisse.pdf"):
            assert browser.get(FOLLOW_UP + path).status_code == 403

    @pytest.mark.parametrize("path", ["", "/recepisse.pdf"])
    def test_show_transfer_the_other_schools_side_does_not_exist(self, as_: As, exchange: Exchange, path: str) -> None:
        done(exchange)

        assert as_("administrator", "a").get(f"{FOLLOW_UP}/{side_of(exchange, 'b')}{path}").status_code == 404
        assert as_("head", "b").get(f"{FOLLOW_UP}/{side_of(exchange, 'a')}{path}").status_code == 404

    def test_transfers_pages_the_support_reads_and_decides_nothing(self, as_: As, exchange: Exchange) -> None:
        conflict(exchange)
        browser = as_("support", enter="b")

        page = browser.get(f"{FOLLOW_UP}/{side_of(exchange, 'b')}")
        assert page.status_code == 200
        assert "Ce que vous pouvez faire" not in page.text
        assert "Essayer maintenant" not in browser.get(FOLLOW_UP).text
        assert browser.post(f"{FOLLOW_UP}/essayer").status_code == 403

    def test_transfers_pages_show_no_ine_nor_any_content(self, as_: As, exchange: Exchange) -> None:
        done(exchange)
        with exchange.look() as session:
            ine = session.scalars(select(Student.ine).where(Student.ine.is_not(None))).first()
        assert ine
        side = side_of(exchange, "b")

        for browser in (as_("administrator", "b"), as_("support", enter="b")):
            for path in ("", "?recherche=topaze", f"/{side}"):
                text = browser.get(FOLLOW_UP + path).text
                for secret in (ine, "Câblage", "Câbler", "Bon trimestre", "Analyser"):
                    assert secret not in text


class TestTransfersList:
    def test_transfers_list_an_empty_page_says_what_to_do(self, as_: As, exchange: Exchange) -> None:
        page = Page(as_("administrator", "b").get(FOLLOW_UP))

        assert "Aucun transfert n’est en cours" in page.text
        assert "Liste des élèves sans INE" in page.text

    def test_transfers_list_switched_off_it_says_so_and_leads_to_the_switch(self, as_: As, world: World) -> None:
        page = Page(as_("administrator").get(FOLLOW_UP))

        assert "n’a pas activé les transferts" in page.text
        assert any(link.get("href") == "/admin/parametres/transferts" for link in page.main.iter("a"))

    def test_transfers_list_both_directions_with_date_other_school_and_counts(
        self, as_: As, exchange: Exchange
    ) -> None:
        done(exchange)

        here, there = Page(as_("administrator", "b").get(FOLLOW_UP)), Page(as_("administrator", "a").get(FOLLOW_UP))

        for page, uai in ((here, "0999001W"), (there, "0999002X")):
            row = next(row for row in page.rows() if "Lou" in row[0])
            assert uai in row[1]
            assert row[2] == "effectué"
            assert "2 fiches, 1 bilan et 2 évaluations" in row[4]
            assert f"{exchange.now:%Y}" in row[3]

    def test_transfers_list_a_candidate_says_what_is_missing_and_who_must_act(
        self, as_: As, exchange: Exchange
    ) -> None:
        waiting_destination(exchange)

        page = Page(as_("administrator", "a").get(FOLLOW_UP))

        assert "0999002X n’a pas activé les transferts" in page.text

    @pytest.mark.parametrize(
        ("sought", "found"), [("topaze", 1), ("TOPÀZE", 1), ("0999001w", 1), ("rien", 0), ("%", 0)]
    )
    def test_transfers_list_a_search_looks_in_pupil_and_other_school(
        self, as_: As, exchange: Exchange, sought: str, found: int
    ) -> None:
        done(exchange)

        page = Page(as_("administrator", "b").get(FOLLOW_UP, query_string={"recherche": sought}))

        assert len([row for row in page.rows() if "Lou" in row[0]]) == found

    def test_transfers_list_a_long_list_goes_by_pages(self, as_: As, exchange: Exchange) -> None:
        for _ in range(22):
            move(exchange)
        exchange.run()
        browser = as_("administrator", "b")

        assert len(Page(browser.get(FOLLOW_UP)).rows()) == 10
        assert len(Page(browser.get(f"{FOLLOW_UP}?liste=recus")).rows()) == 20
        assert len(walk(browser, f"{FOLLOW_UP}?liste=recus")) == 22

    def test_transfers_list_those_that_wait_for_the_school_come_first_whatever_the_page(
        self, as_: As, exchange: Exchange
    ) -> None:
        with exchange.write() as session:
            transfers = [make_transfer(exchange.ids["a"], exchange.ids["b"]) for _ in range(24)]
            session.add_all(transfers)
            session.flush()
            for number, each in enumerate(transfers):
                state = TransferState.AGREEMENT if number % 2 else TransferState.WAITING_DESTINATION
                side = {"state": state, "done_at": None, "search_key": f"{number:02}", "student_label": f"{number:02}"}
                session.add(make_transfer_side(each.id, exchange.ids["a"], **side))

        rows = walk(as_("administrator", "a"), f"{FOLLOW_UP}?liste=en-cours")

        assert [row[0] for row in rows] == [f"{number:02}" for number in (*range(1, 24, 2), *range(0, 24, 2))]

    def test_transfers_list_what_was_cancelled_shows_what_happened_rather_than_what_was_copied(
        self, as_: As, exchange: Exchange
    ) -> None:
        cancelled(exchange)

        (row,) = Page(as_("administrator", "a").get(f"{FOLLOW_UP}?liste=envoyes")).rows()

        assert "a annulé ce transfert" in row[-1]
        assert "fiches" not in row[-1]

    @pytest.mark.parametrize(
        "query",
        [
            "liste=rien",
            "liste=recus&apres=99999999999",
            "apres=-1",
            "liste=en-cours&avant=deux",
            "liste=envoyes&fin=oui",
            "recherche=" + "a" * 5000,
        ],
    )
    def test_transfers_list_no_address_is_a_crash(self, as_: As, exchange: Exchange, query: str) -> None:
        assert as_("administrator").get(f"{FOLLOW_UP}?{query}").status_code == 200

    def test_transfers_list_asks_as_many_queries_for_ten_rows_as_for_one(
        self, as_: As, exchange: Exchange, app: Flask
    ) -> None:
        browser = as_("administrator", "b")
        counts = []
        for _ in range(2):
            for _ in range(9):
                move(exchange)
            exchange.run()
            browser.get(FOLLOW_UP)
            counts.append(count_statements(app, lambda: browser.get(FOLLOW_UP)))

        assert counts[0] == counts[1]


class TestShowTransfer:
    @pytest.mark.parametrize("case", STATES)
    def test_show_transfer_says_where_it_stands_to_each_school_that_sees_it(
        self, as_: As, exchange: Exchange, case: str
    ) -> None:
        arrange, state, seers = STATES[case]
        arrange(exchange)

        for school in "ab":
            sides = exchange.sides(school)
            if school not in seers:
                assert sides == []
                continue
            side = next(side for side in sides if side.state is state)
            page = Page(as_("administrator", school).get(f"{FOLLOW_UP}/{side.id}"))
            assert " ".join(state.label.split()) in page.text
            assert "Où il en est" in page.text

    def test_show_transfer_names_who_must_act(self, as_: As, exchange: Exchange) -> None:
        conflict(exchange)

        here = Page(as_("administrator", "b").get(f"{FOLLOW_UP}/{side_of(exchange, 'b')}")).text
        there = Page(as_("administrator", "a").get(f"{FOLLOW_UP}/{side_of(exchange, 'a')}")).text

        assert "À votre établissement d’agir" in here
        assert "Confirmer l’identité" in here
        assert "À l’autre établissement d’agir" in there
        assert "Confirmer l’identité" not in there

    @pytest.mark.parametrize("school", ["a", "b"])
    def test_show_transfer_says_whether_identities_agreed_or_were_confirmed(
        self, as_: As, exchange: Exchange, school: str
    ) -> None:
        done(exchange)
        confirmed(exchange)
        exchange.act(decisions.agree, "a", side_id=side_of(exchange, "a"))
        agreed, answered = (
            Page(as_("administrator", school).get(f"{FOLLOW_UP}/{side.id}")).text for side in exchange.sides(school)
        )

        assert "la date de naissance ne se contredisent pas" in agreed
        assert "confirmé" not in agreed
        who = "votre établissement" if school == "b" else "l’établissement 0999002X"
        assert f"Le nom, le prénom ou la date de naissance différaient : {who} a confirmé" in answered
        assert "ne se contredisent pas" not in answered

    def test_show_transfer_a_confirmation_is_still_shown_after_an_agreement_and_a_cancellation(
        self, as_: As, exchange: Exchange
    ) -> None:
        move(exchange, birth_date=date(2010, 5, 6), came_by=Origin.TABLE)
        exchange.run()
        exchange.act(decisions.confirm, "b", side_id=side_of(exchange, "b"))
        where = f"{FOLLOW_UP}/{side_of(exchange, 'b')}"
        sentence = "Le nom, le prénom ou la date de naissance différaient : votre établissement a confirmé"

        assert sentence in Page(as_("administrator", "b").get(where)).text
        exchange.act(decisions.agree, "a", side_id=side_of(exchange, "a"))
        assert sentence in Page(as_("administrator", "b").get(where)).text
        exchange.act(cancellation.cancel, "b", side_id=side_of(exchange, "b"))
        assert sentence in Page(as_("administrator", "b").get(where)).text

    def test_show_transfer_twins_wait_for_an_import_and_for_nothing_else(self, as_: As, exchange: Exchange) -> None:
        twins(exchange)
        ine = exchange.ine()
        for _ in range(2):
            exchange.enrol("c", ine)
        exchange.run()
        across = Page(as_("administrator", "a").get(f"{FOLLOW_UP}/{side_of(exchange, 'a')}")).text
        with exchange.at("c"):
            within = [step.sentence for step in list_steps(exchange.sides("c")[-1], get_current_establishment())]

        assert "Quand un import aura montré lequel des deux établissements l’élève a quitté" in across
        assert "dès que rien ne manque" not in across
        assert within[0].startswith("Deux élèves présents dans votre établissement")
        assert within[1].startswith("Rien n’est copié de l’un à l’autre")

    def test_show_transfer_the_other_schools_people_are_not_named(self, as_: As, exchange: Exchange) -> None:
        conflict(exchange)
        exchange.act(decisions.refuse, "b", side_id=side_of(exchange, "b"), reason="Ce n’est pas lui")

        here = as_("administrator", "b").get(f"{FOLLOW_UP}/{side_of(exchange, 'b')}").text
        there = as_("administrator", "a").get(f"{FOLLOW_UP}/{side_of(exchange, 'a')}").text

        assert "Chef de b" in here
        assert "Chef de b" not in there
        assert "Ce n’est pas lui" in there

    def test_show_transfer_a_conflict_does_not_show_what_the_other_school_has(
        self, as_: As, exchange: Exchange
    ) -> None:
        conflict(exchange)
        browser = as_("administrator", "b")

        for path in ("", "/confirmer"):
            text = browser.get(f"{FOLLOW_UP}/{side_of(exchange, 'b')}{path}").text
            assert "28/02/2009" not in text
        assert "06/05/2010" in text

    def test_show_transfer_the_support_that_opens_it_is_recorded_in_the_journal(
        self, as_: As, exchange: Exchange
    ) -> None:
        done(exchange)
        as_("support", enter="b").get(f"{FOLLOW_UP}/{side_of(exchange, 'b')}")

        text = Page(as_("head", "b").get("/admin/journal/")).text

        assert "Personne support" in text


class TestTryNow:
    def test_try_now_switched_off_is_refused_with_the_reason_and_nothing_is_written(
        self, as_: As, world: World, app: Flask
    ) -> None:
        browser = as_("administrator")
        browser.get(FOLLOW_UP)

        with nothing_written(app):
            answer = browser.post(f"{FOLLOW_UP}/essayer")

        assert answer.status_code == 409
        assert "activez-les d’abord" in Page(answer).text

    def test_try_now_asks_for_one_run_and_leads_to_its_progress(self, as_: As, exchange: Exchange) -> None:
        browser = as_("head", "b")
        browser.get(FOLLOW_UP)

        first, second = browser.post(f"{FOLLOW_UP}/essayer"), browser.post(f"{FOLLOW_UP}/essayer")

        assert (first.status_code, second.status_code) == (303, 303)
        assert first.location == second.location
        assert browser.get(first.location).status_code == 200
        with exchange.look() as session:
            assert session.scalar(select(func.count(Job.id)).where(Job.kind == RUN_JOB)) == 1


class TestTransfersScreen:
    def test_transfers_screen_lists_and_exports_figures_of_ones_own(self, as_: As, exchange: Exchange) -> None:
        done(exchange)
        twins(exchange)
        browser = as_("administrator", "b")

        page = Page(browser.get("/admin/transferts/"))
        export = browser.get("/admin/transferts/export/csv/").text

        assert len(page.rows()) == 2
        assert "Vers votre établissement;Lycée alpha;0999001W;effectué" in export
        assert as_("support", enter="b").get("/admin/transferts/export/csv/").status_code == 403

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("sens=recus", 2),
            ("sens=envoyes", 0),
            ("etat=done", 1),
            ("etat=twins", 1),
            ("uai=0999001w", 2),
            ("uai=0999002X", 0),
            ("du=2020-01-01", 1),
            ("au=2020-01-01", 0),
            ("du=0001-01-01&au=9999-12-31", 1),
            ("recherche=topaze", 2),
        ],
    )
    def test_transfers_screen_filters(self, as_: As, exchange: Exchange, query: str, found: int) -> None:
        done(exchange)
        twins(exchange)

        page = Page(as_("administrator", "b").get(f"/admin/transferts/?{query}"))

        assert len(page.rows()) == found


class TestUnnamed:
    """Two schools whose files say otherwise of one INE: neither reads, filters nor finds the name of the other."""

    @pytest.mark.parametrize(("school", "uai"), [("a", "0999002X"), ("b", "0999001W")])
    def test_unnamed_no_page_list_export_or_search_tells(
        self, as_: As, exchange: Exchange, world: World, school: str, uai: str
    ) -> None:
        conflict(exchange)
        name = world.b.name if school == "a" else world.a.name
        browser, side = as_("administrator", school), side_of(exchange, school)

        pages = [FOLLOW_UP, f"{FOLLOW_UP}/{side}", "/admin/transferts/", f"/admin/transferts/details/?id={side}"]
        pages += ["/admin/transferts/export/csv/", "/admin/tableau-de-bord", "/admin/journal/"]
        pages += [f"{FOLLOW_UP}/{side}/{act}" for act in ("confirmer", "refuser")] if school == "b" else []
        for path in pages:
            text = browser.get(path, follow_redirects=True).text
            assert uai not in text, path
            assert name not in text, path
        assert "non nommé, car les identités diffèrent" in browser.get(FOLLOW_UP).text
        for sought in (f"?uai={uai}", f"?recherche={uai}", f"?recherche={name.split()[-1]}"):
            rows = browser.get(f"/admin/transferts/export/csv/{sought}").text.splitlines()
            assert len(rows) == 1, sought
