"""The page of a job in Chromium: it follows the job by itself, says little, stops at the end and at the first error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text

from cpro.core.jobs.models import JobState
from tests.helpers.chromium import Site

WHO = "administrateur@lovelace"
SetJob = Callable[..., None]

_INSERT = """
INSERT INTO job (establishment_id, kind, arguments, requested_by, state_value, progress_done, progress_total,
                 progress_message, attempts, created_at, error)
SELECT id, 'pictures:sweep', '{}', :actor, 'running', 0, 0, '', 1, '2026-11-23 08:00:00.000000', ''
FROM establishment WHERE code = 'lovelace' RETURNING id
"""


@pytest.fixture
def set_job(site: Site) -> Iterator[SetJob]:
    """Return a way to change the running job as a worker would; its number is `set_job.job_id`."""
    engine = create_engine(site.platform.database_url)

    def run(statement: str, values: dict[str, Any]) -> Any:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
            answer = connection.execute(text(statement), values)
            return answer.scalar() if answer.returns_rows else None

    actor = {"kind": "account", "id": 1, "label": "Alix GRANITE", "role": "administrator", "origin": ""}
    job_id = run(_INSERT, {"actor": json.dumps(actor)})

    def change(**values: Any) -> None:
        columns = ", ".join(f"{name} = :{name}" for name in values)
        run(f"UPDATE job SET {columns} WHERE id = :id", {**values, "id": job_id})

    change.job_id = job_id  # type: ignore[attr-defined]
    yield change
    engine.dispose()


def path(set_job: SetJob) -> str:
    return f"/admin/travaux/{set_job.job_id}"  # type: ignore[attr-defined]


def count_fetches(page: Page) -> list[str]:
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url) if request.resource_type == "fetch" else None)
    return seen


class TestProgress:
    def test_it_follows_the_job_to_its_end_and_stops(self, site: Site, set_job: SetJob) -> None:
        page = site.visitor(WHO, motion=True)
        page.goto(path(set_job))
        fetches = count_fetches(page)
        page.get_by_role("link", name="Actualiser").focus()

        set_job(progress_done=30, progress_total=100, progress_message="Rapprochement des élèves")
        expect(page.get_by_text("Rapprochement des élèves")).to_be_visible()
        expect(page.locator("progress")).to_have_attribute("value", "30")
        expect(page.get_by_role("link", name="Actualiser")).to_be_focused()
        expect(page.locator("#travail-annonce")).to_have_text("En cours\u202f: 25\u00a0%")
        assert Axe().run(page).response["violations"] == []

        page.reload()
        expect(page.locator("progress")).to_have_attribute("value", "30")

        set_job(state_value=JobState.DONE.value)
        expect(page.get_by_role("heading", name="Terminé")).to_be_visible()
        expect(page.locator("#travail-annonce")).to_have_text("Terminé")
        asked = len(fetches)
        page.wait_for_timeout(2500)
        assert len(fetches) == asked

    def test_it_stops_when_the_sign_in_has_ended(self, site: Site, set_job: SetJob) -> None:
        page = site.visitor(WHO, motion=True)
        page.goto(path(set_job))
        fetches = count_fetches(page)
        page.context.clear_cookies()

        page.wait_for_timeout(5000)

        assert len(fetches) == 1
        assert page.get_by_role("link", name="Actualiser").is_visible()
        site.witness(page).complaints.clear()  # the refused redirect is what was wanted

    def test_without_a_script_the_link_does_it(self, site: Site, set_job: SetJob) -> None:
        page = site.visitor(WHO, javascript=False)
        page.goto(path(set_job))
        set_job(progress_done=1, progress_total=2, progress_message="Lecture")

        page.get_by_role("link", name="Actualiser").click()

        expect(page.get_by_text("Lecture")).to_be_visible()

    def test_a_narrow_screen_holds_it(self, site: Site, set_job: SetJob) -> None:
        set_job(progress_done=900_000, progress_total=1_000_000, progress_message="Rapprochement des élèves " * 6)
        page = site.visitor(WHO, width=320)
        page.goto(path(set_job))

        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
