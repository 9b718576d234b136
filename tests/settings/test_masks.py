"""The tab Masque de saisie, in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from markupsafe import Markup

from cpro.masks.models import FieldKind, Mask, MaskKey
from tests.factories import World, make_diploma
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_up, watching

TAB = "/admin/parametres/masques"
RESET = f"{TAB}/reinitialiser"
KEYS = [key.value for key in MaskKey]
As = Callable[..., Browser]


@pytest.fixture
def url(world: World) -> str:
    """Return the address of the diploma that both schools prepare for; each words its links."""
    return f"{TAB}?diplome={world.diploma_code}"


def wordings(app: Flask, world: World) -> dict[str, dict[str, str]]:
    """Return the stored wordings of each school."""
    found: dict[int, dict[str, str]] = {world.a.id: {}, world.b.id: {}}
    for row in rows(app, Mask):
        found[row["establishment_id"]][row["key"]] = row["wording"]
    return {"a": found[world.a.id], "b": found[world.b.id]}


#: what is typed, what the sentence must say.
REFUSED = {
    "201 characters": ("x" * 201, "compte 201 caractères, le maximum est 200"),
    "300 characters": ("x" * 300, "compte 300 caractères, le maximum est 200"),
    "10 000 characters": ("x" * 10_000, "compte 10 000 caractères, le maximum est 200"),
    "a NUL byte": ("Contexte\x00", "caractère de contrôle"),
    "a control character": ("Con\x1btexte", "caractère de contrôle"),
}


class TestEditMasks:
    def test_edit_masks_without_a_diploma_one_is_asked_for(self, as_: As) -> None:
        page = Page(as_("administrator").get(TAB))

        assert "Choisissez un diplôme" in page.text

    @pytest.mark.parametrize(
        "code", ["INCONNU", "x" * 10_000, "%", "'; DROP TABLE mask; --", "<script>alert(1)</script>"]
    )
    def test_edit_masks_an_unknown_diploma_is_reported(self, app: Flask, as_: As, code: str) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answers = [
                browser.get(TAB, query_string={"diplome": code}),
                browser.post(TAB, {"diplome": code, "links": "x"}),
                browser.get(RESET, query_string={"diplome": code}),
                browser.post(RESET, {"diplome": code}),
            ]

        assert [answer.status_code for answer in answers] == [404] * 4
        assert all("n’existe pas" in Page(answer).text for answer in answers)
        assert all("<script>alert" not in answer.text for answer in answers)

    def test_edit_masks_a_nul_in_the_diploma_is_refused(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            assert browser.get(f"{TAB}?diplome=%00").status_code == 400
            assert browser.post(TAB, {"diplome": "\x00"}).status_code == 404
            assert browser.post(RESET, {"diplome": "4002\x005520"}).status_code == 404

    def test_edit_masks_the_diploma_of_another_school_does_not_exist(self, app: Flask, as_: As, world: World) -> None:
        set_up(app, lambda session: session.add(make_diploma(code="MAISON-B", establishment_id=world.b.id)))
        a, b = as_("administrator"), as_("administrator", "b")

        with nothing_written(app):
            assert a.get(f"{TAB}?diplome=MAISON-B").status_code == 404
            assert a.post(f"{TAB}?diplome=MAISON-B", {"links": "Intrus"}).status_code == 404
            assert a.post(RESET, {"diplome": "MAISON-B"}).status_code == 404
        assert "MAISON-B" not in a.get(TAB).text
        assert b.get(f"{TAB}?diplome=MAISON-B").status_code == 200

    def test_edit_masks_the_default_stands_beside_each_wording(self, as_: As, url: str) -> None:
        page = Page(as_("administrator").get(url))

        assert all(f"Intitulé d’origine : « {key.default} »" in page.text for key in MaskKey)
        values = page.values()
        assert {key: values[key] for key in KEYS} == {**dict.fromkeys(KEYS, ""), "links": "Liens de alpha"}

    @pytest.mark.parametrize("role", ["head", "support"])
    def test_edit_masks_the_others_read_only(self, app: Flask, as_: As, url: str, world: World, role: str) -> None:
        browser = as_(role, **({"enter": "a"} if role == "support" else {}))
        reset = {"diplome": world.diploma_code}

        page = browser.get(url)

        assert "Lecture seule" in Page(page).text
        assert "Liens de alpha" in page.text
        assert "Valider" not in Page(page).text
        with nothing_written(app):
            assert browser.post(url, {"links": "Détourné"}).status_code == 403
            assert browser.post(RESET, reset).status_code == 403
            assert browser.get(RESET, query_string=reset).status_code == 403

    def test_edit_masks_a_key_is_shown_wherever_its_kind_is(self, as_: As, url: str) -> None:
        preview, help_page = Page(as_("administrator").get(url)).text, Page(as_("teacher").get("/aide/masques")).text
        scenario = as_("teacher").get("/scenarios/nouveau")

        assert all(Markup(key.example).striptags() in preview for key in MaskKey)
        assert all(key.default in help_page for key in MaskKey)
        assert re.findall(r'id="(\w+)-intitule"', scenario.text) == [
            key.value for key in MaskKey if key.kind is FieldKind.RICH_TEXT
        ]


class TestSaveMasks:
    @pytest.mark.parametrize("case", REFUSED)
    @pytest.mark.parametrize("key", KEYS)
    def test_save_masks_a_refused_wording_is_explained_beside_its_field(
        self, app: Flask, as_: As, url: str, key: str, case: str
    ) -> None:
        typed, sentence = REFUSED[case]
        other = "equipment" if key != "equipment" else "knowledge"
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post(url, {**browser.form(url), other: "Outillage", key: typed})

        page = Page(answer)
        assert answer.status_code == 422
        assert sentence in page.error(key)
        assert page.values()[other] == "Outillage"
        assert "\x00" in typed or page.values()[key] == typed

    def test_save_masks_a_field_that_does_not_exist_is_refused_with_the_rest(
        self, app: Flask, as_: As, url: str
    ) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post(url, {**browser.form(url), "links": "Changé", "titre": "Titre"})

        page = Page(answer)
        assert answer.status_code == 404
        assert "Le champ « titre » n’existe pas" in page.alerts[0]
        assert page.values()["links"] == "Changé"

    def test_save_masks_only_what_differs_is_stored(self, app: Flask, as_: As, url: str, world: World) -> None:
        browser = as_("administrator")
        form = {**browser.form(url), "description": MaskKey.DESCRIPTION.default, "equipment": "Outillage ⚡"}

        with watching(app) as watch:
            answer = browser.post(url, form)

        assert answer.status_code == 303
        assert watch.changed == {"mask", "audit_entry"}
        assert watch.line["changes"] == {"equipment": [MaskKey.EQUIPMENT.default, "Outillage ⚡"]}
        assert wordings(app, world) == {
            "a": {"links": "Liens de alpha", "equipment": "Outillage ⚡"},
            "b": {"links": "Liens de beta"},
        }

    def test_save_masks_fields_that_are_not_posted_keep_their_wording(
        self, app: Flask, as_: As, url: str, world: World
    ) -> None:
        as_("administrator").post(url, {"equipment": "Outillage"})

        assert wordings(app, world)["a"] == {"links": "Liens de alpha", "equipment": "Outillage"}

    def test_save_masks_the_diploma_may_be_a_field(self, app: Flask, as_: As, world: World) -> None:
        answer = as_("administrator").post(TAB, {"diplome": world.diploma_code, "equipment": "Outillage"})

        assert answer.status_code == 303
        assert wordings(app, world)["a"]["equipment"] == "Outillage"

    def test_save_masks_an_unchanged_form_leaves_no_trace(self, app: Flask, as_: As, url: str) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            assert browser.post(url, browser.form(url)).status_code == 303
        assert "Rien n’a changé" in Page(browser.get(url)).flashes[0]

    def test_save_masks_a_wording_made_of_html_is_shown_as_text(self, as_: As, url: str, world: World) -> None:
        browser, wording = as_("administrator"), "<script>alert(1)</script>"
        browser.post(url, {"links": wording})

        answers = [browser.get(url), browser.get(f"{RESET}?diplome={world.diploma_code}")]

        assert all("<script>alert" not in answer.text for answer in answers)
        assert Page(answers[0]).values()["links"] == wording
        assert f"« {wording} » sera remplacé" in Page(answers[1]).text


class TestSaveMasksTwoPeople:
    def test_save_masks_the_second_is_warned_and_loses_nothing(
        self, app: Flask, as_: As, url: str, world: World
    ) -> None:
        first, second = as_("administrator"), as_("administrator")
        form = second.form(url)
        first.post(url, {**first.form(url), "links": "Premier"})

        with nothing_written(app):
            answer = second.post(url, {**form, "links": "Second", "equipment": "Outillage"})

        page = Page(answer)
        assert answer.status_code == 409
        assert "Alix GRANITE, le " in page.text
        assert [clash[1:] for clash in page.clashes()] == [["Premier", "Second"]]

        again: dict[str, Any] = page.values()
        assert second.post(url, again).status_code == 303
        assert wordings(app, world)["a"] == {"links": "Second", "equipment": "Outillage"}

    def test_save_masks_a_reset_meanwhile_is_kept_and_reported(
        self, app: Flask, as_: As, url: str, world: World
    ) -> None:
        first, second = as_("administrator"), as_("administrator")
        form = second.form(url)
        first.post(RESET, {"diplome": world.diploma_code})

        answer = second.post(url, {**form, "equipment": "Outillage"})

        assert answer.status_code == 303
        assert wordings(app, world)["a"] == {"equipment": "Outillage"}
        assert "Alix GRANITE avait changé « Liens » entre-temps" in Page(second.get(answer.location)).text

    def test_save_masks_a_form_about_another_diploma_is_not_disturbed(self, app: Flask, as_: As, url: str) -> None:
        set_up(app, lambda session: session.add(make_diploma(code="CAP-ELEC", short_label="CAP Électricien")))
        first, second = as_("administrator"), as_("administrator")
        form = second.form(url)
        first.post(f"{TAB}?diplome=CAP-ELEC", {"links": "Liens du CAP"})

        assert second.post(url, {**form, "links": "Second"}).status_code == 303

    def test_save_masks_a_script_that_posts_no_version_is_accepted(self, as_: As, url: str) -> None:
        as_("administrator").post(url, {"links": "Premier"})

        assert as_("administrator").post(url, {"links": "Second"}).status_code == 303


class TestResetMasks:
    def test_reset_masks_asks_first_and_names_what_is_lost(self, app: Flask, as_: As, url: str, world: World) -> None:
        browser = as_("administrator")
        browser.post(url, {"description": "Contexte"})

        with nothing_written(app):
            answer = browser.get(f"{RESET}?diplome={world.diploma_code}")

        page = Page(answer)
        assert answer.status_code == 200
        assert "« Liens de alpha » sera remplacé" in page.text
        assert "« Contexte » sera remplacé" in page.text
        assert "Bac pro MELEC" in page.text

    def test_reset_masks_of_one_field_names_that_one_only(self, as_: As, url: str, world: World) -> None:
        browser = as_("administrator")
        browser.post(url, {"description": "Contexte"})

        page = Page(browser.get(f"{RESET}?diplome={world.diploma_code}&key=description"))

        assert "« Contexte » sera remplacé" in page.text
        assert "Liens de alpha" not in page.text

    def test_reset_masks_of_one_field_leaves_the_others(self, app: Flask, as_: As, url: str, world: World) -> None:
        browser = as_("administrator")
        browser.post(url, {"description": "Contexte"})

        with watching(app) as watch:
            answer = browser.post(RESET, {"diplome": world.diploma_code, "key": "description"})

        assert answer.status_code == 303
        assert watch.line["action"] == "masks:reset"
        assert watch.line["object_label"].startswith(f"«\u202f{MaskKey.DESCRIPTION.default}\u202f», ")
        assert wordings(app, world)["a"] == {"links": "Liens de alpha"}
        text = Page(browser.get("/admin/journal/?action=masks:reset")).text
        assert "a rétabli les intitulés d’origine" in text
        assert f"« {MaskKey.DESCRIPTION.default} », " in text

    def test_reset_masks_is_offered_only_where_something_was_worded(self, as_: As, url: str, world: World) -> None:
        browser = as_("administrator")
        reset = f'href="{RESET}?diplome='

        before = browser.get(url).text
        browser.post(RESET, {"diplome": world.diploma_code})

        assert reset in before
        assert reset not in browser.get(url).text

    def test_reset_masks_of_all_leaves_the_other_school(self, app: Flask, as_: As, url: str, world: World) -> None:
        browser = as_("administrator")
        browser.post(url, {"description": "Contexte"})

        assert browser.post(RESET, {"diplome": world.diploma_code}).status_code == 303
        assert wordings(app, world) == {"a": {}, "b": {"links": "Liens de beta"}}

    @pytest.mark.parametrize("key", ["titre", "DESCRIPTION", "x" * 10_000, "links\x00"])
    def test_reset_masks_of_a_field_that_does_not_exist_is_refused(
        self, app: Flask, as_: As, world: World, key: str
    ) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post(RESET, {"diplome": world.diploma_code, "key": key})

        assert answer.status_code == 404
        assert "n’existe pas dans l’écran des scénarios" in Page(answer).text

    def test_reset_masks_when_nothing_was_worded_leaves_no_trace(self, app: Flask, as_: As, world: World) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post(RESET, {"diplome": world.diploma_code, "key": "knowledge"})

        assert answer.status_code == 303
        assert "Rien n’a changé" in Page(browser.get(TAB)).flashes[0]
