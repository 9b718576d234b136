"""Searches by words: what is found, in which order, whoever wrote the name, and what is not told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.search import SEPARATORS, Search, SearchWord, cut_words, find_words
from cpro.extensions import db
from cpro.students.models import Student
from tests.factories import World, make_account, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.words import check_words, searched_models

Look = Callable[[], AbstractContextManager[Session]]
NAMES = (
    ("Dupont-Martin", "Zoé"),
    ("D’Hôtel", "Jean-Noël"),
    ("Martin", "Martine"),
    ("Martineau", "Éloïse"),
    ("Œuvré", "Alix Zoé"),
    ("Cent 100 %", "Ÿvaine"),
)


@pytest.fixture
def named(world: World, arrange: Look) -> World:
    """Give school A pupils of some names, and school B a Martin."""
    with arrange() as session:
        session.execute(Student.__table__.delete())
        for last_name, first_name in NAMES:
            session.add(make_student(world.a.id, last_name=last_name, first_name=first_name))
        session.add(make_student(world.b.id, last_name="Martin", first_name="Beta"))
    return world


@pytest.fixture
def in_a(app: Flask, named: World) -> Iterator[Session]:
    """Work in school A."""
    with app.app_context():
        tenancy.enter(tenancy.Scope(named.a.id))
        yield db.session()


def found(sought: str) -> list[str]:
    """Return the family names found, in the order of the search."""
    statement, order = Search(Student, sought).rank(select(Student))
    ranked = db.session.scalars(statement.order_by(*order)).all()
    filtered = db.session.scalars(select(Student).where(*Search(Student, sought).conditions())).all()
    assert sorted(pupil.id for pupil in ranked) == sorted(pupil.id for pupil in filtered)
    return [pupil.last_name for pupil in ranked]


@pytest.mark.unit
class TestCutWords:
    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("DUPONT-MARTIN", {"dupont", "martin"}),
            ("D’HÔTEL", {"d", "hotel"}),
            ("zoe.martin2", {"zoe", "martin2"}),
            (" Œuvré\u202f: 100 % ", {"oeuvre", "100"}),
            ("« – »", set()),
        ],
    )
    def test_cut_words_at_blanks_hyphens_and_signs(self, typed: str, words: set[str]) -> None:
        assert cut_words(typed) == words

    def test_cut_words_separators_are_no_letters(self) -> None:
        assert not any(each.isalnum() for each in SEPARATORS)


class TestSearch:
    @pytest.mark.parametrize(
        ("sought", "names"),
        [
            ("MARTIN", ["Dupont-Martin", "Martin", "Martineau"]),
            ("mart", ["Dupont-Martin", "Martin", "Martineau"]),
            ("martine", ["Martin", "Martineau"]),
            ("HOTEL", ["D’Hôtel"]),
            ("d'hôtel", ["D’Hôtel"]),
            ("noel", ["D’Hôtel"]),
            ("zoé martin", ["Dupont-Martin"]),
            ("martin dupont zoe", ["Dupont-Martin"]),
            ("zoe", ["Œuvré", "Dupont-Martin"][::-1]),
            ("ŒUVRE", ["Œuvré"]),
            ("100 %", ["Cent 100 %"]),
            ("yvaine", ["Cent 100 %"]),
            ("artin", []),
            ("%", []),
            ("_", []),
            ("« »", []),
        ],
    )
    def test_search_finds_whole_words_and_beginnings(self, in_a: Session, sought: str, names: list[str]) -> None:
        assert found(sought) == names

    def test_search_a_place_is_where_the_order_finds_the_row(self, in_a: Session) -> None:
        search = Search(Student, "mart")
        statement, order = search.rank(select(Student))
        rows = db.session.scalars(statement.order_by(*order)).all()

        places = [search.place_of(row.id) for row in rows]

        assert None not in places and places == sorted(places, key=lambda place: place or ())
        assert search.place_of(10**6) is None
        assert Search(Student, "zoe").place_of(rows[-1].id) is None

    def test_search_a_number_is_looked_for_by_those_who_may_read_it_alone(self, in_a: Session) -> None:
        pupil = db.session.scalars(select(Student).where(Student.last_name == "Martin")).one()
        assert pupil.ine

        typed = f"{pupil.ine[:4]} {pupil.ine[4:].lower()}"
        whole = db.session.scalars(select(Student).where(*Search(Student, typed, Student.ine).conditions())).all()
        blind = db.session.scalars(select(Student).where(*Search(Student, typed).conditions())).all()

        assert [each.id for each in whole] == [pupil.id] and not blind

    def test_search_nothing_sought_is_no_condition(self) -> None:
        assert find_words(Student, "  ") == []


class TestSearchedScreens:
    @pytest.mark.parametrize(("role", "sees"), [("administrator", True), ("head", True), ("support", False)])
    def test_an_ine_is_found_by_those_who_read_it_whole(
        self, as_: Callable[..., Browser], named: World, platform: Look, role: str, sees: bool
    ) -> None:
        with platform() as session:
            named_martin = select(Student.ine).where(Student.last_name == "Martin", Student.establishment_id == 1)
            ine = session.scalars(named_martin).one() or ""
        browser = as_(role, enter="a") if role == "support" else as_(role)

        for typed in (ine, ine[:8], ine[:4]):
            page = browser.get("/admin/eleves/", query_string={"recherche": typed})
            assert page.status_code == 200
            assert ("MARTIN" in page.text) is sees
        assert ("ou INE" in browser.get("/admin/eleves/").text) is sees

    def test_a_search_with_a_sort_and_a_filter_finds_the_same(self, as_: Callable[..., Browser], named: World) -> None:
        browser = as_("administrator")

        for query in ("", "&tri=name", "&tri=name&ordre=desc", "&situation=presents"):
            page = Page(browser.get(f"/admin/eleves/?recherche=martin{query}"))
            assert len(page.rows()) == 3, query
        assert "BETA" not in browser.get("/admin/eleves/?recherche=martin").text.upper()


class TestWordsKept:
    def test_words_kept_follow_a_name_however_it_is_written(self, app: Flask, named: World, arrange: Look) -> None:
        check_words(app)
        with arrange() as session:
            pupil = session.scalars(select(Student).where(Student.last_name == "D’Hôtel")).one()
            pupil.last_name = "Moteur-Môteur"
            session.add(make_account(named.a.id, login="martin.martin2", last_name='O’Neil "x\\y\t’'))
        check_words(app)
        with arrange() as session:
            session.execute(update(Student).values(search_key=Student.search_key + " tous"))
            session.execute(delete(Student).where(Student.last_name == "Martin"))
        check_words(app)

    def test_words_kept_of_every_searched_table_are_no_other_schools(self, app: Flask, filled: World) -> None:
        assert len(searched_models()) == 4
        check_words(app)
        for school in (filled.a, filled.b):
            with app.app_context():
                tenancy.enter(tenancy.Scope(school.id))
                kinds = set(db.session.scalars(select(SearchWord.kind)))
                assert kinds == {model.__tablename__ for model in searched_models()} - {"audit_entry"}
                assert set(db.session.scalars(select(SearchWord.establishment_id))) == {school.id}
                db.session.remove()
