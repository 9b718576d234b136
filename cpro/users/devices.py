"""Describe the browser of a sign-in: enough to recognise one's own, less than what the browser sends."""

from __future__ import annotations

#: What to look for in the header, and the browser's name: the first match wins, as most browsers also imitate others.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
UNKNOWN = "Navigateur inconnu"


def describe_device(user_agent: str) -> str:
    """Return « Firefox sur Windows » from the header `User-Agent`, or the part that is recognised."""
    browser = _find(_BROWSERS, user_agent) or UNKNOWN
    system = _find(_SYSTEMS, user_agent)
    return f"{browser} sur {system}" if system else browser


def _find(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
