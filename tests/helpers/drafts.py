"""Forms that keep drafts, opened and posted as a browser does."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of

#: The message above a form filled from a draft.
FOUND = "Vous aviez commencé à écrire le"
KEEP, GIVE_UP = {"brouillon": "enregistrer"}, {"brouillon": "abandonner"}
SCRIPT = {"Accept": "application/json"}


def opened(browser: Browser, path: str) -> dict[str, Any]:
    """Open a page and return the fields that its form would post unchanged; a list for several checkboxes."""
    return values_of(browser.get(path))


def values_of(answer: TestResponse) -> dict[str, Any]:
    """Return the fields that the form of a page would post unchanged."""
    assert answer.status_code in (200, 409, 413, 422, 503), answer.status
    [form] = [each for each in Page(answer).main.iter("form") if each.get("data-draft") is not None]
    values: dict[str, Any] = {}
    for control in form.iter():
        name, kind = control.get("name"), control.get("type")
        if not name or name == "csrf_token" or control.tag not in ("input", "select", "textarea"):
            continue
        if control.tag == "textarea":
            values[name] = (control.text or "").removeprefix("\n")
        elif control.tag == "select":
            chosen = [each.get("value", "") for each in control.iter("option") if each.get("selected") is not None]
            values[name] = chosen[0] if chosen else ""
        elif kind == "checkbox":
            if control.get("checked") is not None:
                values.setdefault(name, []).append(control.get("value", ""))
        elif kind != "radio" or control.get("checked") is not None:
            values[name] = control.get("value", "")
    return values


def says_found(answer: TestResponse) -> bool:
    """Return whether a page says that it shows a draft."""
    return FOUND in text_of(Page(answer).main)


def kept_by_script(browser: Browser, path: str, values: dict[str, Any], turn: int = 1) -> TestResponse:
    """Save a draft as the script does."""
    return browser.post(path, {**values, **KEEP, "draft_turn": str(turn)}, headers=SCRIPT)


def type_in(browser: Browser, path: str, **typed: str) -> dict[str, Any]:
    """Open a form, fill it and keep it as a draft with the button; return what was posted."""
    values = {**opened(browser, path), **typed}
    answer = browser.post(path, {**values, **KEEP})
    assert answer.status_code == 303, answer.text
    return values
