"""Somebody at a browser who knows no address: what they do next is a link, a button or a field of the page they see.

Pages come over HTTP from a running platform. A step that the page does not offer fails with what the page did offer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import lxml.html
import requests
from lxml.html import HtmlElement

#: What a person types or chooses in one field; a list for boxes and several files.
Typed = str | bool | list[str] | Path | tuple[str, bytes] | list[tuple[str, bytes]]

_NOT_SENT = {"submit", "button", "image", "reset"}
_PATIENCE = 180  # seconds: an upper bound for a loaded machine, no measure


class NotOffered(AssertionError):
    """A step that the page does not offer."""


@dataclass
class Answer:
    """What a page answered, before it is read."""

    status: int
    url: str
    content: bytes
    mimetype: str


class Visitor:
    """One browser of one person, on one page at a time."""

    def __init__(self, address: str, name: str = "") -> None:
        self.name = name
        self._root = address
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"journey/{name}"
        self.answer = Answer(0, address, b"", "")
        self._came_from = address
        self.page: HtmlElement = lxml.html.fromstring("<html><body></body></html>")

    # --- Where one is ------------------------------------------------------------------------------------------------

    @property
    def status(self) -> int:
        """Return the status of the page one is on."""
        return self.answer.status

    @property
    def path(self) -> str:
        """Return the path of the page one is on: to tell where one landed, never to go somewhere."""
        return urlsplit(self.answer.url).path

    @property
    def title(self) -> str:
        """Return the page's own name."""
        return _text(self.page.find(".//h1")) if self.page.find(".//h1") is not None else ""

    @property
    def text(self) -> str:
        """Return what the main part of the page says, white space folded."""
        return _text(self._main())

    def sees(self, *words: str) -> None:
        """Fail unless the page says each of the words (spaces of any kind are alike)."""
        seen = self.text
        for each in words:
            assert _folded(each) in seen, f"« {each} » is not on {self._where()}:\n{seen[:3000]}"

    def does_not_see(self, *words: str) -> None:
        """Fail if the page says one of the words."""
        seen = self.text
        for each in words:
            assert _folded(each) not in seen, f"« {each} » is on {self._where()}"

    def offers(self, label: str) -> bool:
        """Return whether the page has a link or a button of this name."""
        return bool(self._named("a[@href]", label) or self._buttons(label))

    # --- Going on ----------------------------------------------------------------------------------------------------

    def open_site(self) -> None:
        """Type the address of the site, the only one that people know."""
        self._get(self._root + "/")

    def open_received(self, link: str) -> None:
        """Open an address that somebody was sent or handed: in a message, on a paper, in a QR code."""
        parts = urlsplit(link)
        self._get(f"{self._root}{parts.path}" + (f"?{parts.query}" if parts.query else ""))

    def reload(self) -> None:
        """Ask for the page again."""
        self._get(self.answer.url)

    def back(self) -> None:
        """Press « Précédent » of the browser, having followed a link."""
        self._get(self._came_from)

    def follow(self, label: str, *, within: str = "") -> None:
        """Follow the link of this name; `within` is a text of the row or list item it stands in."""
        found = self._named("a[@href]", label, within)
        if not found:
            raise NotOffered(self._without("link", label, within))
        self._follow(found[0])

    def menu(self, label: str) -> None:
        """Follow an entry of the main menu, of the tabs or of the head."""
        entries = self._within_reach(self.page.xpath("//nav[@aria-label]//a[@href] | //header//a[@href]"))
        # What waits is counted behind the words of an entry.
        for part in sorted(entries, key=lambda each: _text(each) != _folded(label)):
            if f"{_text(part)} ".startswith(f"{_folded(label)} "):
                self._follow(part)
                return
        raise NotOffered(self._without("menu entry", label))

    def press(self, button: str, *, within: str = "", **typed: Typed) -> None:
        """Fill fields, by name, and press a button; every other field is sent as the page shows it.

        A choice that a list does not offer, a field that is not there or is disabled: the step is not offered.
        """
        self.fill_and_press(button, typed, within=within)

    def fill_and_press(self, button: str, typed: dict[str, Typed], *, within: str = "") -> None:
        """Do what `press` does, for names of fields that are no Python names."""
        offered = [each for each in self._buttons(button, within) if not _is_off(each)]
        if not offered:
            raise NotOffered(self._without("button", button, within))
        control = offered[0]
        form = _form_of(control)
        if form is None:
            raise NotOffered(f"« {button} » on {self._where()} belongs to no form")
        self._send(form, control, typed)

    def sign_in(self, school: str, login: str, password: str) -> None:
        """Open the site and sign in by its page."""
        self.open_site()
        self.press("Se connecter", establishment=school, login=login, password=password)

    def sign_out(self) -> None:
        """Press « Se déconnecter »."""
        self.press("Se déconnecter")

    def field(self, name: str) -> str:
        """Return what a field of the page shows."""
        for each in self._controls_of_page():
            if each.get("name") == name and each.get("type") not in ("radio", "checkbox"):
                return _shown(each)
        chosen = [
            each.get("value") or "on"
            for each in self._controls_of_page()
            if each.get("name") == name and each.get("checked") is not None
        ]
        return ",".join(chosen)

    def value_called(self, name: str, words: str) -> str:
        """Return what a list of the page posts for the choice that begins with these words."""
        options = [each for control in self._controls_of_page() if control.get("name") == name for each in control]
        found = [each.get("value") or "" for each in options if _text(each).startswith(words)]
        if len(found) != 1:
            raise NotOffered(f"« {words} » is not one choice of {name} on {self._where()}")
        return found[0]

    def label_of(self, control: HtmlElement) -> str:
        """Return what a box or a field is called: its own name, else its label."""
        labels = self.page.xpath("//label[@for=$field]", field=control.get("id") or "") or [
            each for each in control.iterancestors("label")
        ]
        return control.get("aria-label") or " ".join(_text(each) for each in labels)

    def values(self, name: str) -> list[str]:
        """Return the values that a list or a group of boxes of the page offers."""
        offered = []
        for each in self._controls_of_page():
            if each.get("name") == name:
                offered += [option.get("value") or "" for option in each.iter("option")] or [each.get("value") or ""]
        return offered

    def forge(self, path: str, **fields: str) -> None:
        """Post to an address that no page offers, with the token of the page one is on: what an attacker does."""
        token = self.page.xpath("//input[@name='csrf_token']/@value")
        self._post(self._root + path, [*fields.items(), ("csrf_token", token[0] if token else "")], None)

    # --- What a browser does -----------------------------------------------------------------------------------------

    def _follow(self, link: HtmlElement) -> None:
        self._came_from = self.answer.url
        self._get(urljoin(self.answer.url, link.get("href")))

    def _send(self, form: HtmlElement, control: HtmlElement, typed: dict[str, Typed]) -> None:
        fields, files = self._filled(form, typed)
        if control.get("name"):
            fields.append((control.get("name"), control.get("value") or ""))
        method = (control.get("formmethod") or form.get("method") or "get").lower()
        target = urljoin(self.answer.url, control.get("formaction") or form.get("action") or self.answer.url)
        if method == "get":
            self._get(target.split("?")[0], params=fields)
        else:
            multipart = (form.get("enctype") or "").startswith("multipart")
            self._post(target, fields, files if multipart else None)

    def _within_reach(self, found: list[HtmlElement]) -> list[HtmlElement]:
        """Return those of the elements that one can get to; here, all."""
        return found

    def _get(self, url: str, **more: Any) -> None:
        self._read(self._session.get(url, timeout=_PATIENCE, headers=self._fetch_headers(), **more))

    def _post(self, url: str, fields: list[tuple[str, str]], files: list[Any] | None) -> None:
        headers = {**self._fetch_headers(), "Origin": self._root}
        if files is None:
            answer = self._session.post(url, data=fields, headers=headers, timeout=_PATIENCE)
        else:
            parts = [(name, (None, value)) for name, value in fields] + files
            answer = self._session.post(url, files=parts, headers=headers, timeout=_PATIENCE)
        self._read(answer)

    def _fetch_headers(self) -> dict[str, str]:
        return {"Sec-Fetch-Site": "same-origin", "Accept": "text/html,*/*;q=0.8", "Referer": self.answer.url}

    def _read(self, answer: requests.Response) -> None:
        mimetype = answer.headers.get("Content-Type", "").split(";")[0]
        self.answer = Answer(answer.status_code, answer.url, answer.content, mimetype)
        assert answer.status_code != 500, f"500 on {answer.url}"
        if mimetype == "text/html":
            self.page = lxml.html.document_fromstring(answer.content.decode("utf-8"))

    def _filled(self, form: HtmlElement, typed: dict[str, Typed]) -> tuple[list[tuple[str, str]], list[Any]]:
        fields: list[tuple[str, str]] = []
        files: list[Any] = []
        known: set[str] = set()
        for control in self._controls(form):
            name = control.get("name")
            kind = (control.get("type") or "text").lower() if control.tag == "input" else control.tag
            if not name or kind in _NOT_SENT or control.tag == "button" or _is_off(control):
                continue
            known.add(name)
            if kind == "file":
                files += _attached(name, typed.get(name))
            elif kind in ("checkbox", "radio"):
                if _is_ticked(control, typed.get(name)):
                    fields.append((name, control.get("value") or "on"))
            elif control.tag == "select":
                fields += [(name, value) for value in self._chosen(control, typed.get(name))]
            else:
                value = typed.get(name, _shown(control))
                assert isinstance(value, str), f"{name} takes a text"
                fields.append((name, value))
        if missing := set(typed) - known:
            raise NotOffered(f"no field {sorted(missing)} on {self._where()}; there are {sorted(known)}")
        for name, wanted in typed.items():
            offered = {value for field, value in fields if field == name}
            if isinstance(wanted, list) and wanted and isinstance(wanted[0], str) and not set(wanted) <= offered:
                raise NotOffered(f"{name} does not offer {sorted(set(wanted) - offered)} on {self._where()}")
        return fields, files

    def _chosen(self, control: HtmlElement, typed: Typed | None) -> list[str]:
        options = [(option.get("value", _text(option)), _text(option)) for option in control.iter("option")]
        if typed is None:
            chosen = [each for each in control.iter("option") if each.get("selected") is not None]
            if not chosen and control.get("multiple") is None:
                chosen = list(control.iter("option"))[:1]
            return [each.get("value", _text(each)) for each in chosen]
        wanted = typed if isinstance(typed, list) else [typed]
        found = [value for value, label in options for each in wanted if each == value or label.startswith(str(each))]
        if len(found) < len(wanted):
            raise NotOffered(f"{control.get('name')} offers {options}, not {wanted}, on {self._where()}")
        return found

    def _controls_of_page(self) -> Iterator[HtmlElement]:
        yield from self._main().iter("input", "select", "textarea")

    def _controls(self, form: HtmlElement) -> Iterator[HtmlElement]:
        identifier = form.get("id")
        for control in self.page.iter("input", "select", "textarea", "button"):
            owner = control.get("form")
            if (owner is not None and owner == identifier) or (owner is None and form in control.iterancestors()):
                yield control

    def _main(self) -> HtmlElement:
        main = self.page.find(".//main")
        return main if main is not None else self.page

    def _named(self, kind: str, label: str, within: str = "") -> list[HtmlElement]:
        wanted = _folded(label)
        everything = [each for each in self._within_reach(self.page.xpath(f"//{kind}")) if not _is_hidden(each)]
        exact = [each for each in everything if _name_of(each) == wanted]
        seen = exact or [each for each in everything if _text(each) == wanted]
        found = seen or [each for each in everything if _name_of(each).startswith(wanted)]
        if within:
            found = [each for each in found if any(_folded(within) in _text(block) for block in _blocks(each))]
        return found

    def _buttons(self, label: str, within: str = "") -> list[HtmlElement]:
        return self._named("*[self::button or (self::input and @type='submit')]", label, within)

    def _without(self, kind: str, label: str, within: str = "") -> str:
        links = [_name_of(each) for each in self._main().iter("a") if each.get("href")]
        buttons = [_name_of(each) for each in self.page.iter("button")]
        place = f" beside « {within} »" if within else ""
        return f"no {kind} « {label} »{place} on {self._where()}; links {links}; buttons {buttons}\n{self.text[:2000]}"

    def _where(self) -> str:
        return f"the page « {self.title} » ({self.path}, {self.status}) of {self.name or 'somebody'}"


