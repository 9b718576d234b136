"""Codes that a deactivation voids: the pages say so, and whoever comes back is led to a new sheet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask

from cpro.core.permissions import Role
from cpro.students.models import TeacherDivision
from tests.factories import NOW, PASSWORD, World, make_student
from tests.helpers.browser import Browser
from tests.helpers.office import Office
from tests.helpers.pages import Page
from tests.helpers.records import set_school, set_up

USERS = "/admin/utilisateurs"
As = Callable[..., Browser]
NEW_SHEET = "il faudra une nouvelle fiche d’activation"
OLD_PASSWORD = "avec le mot de passe qu’elle avait"


@pytest.fixture
def office(app: Flask, world: World) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield Office(app, world)


def never_activated(office: Office, role: Role = Role.TEACHER, **values: Any) -> int:
    return office.add(role, password_hash=None, activated_at=None, **values)


class TestDeactivateAndReactivate:
    def test_deactivate_an_account_never_activated_voids_its_code(self, as_: As, office: Office) -> None:
        account_id, browser = never_activated(office), as_("administrator")

        asked = Page(browser.get(f"{USERS}/desactiver/?id={account_id}")).text
        browser.post(f"{USERS}/desactiver/", {"id": account_id})
        back = Page(browser.get(f"{USERS}/reactiver/?id={account_id}")).text
        done = Page(browser.post(f"{USERS}/reactiver/", {"id": account_id}, follow_redirects=True))

        assert "Son code d’activation cesse de servir" in asked
        assert NEW_SHEET in asked
        assert "reste sans effet" in back
        assert NEW_SHEET in back
        assert OLD_PASSWORD not in back
        assert "Ses anciens codes ne servent plus" in done.flashes[0]
        assert f"/admin/utilisateurs/fiches?ids={account_id}" in done.links

    def test_deactivate_an_account_with_a_password_keeps_it(self, as_: As, office: Office) -> None:
        account_id, browser = office.add(Role.TEACHER), as_("administrator")

        asked = Page(browser.get(f"{USERS}/desactiver/?id={account_id}")).text
        browser.post(f"{USERS}/desactiver/", {"id": account_id})
        back = Page(browser.get(f"{USERS}/reactiver/?id={account_id}")).text
        done = Page(browser.post(f"{USERS}/reactiver/", {"id": account_id}, follow_redirects=True))

        assert "fiche" not in asked + back
        assert OLD_PASSWORD in back
        assert done.flashes[0].endswith("réactivé.")

    def test_reactivate_an_account_that_will_wait_for_the_head_says_so(self, as_: As, office: Office) -> None:
        account_id, browser = office.add(Role.ADMINISTRATOR, is_active=False), as_("administrator")

        back = Page(browser.get(f"{USERS}/reactiver/?id={account_id}")).text
        done = Page(browser.post(f"{USERS}/reactiver/", {"id": account_id}, follow_redirects=True))

        assert "attendra d’abord l’accord du chef d’établissement" in back
        assert "attend l’accord du chef d’établissement" in done.flashes[0]


def test_deactivate_several_at_once_voids_their_codes(as_: As, office: Office) -> None:
    ids, browser = [never_activated(office), never_activated(office)], as_("administrator")

    asked = Page(browser.post(f"{USERS}/action/", {"action": "deactivate", "rowid": ids})).text

    assert "Les codes d’activation pas encore utilisés cessent de servir" in asked


def test_deactivate_several_names_each_of_them_by_name(as_: As, office: Office) -> None:
    ids = [never_activated(office, last_name=f"Nom-{number:02}") for number in reversed(range(12))]
    fields = {"action": "deactivate", "rowid": [str(each) for each in ids]}
    browser = as_("administrator")
    browser.get("/admin/utilisateurs/")

    text = Page(browser.post("/admin/utilisateurs/action/", fields)).text

    places = [text.index(f"NOM-{number:02}") for number in range(12)]
    assert places == sorted(places)
    assert "…" not in text


def test_list_of_accounts_finds_a_whole_address_as_the_search_of_the_head_does(as_: As, office: Office) -> None:
    never_activated(office, last_name="Quartz", email="prof@alpha.example")
    browser = as_("administrator")

    found = {
        text: "QUARTZ" in Page(browser.get("/admin/utilisateurs/", query_string={"recherche": text})).text
        for text in ("prof@alpha.example", "Prof@Alpha.example", "prof@alpha", "autre@alpha.example")
    }

    assert found == {
        "prof@alpha.example": True,
        "Prof@Alpha.example": True,
        "prof@alpha": False,
        "autre@alpha.example": False,
    }


class TestResetPage:
    def test_reset_page_of_a_head_without_password_promises_what_happens(self, as_: As, office: Office) -> None:
        head, browser = never_activated(office, Role.HEAD), as_("administrator")

        asked = Page(browser.get(f"{USERS}/reinitialiser/?id={head}")).text

        assert "mot de passe actuel" not in asked
        assert "Le code d’activation remis auparavant" in asked
        assert "montré" not in asked

    def test_reset_page_shows_where_and_with_what_to_sign_in(self, as_: As, office: Office) -> None:
        teacher, browser = office.add(Role.TEACHER), as_("administrator")
        asked = Page(browser.get(f"{USERS}/reinitialiser/?id={teacher}")).text

        shown = browser.post(f"{USERS}/reinitialiser/", {"id": teacher, "current_password": PASSWORD})

        assert "Son mot de passe actuel cesse" in asked
        assert shown.status_code == 200
        text = Page(shown).text
        assert "Établissementalpha" in text
        assert "/alpha" in text.split("Adresse de connexion")[1].split()[0]


def test_deactivate_page_does_not_send_a_head_who_waits_to_their_account(as_: As, office: Office) -> None:
    waiting = never_activated(office, Role.HEAD, consent_needed=True)

    page = Page(as_("administrator").get(f"{USERS}/details/?id={waiting}"))

    assert f"{USERS}/desactiver/?id={waiting}" in page.links
    assert "que par lui-même" not in page.text
    assert "désactivez-le et créez-en un autre" in page.text


class TestTeacherDivisions:
    def test_details_of_a_teacher_show_their_divisions(self, app: Flask, as_: As, world: World) -> None:
        account_id = world.a.account_ids["teacher"]
        address, browser = f"/admin/utilisateurs/details/?id={account_id}", as_("head")
        assert "Aucune division" in Page(browser.get(address)).text

        link = TeacherDivision(establishment_id=world.a.id, account_id=account_id, division_id=world.a.division_id)
        set_up(app, lambda session: session.add(link))

        assert "Divisions2ALP" in Page(browser.get(address)).text

    def test_details_of_others_show_none(self, as_: As, world: World) -> None:
        for role in ("administrator", "head", "student"):
            address = f"/admin/utilisateurs/details/?id={world.a.account_ids[role]}"
            assert "Aucune division" not in Page(as_("head").get(address)).text


class TestDaysOfInstants:
    """The days of instants are those of the school's clocks: 23:30 UTC is the day after in Paris."""

    @pytest.mark.parametrize(("timezone", "day"), [("Europe/Paris", "28"), ("America/Cayenne", "27")])
    def test_accounts_show_the_day_of_the_school(
        self, app: Flask, as_: As, office: Office, world: World, timezone: str, day: str
    ) -> None:
        late = datetime(2026, 11, 27, 23, 30, tzinfo=UTC)
        set_school(app, world.a.id, timezone=timezone)
        account_id = office.add(Role.TEACHER, login="tardive", activated_at=late, last_sign_in_at=late)
        browser = as_("administrator")

        account = Page(browser.get(f"{USERS}/details/?id={account_id}")).text
        exported = next(line for line in browser.get(f"{USERS}/export/csv/").text.splitlines() if "tardive" in line)

        assert account.count(f"{day}/11/2026") == 2, account
        assert exported.count(f"{day}/11/2026") == 2

    def test_merging_shows_the_day_of_the_school(self, app: Flask, as_: As, arrange: Any, world: World) -> None:
        set_school(app, world.a.id, uses_siecle=False)
        with arrange() as session:
            late = datetime(2026, 11, 27, 23, 30, tzinfo=UTC)
            session.add(twin := make_student(world.a.id, last_name="Secret-alpha", created_at=late))
            session.flush()
            twin_id = twin.id
        url = f"/admin/eleves/{world.a.student_id}/doublon/{twin_id}"

        assert f"n° {twin_id}, depuis le 28/11/2026" in Page(as_("administrator").get(url)).text
