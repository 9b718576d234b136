"""Somebody keeps searches of a list under names, and chooses the columns they see: theirs alone, on the server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cpro.core.habits.models import ListHabits
from cpro.core.habits.operations import LONGEST_NAME, MOST_KEPT
from cpro.users.models import Account
from cpro.users.operations.accounts import disable
from tests.factories import NOW, TESTER, World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of
from tests.helpers.records import nothing_written, rows

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
LIST = "/admin/eleves/"
LISTS, CHANGE = f"{LIST}listes/", f"{LIST}listes/changer/"
WITHOUT_INE = "recherche=agate&situation=presents&ine=sans&tri=name&ordre=desc"


def keep(browser: Browser, name: str, asked: str = WITHOUT_INE, **more: Any) -> Any:
    return browser.post(f"{LIST}listes/garder/?{asked}", {"name": name}, **more)


def kept(app: Flask) -> list[dict[str, Any]]:
    """Return the lists kept, of all accounts and schools."""
    return [each for row in rows(app, ListHabits) for each in row["kept"]]


def change(app: Flask, browser: Browser, **typed: str) -> Any:
    """Post the page of the lists kept with some of its fields changed, each `<field>_<name of the list>`."""
    fields = {f"name_{each['id']}": each["name"] for each in kept(app)}
    ids = {each["name"]: each["id"] for each in kept(app)}
    for asked, text in typed.items():
        field, _, name = asked.partition("_")
        fields[f"{field}_{ids[name]}"] = text
    return browser.post(CHANGE, fields)


def headings(page: Page) -> list[str]:
    """Return the names of the columns of a list."""
    (head,) = page.main.iter("thead")
    return [text for text in map(text_of, head.iter("th")) if text not in ("Cocher", "Actions")]


class TestKeepList:
    def test_keep_list_is_found_above_the_list_as_a_link(self, as_: As, app: Flask) -> None:
        browser = as_("administrator")
        offered = Page(browser.get(f"{LIST}?{WITHOUT_INE}&page=3"))
        assert "Garder cette liste" in offered.text

        answer = keep(browser, "  Agate   sans INE ")

        assert (answer.status_code, answer.location) == (303, f"{LIST}?{WITHOUT_INE}")
        page = Page(browser.get(LIST))
        assert page.flashes == [
            "C’est fait Liste gardée : Agate sans INE. Vous seul la voyez, au-dessus de ces lignes."
        ]
        assert f"{LIST}?{WITHOUT_INE}" in page.links
        assert "Garder cette liste" not in page.text  # nothing is asked: there is nothing to keep
        assert "Garder cette liste" not in Page(browser.get(f"{LIST}?{WITHOUT_INE}")).text  # it is kept already

    def test_keep_list_stays_after_signing_out(self, as_: As) -> None:
        keep(as_("administrator"), "Sans INE")

        assert "Sans INE" in Page(as_("administrator").get(LIST)).text

    def test_keep_list_is_of_one_person_one_school_and_one_list(self, as_: As) -> None:
        keep(as_("administrator"), "Les miens")

        for browser in (as_("head"), as_("administrator", "b"), as_("support", enter="a")):
            assert "Les miens" not in browser.get(LIST).text
        assert "Les miens" not in as_("administrator").get("/admin/divisions/").text

    @pytest.mark.parametrize(
        ("name", "asked", "sentence"),
        [
            ("", WITHOUT_INE, "Donnez-lui un nom, par exemple « Terminales sans INE »."),
            ("sans ine", WITHOUT_INE, "Vous gardez déjà une liste sous ce nom."),
            ("x" * (LONGEST_NAME + 1), WITHOUT_INE, "Le texte compte 61 caractères"),
            ("Rien", "", "Il n’y a rien à garder"),
            ("\x00", WITHOUT_INE, "Le texte contient un caractère de contrôle invisible"),
        ],
    )
    def test_keep_list_refuses_beside_its_field(
        self, as_: As, app: Flask, name: str, asked: str, sentence: str
    ) -> None:
        browser = as_("administrator")
        keep(browser, "Sans INE")

        with nothing_written(app):
            answer = keep(browser, name, asked)

        assert answer.status_code == 422
        assert Page(answer).error("name").startswith(sentence)
        assert '<details class="listing-more" open' in answer.text

    def test_keep_list_keeps_no_more_than_are_seen_at_a_glance(self, as_: As, app: Flask) -> None:
        browser = as_("administrator")
        for number in range(MOST_KEPT):
            assert keep(browser, f"Liste {number}").status_code == 303

        assert keep(browser, "Une de trop").status_code == 422
        assert len(kept(app)) == MOST_KEPT

    def test_keep_list_is_for_accounts_of_the_school(self, as_: As, app: Flask) -> None:
        browser = as_("support", enter="a")
        assert "Garder cette liste" not in browser.get(f"{LIST}?{WITHOUT_INE}").text

        with nothing_written(app):
            assert keep(browser, "Sans INE").status_code == 403
            assert browser.post(f"{LIST}colonnes/", {"colonne": "ine"}).status_code == 403
            assert browser.post(CHANGE).status_code == 403
        assert browser.get(LISTS).status_code == 403
        assert keep(as_("teacher"), "Sans INE").status_code == 403

    def test_keep_list_goes_when_the_account_is_disabled(self, as_: As, app: Flask, arrange: Look) -> None:
        keep(as_("administrator"), "Sans INE")
        keep(as_("head"), "Sans INE")

        with arrange() as session:
            account_id = rows(app, ListHabits)[0]["account_id"]
            disable(session, session.get_one(Account, account_id), by=TESTER, now=NOW)

        assert len(rows(app, ListHabits)) == 1


class TestChangeLists:
    def test_change_lists_renames_and_forgets(self, as_: As, app: Flask) -> None:
        browser = as_("administrator")
        for name in ("A", "B", "C"):
            keep(browser, name)

        asked = "présents, sans INE, recherche « agate », par « Nom » de la fin au début"
        assert asked in Page(browser.get(LISTS)).text
        answer = change(app, browser, name_A="B", name_B="Zèbre", gone_C="y")

        assert answer.status_code == 303
        assert [each["name"] for each in kept(app)] == ["B", "Zèbre"]

    def test_change_lists_says_beside_its_field_what_it_refuses(self, as_: As, app: Flask) -> None:
        browser = as_("administrator")
        for name in ("A", "B"):
            keep(browser, name)

        with nothing_written(app):
            answer = change(app, browser, name_A="", name_B="a")

        assert answer.status_code == 422
        (first, second) = (each["id"] for each in kept(app))
        assert Page(answer).error(f"name_{first}") == "Donnez-lui un nom, par exemple « Terminales sans INE »."
        assert Page(answer).error(f"name_{second}") == ""

    def test_change_lists_of_another_person_does_nothing(self, as_: As, app: Flask) -> None:
        keep(as_("administrator"), "A")
        head = as_("head")

        with nothing_written(app):
            assert change(app, head, gone_A="y").status_code == 303

    def test_change_lists_leaves_no_row_behind_the_last(self, as_: As, app: Flask) -> None:
        browser = as_("administrator")
        keep(browser, "A")

        change(app, browser, gone_A="y")

        assert rows(app, ListHabits) == []
        assert "Vous ne gardez aucune liste ici" in Page(browser.get(LISTS)).text


class TestReadAgain:
    """A kept list is read as an address is: what makes no sense any more is said, and no row is shown for it."""

    @pytest.mark.parametrize(
        ("lost", "sentence"),
        [
            ({"situation": "ailleurs"}, "« ailleurs » n’est pas un choix de la liste"),
            ({"couleur": "bleu"}, "n’existe plus, ou votre compte n’y a pas droit"),
            ({"tri": "taille"}, "n’existe plus, ou votre compte n’y a pas droit"),
        ],
    )
    def test_read_again_what_makes_no_sense_any_more_is_said(
        self, as_: As, arrange: Look, lost: dict[str, str], sentence: str
    ) -> None:
        browser = as_("administrator")
        keep(browser, "Sans INE", "ine=sans")
        with arrange() as session:
            found = session.scalars(select(ListHabits)).one()
            session.execute(update(ListHabits).values(kept=[{**found.kept[0], "asked": {"ine": "sans", **lost}}]))

        page = Page(browser.get(LIST))

        assert "Sans INE (à revoir)" in page.text
        assert f"{LIST}?ine=sans" not in page.links
        managed = Page(browser.get(LISTS))
        assert sentence in managed.text
        assert f"{LIST}?ine=sans" in managed.links


class TestChooseColumns:
    def choose(self, browser: Browser, *keys: str, **more: str) -> Any:
        return browser.post(f"{LIST}colonnes/?recherche=agate&page=2", {"colonne": [*keys], **more})

    def headings(self, browser: Browser) -> list[str]:
        return headings(Page(browser.get(LIST)))

    def test_choose_columns_shows_those_ticked_beside_the_name(self, as_: As, world: World) -> None:
        browser = as_("administrator")
        usual = self.headings(browser)
        assert usual == ["Nom", "Prénom", "Naissance", "Division", "INE", "Situation"]

        answer = self.choose(browser, "came_by", "first_name", "nothing")

        assert (answer.status_code, answer.location) == (303, f"{LIST}?recherche=agate")
        assert self.headings(browser) == ["Nom", "Prénom", "Provenance"]
        assert self.headings(as_("head")) == usual
        assert self.headings(as_("administrator", "b")) == usual
        assert self.headings(as_("administrator")) == ["Nom", "Prénom", "Provenance"]  # the next time too

    @pytest.mark.parametrize("asked", [("habituelles",), ("rien",), ("tout",)])
    def test_choose_columns_goes_back_to_the_usual_ones(self, as_: As, app: Flask, asked: tuple[str]) -> None:
        browser = as_("administrator")
        usual = self.headings(browser)
        self.choose(browser, "came_by")

        if asked == ("habituelles",):
            self.choose(browser, "came_by", habituelles="oui")
        elif asked == ("rien",):
            self.choose(browser)
        else:
            self.choose(browser, "first_name", "birth_date", "division", "ine", "situation")

        assert self.headings(browser) == usual
        assert rows(app, ListHabits) == []

    def test_choose_columns_shows_nothing_that_the_role_does_not_read(self, as_: As, world: World) -> None:
        browser = as_("head")
        whole = {each[4] for each in Page(browser.get(LIST)).rows()}

        self.choose(browser, "ine")

        assert {each[1] for each in Page(browser.get(LIST)).rows()} == whole

    def test_choose_columns_is_followed_by_the_page_to_print_and_files_say_that_they_are_whole(self, as_: As) -> None:
        browser = as_("administrator")
        assert "avec toutes les colonnes" not in Page(browser.get(LIST)).text
        self.choose(browser, "came_by")

        assert headings(Page(browser.get(f"{LIST}export/papier/"))) == ["Nom", "Provenance"]
        assert "avec toutes les colonnes" in Page(browser.get(LIST)).text
        assert browser.get(f"{LIST}export/csv/").text.startswith("\ufeffNom;Prénom;Nom d’usage;Naissance")

    def test_choose_columns_are_all_seen_on_a_telephone(self, as_: As) -> None:
        browser = as_("administrator")
        assert "listing-chosen" not in browser.get(LIST).text

        self.choose(browser, "came_by")

        assert "listing-chosen" in browser.get(LIST).text