def _folded(text: str) -> str:
    return " ".join(re.sub(r"[\u00a0\u202f]", " ", text).split())


def _text(element: HtmlElement) -> str:
    return _folded(" ".join(element.xpath(".//text()[not(ancestor::script) and not(ancestor::style)]")))


def _name_of(element: HtmlElement) -> str:
    """Return the accessible name, near enough: `aria-label`, else the text, else the value."""
    pictured = " ".join(image.get("alt") or "" for image in element.iter("img"))
    spoken = element.get("aria-label") or _text(element) or pictured or element.get("value") or ""
    return _folded(spoken)


def _blocks(element: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the row, list item, section or panel that an element stands in, the nearest first, three at the most."""
    blocks = [each for each in element.iterancestors("tr", "li", "section", "fieldset", "form", "article", "div")]
    yield from blocks[:3]


def _form_of(control: HtmlElement) -> HtmlElement | None:
    if control.get("form"):
        found = control.getroottree().xpath(f"//form[@id='{control.get('form')}']")
        return found[0] if found else None
    return next(control.iterancestors("form"), None)


def _is_off(control: HtmlElement) -> bool:
    fieldsets = control.iterancestors("fieldset")
    return (
        control.get("disabled") is not None
        or control.get("aria-disabled") == "true"
        or any(each.get("disabled") is not None for each in fieldsets)
    )


def _is_hidden(element: HtmlElement) -> bool:
    return any(each.get("hidden") is not None for each in (element, *element.iterancestors()))


def _is_ticked(control: HtmlElement, typed: Typed | None) -> bool:
    if typed is None:
        return control.get("checked") is not None
    if isinstance(typed, bool):
        return typed
    value = control.get("value") or "on"
    return value in typed if isinstance(typed, list) else value == typed


def _shown(control: HtmlElement) -> str:
    if control.tag == "textarea":
        return (control.text or "").removeprefix("\n")
    return control.get("value") or ""


def _attached(name: str, typed: Typed | None) -> list[Any]:
    if typed is None:
        return [(name, ("", b""))]
    several = typed if isinstance(typed, list) else [typed]
    sent: list[Any] = []
    for each in several:
        if isinstance(each, Path):
            sent.append((name, (each.name, each.read_bytes())))
        else:
            assert isinstance(each, tuple), f"{name} takes files"
            sent.append((name, each))
    return sent
