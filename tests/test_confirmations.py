"""Pages that ask before acting: what the last step refuses, the first refuses too, in the same sentence.

Every address that both asks and acts stands in one of the two tables below, or the first test fails: those that a rule
may refuse, with a situation where it does, and those that no rule refuses, with why.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core.permissions import Actor, Role
from cpro.users.models import Account
from cpro.users.operations.access import list_not_to_deactivate
from cpro.users.queries import list_accounts
from tests.factories import (
    World,
    make_account,
)
from tests.helpers.browser import Browser
from tests.helpers.office import Office
from tests.helpers.pages import Page, text_of
from tests.helpers.records import nothing_written
from tests.helpers.refusals import FORMS, NEVER_REFUSED, REFUSED, Refused

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


def endpoints_that_ask_and_act(app: Flask) -> set[str]:
    """Return the endpoints that answer GET and POST at one address, forms aside, and pairs of views at one address."""
    found = set()
    for rule in app.url_map.iter_rules():
        if {"GET", "POST"} <= (rule.methods or set()):
            found.add(rule.endpoint)
    return found


class TestConfirmationTables:
    def test_confirmation_tables_hold_every_page_that_asks_before_it_acts(self, migrated_app: Flask) -> None:
        adapter = migrated_app.url_map.bind("localhost")
        tried = {adapter.match(re.sub(r"{\w+}", "1", each.address).partition("?")[0])[0] for each in REFUSED.values()}
        there = {
            endpoint
            for endpoint in endpoints_that_ask_and_act(migrated_app)
            if endpoint.rpartition(".")[2] not in FORMS
        }
        closed = {"delete_view"}  # of the screens that delete nothing: 403 to everyone (tests/test_screen_powers.py)
        missing = {each for each in there - tried - set(NEVER_REFUSED) if each.rpartition(".")[2] not in closed}
        assert not missing, f"say where a rule refuses {sorted(missing)}, or why none does"
        assert set(NEVER_REFUSED) <= there


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_confirmation_steps_refuse_in_the_same_sentence(
    app: Flask, as_: As, world: World, arrange: Look, case: Refused
) -> None:
    with arrange() as session:
        row_id = case.arrange(session, world)
    address = case.address.format(id=row_id, student=world.a.student_id)
    typed = {"id": str(row_id), "reason": "Une raison", "ends_on": "2026-12-31", "student": str(world.a.student_id)}
    browser = as_(case.role)

    with nothing_written(app):
        asked = browser.get(address)
        done = browser.post(address, typed)

    assert asked.status_code == done.status_code, (asked.status_code, done.status_code)
    assert 400 <= done.status_code < 500
    sentences = [sentence_of(answer, case.sentence) for answer in (asked, done)]
    assert sentences[0] == sentences[1]


def sentence_of(answer: object, words: str) -> str:
    """Return the whole paragraph of a page that holds some words."""
    page = Page(answer)  # type: ignore[arg-type]
    paragraphs = [text_of(each) for each in page.main.iter() if each.tag in ("p", "li", "div")]
    found = [each for each in paragraphs if words in each]
    assert found, f"« {words} » is not in {page.text}"
    return min(found, key=len)


class TestDeactivateTicked:
    def test_deactivate_ticked_who_cannot_be_deactivated_has_no_box_but_a_reason(self, as_: As, world: World) -> None:
        page = Page(as_("administrator").get("/admin/utilisateurs/"))

        boxes = {each.get("value") for each in page.main.iter("input") if each.get("name") == "rowid"}
        able = {str(world.a.account_ids[kind]) for kind in ("teacher", "student")}
        assert boxes == able
        assert (
            "Alix GRANITE (alix.granite) n’a pas de case à cocher. Personne ne désactive son propre compte."
            in page.text
        )
        assert (
            "Claude BASALTE (claude.basalte) n’a pas de case à cocher. Le compte d’un chef d’établissement" in page.text
        )
        assert "Pas de case pour Alix GRANITE (alix.granite)." in page.text

    def test_deactivate_ticked_who_is_ticked_all_the_same_is_left_out_and_named(
        self, as_: As, world: World, platform: Look
    ) -> None:
        browser = as_("administrator")
        ids = [world.a.account_ids[kind] for kind in ("administrator", "head", "teacher")]

        asked = Page(browser.post("/admin/utilisateurs/action/", {"action": "deactivate", "rowid": ids}))
        done = browser.post(
            "/admin/utilisateurs/action/",
            {"action": "deactivate", "rowid": [world.a.account_ids["teacher"]], "confirme": "oui"},
            follow_redirects=True,
        )

        assert "Désactiver 1 utilisateur ?" in asked.text
        assert "Rien ne change pour Alix GRANITE (alix.granite). Personne ne désactive son propre compte." in asked.text
        assert "Rien ne change pour Claude BASALTE (claude.basalte)." in asked.text
        posted = [each.get("value") for each in asked.main.iter("input") if each.get("name") == "rowid"]
        assert posted == [str(world.a.account_ids["teacher"])]
        assert "1 compte désactivé." in Page(done).text
        with platform() as session:
            assert not session.get_one(Account, world.a.account_ids["teacher"]).is_active
            assert session.get_one(Account, world.a.account_ids["head"]).is_active

    def test_deactivate_ticked_two_administrators_do_not_both_go(self, app: Flask, world: World, arrange: Look) -> None:
        with arrange() as session:
            session.add(second := make_account(world.a.id, Role.ADMINISTRATOR))
            session.flush()
            ids = [world.a.account_ids["administrator"], second.id]
        by = Actor("system", None, "Test", "system", "test")

        with Office(app, world).session():
            accounts = list_accounts(ids)
            alone = list_not_to_deactivate(accounts, by, together=False)
            together = list_not_to_deactivate(accounts, by, together=True)

        assert alone == {}
        assert list(together) == ids[1:]

    def test_deactivate_ticked_no_ticked_person_who_may_be_deactivated_says_why(self, as_: As, world: World) -> None:
        browser = as_("administrator")

        answer = browser.post(
            "/admin/utilisateurs/action/",
            {"action": "deactivate", "rowid": [world.a.account_ids["head"]]},
            follow_redirects=True,
        )

        assert "Rien ne change pour Claude BASALTE (claude.basalte). Le compte d’un chef" in Page(answer).text

    def test_deactivate_ticked_who_is_deactivated_already_is_left_out_and_the_filter_stays(
        self, as_: As, office: Office
    ) -> None:
        gone, browser = office.add(Role.TEACHER, is_active=False), as_("administrator")
        listed = browser.get("/admin/utilisateurs/?etat=desactive").text
        address = re.search(r'action="(/admin/utilisateurs/action/[^"]*)"', listed)
        assert address is not None

        for action, why in (("deactivate", "Ce compte est déjà désactivé."), ("sheets", "est désactivé")):
            answer = browser.post(address[1], {"action": action, "rowid": [gone]})
            assert answer.location == f"/admin/utilisateurs/?etat=desactive&coches={gone}&action={action}"
            assert why in Page(browser.get(answer.location)).text

    def test_reactivate_ticked_leaves_out_those_who_are_active(
        self, as_: As, office: Office, world: World, platform: Look
    ) -> None:
        back = office.add(Role.TEACHER, is_active=False, password_hash=None, activated_at=None)
        ids, browser = [back, world.a.account_ids["teacher"]], as_("administrator")
        address = "/admin/utilisateurs/action/?etat=desactive"

        asked = Page(browser.post(address, {"action": "reactivate", "rowid": ids}))
        done = browser.post(address, {"action": "reactivate", "rowid": ids, "confirme": "oui"})

        assert "Réactiver 1 utilisateur ?" in asked.text
        assert f"({office.find(back).login})" in asked.text
        assert "Ce compte n’est pas désactivé" in asked.text
        assert f"/admin/utilisateurs/?etat=desactive&coches={back}%2C{ids[1]}&action=reactivate" in asked.links
        assert done.location == "/admin/utilisateurs/?etat=desactive"
        assert "Imprimez de nouvelles fiches" in Page(browser.get(done.location)).text
        with platform() as session:
            assert session.get_one(Account, back).is_active

    def test_reactivate_ticked_is_refused_to_other_roles(self, app: Flask, as_: As, office: Office) -> None:
        gone = office.add(Role.TEACHER, is_active=False)
        typed = {"action": "reactivate", "rowid": [gone], "confirme": "oui"}

        for role, school in (("head", "a"), ("teacher", "a"), ("administrator", "b")):
            browser = as_(role, school)
            with nothing_written(app):
                browser.post("/admin/utilisateurs/action/", typed)
            assert not office.find(gone).is_active

    def test_deactivate_ticked_two_people_of_the_same_names_are_told_apart(self, as_: As, office: Office) -> None:
        ids = [office.add(Role.TEACHER, first_name="Ada", last_name="Mica", login=f"ada.mica{each}") for each in (1, 2)]
        browser = as_("administrator")

        boxes = {
            each.get("aria-label")
            for each in Page(browser.get("/admin/utilisateurs/")).main.iter("input")
            if each.get("name") == "rowid"
        }
        asked = browser.post("/admin/utilisateurs/action/", {"action": "deactivate", "rowid": ids})

        assert {"Cocher Ada MICA (ada.mica1)", "Cocher Ada MICA (ada.mica2)"} <= boxes
        assert "Ada MICA (ada.mica1) et Ada MICA (ada.mica2)" in Page(asked).text
        for page in (f"desactiver/?id={ids[1]}", f"fiches?ids={ids[1]}"):
            assert "(ada.mica2)" in Page(browser.get(f"/admin/utilisateurs/{page}")).text
