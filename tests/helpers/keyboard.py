"""The focus in a page of Chromium: where it is, whether it is visible, and where keys move it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

#: The focused element; whether one of its points in the window is on top of everything drawn there; whether an outline
#: or a shadow shows the focus. Null for the page itself.
_FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const parts = [0.02, 0.25, 0.5, 0.75, 0.98];
  const tops = [...element.getClientRects()].flatMap((box) => {
    const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
    const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
    if (left >= right || top >= bottom) return [];
    return parts.flatMap((x) => parts.map((y) =>
      document.elementFromPoint(left + (right - left) * x, top + (bottom - top) * y)));
  });
  const style = getComputedStyle(element);
  const isInside = !element.matches(":focus"); // the button of a date field's calendar: the browser marks it itself
  return {
    words: (element.getAttribute("aria-label") || element.innerText || element.name || element.id).trim().slice(0, 80),
    isShown: tops.some((top) => top && (element.contains(top) || top.closest("label")?.control === element)),
    isMarked: isInside || style.boxShadow !== "none" ||
      (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0),
  };
}"""


@dataclass(frozen=True)
class Stop:
    """One element where the focus stopped."""

    words: str
    is_shown: bool
    is_marked: bool


def focused(page: Page) -> Stop | None:
    """Return the focused element, None while it is the page itself."""
    found = page.evaluate(_FOCUSED)
    return Stop(found["words"], found["isShown"], found["isMarked"]) if found else None


def tab_through(page: Page, key: str = "Tab", limit: int = 250) -> list[Stop]:
    """Press a key until the focus has left the page; return the elements where it stopped."""
    stops = []
    for _ in range(limit):
        page.keyboard.press(key)
        stop = focused(page)
        if stop is None:
            break
        stops.append(stop)
    return stops
