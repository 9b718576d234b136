"""Walk through the pages as a person does: every next address is one that the current page offers.

The only address known here is the one a visit starts from. A missing link or button is a failure whose message lists
what the page offers instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element

from werkzeug.test import TestResponse

from tests.helpers.browser import Browser
from tests.helpers.pages import Page, seen_text_of, text_of

Fields = dict[str, list[str]]
#: links to a file, which the journal records as an export
_FILE = re.compile(r"csv|xlsx|pdf|zip|export|donnees")


class NotOffered(AssertionError):
    """The page does not offer this link or button."""


class Visit:
    """One person's visit: the current page, and what it offers."""

    def __init__(self, browser: Browser, start: str = "/") -> None:
        self.browser = browser
        self.address = start
        self.go(start)

    def go(self, address: str) -> Visit:
        """Open an address given by a page, following redirections as browsers do."""
        return self._arrive(self.browser.client.get(address), address)

    @property
    def page(self) -> Page:
        """Return the current page, parsed."""
        return Page(self.answer)

    def links(self) -> dict[str, str]:
        """Return the links of the whole page, menu included: their texts by address."""
        root = self.page.root
        return {urljoin(self.address, each.get("href") or ""): text_of(each) for each in root.iter("a")}

    def link(self, words: str) -> str:
        """Return the address of the one link of the main part whose text matches, either its whole text or its visible
        text.

        Raises `NotOffered`.
        """
        named = {urljoin(self.address, each.get("href") or ""): each for each in self.page.main.iter("a")}
        links = {address: text_of(each) for address, each in named.items()}
        found = [address for address, text in links.items() if re.fullmatch(words, text)]
        found = found or [address for address, each in named.items() if re.fullmatch(words, seen_text_of(each))]
        if len(found) != 1:
            raise NotOffered(f"{len(found)} links « {words} » in {self.address}, which offers {sorted(links.values())}")
        return found[0]

    def follow(self, words: str) -> Visit:
        """Follow a link of the main part."""
        return self.go(self.link(words))

    def form(self, button: str) -> Element:
        """Return the form that a button submits. Raises `NotOffered`."""
        found = [form for form in self.page.main.iter("form") if _button(form, button) is not None]
        if len(found) != 1:
            raise NotOffered(f"{len(found)} forms with a button « {button} » in {self.address}")
        return found[0]

    def press(self, button: str, typed: Mapping[str, str | list[str]] | None = None) -> Visit:
        """Submit the form of a button, with its values and the input for the fields that it has."""
        form = self.form(button)
        fields = values_of(form)
        pressed = _button(form, button)
        assert pressed is not None
        if pressed.get("name"):
            fields[pressed.get("name") or ""] = [pressed.get("value") or ""]
        offered = {each.get("name") for each in form.iter() if each.tag in ("input", "select", "textarea")}
        for name, value in (typed or {}).items():
            assert name in offered, f"the form of « {button} » in {self.address} has no field « {name} »: {offered}"
            fields[name] = [value] if isinstance(value, str) else list(value)
        address = urljoin(self.address, form.get("action") or self.address)
        if (form.get("method") or "get").lower() != "post":
            return self._arrive(self.browser.client.get(address, query_string=fields), address)
        return self._arrive(self.browser.client.post(address, data=fields), address)

    def _arrive(self, answer: TestResponse, address: str) -> Visit:
        for _ in range(5):
            if answer.status_code not in (301, 302, 303, 307, 308):
                break
            address = urljoin(address, answer.headers["Location"])
            answer = self.browser.client.get(address)
        self.answer, self.address = answer, address
        if answer.mimetype == "text/html":
            self.browser.see(answer)
        return self


def reach(browser: Browser, path: str, *, known: dict[str, list[str]], clicks: int = 4) -> Visit | None:
    """Return a visit to a path, reached from the landing page through links only, or None where no link leads.

    `known` caches the ways found, by path: a cached way is still walked link by link.
    """
    visit = Visit(browser)
    if _walk(visit, known.get(path, [])):
        return visit
    way = _way(visit.go("/"), path, clicks)
    if way is None:
        return None
    known[path] = way
    return visit if _walk(visit.go("/"), way) else None


def _walk(visit: Visit, way: list[str]) -> bool:
    """Follow links by address, each from the previous page; return whether there was a way that led to its end."""
    for address in way:
        if address not in visit.links():
            return False
        visit.go(address)
    return bool(way)


def _way(visit: Visit, path: str, clicks: int) -> list[str] | None:
    """Return the shortest way to a path, in links."""
    waiting: list[tuple[str, list[str]]] = [(visit.address, [])]
    seen = {visit.address}
    while waiting:
        address, way = waiting.pop(0)
        if visit.address != address:
            visit.go(address)
        if visit.answer.status_code != 200 or visit.answer.mimetype != "text/html":
            continue
        for link in sorted(visit.links(), key=lambda each: bool(urlsplit(each).query)):
            parts = urlsplit(link)
            if parts.path == path:
                return [*way, link]
            if link in seen or len(way) == clicks or parts.netloc or parts.fragment or _FILE.search(link):
                continue
            seen.add(link)
            waiting.append((link, [*way, link]))
    return None


def values_of(form: Element) -> Fields:
    """Return what a form posts unchanged, without the button."""
    fields: Fields = {}
    for control in form.iter():
        name, kind = control.get("name"), (control.get("type") or "text").lower()
        if not name or control.get("disabled") is not None or kind in ("submit", "button", "file", "image"):
            continue
        if control.tag == "textarea":
            fields.setdefault(name, []).append("".join(control.itertext()))
        elif control.tag == "select":
            fields.setdefault(name, []).extend(_chosen(control))
        elif control.tag == "input" and (kind not in ("radio", "checkbox") or control.get("checked") is not None):
            fields.setdefault(name, []).append(control.get("value") or ("on" if kind == "checkbox" else ""))
    return fields


def _chosen(control: Element) -> list[str]:
    options = list(control.iter("option"))
    chosen = [each for each in options if each.get("selected") is not None]
    if not chosen and control.get("multiple") is None:
        chosen = options[:1]
    return [each.get("value") if each.get("value") is not None else text_of(each) for each in chosen]  # type: ignore[misc]


def _button(form: Element, words: str) -> Element | None:
    for each in form.iter():
        if each.tag == "button" and (each.get("type") or "submit") == "submit" and re.fullmatch(words, text_of(each)):
            return each
        if each.tag == "input" and each.get("type") == "submit" and re.fullmatch(words, each.get("value") or ""):
            return each
    return None
