"""Generated screens, used as people use them: each power from the list to its result, for each role that has it.

Every address comes from the page before. Whoever lacks a power is offered nothing that leads to it, and is refused at
the addresses that the others were given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core.permissions import ROLE_PERMISSIONS, Role
from cpro.core.web.screens import Screen
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.pages import text_of
from tests.helpers.screen_cases import (
    CASES,
    CREATE,
    CSV,
    DELETE,
    DETAILS,
    EDIT,
    XLSX,
    Case,
)
from tests.helpers.screen_powers import DECLARED, holders, powers_of
from tests.helpers.screens import screens
from tests.helpers.steps import Visit, reach

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
#: the ways to the lists that each role has found
WAYS: dict[Role, dict[str, list[str]]] = {role: {} for role in Role}
ENTERING = (Role.SUPPORT, Role.INSPECTOR)
#: what the page of a power is reached by, and what ends it
LINKS = {EDIT: "Corriger", DELETE: "Supprimer"}
BUTTONS = {CREATE: "Valider", EDIT: "Valider", DELETE: "Supprimer .+"}


def screen_of(app: Flask, title: str) -> Screen:
    return next(each for each in screens(app) if each.title == title)


def enter(as_: As, role: Role) -> Browser:
    return as_(role.value, enter="a" if role in ENTERING else None)


def on_the_list(browser: Browser, screen: Screen, role: Role) -> Visit:
    visit = reach(browser, f"{screen.url}/", known=WAYS[role])
    assert visit is not None, f"no link leads to {screen.url}/"
    assert visit.answer.status_code == 200
    return visit


def page_of_power(visit: Visit, screen: Screen, power: str, case: Case) -> Visit:
    """Go from the list to the page of a power, without doing anything yet."""
    if power == CREATE:
        return visit.follow(screen.create_label)
    if power in (CSV, XLSX):
        return visit.follow(power.rpartition(" ")[2])
    if power.startswith("cocher"):
        tick = box_of(visit, case.row)
        return visit.press("Continuer", {"rowid": tick, "action": action_key(screen, power)})
    visit.go(row_link(visit, case.row))
    return visit if power == DETAILS else visit.follow(LINKS.get(power) or case.link)


def row_link(visit: Visit, words: str) -> str:
    """Return the address of the first row whose link reads so."""
    for heading in (each for each in visit.page.main.iter("th") if each.get("scope") == "row"):
        link = next(heading.iter("a"))
        if re.fullmatch(words, text_of(link)):
            return urljoin(visit.address, link.get("href") or "")
    raise AssertionError(f"no row « {words} » in {visit.address}")


def box_of(visit: Visit, words: str) -> str:
    """Return what the tick box of a row posts."""
    row = next(
        each
        for each in visit.page.main.iter("tr")
        if any(re.fullmatch(words, text_of(link)) for heading in each.iter("th") for link in heading.iter("a"))
    )
    return next(box for box in row.iter("input") if box.get("type") == "checkbox").get("value") or ""


def action_key(screen: Screen, power: str) -> str:
    return next(action.key for action in screen.bulk_actions if f"cocher : {action.label}" == power)


def asked_again(visit: Visit, button: str) -> dict[str, str]:
    """Return one's own password, where the page asks for it once more."""
    controls: Iterator[Element] = visit.form(button).iter("input")
    return {each.get("name") or "": PASSWORD for each in controls if each.get("type") == "password"}


def journal(session: Session, action: str, school_id: int) -> list[AuditEntry]:
    wanted = (AuditEntry.action == action, AuditEntry.establishment_id == school_id)
    return list(session.scalars(select(AuditEntry).where(*wanted).order_by(AuditEntry.id)))


PLAYS = [(title, power) for title, powers in CASES.items() for power in powers]
HELD = [(title, power, role) for title, power in PLAYS for role in holders(DECLARED[title], power)]


class TestScreenPowersTable:
    def test_screen_powers_have_each_their_case(self, migrated_app: Flask) -> None:
        there = {screen.title: set(powers_of(screen)) for screen in screens(migrated_app)}

        assert {title: set(powers) for title, powers in CASES.items()} == there, (
            "tests/helpers/screen_cases.py must hold a case for each power of each screen, and none besides"
        )


