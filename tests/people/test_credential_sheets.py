"""Activation sheets: who gets one, what it says, and that it is shown once and kept nowhere."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from cpro.core.permissions import Role
from cpro.core.ticked_rows import MOST_AT_ONCE, NoSuchRow, TooManyRows
from cpro.establishments.models import PictureKind
from tests.factories import NOW, PASSWORD, World, make_student
from tests.helpers.browser import Browser
from tests.helpers.credential_sheets import ADDRESS, ask, fetch
from tests.helpers.office import CODE, Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, watching


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def rows(answer: TestResponse) -> list[dict[str, str]]:
    """Return the sheets of a CSV answer."""
    assert answer.status_code == 200, answer.text
    text = answer.data.decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def chosen_in(page: Page, name: str) -> str | None:
    """Return what is chosen in a list of the page, or the answer ticked."""
    controls = [each for each in page.main.iter() if each.get("name") == name]
    offered = [option for each in controls for option in each.iter("option")] or controls
    ticked = [each for each in offered if {"selected", "checked"} & {*each.keys()}]
    return ticked[0].get("value") if ticked else None


class TestChooseCredentialSheets:
    def test_choose_credential_sheets_says_what_creating_them_does(self, as_: Callable[..., Browser]) -> None:
        page = as_("administrator").get(ADDRESS)

        assert page.status_code == 200
        assert "cessent de servir" in page.text
        assert "2ALP" in page.text
        assert "2BET" not in page.text

    def test_choose_credential_sheets_keeps_the_accounts_chosen_in_a_list(
        self, as_: Callable[..., Browser], office: Office
    ) -> None:
        ids = office.add_pupils(2)

        page = as_("administrator").get(f"{ADDRESS}?ids={ids[0]}&ids={ids[1]}")

        assert re.findall(r'name="ids" value="(\d+)"', page.text)[:2] == [str(each) for each in ids]
        assert "2 comptes choisis" in page.text

    @pytest.mark.parametrize(("number", "others"), [(11, ""), (22, " et 12 autres")])
    def test_choose_credential_sheets_names_the_chosen_ten_then_counts(
        self, as_: Callable[..., Browser], office: Office, number: int, others: str
    ) -> None:
        ids = office.add_pupils(number)

        page = Page(as_("administrator").get(f"{ADDRESS}?ids={'&ids='.join(map(str, ids))}"))

        (named,) = re.findall(r"comptes choisis[^.]*?:(.*?)\n", "\n".join(page.main.itertext()) + "\n")
        assert named.count(" (") == (10 if others else number)
        assert named.endswith(others)

    def test_choose_credential_sheets_shows_what_the_gate_waits_for(
        self, app: Flask, as_: Callable[..., Browser], office: Office
    ) -> None:
        set_school(app, office.school.id, email="")

        page = as_("administrator").get(ADDRESS)

        assert page.status_code == 200
        assert 'aria-disabled="true"' in page.text
        assert "/admin/parametres/etablissement#email" in page.text

    def test_choose_credential_sheets_counts_once_after_a_refusal(self, as_: Callable[..., Browser]) -> None:
        page = Page(ask(as_("administrator"), pour="role"))

        assert page.text.count("Tous ceux qui n’ont pas de code valable (0)") == 1
        assert "(0) (0)" not in page.text

    def test_choose_credential_sheets_for_pupils_without_any_account_opens_them_first(
        self, as_: Callable[..., Browser], world: World
    ) -> None:
        page = as_("administrator").get(f"{ADDRESS}?eleves={world.a.student_id}")

        assert "Aucun des élèves choisis n’a de compte : ouvrez d’abord leurs comptes." in Page(page).text
        assert any("/admin/eleves/ouvrir-comptes" in link for link in Page(page).links)
        assert 'aria-disabled="true"' in page.text
        assert 'type="submit">Préparer les fiches' not in page.text

    @pytest.mark.parametrize("name", ["ids", "eleves"])
    def test_choose_credential_sheets_for_rows_that_do_not_exist(
        self, app: Flask, as_: Callable[..., Browser], world: World, name: str
    ) -> None:
        own, others = (side.account_ids["teacher"] if name == "ids" else side.student_id for side in (world.a, world.b))
        browser, many = as_("administrator"), ",".join(map(str, range(1, MOST_AT_ONCE + 2)))

        for ids, refusal in (
            (f"{own},mot", NoSuchRow),
            (f"{own},{others}", NoSuchRow),
            (f"{own},999999", NoSuchRow),
            (many, TooManyRows),
        ):
            with nothing_written(app):
                answers = [browser.get(f"{ADDRESS}?{name}={ids}"), ask(browser, **{name: ids, "confirme": "oui"})]
            assert [each.status_code for each in answers] == [refusal.status] * 2, ids
            assert all(Page(each).says(refusal.message) for each in answers), ids

    def test_choose_credential_sheets_for_nobody_leads_to_another_choice(
        self, app: Flask, as_: Callable[..., Browser], arrange: Any, world: World
    ) -> None:
        with arrange() as session:
            session.add(departed := make_student(world.a.id, is_active=False))
            session.flush()
            asked = f"eleves={departed.id}"
        page = as_("administrator").get(f"{ADDRESS}?{asked}")

        assert "Choisir d’autres personnes" in Page(page).text
        assert 'type="submit">Préparer les fiches' not in page.text


class TestCreateCredentialSheetsRefused:
    def test_create_credential_sheets_the_gate_is_closed(
        self, app: Flask, as_: Callable[..., Browser], office: Office
    ) -> None:
        office.add_pupils(1)
        set_school(app, office.school.id, uai=None)
        browser = as_("administrator")

        with nothing_written(app):
            answer = ask(browser, division=office.school.division_id)

        assert answer.status_code == 409
        assert "/admin/parametres/etablissement#uai" in answer.text

    @pytest.mark.parametrize(
        "fields",
        [{}, {"division": "x"}, {"division": "-1"}, {"division": ""}, {"layout": "3"}, {"format": "x"}],
    )
    def test_create_credential_sheets_what_makes_no_sense(
        self, app: Flask, as_: Callable[..., Browser], office: Office, fields: dict[str, str]
    ) -> None:
        office.add_pupils(1)
        browser = as_("administrator")

        with nothing_written(app):
            answer = ask(browser, **fields)

        assert answer.status_code == 422

    @pytest.mark.parametrize(
        ("fields", "field", "answer"),
        [
            (
                {"pour": "sans-code", "division": "{division}"},
                "division",
                "Tous ceux qui n’ont pas de code valable (1)",
            ),
            ({"pour": "jamais", "division": "{division}"}, "division", "Tous ceux qui n’ont jamais activé leur compte"),
            (
                {"pour": "role", "role": "teacher", "division": "{division}"},
                "division",
                "Toutes les personnes d’un rôle",
            ),
            ({"pour": "sans-code", "role": "teacher"}, "role", "Tous ceux qui n’ont pas de code valable (1)"),
            ({"role": "teacher", "division": "{division}"}, "role", "Les élèves d’une division"),
        ],
    )
    def test_create_credential_sheets_a_choice_beside_another_answer(
        self,
        app: Flask,
        as_: Callable[..., Browser],
        office: Office,
        fields: dict[str, str],
        field: str,
        answer: str,
    ) -> None:
        office.add_pupils(1)
        browser = as_("administrator")
        asked = {name: text.format(division=office.school.division_id) for name, text in fields.items()}

        with nothing_written(app):
            refused = ask(browser, **asked)

        page = Page(refused)
        assert refused.status_code == 422
        assert f"la réponse cochée, « {answer} »" in page.error(field)
        for name, text in asked.items():
            assert chosen_in(page, name) == text

    @pytest.mark.parametrize("division", [10**6, "9" * 30])
    def test_create_credential_sheets_a_division_that_does_not_exist(
        self, app: Flask, as_: Callable[..., Browser], division: Any
    ) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            assert ask(browser, division=division).status_code in (404, 422)

    def test_create_credential_sheets_another_schools_division_and_people_do_not_exist(
        self, app: Flask, as_: Callable[..., Browser], world: World
    ) -> None:
        Office(app, world, "b").add_pupils(2)
        browser = as_("administrator", "a")

        with nothing_written(app):
            assert ask(browser, division=world.b.division_id).status_code == 404
            assert ask(browser, ids=world.b.account_ids["student"]).status_code == 404

    def test_create_credential_sheets_a_division_without_accounts(
        self, app: Flask, as_: Callable[..., Browser], office: Office
    ) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answer = ask(browser, division=office.school.division_id)

        assert answer.status_code == 422
        assert "aucune fiche à imprimer" in answer.text

    def test_create_credential_sheets_ones_own_and_the_heads_account(
        self, app: Flask, as_: Callable[..., Browser], office: Office
    ) -> None:
        browser = as_("administrator")
        for who in ("administrator", "head"):
            for reset in ({}, {"reset": "y", "current_password": PASSWORD}):
                with nothing_written(app):
                    assert ask(browser, ids=office.school.account_ids[who], **reset).status_code == 422


class TestCreateCredentialSheets:
    def test_create_credential_sheets_gives_the_document_and_keeps_no_code_in_clear(
        self, app: Flask, as_: Callable[..., Browser], office: Office
    ) -> None:
        office.add_pupils(3)
        browser = as_("administrator")

        with watching(app) as watch:
            answer = fetch(browser, division=office.school.division_id)

        codes = [row["Code"] for row in rows(answer)]
        assert len({code for code in codes if CODE.fullmatch(code)}) == 3
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["Cache-Control"] == "no-store"
        assert watch.changed == {"activation_code", "audit_entry", "kept_sheets"}
        assert watch.line["changes"] == {"sheets": [None, 3]}
        assert not any(code in str(watch.line) for code in codes)

    def test_create_credential_sheets_says_all_that_is_needed_to_sign_in(
        self, as_: Callable[..., Browser], office: Office, browser: Callable[[], Browser]
    ) -> None:
        office.add_pupils(1, login="lea.ambre", first_name="Léa", last_name="Ambre")

        [row] = rows(fetch(as_("administrator"), division=office.school.division_id))

        assert row["Adresse de connexion"] == "https://cpro.example/alpha"
        assert (row["Division"], row["Nom"], row["Prénom"], row["Rôle"]) == ("2ALP", "Ambre", "Léa", "Apprenant")
        page = browser()
        page.get("/connexion")
        answer = page.post(
            "/connexion", {"establishment": row["Établissement"], "login": row["Identifiant"], "password": row["Code"]}
        )
        assert "Ce code est bon" in answer.text

    def test_create_credential_sheets_voids_the_codes_created_before(
        self, as_: Callable[..., Browser], office: Office, browser: Callable[[], Browser]
    ) -> None:
        office.add_pupils(1, login="lea.ambre")
        administrator = as_("administrator")
        [earlier] = rows(fetch(administrator, division=office.school.division_id))

        [later] = rows(fetch(administrator, division=office.school.division_id))

        assert earlier["Code"] != later["Code"]
        answer = browser().sign_in("alpha", "lea.ambre", earlier["Code"])
        assert answer.status_code == 422
        assert "Ce code est bon" not in answer.text

    def test_create_credential_sheets_leaves_activated_accounts_alone_and_says_so(
        self, as_: Callable[..., Browser], office: Office
    ) -> None:
        office.add_pupils(1)
        [activated] = office.add_pupils(1, password_hash="x", activated_at=NOW)
        browser = as_("administrator")

        answer = ask(browser, division=office.school.division_id)

        assert "1 compte déjà activé" in browser.get(answer.location).text
        assert len(rows(browser.get(f"{answer.location}/fichier"))) == 1
        assert office.find(activated).password_hash == "x"

    def test_create_credential_sheets_resets_them_when_asked(
        self, app: Flask, as_: Callable[..., Browser], office: Office
    ) -> None:
        browser, teacher = as_("administrator"), as_("teacher")

        with watching(app) as watch:
            answer = fetch(browser, ids=office.school.account_ids["teacher"], reset="y", current_password=PASSWORD)

        assert len(rows(answer)) == 1
        assert office.find(office.school.account_ids["teacher"]).password_hash is None
        assert teacher.get("/mon-compte").status_code == 303
        told, line = watch.lines
        assert (told["action"], line["action"]) == ("accounts:teachers:code", "accounts:sheets:reset")
        assert line["changes"] == {"sheets": [None, 1], "passwords_voided": [None, 1]}

    def test_create_credential_sheets_leaves_out_who_left_and_who_waits(
        self, as_: Callable[..., Browser], office: Office
    ) -> None:
        kept, gone = office.add_pupils(2)
        office.change(gone, is_active=False)
        waiting = office.add(Role.ADMINISTRATOR, consent_needed=True)

        answer = fetch(as_("administrator"), ids=[kept, gone, waiting], reset="y", current_password=PASSWORD)

        assert [row["Identifiant"] for row in rows(answer)] == [office.find(kept).login]

    def test_create_credential_sheets_a_name_that_is_a_formula_stays_text(
        self, as_: Callable[..., Browser], office: Office
    ) -> None:
        office.add_pupils(1, last_name="=1+1")

        [row] = rows(fetch(as_("administrator"), division=office.school.division_id))

        assert row["Nom"] == "'=1+1"

    def test_create_credential_sheets_a_document_that_cannot_be_rendered_leaves_the_codes_good(
        self, app: Flask, as_: Callable[..., Browser], office: Office, arrange: Callable[..., Any]
    ) -> None:
        from cpro.establishments.models import PictureVersion

        office.add_pupils(1)
        browser = as_("administrator")
        fetch(browser, division=office.school.division_id)
        with arrange() as session:
            lost = f"{office.school.id}/ab/{'ab' * 32}.png"
            session.add(
                PictureVersion(
                    establishment_id=office.school.id,
                    kind=PictureKind.LOGO,
                    stored_name=lost,
                    mimetype="image/png",
                    width=9,
                    height=9,
                    created_at=NOW,
                )
            )

        with nothing_written(app):
            answer = ask(browser, division=office.school.division_id, format="pdf", confirme="oui")

        assert answer.status_code == 404
