"""Pages that stand from a row: both ways, from the end, from a letter, in the order of a column or of a search."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.counts import Counted, count_rows, count_together
from cpro.core.formatting import MoreThan
from cpro.core.lists import Beside, ListState, Page, find_beside, find_page_from
from cpro.core.search import Search
from cpro.extensions import db
from cpro.students.models import Student
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page as Shown
from tests.helpers.statements import statements_sent

Look = Callable[[], AbstractContextManager[Session]]
#: Two of each, so that a page ends between equals.
NAMES = ("Agate", "Basalte", "Craie", "Craie", "Écaille", "Granite", "Quartz", "Quartz", "Quartz", "Zircon", "Agate")


@pytest.fixture
def in_a(app: Flask, world: World, arrange: Look) -> Iterator[None]:
    """Work in school A, among eleven pupils."""
    with arrange() as session:
        session.execute(Student.__table__.delete())
        session.add_all(make_student(world.a.id, last_name=name, first_name="Zoé") for name in NAMES)
        session.add(make_student(world.b.id, last_name="Diorite"))
    with app.app_context():
        tenancy.enter(tenancy.Scope(world.a.id))
        yield


BY_NAME = (Student.search_key, Student.id)
BACKWARDS = (Student.search_key.desc(), Student.id.desc())
MIXED = (Student.search_key.desc(), Student.id)


def find(order: Any, by_name: bool = True, **place: Any) -> Page[Student]:
    return find_page_from(ListState("/liste", size=2, **place), select(Student), *order, by_name=by_name)


def follow(url: str | None) -> dict[str, Any]:
    """Return the place that an address asks for."""
    asked = ListState.read(dict(parse_qsl(urlsplit(url or "").query)), "/liste", sizes=(2,))
    return {"after": asked.after, "before": asked.before, "is_last": asked.is_last}


def all_ids() -> list[int]:
    return list(db.session.scalars(select(Student.id)))


def names(page: Page[Student]) -> list[str]:
    return [row.last_name for row in page.rows]


class TestCountTogether:
    def test_count_together_counts_several_rows_in_one_statement_each_up_to_its_limit(
        self, app: Flask, in_a: None
    ) -> None:
        pupils = select(Student.id)
        asked = {
            "all": Counted(pupils),
            "as many": Counted(pupils, len(NAMES)),
            "more": Counted(pupils, 3),
            "none": Counted(pupils.where(Student.last_name == "Diorite")),
        }

        with statements_sent(app) as sent:
            counts = count_together(asked)

        assert counts == {"all": 11, "as many": 11, "more": 3, "none": 0}
        assert {name for name, count in counts.items() if isinstance(count, MoreThan)} == {"more"}
        assert len([each for each in sent if "student" in each]) == 1

    def test_count_rows_says_that_there_are_more(self, in_a: None) -> None:
        assert isinstance(count_rows(select(Student.id), most=10), MoreThan)
        assert not isinstance(count_rows(select(Student.id), most=11), MoreThan)


class TestFindPageFrom:
    @pytest.mark.parametrize("order", [BY_NAME, BACKWARDS, MIXED], ids=["up", "down", "mixed"])
    def test_find_page_from_shows_every_row_once_there_and_back(self, in_a: None, order: Any) -> None:
        there, page = [], find(order)
        assert (page.first_url, page.previous_url) == (None, None)
        there.append([row.id for row in page.rows])
        while page.next_url:
            page = find(order, **follow(page.next_url))
            there.append([row.id for row in page.rows])
        assert page.last_url is None and sorted(row for rows in there for row in rows) == sorted(set(all_ids()))

        back = [[row.id for row in page.rows]]
        while page.previous_url:
            page = find(order, **follow(page.previous_url))
            back.append([row.id for row in page.rows])

        assert back == there[::-1]

    def test_find_page_from_the_last_page_is_full_and_leads_back(self, in_a: None) -> None:
        page = find(BY_NAME, is_last=True)

        assert (names(page), page.next_url, page.last_url) == (["Quartz", "Zircon"], None, None)
        assert page.previous_url and page.first_url == "/liste"
        assert names(find(BY_NAME, **follow(page.previous_url))) == ["Quartz", "Quartz"]

    @pytest.mark.parametrize(
        ("letter", "order", "found"),
        [
            ("C", BY_NAME, ["Craie", "Craie"]),
            ("é", BY_NAME, ["Écaille", "Granite"]),
            ("qua", BY_NAME, ["Quartz", "Quartz"]),
            ("h", BY_NAME, ["Quartz", "Quartz"]),
            ("zz", BY_NAME, ["Quartz", "Zircon"]),
            ("h", BACKWARDS, ["Granite", "Écaille"]),
            ("c", BACKWARDS, ["Craie", "Craie"]),
        ],
    )
    def test_find_page_from_goes_to_a_letter(self, in_a: None, letter: str, order: Any, found: list[str]) -> None:
        page = find(order, letter=letter)

        assert names(page) == found
        assert page.by_name and page.first_url == "/liste"

    def test_find_page_from_a_place_that_is_none_is_the_first_page(self, in_a: None) -> None:
        first = names(find(BY_NAME))

        assert names(find(BY_NAME, after=10**6)) == names(find(BY_NAME, before=10**6)) == first
        page = find(BY_NAME, by_name=False, letter="q")
        assert (names(page), page.first_url, page.place) == (first, None, "")

    def test_find_page_from_before_less_than_a_page_is_the_first_page(self, in_a: None) -> None:
        second = find(BY_NAME).rows[1]

        assert names(find(BY_NAME, before=second.id)) == names(find(BY_NAME))

    def test_find_page_from_pages_what_a_search_ranks(self, in_a: None) -> None:
        search = Search(Student, "q")
        statement, order = search.rank(select(Student))

        def ranked(**place: Any) -> Page[Student]:
            return find_page_from(ListState(size=2, **place), statement, *order, place_of=search.place_of)

        first = ranked()
        second = ranked(**follow(first.next_url))

        assert (len(first.rows), len(second.rows), second.next_url) == (2, 1, None)
        assert [row.id for row in ranked(**follow(second.previous_url)).rows] == [row.id for row in first.rows]


class TestFindBeside:
    @pytest.mark.parametrize("order", [BY_NAME, MIXED], ids=["up", "mixed"])
    def test_find_beside_finds_the_rows_beside_one_and_the_page_that_shows_it(self, in_a: None, order: Any) -> None:
        asked = ListState("/liste", size=2)
        first, second, third = find(order).rows + find(order, **follow(find(order).next_url)).rows[:1]

        beside_second, beside_third = (
            find_beside(asked, select(Student), *order, row_id=row.id) for row in (second, third)
        )

        assert (beside_second.before, beside_second.after) == (first, third)
        assert (beside_second.listed, beside_third.before) == (asked, second)
        assert (beside_third.listed.after, beside_third.listed.before) == (second.id, 0)

    def test_find_beside_at_both_ends(self, in_a: None) -> None:
        asked, ids = ListState("/liste", size=2), [row.id for row in find(BY_NAME).rows]
        last = find(BY_NAME, is_last=True).rows[-1]

        assert find_beside(asked, select(Student), *BY_NAME, row_id=ids[0]).before is None
        assert find_beside(asked, select(Student), *BY_NAME, row_id=last.id).after is None

    def test_find_beside_in_what_a_search_ranks(self, in_a: None) -> None:
        search = Search(Student, "q")
        statement, order = search.rank(select(Student))
        asked = ListState("/liste", size=2)
        rows = find_page_from(ListState(size=3), statement, *order, place_of=search.place_of).rows
        outside = find(BY_NAME).rows[0].id

        def beside(row_id: int) -> Beside:
            return find_beside(asked, statement, *order, row_id=row_id, place_of=search.place_of)

        assert (beside(rows[1].id).before, beside(rows[1].id).after) == (rows[0], rows[2])
        assert beside(rows[2].id).listed.after == rows[1].id
        assert [beside(each).has_row for each in (rows[1].id, rows[2].id, outside)] == [True, True, False]
        assert (beside(outside).before, beside(outside).after, beside(outside).listed) == (None, None, asked)


def pagers(page: Shown) -> list[Element]:
    """Return the links to other pages of a list, above its table and under it."""
    names = ("Pages de la liste, en haut", "Pages de la liste")
    return [nav for nav in page.main.iter("nav") if nav.get("aria-label") in names]


class TestPagesOfScreens:
    @pytest.mark.parametrize(
        "query", ["", "&tri=name", "&tri=name&ordre=desc", "&recherche=pupille", "&situation=presents"]
    )
    def test_screens_are_paged_to_their_end_and_back(
        self, as_: Callable[..., Browser], world: World, arrange: Look, query: str
    ) -> None:
        with arrange() as session:
            session.execute(Student.__table__.delete())
            session.add_all(make_student(world.a.id, last_name=f"Pupille{i:02}") for i in range(45))
        browser = as_("administrator")

        seen, url = [], f"/admin/eleves/?{query}"
        while url:
            page = Shown(browser.get(url))
            seen.append(re.findall(r"PUPILLE\d\d", " ".join(cell for row in page.rows() for cell in row[:2])))
            ends = [[link.get("rel") for link in nav.iter("a")] for nav in pagers(page)]
            assert len(ends) == 2 and ends[0] == ends[1], "above the table as under it"
            url = next((link.get("href") or "" for link in page.main.iter("a") if link.get("rel") == "next"), "")
        assert [len(rows) for rows in seen] == [20, 20, 5]
        assert len({name for rows in seen for name in rows}) == 45
        assert "Première page" in page.text and "Page précédente" in page.text
