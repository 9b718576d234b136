"""Passports in every state their pages can be in; see `scenes`."""

from __future__ import annotations

import io
import re

from playwright.sync_api import Page
from pypdf import PdfReader

from tests.browser.scenes import Scene, press
from tests.helpers.chromium import Site

PAGE, CHECK = "/passeports", "/verifier"
TEACHER, HEAD, PUPIL = "enseignante@lovelace", "chef@lovelace", "apprenant@lovelace"
#: The school where a particular is missing.
GATED, GATED_PUPIL = "chef@chatelet", "apprenant@chatelet"


def _request_division(site: Site, page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Exporter les passeports")).first.click()
    page.wait_for_url(re.compile(r"/passeports/travaux/\d+"))


def _await_division(site: Site, page: Page) -> None:
    _request_division(site, page)
    page.get_by_role("link", name=re.compile("^Télécharger")).wait_for(timeout=60_000)
    page.reload()


def _list_ready(site: Site, page: Page) -> None:
    _await_division(site, page)
    page.goto(PAGE)


def _issue(site: Site) -> tuple[str, bytes]:
    """Issue the passport of the demonstration's pupil; return its code and its file."""
    content = site.visitor(PUPIL).context.request.get("/mon-passeport.pdf").body()
    text = PdfReader(io.BytesIO(content)).pages[0].extract_text()
    found = re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", text)
    assert found, text
    return found[0], content


def _check_code(site: Site, page: Page) -> None:
    code, _content = _issue(site)
    page.goto(f"{CHECK}/{code}")


def _compare(site: Site, page: Page, *, altered: bytes) -> None:
    code, content = _issue(site)
    page.goto(f"{CHECK}/{code}")
    copy = {"name": "passeport.pdf", "mimeType": "application/pdf", "buffer": content + altered}
    page.locator("[type=file]").set_input_files(copy)
    page.get_by_role("button", name="Comparer").click()
    page.get_by_role("status").first.wait_for()


PASSPORT_SCENES = [
    Scene("passports-head", HEAD, PAGE),
    Scene("passports-teacher", TEACHER, PAGE),
    Scene("passports-gated", GATED, PAGE),
    Scene("passports-forbidden", "administrateur@lovelace", PAGE, 403),
    Scene("passports-asked", TEACHER, PAGE, 200, _request_division),
    Scene("passports-ready", TEACHER, PAGE, 200, _await_division),
    Scene("passports-ready", TEACHER, PAGE, 200, _list_ready),
    Scene("passport-closed", GATED_PUPIL, "/mon-passeport.pdf", 409),
    Scene("help-passeport", HEAD, "/aide/passeport"),
    Scene("passport-own-data", PUPIL, "/mon-compte"),
    Scene("check", "", CHECK),
    Scene("check-signed-in", HEAD, CHECK),
    Scene("check-empty", "", CHECK, 422, press("Vérifier")),
    Scene("check-unknown", "", CHECK, 404, press("Vérifier", code="abcd efgh jkmn pqrs")),
    Scene("check-issued", "", CHECK, 200, _check_code),
    Scene("check-identical", "", CHECK, 200, lambda site, page: _compare(site, page, altered=b"")),
    Scene("check-different", "", CHECK, 200, lambda site, page: _compare(site, page, altered=b"%")),
    Scene("pictures-with-preview", "administrateur@lovelace", "/admin/parametres/logo"),
]
