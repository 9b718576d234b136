"""Lists by pages: what an address asks, the addresses of the neighbours, the rows of a page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from cpro.core.lists import ListState, disambiguate, find_page

FILTERS = {"etat": ("ouvert", "ferme"), "division": 4}


def read(sorts: Sequence[str] = ("nom",), sizes: Sequence[int] = (20, 50), **args: str) -> ListState:
    return ListState.read(args, "/liste", filters=FILTERS, sorts=sorts, sizes=sizes)


def some(count: int, *, limit: int, offset: int) -> list[int]:
    return list(range(count))[offset : offset + limit]


class TestTellApart:
    def test_tell_apart_numbers_those_called_alike_alone(self) -> None:
        assert disambiguate(["Lou TOPAZE", "Zoé AMBRE", "Lou TOPAZE"], [3, 4, 7]) == [
            "Lou TOPAZE, n°\u202f3",
            "Zoé AMBRE",
            "Lou TOPAZE, n°\u202f7",
        ]


class TestListState:
    def test_list_state_is_narrowed_by_words_that_each_lead_to_the_list_without_them(self) -> None:
        asked = read(recherche="zoé", etat="ouvert", division="2nde", tri="nom", page="3")

        assert asked.narrowed_by({"etat": {"ouvert": "ouverts"}}) == [
            ("ouverts", "/liste?recherche=zo%C3%A9&division=2nde&tri=nom"),
            ("2nde", "/liste?recherche=zo%C3%A9&etat=ouvert&tri=nom"),
            ("recherche «\u202fzoé\u202f»", "/liste?etat=ouvert&division=2nde&tri=nom"),
        ]
        assert read(tri="nom").narrowed_by() == []

    def test_list_state_leaves_out_what_makes_no_sense(self) -> None:
        odd = read(
            etat="x", tri="x", ordre="x", lignes="7", page="deux", apres="-1", avant="x", autre="x", recherche=" "
        )

        assert odd == read()
        assert odd.url() == "/liste"
        assert not odd.is_narrowed

    def test_list_state_writes_the_address_that_it_reads(self) -> None:
        asked = {
            "recherche": "a b",
            "etat": "ouvert",
            "division": "2nde",
            "tri": "nom",
            "ordre": "desc",
            "lignes": "50",
        }

        assert read(**asked, page="3").url() == (
            "/liste?recherche=a+b&etat=ouvert&division=2nde&tri=nom&ordre=desc&lignes=50&page=3"
        )
        assert read(**asked, apres="12").page_url(avant=4) == read(**asked, avant="4").url()
        assert read(**asked, page="3").page_url() == read(**asked).url()

    def test_list_state_cuts_free_texts(self) -> None:
        found = read(recherche="x" * 101, division=" 2nde 3")

        assert (found.search, found.chosen) == ("x" * 100, {"division": "2nde"})

    def test_list_state_of_a_list_that_goes_back_in_time_reads_its_place_under_its_own_name(self) -> None:
        found = ListState.read({"avant": "7", "apres": "8"}, "/liste", forward="avant")

        assert (found.after, found.before) == (7, 0)


class TestPageOfANumber:
    @pytest.mark.parametrize(
        ("number", "rows", "title", "before", "after"),
        [
            ("1", [0, 1], "Page 1 sur 3", None, 2),
            ("2", [2, 3], "Page 2 sur 3", 1, 3),
            ("3", [4], "Page 3 sur 3", 2, None),
            ("9", [4], "Page 3 sur 3", 2, None),
            ("9" * 30, [4], "Page 3 sur 3", 2, None),
        ],
    )
    def test_page_of_a_number_holds_its_rows_and_leads_to_its_neighbours(
        self, number: str, rows: list[int], title: str, before: int | None, after: int | None
    ) -> None:
        page = find_page(read(sizes=(2,), page=number), partial(some, 5), 5)

        assert (page.rows, page.title) == (rows, title)
        assert page.previous_url == (f"/liste?page={before}" if before else None)
        assert page.next_url == (f"/liste?page={after}" if after else None)

    def test_page_of_a_number_of_a_list_that_nothing_counts_stops_at_a_bound(self) -> None:
        first = find_page(read(sizes=(2,)), partial(some, 3))
        last = find_page(read(sizes=(2,), page="9" * 30), partial(some, 3))

        assert (first.title, first.first_url, first.next_url) == ("Page 1", None, "/liste?page=2")
        assert (last.title, last.rows, last.first_url, last.next_url) == ("Page 500", [], "/liste", None)

    def test_page_of_a_number_is_alone_in_an_empty_list(self) -> None:
        page = find_page(read(page="4"), partial(some, 0), 0)

        assert (page.rows, page.title, page.first_url, page.next_url) == ([], "Page 1 sur 1", None, None)
