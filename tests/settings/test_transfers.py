"""The tab Transferts: no « Oui » without a reference, the references that are taken, the event, two people."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from cpro.establishments.models import CNILKind
from cpro.extensions import db
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, school_row, set_school, watching

URL = "/admin/parametres/transferts"
CHOOSE = "Choisissez l’une des réponses proposées."
As = Callable[..., Browser]

#: what is posted over the form as it stands, the field refused, what the sentence must say.
REFUSED = {
    "yes without a reference": ({"transfers_enabled": "oui"}, "cnil_reference", "Indiquez d’abord la référence"),
    "yes with a blank reference": (
        {"transfers_enabled": "oui", "cnil_reference": "  "},
        "cnil_reference",
        "Indiquez d’abord la référence",
    ),
    "declaration of five digits": ({"cnil_reference": "12345"}, "cnil_reference", "6 ou 7 chiffres"),
    "declaration of eight digits": ({"cnil_reference": "12345678"}, "cnil_reference", "6 ou 7 chiffres"),
    "declaration with letters": ({"cnil_reference": "fiche 12"}, "cnil_reference", "6 ou 7 chiffres"),
    "declaration of Arabic digits": ({"cnil_reference": "١٢٣٤٥٦"}, "cnil_reference", "6 ou 7 chiffres"),
    "register of two characters": (
        {"cnil_kind": "registre", "cnil_reference": "12"},
        "cnil_reference",
        "au moins 3 caractères",
    ),
    "register of 61 characters": (
        {"cnil_kind": "registre", "cnil_reference": "x" * 61},
        "cnil_reference",
        "le maximum est 60",
    ),
    "ten thousand characters": ({"cnil_reference": "1" * 10_000}, "cnil_reference", "10 000 caractères"),
    "NUL bytes": ({"cnil_reference": "1679\x00866"}, "cnil_reference", "caractère de contrôle"),
    "control characters": ({"cnil_kind": "registre", "cnil_reference": "fiche \x07"}, "cnil_reference", "contrôle"),
    "unknown kind": ({"cnil_kind": "rumeur"}, "cnil_kind", CHOOSE),
    "unknown answer about transfers": (
        {"transfers_enabled": "peutetre"},
        "transfers_enabled",
        CHOOSE,
    ),
    "unknown answer about SIECLE": (
        {"uses_siecle": "peutetre"},
        "uses_siecle",
        CHOOSE,
    ),
    "very long answer": (
        {"transfers_enabled": "oui" * 4000},
        "transfers_enabled",
        CHOOSE,
    ),
}


class TestSaveTransfersRefused:
    @pytest.mark.parametrize("case", REFUSED)
    def test_save_transfers_is_explained_beside_its_field_and_nothing_is_written(
        self, app: Flask, as_: As, case: str
    ) -> None:
        typed, field, sentence = REFUSED[case]
        browser = as_("administrator")
        form = {**browser.form(URL), "cnil_kind": "declaration", "uses_siecle": "non", **typed}

        with nothing_written(app):
            answer = browser.post(URL, form)

        page = Page(answer)
        assert answer.status_code == 422
        assert sentence in page.error(field)
        assert "uses_siecle" in typed or page.values()["uses_siecle"] == "non"
        if (
            "cnil_reference" in typed
            and "\x00" not in typed["cnil_reference"]
            and "\x07" not in typed["cnil_reference"]
        ):
            assert page.values()["cnil_reference"].strip() == typed["cnil_reference"].strip()

    def test_save_transfers_a_register_reference_is_no_declaration(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, cnil_kind=CNILKind.REGISTER, cnil_reference="Fiche 12", transfers_enabled=True)
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post(URL, {"cnil_kind": "declaration"})

        assert answer.status_code == 422
        assert "6 ou 7 chiffres" in Page(answer).error("cnil_reference")

    def test_save_transfers_the_reference_cannot_be_blanked_while_transfers_are_on(
        self, app: Flask, as_: As, world: World
    ) -> None:
        set_school(app, world.a.id, cnil_reference="1679866", transfers_enabled=True)
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post(URL, {"cnil_reference": ""})

        assert answer.status_code == 422

    def test_save_transfers_support_reads_only(self, app: Flask, as_: As) -> None:
        browser = as_("support", enter="a")

        with nothing_written(app):
            answer = browser.post(URL, {"uses_siecle": "non"})

        assert answer.status_code == 403

    def test_save_transfers_the_database_itself_refuses_transfers_without_a_reference(
        self, app: Flask, world: World
    ) -> None:
        with app.app_context(), pytest.raises(IntegrityError), db.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
            connection.execute(text("UPDATE establishment SET transfers_enabled = true, cnil_reference = ''"))


#: kind, what is typed, what is stored.
TAKEN = {
    "declaration": ("declaration", "1679866", "1679866"),
    "declaration of six digits": ("declaration", " 167 986 ", "167986"),
    "declaration with its version": ("declaration", "1679866 V0", "1679866 v 0"),
    "declaration with its version, as printed": ("declaration", "1679866 v 0", "1679866 v 0"),
    "register": ("registre", "  Registre des traitements,  fiche 12 ", "Registre des traitements, fiche 12"),
    "register of 3 characters": ("registre", "F12", "F12"),
    "register of 60 characters": ("registre", "é" * 60, "é" * 60),
    "register with a sign": ("registre", "Fiche ⚡ 12", "Fiche ⚡ 12"),
}


class TestSaveTransfers:
    @pytest.mark.parametrize("case", TAKEN)
    def test_save_transfers_with_a_reference_transfers_are_switched_on(
        self, app: Flask, as_: As, world: World, case: str
    ) -> None:
        kind, typed, stored = TAKEN[case]
        browser = as_("administrator")
        form = {**browser.form(URL), "cnil_kind": kind, "cnil_reference": typed, "transfers_enabled": "oui"}

        with watching(app) as watch:
            answer = browser.post(URL, form)

        row = school_row(app, world.a.id)
        assert answer.status_code == 303
        assert (row["cnil_kind"], row["cnil_reference"], row["transfers_enabled"]) == (kind, stored, True)
        assert watch.changed == {"establishment", "audit_entry", "job"}  # the job looks for pupils to transfer
        assert watch.line["action"] == "establishment:transfers:changed"
        assert watch.line["changes"]["transfers_enabled"] == [False, True]
        assert watch.line["changes"]["cnil_reference"] == ["", stored]

    def test_save_transfers_the_head_may_switch_them_off_and_keep_the_reference(
        self, app: Flask, as_: As, world: World
    ) -> None:
        set_school(app, world.a.id, cnil_reference="1679866", transfers_enabled=True)
        browser = as_("head")

        asked = browser.post(URL, {**browser.form(URL), "transfers_enabled": "non"})
        answer = browser.post(URL, {**browser.form(URL), "transfers_enabled": "non", "confirme": "oui"})

        row = school_row(app, world.a.id)
        assert "Désactiver les transferts ?" in Page(asked).text
        assert answer.status_code == 303
        assert (row["transfers_enabled"], row["cnil_reference"]) == (False, "1679866")

    def test_save_transfers_fields_that_are_not_posted_keep_their_value(
        self, app: Flask, as_: As, world: World
    ) -> None:
        set_school(app, world.a.id, cnil_reference="1679866", transfers_enabled=True)
        before = school_row(app, world.a.id)

        answer = as_("administrator").post(URL, {"uses_siecle": "non"})

        assert answer.status_code == 303
        assert school_row(app, world.a.id) == {**before, "uses_siecle": False}

    def test_save_transfers_an_unchanged_form_leaves_no_trace(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            assert browser.post(URL, browser.form(URL)).status_code == 303

    def test_save_transfers_the_other_school_keeps_its_own_switch(self, app: Flask, as_: As, world: World) -> None:
        before = school_row(app, world.b.id)

        as_("administrator").post(URL, {"cnil_reference": "1679866", "transfers_enabled": "oui"})

        assert school_row(app, world.b.id) == before

    def test_save_transfers_what_it_changes_is_said_beside(self, as_: As) -> None:
        browser = as_("administrator")
        off = Page(browser.get(URL)).text
        browser.post(URL, {"cnil_reference": "1679866", "transfers_enabled": "oui"})

        assert "Les transferts sont désactivés" in off
        assert "Les transferts sont activés" in Page(browser.get(URL)).text


class TestSaveTransfersTwoPeople:
    def test_save_transfers_the_second_reads_who_saved_what_and_loses_nothing(
        self, app: Flask, as_: As, world: World
    ) -> None:
        first, second = as_("administrator"), as_("head")
        form = second.form(URL)
        first.post(URL, {**first.form(URL), "cnil_reference": "1679866", "transfers_enabled": "oui"})

        with nothing_written(app):
            answer = second.post(URL, {**form, "cnil_reference": "1234567", "uses_siecle": "non"})

        page = Page(answer)
        assert answer.status_code == 409
        label = "Numéro de la déclaration, ou référence dans le registre"
        assert page.clashes() == [[label, "1679866", "1234567"]]
        assert "Alix GRANITE, le " in page.text
        assert page.values()["uses_siecle"] == "non"
        assert page.values()["transfers_enabled"] == "oui", "what was not touched takes what is stored"

        again = second.post(URL, page.values())

        row = school_row(app, world.a.id)
        assert again.status_code == 303
        assert (row["cnil_reference"], row["transfers_enabled"], row["uses_siecle"]) == ("1234567", True, False)

    def test_save_transfers_a_form_about_other_fields_is_not_disturbed(self, app: Flask, as_: As, world: World) -> None:
        first, second = as_("administrator"), as_("head")
        form = second.form(URL)
        first.post("/admin/parametres/etablissement", {"name": "Nom d’Alix"})

        assert second.post(URL, {**form, "uses_siecle": "non"}).status_code == 303
        row = school_row(app, world.a.id)
        assert (row["name"], row["uses_siecle"]) == ("Nom d’Alix", False)

    def test_save_transfers_a_script_that_posts_no_version_is_accepted(self, as_: As) -> None:
        as_("head").post(URL, {"uses_siecle": "non"})

        assert as_("administrator").post(URL, {"uses_siecle": "oui"}).status_code == 303


class TestSaveTransfersMessage:
    """What was saved is named with the answer given: some labels are sentences, true or false."""

    @pytest.mark.parametrize(("answer", "word"), [("non", "Non"), ("oui", "Oui")])
    def test_save_transfers_the_message_gives_the_answer_about_siecle(
        self, app: Flask, as_: As, world: World, answer: str, word: str
    ) -> None:
        set_school(app, world.a.id, uses_siecle=answer == "non")
        browser = as_("administrator")

        browser.post(URL, {**browser.form(URL), "uses_siecle": answer})

        [message] = Page(browser.get(URL)).flashes
        said = f"C’est fait Enregistré : « L’établissement utilise SIECLE » : {word}."
        assert message.startswith(said)
        assert ("les exports de SIECLE sont refusés" in message) is (answer == "non")
        assert ("Revenir à « Oui »" in message) is (answer == "non")

    def test_save_transfers_the_message_names_each_field_once(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, uses_siecle=True)
        browser = as_("administrator")

        typed = {"uses_siecle": "non", "cnil_kind": "registre", "cnil_reference": "fiche 12"}
        browser.post(URL, {**browser.form(URL), **typed})

        [message] = Page(browser.get(URL)).flashes
        assert message.startswith(
            "C’est fait Enregistré : « Nature de la référence » : Registre RGPD ; Numéro de la déclaration, ou "
            "référence dans le registre ; « L’établissement utilise SIECLE » : Non."
        )


class TestTransfersPage:
    def test_transfers_page_says_what_yes_does_before_it_is_chosen(self, as_: As) -> None:
        text = Page(as_("administrator").get(URL)).text

        assert "« Oui » agit dès que vous validez" in text
        assert "dans la minute, sans autre question" in text
        assert text.index("« Oui » agit dès que") < text.index("Activer les transferts")
        assert text.index("« Non » est pour un établissement qui n’a pas SIECLE") < text.index(
            "L’établissement utilise SIECLE"
        )

    def test_transfers_page_says_nothing_of_switching_on_once_they_are(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, cnil_reference="1679866", transfers_enabled=True)

        assert "« Oui » agit dès que vous validez" not in Page(as_("administrator").get(URL)).text

    def test_transfers_page_preselects_no_kind_of_reference_before_there_is_one(
        self, app: Flask, as_: As, world: World
    ) -> None:
        browser = as_("administrator")
        assert "cnil_kind" not in browser.form(URL)

        set_school(app, world.a.id, cnil_kind=CNILKind.REGISTER, cnil_reference="Fiche 12")
        assert browser.form(URL)["cnil_kind"] == "registre"

    def test_transfers_page_asks_for_the_kind_of_a_reference_that_is_no_number(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post(URL, {**browser.form(URL), "cnil_reference": "Fiche 12"})

        page = Page(answer)
        assert answer.status_code == 422
        assert "Choisissez d’abord" in page.text
        assert page.values()["cnil_reference"] == "Fiche 12"

    def test_transfers_page_takes_a_number_without_its_kind_for_a_declaration(
        self, app: Flask, as_: As, world: World
    ) -> None:
        browser = as_("administrator")

        answer = browser.post(URL, {**browser.form(URL), "cnil_reference": "1679866", "transfers_enabled": "oui"})

        assert answer.status_code == 303
        assert school_row(app, world.a.id)["cnil_kind"] == "declaration"
