"""Say in words what browser a sign-in was opened from: enough to know one's own, less than what the browser sends."""

from __future__ import annotations

#: What the browser sends, and its name: the first found counts, since most pretend to be others too.
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
    """Return « Firefox sur Windows » of the header `User-Agent`, or what of it is known."""
    browser = _find(_BROWSERS, user_agent) or UNKNOWN
    system = _find(_SYSTEMS, user_agent)
    return f"{browser} sur {system}" if system else browser


def _find(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
