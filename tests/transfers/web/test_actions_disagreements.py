"""Two identities under one INE: nothing is copied or named by the asking school alone; the other agrees or refuses."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from io import BytesIO
from zipfile import ZipFile

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.core.mail.models import MailMessage
from cpro.students.models import Origin, Student
from cpro.transfers.decisions import agree, confirm
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import ACTIONS, FOLLOW_UP, move

As = Callable[..., Browser]
#: What a school writes under an INE that it only typed.
TYPED = {"last_name": "Inconnu", "first_name": "Max", "birth_date": date(2010, 5, 6)}
ORIGIN_UAI, ASKING_UAI = "0999001W", "0999002X"
DIFFER = "le nom, le prénom ou la date de naissance diffèrent"


@pytest.fixture(params=[Origin.SIECLE, Origin.TABLE], ids=["from SIECLE", "from a table"])
def typed(exchange: Exchange, request: pytest.FixtureRequest) -> tuple[int, int]:
    """Make "b" type the INE of a pupil who left "a"; return both pupils."""
    pupils = move(exchange, came_by=request.param, **TYPED)
    exchange.run()
    return pupils


def post(as_: As, exchange: Exchange, school: str, action: str, **values: str) -> Page:
    """Do an action by its page, as a browser does, and return the page that follows."""
    browser, where = as_("administrator", school), f"{FOLLOW_UP}/{exchange.side(school).id}/{action}"
    assert browser.get(where).status_code == 200
    answer = browser.post(where, values)
    assert answer.status_code == 303
    return Page(browser.get(answer.location))


def check_unnamed(as_: As, exchange: Exchange, world: World) -> None:
    """Check that "b" reads neither the name nor the UAI of "a", nor what "a" wrote of the pupil, wherever it looks."""
    browser, side = as_("administrator", "b"), exchange.side("b").id
    pages = [FOLLOW_UP, f"{FOLLOW_UP}/{side}", "/admin/transferts/", f"/admin/transferts/details/?id={side}"]
    pages += ["/admin/transferts/export/csv/", "/admin/tableau-de-bord", "/admin/journal/", "/admin/eleves/"]
    pages += [f"{FOLLOW_UP}/{side}/{end}" for end in (*ACTIONS, "recepisse.pdf")]
    told = (ORIGIN_UAI, world.a.name, "Topaze", "TOPAZE", "28/02/2009")
    for path in pages:
        text = browser.get(path, follow_redirects=True).text
        assert not [word for word in told if word in text], path
    with ZipFile(BytesIO(browser.get("/admin/transferts/export/xlsx/").data)) as book:
        cells = " ".join(book.read(part).decode() for part in book.namelist())
    assert "INCONNU" in cells
    assert not [word for word in told if word in cells]
    for sought in (f"?uai={ORIGIN_UAI}", f"?recherche={ORIGIN_UAI}", f"?recherche={world.a.name.split()[-1]}"):
        assert len(browser.get(f"/admin/transferts/export/csv/{sought}").text.splitlines()) == 1, sought
    kept = exchange.side("b")
    assert (kept.other_name, kept.other_uai) == ("", "")


@pytest.mark.parametrize("action", ["accorder", "refuser"])
def test_agree_to_what_the_page_no_longer_shows_is_refused(
    as_: As, exchange: Exchange, typed: tuple[int, int], action: str
) -> None:
    post(as_, exchange, "b", "confirmer")
    reader, where = as_("administrator", "a"), f"{FOLLOW_UP}/{exchange.side('a').id}/{action}"
    read = {**reader.form(where), "reason": "Je ne le connais pas."}
    with exchange.at("b", writing=True) as session:
        session.get_one(Student, typed[1]).first_name = "Léon"

    answer = reader.post(where, read)

    assert answer.status_code == 409
    assert "Ce transfert a changé pendant que vous lisiez sa page" in Page(answer).text
    assert exchange.states("a") == exchange.states("b") == ["agreement"]
    assert exchange.records(typed[1]) == set()
    assert reader.post(where, {**reader.form(where), "reason": "Je ne le connais pas."}).status_code == 303


def test_run_a_birth_date_left_out_copies_and_names_nothing(as_: As, exchange: Exchange) -> None:
    move(exchange, birth_date=None)
    exchange.run()

    assert exchange.states("b") == ["conflict"]
    assert not exchange.side("b").is_named


class TestConfirm:
    def test_confirm_asks_the_school_of_origin_and_neither_copies_nor_names(
        self, app: Flask, as_: As, exchange: Exchange, world: World, typed: tuple[int, int]
    ) -> None:
        page = post(as_, exchange, "b", "confirmer")

        assert "L’établissement d’origine doit encore donner son accord" in page.flashes[0]
        assert exchange.states("a") == exchange.states("b") == ["agreement"]
        assert exchange.records(typed[1]) == set()
        exchange.run()
        exchange.run("b")
        assert exchange.records(typed[1]) == set()
        check_unnamed(as_, exchange, world)
        with exchange.look() as session:
            assert session.scalars(select(MailMessage)).all() == []

    def test_confirm_the_page_says_so_before(self, as_: As, exchange: Exchange, typed: tuple[int, int]) -> None:
        text = Page(as_("head", "b").get(f"{FOLLOW_UP}/{exchange.side('b').id}/confirmer")).text

        assert "Rien n’est copié sans l’accord de l’établissement d’origine" in text
        assert "Confirmer et copier" not in text

    def test_confirm_is_no_oracle_of_which_part_agrees(self, as_: As, exchange: Exchange) -> None:
        seen = set()
        for number, wrong in enumerate(
            ({"first_name": "Max"}, {"birth_date": date(2010, 5, 6)}, {"last_name": "Inconnu", "first_name": "Max"})
        ):
            move(exchange, **wrong)
            exchange.run()
            side = exchange.sides("b")[number]
            browser = as_("administrator", "b")
            page = Page(browser.get(f"{FOLLOW_UP}/{side.id}")).text
            assert DIFFER in page
            assert DIFFER in Page(browser.get(f"{FOLLOW_UP}/{side.id}/confirmer")).text
            seen.add(page.replace(side.student_label, "").split("Ce transfert")[0])
        assert len(seen) == 1

    def test_confirm_a_part_corrected_leaves_no_trace_that_tells(
        self, exchange: Exchange, typed: tuple[int, int]
    ) -> None:
        before = exchange.side("b").changed_at
        exchange.set(typed[1], birth_date=date(2009, 2, 28))

        right = exchange.run("b")
        exchange.set(typed[1], birth_date=date(2009, 2, 27))
        wrong = exchange.run("b")

        assert right == wrong
        assert right.changed == 0
        assert exchange.side("b").changed_at == before


class TestAgree:
    @pytest.fixture
    def asked(self, as_: As, exchange: Exchange, typed: tuple[int, int]) -> tuple[int, int]:
        post(as_, exchange, "b", "confirmer")
        return typed

    def test_agree_shows_who_asks_and_both_identities(
        self, as_: As, exchange: Exchange, world: World, asked: tuple[int, int]
    ) -> None:
        browser, side = as_("administrator", "a"), exchange.side("a").id

        assert ASKING_UAI in Page(browser.get(f"{FOLLOW_UP}/{side}")).text
        for action in ("accorder", "refuser"):
            page = Page(browser.get(f"{FOLLOW_UP}/{side}/{action}"))
            assert world.b.name in page.text
            assert ["Nom", "TOPAZE", "INCONNU"] in page.rows()
            assert ["Prénom", "Lou", "Max"] in page.rows()
            assert ["Date de naissance", "28/02/2009", "06/05/2010"] in page.rows()

    def test_agree_copies_and_names(self, as_: As, exchange: Exchange, asked: tuple[int, int]) -> None:
        page = post(as_, exchange, "a", "accorder")

        assert "le transfert est effectué" in page.flashes[0]
        assert exchange.records(asked[1]) == exchange.records(asked[0])
        browser = as_("administrator", "b")
        assert ORIGIN_UAI in Page(browser.get(f"{FOLLOW_UP}/{exchange.side('b').id}")).text
        rows = list(csv.reader(browser.get(f"/admin/transferts/export/csv/?uai={ORIGIN_UAI}").text.splitlines()))
        assert len(rows) == 2

    def test_agree_cancelled_since_the_name_stays_for_it_was_agreed(
        self, as_: As, exchange: Exchange, asked: tuple[int, int]
    ) -> None:
        post(as_, exchange, "a", "accorder")
        post(as_, exchange, "b", "annuler")

        assert exchange.states("b") == ["cancelled"]
        assert exchange.side("b").other_uai == ORIGIN_UAI

    def test_refuse_leaves_the_asking_school_without_the_name(
        self, as_: As, exchange: Exchange, world: World, asked: tuple[int, int]
    ) -> None:
        page = post(as_, exchange, "a", "refuser", reason="Ce n’est pas lui")

        assert exchange.states("b") == ["refused"]
        assert ASKING_UAI in page.text
        check_unnamed(as_, exchange, world)
        browser = as_("administrator", "b")
        assert "Ce n’est pas lui" in Page(browser.get(f"{FOLLOW_UP}/{exchange.side('b').id}")).text
        exchange.run()
        assert exchange.records(asked[1]) == set()

        post(as_, exchange, "a", "accorder")
        assert exchange.side("b").other_uai == ORIGIN_UAI

    def test_agree_the_asking_school_cannot(
        self, app: Flask, as_: As, exchange: Exchange, asked: tuple[int, int]
    ) -> None:
        browser = as_("head", "b")
        for action in ("accorder", "confirmer", "redemander"):
            where = f"{FOLLOW_UP}/{exchange.side('b').id}/{action}"
            with nothing_written(app):
                assert browser.get(where).status_code == 409
                assert browser.post(where).status_code == 409

    def test_agree_identities_corrected_since_name_both_schools(
        self, exchange: Exchange, asked: tuple[int, int]
    ) -> None:
        exchange.set(asked[1], last_name="Topaze", first_name="Lou", birth_date=date(2009, 2, 28))
        exchange.run()

        side = exchange.side("b")
        assert side.other_uai == ORIGIN_UAI
        assert side.state.value in ("done", "agreement")  # a table still waits for the agreement

    def test_agree_forgotten_or_switched_off_names_nobody(
        self, as_: As, exchange: Exchange, world: World, asked: tuple[int, int]
    ) -> None:
        exchange.switch("a", on=False)
        exchange.run()

        assert exchange.states("b") == ["waiting_left"]
        check_unnamed(as_, exchange, world)
        exchange.set(asked[1], ine=exchange.ine())
        exchange.run()
        assert exchange.sides("b") == []

    def test_agree_given_to_one_identity_is_asked_anew_for_another(
        self, exchange: Exchange, asked: tuple[int, int]
    ) -> None:
        exchange.act(agree, "a", side_id=exchange.side("a").id)
        source, _destination = asked
        exchange.set(source, is_active=True, departed_on=None)
        exchange.run()
        exchange.depart(source)
        exchange.run()  # another departure, another transfer

        assert exchange.states("b")[-1] == "conflict"
        last = exchange.sides("b")[-1]
        assert not last.is_named
        assert exchange.act(confirm, "b", side_id=last.id) == "agreement"
        assert not exchange.sides("b")[-1].is_named
