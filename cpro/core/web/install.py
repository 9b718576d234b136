"""Install what all pages share: proxies, URL converters, template filters, headers, error pages."""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from cpro.config import PROXY_HEADERS
from cpro.core.formatting import format_count, format_date, format_day_of, of_name, unfilled
from cpro.core.parsing import LARGEST_ID
from cpro.core.rights import describe_closed_under_mandate, describe_read_under_mandate
from cpro.core.secrets import signing_keys
from cpro.core.web import assets, error_pages, headers, request_log, request_metrics, uploads
from cpro.core.web.bounded_forms import BoundedRequest
from cpro.core.web.conflicts import describe_kept
from cpro.core.web.pages import static_url
from cpro.core.web.registry import registry
from cpro.core.web.richtext import show
from cpro.core.web.tables import as_cards


def install(app: Flask) -> None:
    """Install the headers, cookies, error pages and request log of an application."""
    request_log.install(app)
    request_metrics.install(app)
    proxies = app.config["CPRO_PROXIES"]
    if proxies:
        believed = {f"x_{name}": proxies if name in app.config["CPRO_PROXY_HEADERS"] else 0 for name in PROXY_HEADERS}
        app.wsgi_app = ProxyFix(app.wsgi_app, **believed)  # type: ignore[method-assign]
    app.url_map.converters["int"] = _RowNumber
    app.request_class = BoundedRequest
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's own provider, which the type does not name
    app.session_interface = headers.SessionInterface()
    app.jinja_env.filters.update(date=format_date, count=format_count, richtext=show, describe_kept=describe_kept)
    app.jinja_env.filters["day_of"] = lambda instant: format_day_of(instant, registry().timezone())
    app.jinja_env.filters.update(of_name=of_name, unfilled=unfilled, as_cards=as_cards)
    app.jinja_env.globals.update(
        describe_read_under_mandate=describe_read_under_mandate,
        describe_closed_under_mandate=describe_closed_under_mandate,
        static_url=static_url,
    )
    app.before_request(_refuse_odd_addresses)
    app.after_request(headers.add_headers)
    app.after_request(uploads.send_redirection_to_script)
    error_pages.register_handlers(app)
    assets.install(app)
    with app.app_context():  # Flask-WTF ignores fallback keys: accept forms opened before a rotation
        app.config.setdefault("WTF_CSRF_SECRET_KEY", signing_keys())


class _RowNumber(IntegerConverter):
    """A row id in a URL, limited to the databases' integer range: a larger one would crash the query."""

    regex = "[0-9]{1,10}"

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(map, *args, **{"max": LARGEST_ID, **kwargs})


def _refuse_odd_addresses() -> None:
    """Refuse a NUL in a URL: neither database accepts it."""
    if "\x00" in request.path or any("\x00" in part for pair in request.args.items(multi=True) for part in pair):
        raise BadRequest("NUL character in the address")
