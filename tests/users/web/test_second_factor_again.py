"""The code of the second factor asked again before what gives a way in, takes data out or stops a service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from cpro.core.permissions import access_of
from cpro.core.web.assets import FILES
from cpro.inspectors.models import Mandate
from cpro.users.operations import throttle
from cpro.users.sign_in_models import SecondFactor
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.phone import AGAIN, CODE, PAGE, Phone
from tests.helpers.records import nothing_written, school_row, set_school
from tests.helpers.screens import screens
from tests.users.conftest import Desk

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
As = Callable[..., Browser]
SHEETS, TRANSFERS, MANDATES = (
    "/admin/utilisateurs/fiches",
    "/admin/parametres/transferts",
    "/admin/parametres/inspecteurs",
)
EXPORT = "/admin/eleves/export/csv/"
#: Each page that asks again, and who may open it.
ASKED = {
    ("credential_sheets.choose", "GET"): ("administrator", SHEETS),
    ("credential_sheets.create", "POST"): ("administrator", SHEETS),
    ("credential_sheets.document", "GET"): ("administrator", f"{SHEETS}/999/fichier"),
    ("utilisateurs.reset_view", "GET"): ("administrator", "/admin/utilisateurs/reinitialiser/?id=999"),
    ("utilisateurs.reset_view", "POST"): ("administrator", "/admin/utilisateurs/reinitialiser/"),
    ("utilisateurs.second_factor_view", "GET"): ("head", "/admin/utilisateurs/second-facteur/?id=999"),
    ("utilisateurs.second_factor_view", "POST"): ("head", "/admin/utilisateurs/second-facteur/"),
    ("inspectors.open_access", "POST"): ("head", MANDATES),
    ("inspectors.extend", "GET"): ("head", f"{MANDATES}/999/prolonger"),
    ("inspectors.extend", "POST"): ("head", f"{MANDATES}/999/prolonger"),
    ("emergency.ask_to_reopen", "GET"): ("head", "/admin/urgence/rouvrir?role=teacher"),
    ("emergency.reopen", "POST"): ("head", "/admin/urgence/rouvrir"),
    ("settings.save_transfers", "POST"): ("administrator", TRANSFERS),
    ("history.ask", "GET"): ("administrator", "/admin/parametres/historique/999/retablir"),
    ("history.restore", "POST"): ("administrator", "/admin/parametres/historique/999/retablir"),
    ("figures.export", "GET"): ("head", "/admin/chiffres/export/csv"),
    ("imports.export", "GET"): ("administrator", "/admin/imports/999/export/csv"),
    ("passports.create", "POST"): ("head", "/passeports/divisions/999"),
    ("passports.archive", "GET"): ("head", "/passeports/archives/999"),
    ("passport.own_data", "GET"): ("student", "/mon-compte/mes-donnees.zip"),
    ("addresses.own", "GET"): ("head", "/mon-compte/adresse"),
    ("addresses.own", "POST"): ("head", "/mon-compte/adresse"),
    ("passkeys.index", "GET"): ("head", f"{PAGE}/cles"),
    ("passkeys.add", "POST"): ("head", f"{PAGE}/cles"),
    ("passkeys.begin", "POST"): ("head", f"{PAGE}/cles/defi"),
    ("passkeys.remove", "POST"): ("head", f"{PAGE}/cles/999/supprimer"),
    ("second_factor.renew_codes", "POST"): ("head", f"{PAGE}/codes"),
    ("second_factor.remove", "POST"): ("head", f"{PAGE}/retirer"),
}


@pytest.fixture
def clock_() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def phone(app: Flask, as_: As, clock_: time_machine.Traveller) -> Callable[[str], Phone]:
    """Return a maker of the phone of a person who gave their last code a quarter of an hour ago."""

    def make(role: str) -> Phone:
        made = Phone(app, as_(role), clock_)
        clock_.shift(timedelta(minutes=15))
        return made

    return make


class TestAskAgain:
    def test_ask_again_every_page_that_asks_is_listed(self, app: Flask) -> None:
        exported = (("export", "GET"), ("request_workbook", "POST"), ("workbook", "GET"))
        exports = {(f"{screen.endpoint}.{page}", method) for screen in screens(app) for page, method in exported}
        found = {
            (rule.endpoint, method)
            for rule in app.url_map.iter_rules()
            for method in {"GET", "POST"} & (rule.methods or set())
            if rule.endpoint not in FILES
            and (access := access_of(app.view_functions[rule.endpoint]))
            and access.asks_code
        }

        assert found == exports | set(ASKED)

    @pytest.mark.parametrize("role", ["administrator", "head", "student"])
    def test_ask_again_leads_to_the_code_and_does_nothing(
        self, app: Flask, phone: Callable[[str], Phone], role: str
    ) -> None:
        browser = phone(role).browser
        browser.get(PAGE)
        with nothing_written(app):
            got = {
                (method, page): browser.get(page) if method == "GET" else browser.post(page)
                for (_endpoint, method), (who, page) in ASKED.items()
                if who == role
            }

        led = {each: (answer.status_code, answer.location.partition("?")[0]) for each, answer in got.items()}
        assert led == dict.fromkeys(got, (303, AGAIN))

    def test_ask_again_every_post_keeps_what_is_typed_or_types_nothing(self, app: Flask) -> None:
        types_nothing_but_a_password = {
            *("utilisateurs.reset_view", "history.restore", "passports.create"),
            *("utilisateurs.second_factor_view", "emergency.reopen"),
            *("second_factor.renew_codes", "second_factor.remove", "passkeys.begin", "passkeys.remove"),
        }
        forgetting = {
            endpoint
            for endpoint, method in ASKED
            if method == "POST" and not access_of(app.view_functions[endpoint]).keeps_typed_form  # type: ignore[union-attr]
        }

        assert forgetting == types_nothing_but_a_password

    def test_ask_again_asks_nothing_of_those_without_a_second_factor(self, as_: As, clock_: object) -> None:
        browser = as_("administrator")

        assert browser.get(SHEETS).status_code == 200
        assert browser.get(EXPORT).status_code == 200
        assert browser.get(AGAIN).location == "/"

    @pytest.mark.parametrize(("minutes", "asked"), [(0, False), (14, False), (15, True), (-5, True)])
    def test_ask_again_after_a_quarter_of_an_hour(
        self, app: Flask, as_: As, clock_: time_machine.Traveller, minutes: int, asked: bool
    ) -> None:
        made = Phone(app, as_("administrator"), clock_)
        clock_.move_to(START + timedelta(minutes=minutes))

        assert (made.browser.get(SHEETS).status_code == 303) is asked

    def test_ask_again_counts_from_the_sign_in(self, phone: Callable[[str], Phone]) -> None:
        head = phone("head")
        browser = head.give_password()
        browser.post(CODE, {"code": head.code()})

        assert browser.get("/passeports/archives/999").status_code == 404

    def test_ask_again_on_a_trusted_browser(self, phone: Callable[[str], Phone]) -> None:
        head = phone("head")
        own = head.give_password()
        own.post(CODE, {"code": head.code(), "trust": "y"})
        own.post("/deconnexion")
        own.sign_in("alpha", "claude.basalte", PASSWORD)

        assert own.get("/admin/").status_code == 200
        assert own.get("/passeports/archives/999").location.startswith(AGAIN)

    def test_ask_again_is_of_each_browser(self, phone: Callable[[str], Phone], as_: As) -> None:
        head = phone("head")
        head.browser.post(AGAIN, {"code": head.code()})

        assert as_("head").get("/passeports/archives/999").location.startswith(AGAIN)

    def test_ask_again_a_page_follows_the_right_code(self, phone: Callable[[str], Phone]) -> None:
        administrator = phone("administrator")
        asked = administrator.browser.get(f"{SHEETS}?role=teacher").location
        page = Page(administrator.browser.get(asked))
        assert "Rien de ce que vous aviez saisi n’est perdu" in page.text

        assert administrator.browser.post(asked, {"code": "000000"}).status_code == 422
        answer = administrator.browser.post(asked, {"code": administrator.code()})

        assert (answer.status_code, answer.location) == (303, f"{SHEETS}?role=teacher")
        assert administrator.browser.get(answer.location).status_code == 200

    def test_ask_again_takes_a_recovery_code(self, phone: Callable[[str], Phone]) -> None:
        head = phone("head")

        assert head.browser.post(AGAIN, {"code": head.recovery[0]}).status_code == 303
        assert head.browser.get("/passeports/archives/999").status_code == 404

    def test_ask_again_leads_back_to_the_list_whose_file_was_asked_for(self, phone: Callable[[str], Phone]) -> None:
        head = phone("head")
        source = {"Referer": "http://localhost/admin/eleves/?q=quartz"}

        asked = head.browser.get(EXPORT, headers=source).location
        answer = head.browser.post(asked, {"code": head.code()})

        assert answer.location == "/admin/eleves/?q=quartz", "a file would leave the page of the code on the screen"
        assert EXPORT in Page(head.browser.get(answer.location)).links, (
            "one press more, and not a search for the button"
        )
        assert head.browser.get(EXPORT).mimetype == "text/csv"

    @pytest.mark.parametrize("file", ["https://ailleurs.example/", "//ailleurs.example", "/deconnexion", "/mon-compte"])
    def test_ask_again_offers_no_other_link_than_that_of_a_file(self, phone: Callable[[str], Phone], file: str) -> None:
        head = phone("head")

        answer = head.browser.post(f"{AGAIN}?suite=/admin/eleves/&fichier={file}", {"code": head.code()})

        assert "Télécharger le fichier demandé" not in head.browser.get(answer.location).text

    @pytest.mark.parametrize("elsewhere", ["https://ailleurs.example/", "//ailleurs.example", "/\\ailleurs.example"])
    def test_ask_again_leads_nowhere_else(self, phone: Callable[[str], Phone], elsewhere: str) -> None:
        head = phone("head")

        assert head.browser.post(f"{AGAIN}?suite={elsewhere}", {"code": head.code()}).location == "/"

    def test_ask_again_guessing_is_slowed_down(self, app: Flask, phone: Callable[[str], Phone]) -> None:
        head = phone("head")
        for _ in range(throttle.ACCOUNT_FREE + 1):
            assert head.browser.post(AGAIN, {"code": "AAAA-AAAA-AAAA"}).status_code == 422

        with nothing_written(app):
            assert head.browser.post(AGAIN, {"code": head.code()}).status_code == 429

    def test_ask_again_answers_a_script_with_a_sentence(self, phone: Callable[[str], Phone]) -> None:
        answer = phone("administrator").browser.post(TRANSFERS, {}, headers={"Accept": "application/json"})

        assert answer.status_code == 403
        assert "code de votre second facteur" in answer.json["message"]

    def test_ask_again_comes_after_the_right_and_the_token(self, phone: Callable[[str], Phone]) -> None:
        head = phone("head")

        assert head.browser.get(SHEETS).status_code == 403
        answer = head.browser.post(f"{PAGE}/retirer", {"current_password": PASSWORD}, token=False)
        assert answer.status_code == 400

    def test_ask_again_set_up_counts_as_a_code(self, app: Flask, as_: As, clock_: time_machine.Traveller) -> None:
        made = Phone(app, as_("head"), clock_)

        shown = made.browser.post(f"{PAGE}/codes", {"current_password": PASSWORD})

        assert shown.status_code == 200

    def test_ask_again_own_second_factor_is_not_taken_off_by_the_password_alone(
        self, phone: Callable[[str], Phone], desk: Desk
    ) -> None:
        head = phone("head")

        assert head.browser.post(f"{PAGE}/retirer", {"current_password": PASSWORD}).location.startswith(AGAIN)
        assert len(desk.rows(SecondFactor)) == 1


class TestTyped:
    """What was typed is kept until the code is given, shown again on its page, and applied only by its owner."""

    def pass_code(self, phone: Phone, asked: str) -> Page:
        """Give the code on the page that asks for it, and return the page that follows."""
        answer = phone.browser.post(asked, {"code": phone.code()})
        assert answer.status_code == 303, answer.text
        return Page(phone.browser.get(answer.location))

    def test_typed_sheets_come_back(self, app: Flask, phone: Callable[[str], Phone]) -> None:
        administrator = phone("administrator")
        typed = {"pour": "role", "role": "teacher", "layout": "2", "format": "csv", "reset": "y"}

        asked = administrator.browser.post(SHEETS, {**typed, "current_password": PASSWORD}).location
        page = self.pass_code(administrator, asked)

        assert "Saisie retrouvée" in page.text
        values = administrator.browser.form(SHEETS)
        assert {name: values.get(name) for name in typed} == typed
        assert "current_password" not in values, "a password is kept nowhere"

    def test_typed_transfers_off_waits_for_the_code(
        self, app: Flask, phone: Callable[[str], Phone], world: World
    ) -> None:
        set_school(app, world.a.id, cnil_reference="1679866", transfers_enabled=True)
        administrator = phone("administrator")
        typed = {**administrator.browser.form(TRANSFERS), "transfers_enabled": "non", "confirme": "oui"}

        page = self.pass_code(administrator, administrator.browser.post(TRANSFERS, typed).location)

        assert "Saisie retrouvée" in page.text
        assert school_row(app, world.a.id)["transfers_enabled"]
        again = administrator.browser.form(TRANSFERS)
        assert again["transfers_enabled"] == "non"
        assert administrator.browser.post(TRANSFERS, {**again, "confirme": "oui"}).status_code == 303
        assert not school_row(app, world.a.id)["transfers_enabled"]

    def test_typed_mandate_is_not_opened_by_the_code(self, phone: Callable[[str], Phone], desk: Desk) -> None:
        head = phone("head")
        typed = {"name": "Jo Schiste", "email": "jo@inspection.example"}

        self.pass_code(head, head.browser.post(MANDATES, typed).location)

        assert head.browser.form(MANDATES).items() >= typed.items()
        assert desk.rows(Mandate) == []

    def test_typed_form_is_of_whoever_typed_it(self, phone: Callable[[str], Phone], as_: As) -> None:
        administrator = phone("administrator")
        administrator.browser.post(TRANSFERS, {"cnil_reference": "Reg-42"})

        assert "Reg-42" not in as_("administrator").get(TRANSFERS).text
        assert "Reg-42" not in as_("administrator", "b").get(TRANSFERS).text
