"""Request activation sheets as a browser does."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from werkzeug.test import TestResponse

from cpro.core.permissions import Role
from cpro.users.operations.credential_sheets import CredentialSheet
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

NAMES = [("Martin", "Zoé"), ("D’Artagnan-Lefèvre", "Œdipe"), ("x" * 100, "y" * 100), ("*gras* #panic() $x$", "\\")]
ADDRESS = "/admin/utilisateurs/fiches"


def ask(browser: Browser, **fields: Any) -> TestResponse:
    """Post the form of the sheets."""
    browser.get(ADDRESS)
    return browser.post(ADDRESS, {"layout": "8", "format": "csv", **fields})


def fetch(browser: Browser, **fields: Any) -> TestResponse:
    """Request sheets, confirm a reset or codes on paper that would be voided, and return the document."""
    answer = ask(browser, **fields)
    if answer.status_code == 200:
        asked = {name: each for name, each in confirmation(answer).items() if name != "current_password"}
        answer = browser.post(ADDRESS, {**fields, **asked})
    assert answer.status_code == 303, answer.text
    return browser.get(f"{answer.location}/fichier")


def confirmation(answer: TestResponse) -> dict[str, Any]:
    """Return the fields that the form of a confirmation would post."""
    form = next(each for each in Page(answer).main.iter("form"))
    values: dict[str, Any] = {}
    for field in form.iter("input"):
        values.setdefault(field.get("name"), []).append(field.get("value"))
    return {name: each for name, each in values.items() if name and name != "csrf_token"}


def sheets(count: int) -> list[CredentialSheet]:
    return [
        CredentialSheet(
            number,
            first,
            last,
            Role.STUDENT,
            "z" * 80 if number % 4 == 2 else f"login{number}",
            f"ABCD-EFGH-{number:04}",
        )
        for number, (last, first) in ((number, NAMES[number % 4]) for number in range(count))
    ]


def logo() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(buffer, "PNG")
    return buffer.getvalue()
