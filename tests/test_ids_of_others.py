"""An id of another school's row, or of a row that a mandate does not open, answers as an id that nobody has.

Whoever tries ids one after the other must learn nothing of what exists elsewhere: status for status, on every route.
A list that such an id places shows the page of a place that is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from cpro.audit.models import AuditEntry
from cpro.imports.models import ImportRun
from cpro.inspectors.models import Mandate, MandateDiploma
from cpro.scenarios.models import Scenario
from cpro.students.models import Diploma, Division, Student
from cpro.transfers.models import TransferSide
from cpro.users.models import Account
from tests.factories import World, make_diploma, make_mandate, make_scenario, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

Look = Callable[[], AbstractContextManager[Session]]
As = Callable[..., Browser]
NOBODY = 999_999
#: What the ids of addresses are of.
MODELS: dict[str, type[Any]] = {
    "account_id": Account,
    "diploma_id": Diploma,
    "division_id": Division,
    "entry_id": AuditEntry,
    "mandate_id": Mandate,
    "other_id": Student,
    "run_id": ImportRun,
    "scenario_id": Scenario,
    "side_id": TransferSide,
    "student_id": Student,
}
#: Ids of rows below a pupil (their own pupil stands before them), of one person, or of files that expire.
BELOW = {"bilan_id", "evaluation_id", "fiche_id"}
PERSONAL = {"document_id", "job_id", "lock_id", "passkey_id", "sign_in_id", "version_id"}
#: Of the platform, read by the support alone: tests/site/support/test_views.py asks for those of another school.
OF_PLATFORM = {"problem_id"}
#: An inspector chooses a school by its id among those that are open; a year is no id.
CHOSEN = {"establishment_id", "year"}
#: Lists in the order of what their rows say, and what a place in them is the id of.
LISTS = {
    "/eleves?": "student_id",
    "/scenarios?": "scenario_id",
    "/scenarios?tri=titre&": "scenario_id",
    "/admin/eleves/?": "student_id",
    "/admin/eleves/?tri=division&": "student_id",
    "/admin/divisions/?": "division_id",
    "/admin/utilisateurs/?": "account_id",
    "/admin/parametres/transferts/effectues?liste=recus&": "side_id",
}

pytestmark = pytest.mark.any_database


def rules(app: Flask) -> Iterator[tuple[str, Rule]]:
    """Yield the routes that are asked for one row or two, with each of their methods."""
    for rule in app.url_map.iter_rules():
        if rule.arguments and rule.arguments <= set(MODELS):
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield method, rule


def differences(app: Flask, browser: Browser, ids: dict[str, int]) -> list[str]:
    """Return the routes on which those ids answer otherwise than ids that nobody has."""
    adapter, found = app.url_map.bind("localhost"), []
    browser.get("/mon-compte")
    for method, rule in rules(app):
        asked = browser.get if method == "GET" else browser.post
        answers = [
            asked(adapter.build(rule.endpoint, {each: values[each] for each in rule.arguments}, method=method))
            for values in (ids, dict.fromkeys(MODELS, NOBODY))
        ]
        if answers[0].status_code != answers[1].status_code:
            found.append(f"{method} {rule.rule}: {answers[0].status_code}, not {answers[1].status_code}")
    return found


def places(browser: Browser, ids: dict[str, int]) -> list[str]:
    """Return the lists that those ids place otherwise than ids that nobody has."""
    found = []
    for address, name in LISTS.items():
        for place in ("apres", "avant"):
            shown = [browser.get(f"{address}{place}={each}") for each in (ids[name], NOBODY)]
            if shown[0].status_code == 200 and Page(shown[0]).rows() != Page(shown[1]).rows():
                found.append(f"{address}{place}={name}")
    return found


def test_every_id_of_an_address_is_known(migrated_app: Flask) -> None:
    numbers = {
        name
        for rule in migrated_app.url_map.iter_rules()
        for name in rule.arguments
        if type(rule._converters.get(name)).__name__ == "_RowNumber"
    }
    assert numbers == {*MODELS, *BELOW, *PERSONAL, *OF_PLATFORM, *CHOSEN}


@pytest.mark.parametrize("role", ["administrator", "head", "teacher"])
def test_ids_of_another_school_are_nobodys(app: Flask, filled: World, as_: As, arrange: Look, role: str) -> None:
    with arrange() as session:
        own = session.scalars(select(Diploma.id).where(Diploma.establishment_id == filled.b.id)).one()
        session.add(make_scenario(filled.b, own))
        session.flush()
        theirs = {
            name: session.scalars(
                select(model.id).where(model.establishment_id == filled.b.id).order_by(model.id.desc()).limit(1)
            ).first()
            or NOBODY
            for name, model in MODELS.items()
        }
    assert [name for name, number in theirs.items() if number == NOBODY] in ([], ["entry_id"])

    assert as_("head", "b").get(f"/scenarios/{theirs['scenario_id']}").status_code == 200
    assert differences(app, as_(role, "a"), theirs) == []
    assert places(as_(role, "a"), theirs) == []


def test_ids_outside_a_mandate_are_nobodys(app: Flask, world: World, as_: As, arrange: Look) -> None:
    with arrange() as session:
        session.add(diploma := make_diploma(code="CAP-ELEC", establishment_id=world.a.id))
        session.flush()
        session.add(division := Division(establishment_id=world.a.id, code="1CAP", label="CAP", diploma_id=diploma.id))
        session.flush()
        session.add(pupil := make_student(world.a.id, last_name="Autre", division_id=division.id))
        session.add(scenario := make_scenario(world.a, diploma.id))
        session.flush()
        mandate = make_mandate(world, all_diplomas=False)
        session.add(mandate)
        session.flush()
        known = session.scalars(select(Diploma.id).where(Diploma.code == world.diploma_code)).one()
        session.add(MandateDiploma(establishment_id=world.a.id, mandate_id=mandate.id, diploma_id=known))
        hidden = dict.fromkeys(MODELS, NOBODY) | {
            "division_id": division.id,
            "other_id": pupil.id,
            "scenario_id": scenario.id,
            "student_id": pupil.id,
        }

    assert differences(app, as_("inspector", enter="a"), hidden) == []
    assert places(as_("inspector", enter="a"), hidden) == []
