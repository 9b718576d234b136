"""Two people editing one form, in every possible order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from tests.helpers.browser import Browser
from tests.helpers.pages import Page


@dataclass(frozen=True)
class Shared:
    """A form that two people have open: a field that both change, and one that only the second changes."""

    url: str
    field: str
    #: three values of it, none of which is stored initially
    values: tuple[str, str, str]
    #: another field and a value for it, where the form has one
    other: tuple[str, str] | None = None
    #: what to post with the fields
    button: tuple[str, str] | None = None


def play(first: Browser, second: Browser, shared: Shared) -> None:
    """Play the cases: changes of two fields, the same change, a conflict, a conflict seen too late."""
    one, two, three = shared.values
    if shared.other:
        _what_was_not_touched_stays(first, second, shared, one, shared.other)
    _same_change_asks_nothing(first, second, shared, two)

    clash = _clash(first, second, shared, theirs=one, mine=three)
    _save(first, shared, two)
    again = _send(second, shared, clash.posts())
    assert again.status_code == 409, "what a third save changed was overwritten"
    assert _stored(first, shared, shared.field) == two
    chosen = {**Page(again).posts(), f"choix-{shared.field}": ["enregistre"]}
    assert _send(second, shared, chosen).status_code == 303
    assert _stored(first, shared, shared.field) == two

    clash = _clash(first, second, shared, theirs=one, mine=three)
    assert _send(second, shared, clash.posts()).status_code == 303
    assert _stored(first, shared, shared.field) == three


def check_forged_versions_refused(first: Browser, second: Browser, shared: Shared) -> None:
    """Post versions that no page issued: each asks for confirmation, none overwrites."""
    one, two, _three = shared.values
    _save(first, shared, one)
    opened = Page(second.get(shared.url)).posts()
    for forged in ("x", "0123456789abcdef", f"{shared.field}.", f"{shared.field}.0," * 50, "\u202e.,.,\udcff=", "."):
        version = forged.encode("utf-8", "replace").decode()
        answer = _send(second, shared, {**opened, shared.field: [two], "version": [version]})
        assert answer.status_code == 409, version
        assert _stored(first, shared, shared.field) == one
        page = Page(answer)
        assert f'name="choix-{shared.field}" value="enregistre" checked' in answer.text, "what is stored is proposed"
        assert _send(second, shared, page.posts()).status_code == 303
        assert _stored(first, shared, shared.field) == one


def _what_was_not_touched_stays(
    first: Browser, second: Browser, shared: Shared, theirs: str, other: tuple[str, str]
) -> None:
    opened = Page(second.get(shared.url)).posts()
    _save(first, shared, theirs)
    answer = _send(second, shared, {**opened, other[0]: [other[1]]})
    assert answer.status_code == 303, Page(answer).alerts
    assert _stored(first, shared, shared.field) == theirs
    assert _stored(first, shared, other[0]) == other[1]
    text = Page(second.get(answer.location)).text
    assert "entre-temps" in text and "sa valeur est gardée" in text, text


def _same_change_asks_nothing(first: Browser, second: Browser, shared: Shared, value: str) -> None:
    opened = Page(second.get(shared.url)).posts()
    _save(first, shared, value)
    assert _send(second, shared, {**opened, shared.field: [value]}).status_code == 303


def _clash(first: Browser, second: Browser, shared: Shared, *, theirs: str, mine: str) -> Page:
    opened = Page(second.get(shared.url)).posts()
    _save(first, shared, theirs)
    answer = _send(second, shared, {**opened, shared.field: [mine]})
    assert answer.status_code == 409
    page = Page(answer)
    assert "Quelqu’un a enregistré cette page entre-temps" in page.text
    assert len(page.clashes()) == 1, page.clashes()
    assert _stored(first, shared, shared.field) == theirs
    assert page.posts()[shared.field] == [mine]
    return page


def _save(browser: Browser, shared: Shared, value: str) -> None:
    answer = _send(browser, shared, {**Page(browser.get(shared.url)).posts(), shared.field: [value]})
    assert answer.status_code == 303, Page(answer).alerts


def _send(browser: Browser, shared: Shared, fields: dict[str, list[str]]) -> TestResponse:
    data: dict[str, Any] = {**fields, **({shared.button[0]: shared.button[1]} if shared.button else {})}
    return browser.post(shared.url, data)


def _stored(browser: Browser, shared: Shared, field: str) -> str:
    return ",".join(Page(browser.get(shared.url)).posts().get(field, []))
