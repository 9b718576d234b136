"""Chromium on the local platform, with a witness that records every error reported by the browser."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    StorageState,
    sync_playwright,
)

from tests.helpers.platform import Platform, find_chromium

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NOWHERE = "about:blank"
PASSWORD = "Quartz-et-feldspath-7"

#: Chromium reports a page of status 4xx on its console; the test itself checks whether that status was expected.
_STATUS_OF_A_PAGE = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
_REPORT_VIOLATIONS = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


@contextmanager
def started() -> Iterator[Browser]:
    """Yield a running Chromium; without it the test is skipped, or fails where CPRO_REQUIRE_BROWSER=1 (.ci/run)."""
    found = find_chromium()
    if not found:
        missing = "Chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("CPRO_REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Witness:
    """Errors in a browser: console errors, script errors, CSP violations, failed or foreign requests."""

    host: str
    complaints: list[str] = field(default_factory=list)
    #: the last page received
    document: Response | None = None

    def watch(self, context: BrowserContext) -> None:
        """Listen to every page of a context, from its first request on."""
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(f"script error: {error.error}"))
        context.on("request", self._see_request)
        context.on("requestfailed", self._see_failure)
        context.on("response", self._see_response)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _STATUS_OF_A_PAGE.match(message.text):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _see_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme != "data" and address.netloc != self.host:
            self.complaints.append(f"request to another host: {request.url}")

    def _see_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left before its icon arrived
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def _see_response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            if not 300 <= response.status < 400:
                self.document = response
            if response.status < 500:
                return
        elif response.status < 400 or response.status == 422:  # a form sent by a script of ours was refused
            return
        self.complaints.append(f"status {response.status}: {response.url}")


class Site:
    """The local platform seen through Chromium: visitors of any role, each in a context of their own."""

    def __init__(self, platform: Platform, chromium: Browser) -> None:
        self.platform = platform
        self._chromium = chromium
        self._states: dict[str, StorageState] = {}
        self._witnesses: dict[BrowserContext, Witness] = {}
        self._kept: dict[str, Page] = {}

    def visitor(self, who: str = "", *, width: int = 1280, javascript: bool = True, motion: bool = False) -> Page:
        """Return an empty page of a visitor.

        `who` is "" for an anonymous visitor, "chef@lovelace" for an account of a school, "support@" for one of the
        platform, "support@lovelace" for one that has entered a school. Signing in happens once per person and site.
        """
        state = self._signed_in(who) if who else None
        return self._page(state, width=width, javascript=javascript, motion=motion)

    def kept_visitor(self, who: str = "") -> Page:
        """Return the page of a visitor that stays open, with the cookies of a new sign-in.

        A context, with its rendering process, costs more than most of the pages seen in it.
        """
        state = self._signed_in(who) if who else None
        if who not in self._kept or self._kept[who].is_closed():
            self._kept[who] = self._page(state, width=1280, javascript=True, motion=False)
            return self._kept[who]
        page = self._kept[who]
        page.context.clear_cookies()
        if state:
            page.context.add_cookies(state["cookies"])  # type: ignore[arg-type]
        page.set_viewport_size({"width": 1280, "height": 900})
        return page

    def forget(self, who: str) -> None:
        """Forget the sign-in of a visitor, which has ended: they sign in again at their next visit."""
        self._states.pop(who, None)

    def witness(self, page: Page) -> Witness:
        """Return the witness of a page."""
        return self._witnesses[page.context]

    def close_pages(self) -> list[str]:
        """Close every context opened since the last call, blank the pages kept, return what their witnesses saw."""
        heard = []
        for context, witness in list(self._witnesses.items()):
            if any(page.context == context for page in self._kept.values()):
                self._leave(context)
            else:
                context.close()
                del self._witnesses[context]
            heard += witness.complaints
            witness.complaints.clear()
        return heard

    def _leave(self, context: BrowserContext) -> None:
        """Blank the page kept of a context, and close the others."""
        for page in context.pages:
            if page not in self._kept.values():
                page.close()
            elif page.url != _NOWHERE:
                page.goto(_NOWHERE)

    def _page(self, state: StorageState | None, *, width: int, javascript: bool, motion: bool) -> Page:
        context = self._chromium.new_context(
            base_url=self.platform.url,
            viewport={"width": width, "height": 900},
            locale="fr-FR",
            java_script_enabled=javascript,
            reduced_motion="no-preference" if motion else "reduce",
            storage_state=state,
        )
        context.set_default_timeout(60_000)  # an upper bound for a loaded machine, not a measurement
        witness = Witness(urlsplit(self.platform.url).netloc)
        witness.watch(context)
        self._witnesses[context] = witness
        return context.new_page()

    def _signed_in(self, who: str) -> StorageState:
        if who not in self._states:
            page = self._page(None, width=1280, javascript=True, motion=False)
            login, _, school = who.partition("@")
            on_platform = login in ("support", "inspecteur")
            sign_in(page, "" if on_platform else school, f"{login}@cpro.example" if on_platform else login)
            if on_platform and school:
                page.goto(f"/ecoles?recherche={school}")
                page.get_by_role("button", name="Entrer").click()
                page.wait_for_url("**/admin/")
            self._states[who] = page.context.storage_state()
        return self._states[who]


def sign_in(page: Page, school: str, login: str, password: str = PASSWORD) -> None:
    """Sign in through the page, from any page."""
    if "/connexion" not in page.url:
        page.goto("/connexion")
    page.get_by_label("Établissement").fill(school)
    page.get_by_label("Identifiant").fill(login)
    page.get_by_label("Mot de passe").fill(password)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(lambda address: "/connexion" not in address)
