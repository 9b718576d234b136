"""The tab Établissement: what is refused, what is normalised, what is kept, two people on one form."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask

from cpro.establishments.operations.particulars import RULES
from tests.factories import NOW, PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import failing_journal, nothing_written, school_row, set_school, watching

URL = "/admin/parametres/etablissement"
TEXT_FIELDS = [name for name in RULES if name != "timezone"]
As = Callable[..., Browser]

#: field, what is typed, what the sentence beside it must say.
REFUSED = {
    "emoji in the name": ("name", "Lycée des métiers 👩🏽‍🔧🎓", "contient « 👩 », un signe que les documents"),
    "UAI with a wrong key": ("uai", "0940321S", "la lettre attendue est"),
    "UAI too short": ("uai", "094032S", "sept chiffres et d’une lettre"),
    "UAI of another school": ("uai", "0999002X", "déjà celui d’un autre établissement"),
    "UAI of another school, in lower case": ("uai", "0999 002 x", "déjà celui d’un autre établissement"),
    "e-mail without a dot": ("email", "a@b", "il manque un point après l’arobase"),
    "e-mail of the DPD without an at": ("dpd_email", "dpd", "doit contenir une arobase"),
    "postal code with a letter": ("postal_code", "9500A", "Le code postal compte cinq chiffres"),
    "phone of nine digits": ("phone", "01 23 45 67 8", "dix chiffres"),
    "web site that is a script": ("website", "javascript:alert(1)", "doit commencer par https://"),
    "time zone that does not exist": ("timezone", "Mars/Olympus", "n’est pas proposé : choisissez-en un dans la liste"),
}


class TestSaveEstablishmentRefused:
    @pytest.mark.parametrize("case", REFUSED)
    def test_save_establishment_a_refused_value_is_explained_beside_its_field_and_nothing_is_written(
        self, app: Flask, as_: As, case: str
    ) -> None:
        field, typed, sentence = REFUSED[case]
        browser = as_("administrator")
        form = {**browser.form(URL), "signatory_name": "Nouvelle Signataire", field: typed}

        with nothing_written(app):
            answer = browser.post(URL, form)

        page = Page(answer)
        assert answer.status_code == 422
        assert sentence in page.error(field)
        assert [name for name in RULES if page.error(name)] == [field]
        assert page.values()["signatory_name"] == "Nouvelle Signataire"
        if field not in ("timezone", "uai"):
            assert page.values()[field] == typed

    @pytest.mark.parametrize("field", TEXT_FIELDS)
    def test_save_establishment_ten_thousand_characters_are_refused_in_any_field(
        self, app: Flask, as_: As, field: str
    ) -> None:
        browser = as_("administrator")
        other = "city" if field != "city" else "academy"
        form = {**browser.form(URL), other: "Exempleville", field: "x" * 10_000}

        with nothing_written(app):
            answer = browser.post(URL, form)

        page = Page(answer)
        assert answer.status_code == 422
        assert page.error(field).endswith(".")
        assert page.values()[field] == "x" * 10_000
        assert page.values()[other] == "Exempleville"

    @pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\u202e"])
    @pytest.mark.parametrize("field", TEXT_FIELDS)
    def test_save_establishment_control_characters_are_refused_in_any_field(
        self, app: Flask, as_: As, field: str, character: str
    ) -> None:
        browser = as_("administrator")
        valid = {
            **{"uai": "0570109J", "postal_code": "95000", "phone": "0123456789"},
            **{"email": "contact@b.example", "dpd_email": "contact@b.example", "website": "https://lycee.example"},
        }
        text = valid.get(field, "Lycée Exemple")
        assert RULES[field](text), "what is seen of it is right"

        with nothing_written(app):
            answer = browser.post(URL, {**browser.form(URL), field: f"{text[:4]}{character}{text[4:]}"})

        assert answer.status_code == 422
        assert "caractère de contrôle invisible. Retapez-le" in Page(answer).error(field)

    def test_save_establishment_all_mistakes_are_reported_at_once(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        typed = {"uai": "0940321S", "email": "a@b", "postal_code": "9500A", "name": "Lycée Nouveau"}

        with nothing_written(app):
            page = Page(browser.post(URL, {**browser.form(URL), **typed}))

        assert [name for name in RULES if page.error(name)] == ["uai", "email", "postal_code"]
        assert "3 points sont à corriger" in page.alerts[0]
        assert {name: page.values()[name] for name in typed} == typed

    def test_save_establishment_a_locked_uai_is_kept(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, uai_locked_at=NOW)
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post(URL, {**browser.form(URL), "uai": "0570109J", "city": "Metz"})

        page = Page(answer)
        assert answer.status_code == 422
        assert "Le code UAI ne peut plus changer" in page.error("uai")
        assert page.values()["city"] == "Metz"

    def test_save_establishment_a_locked_uai_cannot_be_blanked(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, uai_locked_at=NOW)
        browser = as_("head")

        with nothing_written(app):
            answer = browser.post(URL, {"uai": ""})

        assert answer.status_code == 422

    def test_save_establishment_a_locked_uai_does_not_stop_the_rest(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, uai_locked_at=NOW)
        browser = as_("administrator")

        answer = browser.post(URL, {**browser.form(URL), "uai": "0999001w", "city": "Metz"})

        assert answer.status_code == 303
        assert school_row(app, world.a.id)["city"] == "Metz"

    def test_save_establishment_support_reads_only(self, app: Flask, as_: As) -> None:
        browser = as_("support", enter="a")

        with nothing_written(app):
            answer = browser.post(URL, {"name": "Détourné"})

        assert answer.status_code == 403
        assert "Lecture seule" in Page(browser.get(URL)).text

    def test_save_establishment_a_file_posted_as_a_text_is_not_a_text(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post(URL, {"name": (io.BytesIO(b"x"), "nom.txt")}, content_type="multipart/form-data")

        assert answer.status_code == 303


#: field, what is typed, what is stored.
NORMALISED = {
    "UAI in lower case with spaces": ("uai", " 057 0109 j ", "0570109J"),
    "UAI": ("uai", "0570109J", "0570109J"),
    "blank UAI": ("uai", "  ", None),
    "rare letters in the name": ("name", "Lycée Łukasz Nguyễn ✓", "Lycée Łukasz Nguyễn ✓"),
    "runs of spaces": ("name", "  Lycée   Ada\tLovelace ", "Lycée Ada Lovelace"),
    "name of 150 characters": ("name", "é" * 150, "é" * 150),
    "phone": ("phone", "01.23.45.67.89", "01 23 45 67 89"),
    "postal code": ("postal_code", " 95 000 ", "95000"),
    "web site without scheme": ("website", "www.lycee.example", "https://www.lycee.example"),
    "time zone of Réunion": ("timezone", "Indian/Reunion", "Indian/Reunion"),
}


class TestSaveEstablishment:
    @pytest.mark.parametrize("case", NORMALISED)
    def test_save_establishment_a_value_is_normalised_and_stored(
        self, app: Flask, as_: As, world: World, case: str
    ) -> None:
        field, typed, stored = NORMALISED[case]
        browser = as_("administrator")
        before = school_row(app, world.a.id)

        with watching(app) as watch:
            answer = browser.post(URL, {**browser.form(URL), field: typed})

        assert answer.status_code == 303
        after = school_row(app, world.a.id)
        assert after == {**before, field: stored, "search_key": after["search_key"]}
        assert watch.changed == {"establishment", "audit_entry"}
        assert watch.line["changes"] == {field: [before[field] or "", stored or ""]}

    def test_save_establishment_an_address_is_normalised_and_stored(self, app: Flask, as_: As, world: World) -> None:
        typed = {"email": " Contact@LYCEE.Example ", "current_password": PASSWORD}
        browser = as_("administrator")

        with watching(app) as watch:
            assert browser.post(URL, typed).status_code == 303

        assert school_row(app, world.a.id)["email"] == "Contact@lycee.example"
        assert watch.line["changes"] == {"email": ["contact@alpha.example", "Contact@lycee.example"]}

    @pytest.mark.parametrize("email", ["contact@alpha.example", ""])
    @pytest.mark.parametrize("page", [URL, "/admin/etablissements/edit/?id={id}"])
    def test_save_establishment_says_that_the_password_is_asked_where_it_is(
        self, app: Flask, as_: As, world: World, page: str, email: str
    ) -> None:
        set_school(app, world.a.id, email=email)

        text = Page(as_("administrator").get(page.format(id=world.a.id))).text

        assert ("votre mot de passe vous sera demandé" in text) is bool(email)

    def test_save_establishment_everything_may_be_left_blank(self, app: Flask, as_: As, world: World) -> None:
        answer = as_("head").post(URL, {**dict.fromkeys(RULES, ""), "current_password": PASSWORD})

        row = school_row(app, world.a.id)
        assert answer.status_code == 303
        assert {row[name] or "" for name in RULES} == {""}

    def test_save_establishment_two_schools_may_both_have_no_uai(self, app: Flask, as_: As, world: World) -> None:
        assert as_("head").post(URL, {"uai": ""}).status_code == 303
        assert as_("head", "b").post(URL, {"uai": ""}).status_code == 303

        assert school_row(app, world.a.id)["uai"] is school_row(app, world.b.id)["uai"] is None

    def test_save_establishment_the_other_school_is_never_touched(self, app: Flask, as_: As, world: World) -> None:
        before = school_row(app, world.b.id)

        as_("administrator").post(URL, {"name": "Lycée Nouveau", "id": str(world.b.id), "establishment_id": world.b.id})

        assert school_row(app, world.b.id) == before
        assert school_row(app, world.a.id)["name"] == "Lycée Nouveau"

    def test_save_establishment_fields_that_are_not_posted_keep_their_value(
        self, app: Flask, as_: As, world: World
    ) -> None:
        before = school_row(app, world.a.id)

        answer = as_("administrator").post(URL, {"name": "Lycée Nouveau"})

        after = school_row(app, world.a.id)
        assert answer.status_code == 303
        assert after == {**before, "name": "Lycée Nouveau", "search_key": after["search_key"]}

    def test_save_establishment_an_unchanged_form_leaves_no_trace(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post(URL, browser.form(URL))

        assert answer.status_code == 303
        assert "Rien n’a changé" in Page(browser.get(URL)).flashes[0]

    def test_save_establishment_the_message_names_what_changed(self, as_: As) -> None:
        browser = as_("administrator")

        browser.post(URL, {**browser.form(URL), "city": "Metz", "academy": "Nancy-Metz"})

        assert Page(browser.get(URL)).flashes == ["C’est fait Enregistré : Ville, Académie."]

    def test_save_establishment_without_its_journal_line_a_change_does_not_happen(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        with nothing_written(app), failing_journal(), pytest.raises(RuntimeError):
            browser.post(URL, {"name": "Sans trace"})

    def test_save_establishment_a_name_made_of_html_is_shown_as_text_everywhere(self, as_: As) -> None:
        browser, name = as_("administrator"), '<script>alert(1)</script>"><b>'
        browser.post(URL, {"name": name, "signatory_name": name, "city": name})

        for path in (URL, "/admin/", "/admin/parametres/transferts", "/admin/parametres/logo", "/mon-compte"):
            answer = browser.get(path)
            assert "<script>alert" not in answer.text
            assert "<b>" not in answer.text
            assert name in Page(answer).title
        assert Page(browser.get(URL)).values()["city"] == name


class TestSaveEstablishmentTwoPeople:
    def test_save_establishment_the_second_reads_who_saved_what_and_loses_nothing(
        self, app: Flask, as_: As, world: World
    ) -> None:
        with time_machine.travel(datetime(2026, 11, 23, 13, 30, tzinfo=UTC), tick=False):
            first, second = as_("administrator"), as_("head")
            form = second.form(URL)
            first.post(URL, {**first.form(URL), "name": "Nom d’Alix", "city": "Ville d’Alix"})

            with nothing_written(app):
                answer = second.post(URL, {**form, "name": "Nom de Claude", "phone": "0123456789"})

        page = Page(answer)
        assert answer.status_code == 409
        assert "la valeur enregistrée par Alix GRANITE, le 23/11/2026 à 14 h 30" in page.text
        assert page.clashes() == [["Nom de l’établissement", "Nom d’Alix", "Nom de Claude"]]
        assert "Alix GRANITE avait changé « Ville » entre-temps" in page.text
        assert page.values()["name"] == "Nom de Claude"
        assert page.values()["city"] == "Ville d’Alix"
        assert page.values()["phone"] == "01 23 45 67 89"
        assert school_row(app, world.a.id)["name"] == "Nom d’Alix"

    def test_save_establishment_posting_again_applies(self, app: Flask, as_: As, world: World) -> None:
        first, second = as_("administrator"), as_("head")
        form = second.form(URL)
        first.post(URL, {**first.form(URL), "name": "Nom d’Alix"})
        page = Page(second.post(URL, {**form, "name": "Nom de Claude"}))

        with watching(app) as watch:
            answer = second.post(URL, page.values())

        assert answer.status_code == 303
        assert watch.line["changes"] == {"name": ["Nom d’Alix", "Nom de Claude"]}
        assert watch.line["actor_label"] == "Claude BASALTE"

    def test_save_establishment_posting_again_after_a_third_save_is_reported_again(self, as_: As) -> None:
        first, second = as_("administrator"), as_("head")
        form = second.form(URL)
        first.post(URL, {"name": "Une fois"})
        page = Page(second.post(URL, {**form, "name": "Nom de Claude"}))
        first.post(URL, {"name": "Deux fois"})

        answer = second.post(URL, page.values())

        assert answer.status_code == 409
        assert Page(answer).clashes() == [["Nom de l’établissement", "Deux fois", "Nom de Claude"]]

    def test_save_establishment_a_button_pressed_twice_is_no_conflict(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        form: dict[str, Any] = {**browser.form(URL), "name": "Lycée Nouveau"}
        browser.post(URL, form)

        with nothing_written(app):
            answer = browser.post(URL, form)

        assert answer.status_code == 303

    def test_save_establishment_a_script_that_posts_no_version_is_accepted(
        self, app: Flask, as_: As, world: World
    ) -> None:
        first, second = as_("administrator"), as_("head")
        second.get(URL)
        first.post(URL, {"name": "Nom d’Alix"})

        assert second.post(URL, {"name": "Nom de Claude"}).status_code == 303
        assert school_row(app, world.a.id)["name"] == "Nom de Claude"

    def test_save_establishment_a_form_about_other_fields_is_not_disturbed(
        self, app: Flask, as_: As, world: World
    ) -> None:
        transfers = "/admin/parametres/transferts"
        first, second = as_("administrator"), as_("head")
        particulars, switch = second.form(URL), second.form(transfers)
        first.post(transfers, {**switch, "cnil_reference": "1679866", "transfers_enabled": "oui"})

        assert second.post(URL, {**particulars, "city": "Metz"}).status_code == 303
        row = school_row(app, world.a.id)
        assert (row["city"], row["transfers_enabled"]) == ("Metz", True)