@pytest.mark.parametrize(("title", "power", "role"), HELD, ids=lambda value: getattr(value, "value", value))
def test_screen_powers_are_offered_to_a_role_that_has_them_and_work(
    migrated_app: Flask, as_: As, filled: World, arrange: Look, platform: Look, title: str, power: str, role: Role
) -> None:
    screen, case = screen_of(migrated_app, title), CASES[title][power]
    with arrange() as session:
        if case.before:
            case.before(session, filled)
    with platform() as session:
        assert case.after is None or not case.after(session, filled), "the case proves nothing: it is so beforehand"
        lines_before = len(journal(session, case.journal, filled.a.id))
    visit = on_the_list(enter(as_, role), screen, role)

    page_of_power(visit, screen, power, case)
    assert visit.answer.status_code == 200, visit.answer.text
    if power == DETAILS:
        assert visit.page.main.find(".//dl") is not None
    elif power in (CSV, XLSX):
        assert "attachment" in visit.answer.headers["Content-Disposition"]
        assert len(visit.answer.data) > 20
    else:
        with platform() as session:
            assert not (case.after and case.after(session, filled)), "done before it was confirmed"
        button = BUTTONS.get(power) or case.button
        visit.press(button, {**case.typed, **asked_again(visit, button)})
        assert visit.answer.status_code == 200, visit.answer.text

    with platform() as session:
        assert case.after is None or case.after(session, filled), visit.answer.text
        lines = journal(session, case.journal, filled.a.id)
        assert case.journal == "" or len(lines) == lines_before + 1
        assert all(line.actor_role == role.value for line in lines[lines_before:])
        assert power != DETAILS or role is not Role.SUPPORT or journal(session, "record:opened", filled.a.id)


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
@pytest.mark.slow
@pytest.mark.any_database
def test_screen_powers_are_refused_to_a_role_that_lacks_them(
    migrated_app: Flask, as_: As, filled: World, arrange: Look, platform: Look, role: Role
) -> None:
    lacking = [(title, power) for title, power in PLAYS if role not in holders(DECLARED[title], power)]
    with arrange() as session:
        for title, power in lacking:
            if CASES[title][power].before:
                CASES[title][power].before(session, filled)  # type: ignore[misc]
    guides: dict[Role, Browser] = {}
    browser = enter(as_, role)

    for title, power in lacking:
        screen, case = screen_of(migrated_app, title), CASES[title][power]
        guide_role = holders(screen, power)[0]
        guide = guides.setdefault(guide_role, enter(as_, guide_role))
        listed = on_the_list(guide, screen, guide_role)
        row = row_link(listed, case.row)
        address = page_of_power(listed, screen, power, case).address
        if screen.permission in ROLE_PERMISSIONS[role]:
            visit = on_the_list(browser, screen, role)
            actions = actions_of(visit)
            offered = set(visit.links()) | forms_of(visit)
            visit.go(row)
            offered |= set(visit.links()) | forms_of(visit)
            if power.startswith("cocher"):
                assert action_key(screen, power) not in actions, f"{title}, {power}"
                ticked = {"action": action_key(screen, power), "rowid": "1"}
                assert browser.post(f"{screen.url}/action/", ticked).status_code == 403
                continue
            assert urlsplit(address).path not in {urlsplit(each).path for each in offered}, f"{title}, {power}"
        assert browser.get(address).status_code in (403, 405), f"{title}, {power}: GET {address}"
        posted = browser.post(address, {"id": "1"})
        assert posted.status_code == (405 if power in (DETAILS, CSV, XLSX) else 403), f"{title}, {power}: {address}"
        with platform() as session:
            assert case.after is None or not case.after(session, filled), f"{title}, {power}"


def actions_of(visit: Visit) -> set[str]:
    """Return the actions that a list offers on ticked rows."""
    offers = [each for each in visit.page.main.iter("select") if each.get("name") == "action"]
    return {option.get("value") or "" for each in offers for option in each.iter("option")}


def forms_of(visit: Visit) -> set[str]:
    """Return where the forms of a page lead."""
    return {urljoin(visit.address, each.get("action") or "") for each in visit.page.main.iter("form")}
