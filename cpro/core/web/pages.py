"""Render pages and redirects; after a POST, give the browser the URL of the page that the response represents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from cpro.core.web.conflicts import describe_kept

#: Statuses of pages that show a posted form again.
_SHOWN_AGAIN = frozenset({200, 409, 422})
#: Category of a message about the user's own settings (columns, drafts, password): no data of the school changed, so
#: no next step is suggested after it.
OWN = "own"
#: Query parameters for one request, not part of a page's URL: to discard input, to choose a draft.
_PASSING = frozenset({"abandonner", "brouillon"})


def render_page(template: str, *, status: int = 200, **context: Any) -> ResponseReturnValue:
    """Render a page with its status; the title of a refusal says so.

    In response to a POST, the browser gets the URL of the page that it represents (`page_at`), so that « Précédent »
    and reload request that page and post nothing again.
    """
    if request.method == "POST":
        context["page_at"] = _page_of_post(status)
    return render_template(template, is_refusal=status >= 400, **context), status


def back_to(endpoint_url: str, message: str = "", category: str = "success") -> ResponseReturnValue:
    """Redirect after a POST (303), with a message about the change and about fields changed by another person.

    `category`: success, warning, error, info, or `OWN`.
    """
    if message:
        flash(message, category)
    for sentence in describe_kept(g.merged_form) if g.get("merged_form") else ():
        flash(sentence, "info")
    return redirect(endpoint_url, 303)


def page_address(**asked: str) -> str:
    """Return the URL of this request's page with the given query parameters, without those about drafts."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in _PASSING]
    query = urlencode([*kept, *asked.items()])
    return f"{request.path}?{query}" if query else request.path


def static_url(filename: str) -> str:
    """Return the URL of a static file; the common prefix is built once per request."""
    if "static_url" not in g:
        g.static_url = url_for("static", filename="")
    return f"{g.static_url}{filename}"


def is_local_path(target: str | None) -> bool:
    """Return whether a URL stays on this site: the only kind of redirect allowed after sign-in."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return False
    return "\\" not in target and all(" " <= character != "\x7f" for character in target)


def find_source_page() -> str | None:
    """Return the page of this site that the request came from, from `Referer`; None if it is absent or external."""
    source = urlsplit(request.headers.get("Referer", ""))
    if source.netloc != request.host or not is_local_path(source.path):
        return None
    return f"{source.path}?{source.query}" if source.query else source.path


def find_way_back() -> str | None:
    """Return the page to return to once all is done: `?retour=` if it is on this site."""
    asked = request.args.get("retour")
    return asked if is_local_path(asked) else None


def asks_for_headers() -> bool:
    """Return whether the body will not be sent: a HEAD request, as from link checkers."""
    return request.method == "HEAD"


def asks_for_json() -> bool:
    """Return whether the client is one of our scripts, which reads JSON and shows no page."""
    accepted = request.accept_mimetypes
    return bool(accepted["application/json"] > accepted["text/html"])


@dataclass(frozen=True)
class PageAt:
    """The page that the response to a POST represents; `is_same` if a GET of it shows the same."""

    address: str
    is_same: bool


def page_of_refusal(code: int) -> PageAt | None:
    """Return the page from which a refused POST came; None if the error page itself contains the form."""
    if request.method != "POST" or code in (400, 503):
        return None
    page = _page_of_post(code)
    if code != 413 or page is None:
        return page and PageAt(page.address, is_same=False)
    # A post that is too large cannot be read at all: without script to return to the form, its page shows the refusal.
    return PageAt(f"{page.address}{'&' if '?' in page.address else '?'}refus=413", is_same=True)


def _page_of_post(status: int) -> PageAt | None:
    """Return the page that the response to this POST represents; store its input for it (`users.refused_forms`)."""
    kept: str | None = g.keep_typed() if "keep_typed" in g and status in _SHOWN_AGAIN else None
    if kept:
        return PageAt(kept, is_same=status >= 400)
    origin = urlsplit(request.referrer or "")
    came_from = f"{origin.path}?{origin.query}" if origin.query else origin.path
    for address in (came_from if origin.netloc == request.host else "", request.full_path.rstrip("?")):
        if is_local_path(address) and _can_be_opened(address.partition("?")[0]):
            return PageAt(address, is_same=False)
    return None


def _can_be_opened(path: str) -> bool:
    try:
        current_app.create_url_adapter(request).match(path, method="GET")  # type: ignore[union-attr]
    except (HTTPException, RequestRedirect):
        return False
    return True
