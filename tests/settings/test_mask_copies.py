"""Wordings compared between two diplomas, and copied from one to the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.masks.models import Mask, MaskKey
from cpro.students.models import Diploma
from tests.factories import NOW, World, make_diploma
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_up, watching

TAB = "/admin/parametres/masques"
COPY, COMPARE, HISTORY = f"{TAB}/copier", f"{TAB}/comparer", "/admin/parametres/historique?de=masques"
As = Callable[..., Browser]


@pytest.fixture
def other(app: Flask, world: World) -> str:
    """Return the code of a second diploma of school "a", one of whose fields is worded."""

    def make(session: Session) -> None:
        diploma = make_diploma(code="AUTRE", short_label="Autre", establishment_id=world.a.id)
        session.add(diploma)
        session.flush()
        values = {"establishment_id": world.a.id, "diploma_id": diploma.id, "changed_at": NOW}
        session.add(Mask(key=MaskKey.EQUIPMENT, wording="Outillage", **values))

    set_up(app, make)
    return "AUTRE"


def wordings(app: Flask, world: World, code: str) -> dict[str, str]:
    """Return the wordings that school "a" stores for a diploma."""

    ids = {row["id"] for row in rows(app, Diploma) if row["code"] == code}
    return {
        row["key"]: row["wording"]
        for row in rows(app, Mask)
        if row["diploma_id"] in ids and row["establishment_id"] == world.a.id
    }


class TestCompareMasks:
    def test_compare_masks_with_the_defaults_then_with_another_diploma(self, as_: As, world: World, other: str) -> None:
        browser = as_("head")
        alone = Page(browser.get(f"{COMPARE}?diplome={world.diploma_code}")).text
        both = browser.get(f"{COMPARE}?diplome={world.diploma_code}&vers={other}")

        assert "1 différence" in alone and "Liens de alpha" in alone
        assert "choisissez-le dans" not in alone, "the head copies none"
        assert "2 différences" in Page(both).text and "Outillage" in both.text
        assert f"{COMPARE}?diplome={other}&vers={world.diploma_code}" in Page(both).links, "the other way round"
        assert "Copier" not in Page(both).text, "the head reads the masks, and copies none"

    def test_compare_masks_says_how_to_copy_and_when_there_is_nothing_to(
        self, as_: As, world: World, other: str
    ) -> None:
        browser = as_("administrator")
        alone = Page(browser.get(f"{COMPARE}?diplome={world.diploma_code}")).text
        browser.post(COPY, {"diplome": world.diploma_code, "vers": other})
        same = Page(browser.get(f"{COMPARE}?diplome={world.diploma_code}&vers={other}")).text

        assert "vers un autre diplôme, choisissez-le dans « Comparer avec »" in alone
        assert "Ces deux diplômes ont les mêmes intitulés : il n’y a rien à copier." in same

    def test_compare_masks_the_same_diploma_is_not_offered(self, as_: As, world: World, other: str) -> None:
        page = as_("head").get(f"{COMPARE}?diplome={other}&vers={other}").text
        offered = page.partition('id="vers"')[2].partition("</select>")[0]

        assert f'value="{world.diploma_code}"' in offered
        assert f'value="{other}"' not in offered
        assert "1 différence" in Page(as_("head").get(f"{COMPARE}?diplome={other}&vers={other}")).text

    def test_compare_masks_a_diploma_of_another_school_does_not_exist(self, app: Flask, as_: As, world: World) -> None:
        set_up(
            app,
            lambda session: session.add(make_diploma(code="AILLEURS", label="Ailleurs", establishment_id=world.b.id)),
        )
        browser = as_("administrator")

        for asked in ("diplome=AILLEURS", f"diplome={world.diploma_code}&vers=AILLEURS", ""):
            assert browser.get(f"{COMPARE}?{asked}").status_code == 404
            assert browser.get(f"{COPY}?{asked}").status_code == 404


class TestAllMasks:
    @pytest.mark.parametrize(("screen", "tab"), [("masques", TAB), ("mandats", "/admin/parametres/inspecteurs")])
    def test_rows_of_a_tab_keep_the_tabs_around_them(self, as_: As, screen: str, tab: str) -> None:
        browser = as_("head")

        links = Page(browser.get(f"/admin/{screen}/")).links
        assert {tab, "/admin/parametres/etablissement", "/admin/parametres/logo"} <= set(links)
        assert tab not in Page(browser.get("/admin/divisions/")).links


class TestCopyMasks:
    def test_copy_masks_asks_then_gives_the_other_diploma_the_same_wordings_and_can_be_undone(
        self, app: Flask, as_: As, world: World, other: str
    ) -> None:
        browser, fields = as_("administrator"), {"diplome": world.diploma_code, "vers": other}
        with nothing_written(app):
            asked = browser.get(COPY, query_string=fields)
        question = Page(asked).text
        assert "btn-danger" not in asked.text, "a copy can be undone"
        assert "« Liens associés au scénario » deviendra « Liens de alpha »" in question
        assert "« Outillage » deviendra « Matériels et logiciels utilisés »" in question

        with watching(app) as watch:
            answer = browser.post(COPY, fields)

        assert answer.location == f"{TAB}?diplome={other}"
        assert wordings(app, world, other) == {"links": "Liens de alpha"}
        assert wordings(app, world, world.diploma_code) == {"links": "Liens de alpha"}
        assert watch.line["action"] == "masks:copied"
        assert watch.line["object_label"] == "de «\u202fBac pro MELEC\u202f» vers «\u202fAutre\u202f»"
        restore = f"/admin/parametres/historique/{watch.line['id']}/retablir"
        [undo] = {link for link in Page(browser.get(answer.location)).links if link.startswith(restore)}
        assert restore in Page(browser.get(HISTORY)).links
        undone = browser.post(undo, browser.form(undo))
        assert undone.location == f"{TAB}?diplome={other}", "back to the masks one came from"
        assert wordings(app, world, other) == {"equipment": "Outillage"}

    def test_copy_masks_that_are_the_same_writes_nothing(self, app: Flask, as_: As, world: World, other: str) -> None:
        browser, fields = as_("administrator"), {"diplome": world.diploma_code, "vers": other}
        browser.post(COPY, fields)

        with nothing_written(app):
            asked = browser.get(COPY, query_string=fields)
            answer = browser.post(COPY, fields, follow_redirects=True)

        assert "Rien ne changera : les deux diplômes ont les mêmes intitulés" in Page(asked).text
        assert "Rien n’a changé : les deux diplômes ont les mêmes intitulés" in Page(answer).text

    def test_copy_masks_onto_themselves_is_refused(self, app: Flask, as_: As, world: World) -> None:
        browser, fields = as_("administrator"), {"diplome": world.diploma_code, "vers": world.diploma_code}

        with nothing_written(app):
            answer = browser.post(COPY, fields)

        assert answer.status_code == 422
        assert "Choisissez deux diplômes différents" in Page(answer).text
