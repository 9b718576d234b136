"""Read a page as a person and a screen reader do: the error beside a field, the values of its form, its text."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import html5lib
from werkzeug.test import TestResponse

from tests.helpers.browser import Browser

_SPACES = str.maketrans({"\u202f": " ", "\u00a0": " "})


class Page:
    """One HTML response, parsed; no-break spaces are read as plain ones, so that tests quote sentences as typed."""

    def __init__(self, answer: TestResponse) -> None:
        assert answer.mimetype == "text/html", answer.mimetype
        self.root: Element = html5lib.parse(answer.text, namespaceHTMLElements=False)
        self.main = next(self.root.iter("main"))

    @property
    def text(self) -> str:
        """Return the text of the main part, on one line."""
        return text_of(self.main)

    def says(self, sentence: str) -> bool:
        """Return whether the page shows a sentence of the code, whose spaces may not break."""
        return " ".join(sentence.translate(_SPACES).split()) in self.text

    @property
    def title(self) -> str:
        """Return the title of the document."""
        return text_of(next(self.root.iter("title")))

    @property
    def alerts(self) -> list[str]:
        """Return the messages announced at once: error summary, conflict, refusals."""
        return [text_of(each) for each in self.main.iter() if each.get("role") == "alert"]

    @property
    def flashes(self) -> list[str]:
        """Return the flash messages."""
        return [text_of(each) for each in self.main.iter("div") if "flash" in (each.get("class") or "").split()]

    def error(self, field_id: str) -> str:
        """Return the error beside a field, or "" when it is not refused.

        Fails unless the field is marked invalid, references the error as its description, and is linked from the
        summary.
        """
        sentence = self._find(f"{field_id}-erreur")
        if sentence is None:
            return ""
        described = [
            each for each in self.main.iter() if f"{field_id}-erreur" in each.get("aria-describedby", "").split()
        ]
        assert described, f"nothing is described by the error of {field_id}"
        assert described[0].tag == "fieldset" or described[0].get("aria-invalid") == "true", described[0].attrib
        targets = {field_id, f"{field_id}-0"}
        links = {(link.get("href") or "").removeprefix("#") for link in self.main.iter("a")}
        assert targets & links, f"the summary does not lead to {field_id}"
        assert any(self._find(each) is not None for each in targets & links), (
            f"the summary's link to {field_id} is dead"
        )
        return text_of(sentence).removeprefix("Erreur : ")

    def values(self) -> dict[str, str]:
        """Return the values that the page's versioned form would post unchanged."""
        form = next(each for each in self.main.iter("form") if _posts_version(each))
        values: dict[str, str] = {}
        for control in form.iter():
            name, kind = control.get("name"), control.get("type")
            if not name or control.tag not in ("input", "select") or kind in ("submit", "file"):
                continue
            if control.tag == "select":
                chosen = [each for each in control.iter("option") if each.get("selected") is not None]
                values[name] = chosen[0].get("value", "") if chosen else ""
            elif kind not in ("radio", "checkbox") or control.get("checked") is not None:
                values[name] = control.get("value", "")
        values.pop("csrf_token", None)
        return values

    def posts(self) -> dict[str, list[str]]:
        """Return everything that the page's versioned form would post unchanged, long texts and checkboxes included."""
        form = next(each for each in self.main.iter("form") if _posts_version(each))
        posted: dict[str, list[str]] = {}
        for control in form.iter():
            name, kind = control.get("name"), control.get("type")
            if not name or name == "csrf_token" or kind in ("submit", "file") or control.get("disabled") is not None:
                continue
            if control.tag == "select":
                options = list(control.iter("option"))
                chosen = [each for each in options if each.get("selected") is not None] or options[:1]
                posted.setdefault(name, []).extend(each.get("value", "") for each in chosen)
            elif control.tag == "textarea":
                posted.setdefault(name, []).append(control.text or "")
            elif control.tag == "input" and (kind not in ("radio", "checkbox") or control.get("checked") is not None):
                posted.setdefault(name, []).append(control.get("value", ""))
        return posted

    def clashes(self) -> list[list[str]]:
        """Return the conflicts between two people as shown: the field, the stored value, the reader's value."""
        found = []
        for asked in self.main.iter("fieldset"):
            if asked.get("class") == "clash":
                shown = [text_of(each) for each in asked.iter("span") if each.get("class") == "clash-value"]
                found.append([text_of(next(asked.iter("legend"))), *shown])
        return found

    @property
    def links(self) -> list[str]:
        """Return the addresses of the links of the main part, in order."""
        return [each.get("href") or "" for each in self.main.iter("a")]

    @property
    def trail(self) -> list[tuple[str, str]]:
        """Return the breadcrumbs: label, and address of the parent page ("" for the page itself)."""
        trails = [each for each in self.main.iter("nav") if each.get("aria-label") == "Fil d’Ariane"]
        found = [(step, next(step.iter("a"), None)) for trail in trails for step in trail.iter("li")]
        return [(text_of(step), "" if link is None else link.get("href", "")) for step, link in found]

    def rows(self) -> list[list[str]]:
        """Return the cells of the tables' bodies, row by row."""
        return [[text_of(cell) for cell in row] for body in self.main.iter("tbody") for row in body.iter("tr")]

    def neighbour(self, rel: str) -> str:
        """Return the address of another page of the list (`first`, `prev`, `next`, `last`), "" where there is none."""
        return next((link.get("href", "") for link in self.main.iter("a") if link.get("rel") == rel), "")

    def _find(self, element_id: str) -> Element | None:
        return next((each for each in self.main.iter() if each.get("id") == element_id), None)


def text_of(element: Element) -> str:
    """Return the text of an element on one line, with plain spaces."""
    return " ".join("".join(element.itertext()).translate(_SPACES).split())


def seen_text_of(element: Element) -> str:
    """Return the visible text of an element on one line, without the text for screen readers."""
    heard = [each for each in element.iter() if "sr-only" in each.get("class", "").split()]
    seen = text_of(element)
    for each in heard:
        seen = seen.replace(text_of(each), "")
    return " ".join(seen.split())


def _posts_version(form: Element) -> bool:
    return any(each.get("name") in ("version", "shown") for each in form.iter("input"))


def walk(browser: Browser, address: str) -> list[list[str]]:
    """Return the rows of every page of a list, page by page, after having gone back from the last to the first."""
    page = Page(browser.get(address))
    rows = page.rows()
    while onwards := page.neighbour("next"):
        page = Page(browser.get(onwards))
        rows += page.rows()
    back = page.rows()
    while backwards := page.neighbour("prev"):
        page = Page(browser.get(backwards))
        back = [*page.rows(), *back]
    assert back == rows
    return rows
