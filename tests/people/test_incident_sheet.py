"""The incident sheet: figures of the closing and of the journal, whose names it does not tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select

from cpro.audit.operations import About, record
from cpro.core import clock, tenancy
from cpro.core.permissions import Actor
from cpro.core.transactions import unit_of_work
from cpro.users.emergency.models import RoleLock
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.records import nothing_written, set_school

As = Callable[..., Browser]


@pytest.fixture
def note(app: Flask, world: World) -> Callable[..., None]:
    """Return a way to write a line of the teacher's in the journal of school A."""

    def write(action: str, at: datetime, *, origin: str = "198.51.100.7", role: str = "teacher") -> None:
        by = Actor("account", world.a.account_ids["teacher"], "Inès QUARTZ", role, origin)
        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            with unit_of_work():
                record(action, About("list", "eleves", "Élèves"), by=by, now=at)

    return write


def close_teachers(app: Flask, head: Browser) -> int:
    """Close the teachers and return the closing's id."""
    head.get("/admin/urgence")
    head.post("/admin/urgence/fermer", {"role": "teacher"})
    with app.app_context(), tenancy.platform_session("test") as session:
        return max(session.scalars(select(RoleLock.id)))


def read(browser: Browser, address: str) -> str:
    """Return the text of a sheet, words one blank apart."""
    answer = browser.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf"), answer.text
    pages = PdfReader(BytesIO(answer.data)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).replace("\u202f", " ").split())


class TestIncidentSheet:
    def test_incident_sheet_says_what_when_by_whom_and_how_many(self, app: Flask, as_: As) -> None:
        head = as_("head")
        as_("teacher"), as_("teacher")

        text = read(head, f"/admin/urgence/{close_teachers(app, head)}/fiche.pdf")

        assert "Fiche d’incident" in text
        for fact in (
            "Fermé par : Claude BASALTE",
            "Rôles fermés : enseignants",
            "Comptes fermés : 1",
            "Sessions terminées : 2",
        ):
            assert fact in text
        assert "Codes annulés : 0" in text
        assert "Réouverture, enseignants : toujours fermé" in text
        assert "Lycée alpha" in text

    def test_incident_sheet_counts_what_the_journal_says_of_the_closed_roles(
        self, app: Flask, as_: As, note: Callable[..., None]
    ) -> None:
        now = clock.utcnow()
        for hours, origin in ((1, "198.51.100.7"), (2, "198.51.100.7"), (30, "203.0.113.9")):
            note("list:exported", now - timedelta(hours=hours), origin=origin)
        note("list:exported", now - timedelta(days=20))
        note("list:exported", now - timedelta(hours=3), role="head")
        note("passport:issued", now - timedelta(hours=1))
        note("fiche:validated", now - timedelta(hours=1))
        head = as_("head")
        sheet = f"/admin/urgence/{close_teachers(app, head)}/fiche.pdf"

        text = read(head, sheet)

        assert "Listes exportées 3 1 2" in text
        assert "Passeports exportés, un par un ou par division 1 1 1" in text
        assert "Autres actions 1 1 1" in text
        assert "Pages refusées faute de droit 0 0 0" in text
        assert "Listes exportées 4 1 2" in read(head, f"{sheet}?du={(now - timedelta(days=25)).date().isoformat()}")

    def test_incident_sheet_names_nobody_of_a_closed_role(self, app: Flask, as_: As, note: Callable[..., None]) -> None:
        note("list:exported", clock.utcnow() - timedelta(hours=1))
        head = as_("head")

        text = read(head, f"/admin/urgence/{close_teachers(app, head)}/fiche.pdf")

        for told in ("QUARTZ", "ines.quartz", "198.51.100.7", "AGATE"):
            assert told not in text

    def test_incident_sheet_tells_of_the_notice_within_72_hours(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, dpd_name="Zoé Mica", dpd_email="dpd@academie.example")
        head = as_("head")

        text = read(head, f"/admin/urgence/{close_teachers(app, head)}/fiche.pdf")

        assert "À notifier avant le" in text
        assert "Apprenants présents dans l’établissement : 1" in text
        assert "Zoé Mica" in text

    @pytest.mark.parametrize("day", ["hier", "2026-13-40", "31/12/2999"])
    def test_incident_sheet_asks_for_a_day_before_the_closing(self, app: Flask, as_: As, day: str) -> None:
        head = as_("head")
        sheet = f"/admin/urgence/{close_teachers(app, head)}/fiche.pdf"

        with nothing_written(app):
            answer = head.get(f"{sheet}?du={day}")

        assert answer.status_code == 422
        assert "Indiquez un jour jusqu’au" in answer.text

    def test_incident_sheet_of_another_school_does_not_exist(self, app: Flask, as_: As) -> None:
        head = as_("head", "b")

        number = close_teachers(app, head)

        assert head.get(f"/admin/urgence/{number}/fiche.pdf").status_code == 200
        assert as_("head", "a").get(f"/admin/urgence/{number}/fiche.pdf").status_code == 404
