"""Whoever may not read mandates learns of none: no page, list, count, search, export or line of the journal tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask

from cpro.audit.models import AuditEntry
from cpro.core.permissions import Permission, Role
from tests.helpers.browser import Browser
from tests.helpers.records import rows
from tests.inspectors.conftest import FORM, Desk

As = Callable[..., Browser]
JOURNAL = "/admin/journal/"
READ = Permission.MANDATES_VIEW
#: What tells of the mandates below: names, address, purpose, and their number on « Rentrée ».
TOLD = ("Claire Fer", "claire.fer", "Dominique S", "DOMINIQUE", "Visite de la filière", "accès en cours")


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 11, 23, 9, 0, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def visited(desk: Desk, open_to_inspector: Callable[..., int]) -> Desk:
    """Let the head open a mandate, and an inspector with another one read a pupil."""
    assert desk.open().status_code == 303
    open_to_inspector("a")
    inspector = desk.browser("inspector", enter="a")
    assert inspector.get(f"/eleves/{desk.world.a.student_id}").status_code == 200
    return desk


def pages(app: Flask) -> list[str]:
    """Return every page, list and file whose address holds no id."""
    return sorted(
        rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    )


def told_lines(app: Flask) -> list[int]:
    """Return the ids of the school's lines about mandates and of inspectors."""
    found = [
        row for row in rows(app, AuditEntry) if "mandate" in row["object_type"] or row["actor_role"] == "inspector"
    ]
    assert {row["action"] for row in found} >= {"mandate:opened", "record:opened"}
    return [int(row["id"]) for row in found if row["establishment_id"] is not None]


@pytest.mark.parametrize("role", [each for each in Role if each.can(Permission.JOURNAL_VIEW) and not each.can(READ)])
def test_untold_no_page_of_the_others_tells_of_mandates(visited: Desk, role: Role) -> None:
    browser = visited.browser(role.value)
    asked = [*pages(visited.app), "/recherche?q=schiste", "/recherche?q=claire", f"{JOURNAL}?recherche=schiste"]
    told = {}
    for page in asked:
        text = browser.get(page).get_data().decode(errors="replace")
        if found := [words for words in TOLD if words in text]:
            told[page] = found

    assert told == {}


def test_untold_files_and_lines_of_the_journal(visited: Desk) -> None:
    administrator, head = visited.browser("administrator"), visited.browser("head")

    assert FORM["name"] not in administrator.get(f"{JOURNAL}export/csv/").text
    assert FORM["name"] in head.get(f"{JOURNAL}export/csv/").text
    for line in told_lines(visited.app):
        assert administrator.get(f"{JOURNAL}details/?id={line}").status_code == 404
        assert head.get(f"{JOURNAL}details/?id={line}").status_code == 200


def test_untold_to_others_is_told_to_the_head(visited: Desk) -> None:
    head = visited.browser("head")

    assert "Claire Fer" in head.get(JOURNAL).text
    assert "accès en cours" in head.get("/admin/rentree").text.replace("\u202f", " ")
