"""Somebody with a keyboard and a screen of 320 × 640 pixels, in Chromium, with its script or without.

The steps are those of `visitor.Visitor`. Here each is found with Tab or Shift+Tab and done with Enter, Space, arrows
and letters: never a click. Wherever the focus stops it must be seen, and no page may be wider than the screen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import lxml.html
from lxml.html import HtmlElement
from playwright.sync_api import Browser, BrowserContext, Download, Error, FileChooser, Response

from tests.helpers import keyboard
from tests.helpers.chromium import Witness
from tests.journeys.visitor import Answer, NotOffered, Typed, Visitor

SCREEN = {"width": 320, "height": 640}
_PATIENCE = 60  # seconds: an upper bound for a loaded machine, no measure
_STOPS = 400
#: Gives what keys can lead to a number, so that what is read in the page is found again in it: `data-stop` what the
#: focus reaches, `data-fold` what the summary of that number must first unfold.
_NUMBER = """() => {
  const all = document.querySelectorAll("a[href], button, input, select, textarea, summary, [contenteditable]");
  all.forEach((each, number) => { each.dataset.number = number; });
  for (const each of all) {
    const fold = each.parentElement.closest("details:not([open])");
    const summary = fold && !(each.localName === "summary" && each.parentElement === fold)
      ? fold.querySelector("summary") : null;
    if (summary?.checkVisibility()) each.dataset.fold = summary.dataset.number;
    if (summary ? summary.checkVisibility() : each.checkVisibility({ visibilityProperty: true }))
      each.dataset.stop = each.dataset.number;
  }
}"""
#: Whether the element of a number has the focus, or which key leads to it. Of radios, one stands for its group.
_WAY = """(number) => {
  const wanted = document.querySelector(`[data-stop="${number}"]`), here = document.activeElement;
  if (!wanted) return "gone";
  const isRadio = wanted.type === "radio" && here.type === "radio";
  if (here === wanted || (isRadio && here.name === wanted.name && here.form === wanted.form)) return "there";
  return wanted.compareDocumentPosition(here) & Node.DOCUMENT_POSITION_FOLLOWING ? "Shift+Tab" : "Tab";
}"""
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_IS_CHECKED = "(number) => document.querySelector(`[data-stop='${number}']`).checked"
_VALUE = "(number) => document.querySelector(`[data-stop='${number}']`).value"


class KeyboardVisitor(Visitor):
    """A person at a keyboard, on one page at a time."""

    def __init__(self, context: BrowserContext, address: str, name: str) -> None:
        super().__init__(address, name)
        self._witness = Witness(urlsplit(address).netloc)
        self._witness.watch(context)
        self._seat = context.new_page()
        self._downloads: list[Download] = []
        self._seat.on("download", lambda each: self._downloads.append(each))
        self._choosers: list[FileChooser] = []
        self._seat.on("filechooser", lambda each: self._choosers.append(each))

    @property
    def complaints(self) -> list[str]:
        """Return what the browser complained of."""
        return self._witness.complaints

    def reload(self) -> None:
        """Press F5."""
        self._act(lambda: self._seat.reload())

    def back(self) -> None:
        """Go back in the history of the browser."""
        self._act(lambda: self._seat.go_back())

    # --- What the hands do -------------------------------------------------------------------------------------------

    def _get(self, url: str, **_more: Any) -> None:
        self._act(lambda: self._seat.goto(url))

    def _follow(self, link: HtmlElement) -> None:
        self._reach(link)
        self._act(lambda: self._press("Enter"))

    def _send(self, form: HtmlElement, control: HtmlElement, typed: dict[str, Typed]) -> None:
        self._filled(form, typed)  # refuses what the form does not offer
        for field in self._controls(form):
            if field.get("name") in typed and field.tag != "button":
                self._fill(field, typed[field.get("name")])
        self._reach(control)
        self._act(lambda: self._press("Enter"))

    def _within_reach(self, found: list[HtmlElement]) -> list[HtmlElement]:
        return [each for each in found if each.get("data-stop")]

    def _fill(self, field: HtmlElement, typed: Typed) -> None:
        kind = (field.get("type") or "text") if field.tag == "input" else field.tag
        if kind == "file":
            self._choose_files(field, typed)
        elif kind in ("checkbox", "radio"):
            self._tick(field, typed, kind)
        elif kind == "select":
            self._choose(field, str(typed))
        elif kind == "date":
            self._type_date(field, str(typed))
        else:
            editor = next(iter(field.xpath("../*[@role='textbox']")), field)
            self._reach(editor)
            self._press("Control+a")
            self._press("Delete")
            self._seat.keyboard.type(str(typed))

    def _tick(self, field: HtmlElement, typed: Typed, kind: str) -> None:
        value = field.get("value") or "on"
        wanted = typed if isinstance(typed, bool) else value in typed if isinstance(typed, list) else value == typed
        if kind == "radio" and not wanted:
            return
        self._reach(field)
        number = field.get("data-stop")
        for _ in range(_STOPS):
            if self._seat.evaluate(_IS_CHECKED, number) == wanted:
                return
            self._press("ArrowDown" if kind == "radio" and not self._has_focus(field) else "Space")
        raise NotOffered(f"no key sets {field.get('name')} on {self._where()}")

    def _choose(self, field: HtmlElement, typed: str) -> None:
        [wanted] = self._chosen(field, typed)
        self._reach(field)
        self._press("Home")
        for _ in field:
            if self._seat.evaluate(_VALUE, field.get("data-stop")) == wanted:
                return
            self._press("ArrowDown")
        raise NotOffered(f"no key chooses {wanted} in {field.get('name')} on {self._where()}")

    def _type_date(self, field: HtmlElement, typed: str) -> None:
        """Type a day; in which order its parts stand is the browser's choice."""
        year, month, day = typed.split("-")
        self._reach(field)
        for parts in (day + month + year, month + day + year):
            self._seat.keyboard.type(parts)
            if self._seat.evaluate(_VALUE, field.get("data-stop")) == typed:
                return
            for _ in range(2):
                self._press("ArrowLeft")
        raise NotOffered(f"no key writes {typed} in {field.get('name')} on {self._where()}")

    def _choose_files(self, field: HtmlElement, typed: Typed) -> None:
        several = typed if isinstance(typed, list) else [typed]
        sent = [
            {"name": each.name, "mimeType": "", "buffer": each.read_bytes()}
            if isinstance(each, Path)
            else {"name": each[0], "mimeType": "", "buffer": each[1]}
            for each in several
        ]
        self._reach(field)
        opened = len(self._choosers)
        self._press("Space")
        self._wait_until(lambda: len(self._choosers) > opened, "the window in which files are chosen")
        self._choosers[-1].set_files(sent)  # type: ignore[arg-type]

    def _reach(self, element: HtmlElement) -> None:
        """Go to an element by Tab or Shift+Tab, whichever is nearer; unfold first what hides it."""
        if (fold := element.get("data-fold")) and not self._is_unfolded(fold):
            self._go_to(fold)
            self._press("Enter")
        self._go_to(element.get("data-stop"))

    def _go_to(self, number: str | None) -> None:
        for _ in range(_STOPS):
            way = self._seat.evaluate(_WAY, number)
            if way == "there":
                return
            if way == "gone":
                break
            self._press(way)
            self._judge_focus()
        raise NotOffered(f"no key leads to {self._name_of(number)} on {self._where()}")

    def _judge_focus(self) -> None:
        stop = keyboard.focused(self._seat)
        if stop:
            assert stop.is_shown, f"what has the focus is hidden: « {stop.words} » on {self._where()}"
            assert stop.is_marked, f"nothing tells what has the focus: « {stop.words} » on {self._where()}"

    def _is_unfolded(self, number: str) -> bool:
        return bool(self._seat.locator(f"details[open] > [data-number='{number}']").count())

    def _has_focus(self, element: HtmlElement) -> bool:
        return bool(self._seat.locator(f"[data-stop='{element.get('data-stop')}']:focus").count())

    def _name_of(self, number: str | None) -> str:
        [element] = self.page.xpath("//*[@data-number=$number]", number=number or "") or [None]
        return lxml.html.tostring(element, encoding="unicode", with_tail=False)[:200] if element is not None else "it"

    def _press(self, key: str) -> None:
        self._seat.keyboard.press(key)

    # --- What the eyes read ------------------------------------------------------------------------------------------

    def _act(self, act: Callable[[], object]) -> None:
        """Do something that asks for a page or a file, and read what comes."""
        before, taken = self._witness.document, len(self._downloads)
        self._seat.evaluate("window.isLeft = true")
        act()
        self._wait_until(lambda: self._witness.document is not before, "an answer of the server")
        answer = self._witness.document
        assert answer is not None
        mimetype = (answer.header_value("content-type") or "").split(";")[0]
        if mimetype == "text/html":
            self._wait_until(self._is_there, "the page")
            self._read_page(answer)
        else:
            self._wait_until(lambda: len(self._downloads) > taken, "the file")
            content = Path(self._downloads[-1].path()).read_bytes()
            self.answer = Answer(answer.status, answer.url, content, mimetype)

    def _wait_until(self, seen: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + _PATIENCE
        while not seen():
            assert time.monotonic() < until, f"never came: {what}, on {self._where()}"
            self._seat.wait_for_timeout(10)

    def _is_there(self) -> bool:
        """Return whether the page that was asked for has taken the place of the one before, whole."""
        try:
            return bool(self._seat.evaluate("!window.isLeft && document.readyState === 'complete'"))
        except Error:  # between the two
            return False

    def _read_page(self, answer: Response) -> None:
        self._seat.evaluate(_NUMBER)
        source = self._seat.content()
        self.page = lxml.html.document_fromstring(source)
        self.answer = Answer(answer.status, self._seat.url, source.encode(), "text/html")
        assert answer.status != 500, f"500 on {answer.url}"
        assert self._seat.evaluate(_OVERFLOW) <= 0, f"wider than the screen: {self._where()}"


class Seats:
    """Seats at keyboards, for as many people as a day has."""

    def __init__(self, chromium: Browser, *, javascript: bool) -> None:
        self._chromium = chromium
        self._javascript = javascript
        self.taken: list[KeyboardVisitor] = []

    def __call__(self, address: str, name: str) -> Visitor:
        """Seat somebody."""
        context = self._chromium.new_context(
            viewport=SCREEN,  # type: ignore[arg-type]
            locale="fr-FR",
            java_script_enabled=self._javascript,
            reduced_motion="reduce",
        )
        context.set_default_timeout(_PATIENCE * 1000)
        self.taken.append(KeyboardVisitor(context, address, name))
        return self.taken[-1]
