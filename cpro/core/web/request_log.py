"""Log each request once answered, under a number shown on its page and in its response."""

from __future__ import annotations

import logging
import secrets
import time

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from cpro.core.permissions import Principal
from cpro.core.web.assets import FILES

logger = logging.getLogger("cpro.requests")

HEADER = "X-Request-Id"


def install(app: Flask) -> None:
    """Number the requests of an application and log each once answered."""
    app.before_request(_begin)
    app.after_request(_log)


def request_number() -> str:
    """Return the number of the current request, "" outside of any or before it has one."""
    return str(g.get("request_number", ""))


def _begin() -> None:
    g.request_number, g.request_began = secrets.token_hex(6), time.perf_counter()
    clear_contextvars()  # threads are reused for successive requests
    bind_contextvars(request=g.request_number)


def _log(response: Response) -> Response:
    """Log the account, route, status and duration of a request; static files are left out."""
    if "request_began" not in g or request.endpoint in FILES:
        return response
    response.headers[HEADER] = g.request_number
    principal = g.get("_login_user")  # Flask-Login's cache: `current_user` would load an account needlessly
    is_known = isinstance(principal, Principal)
    logger.info(
        "request",
        extra={
            "method": request.method,
            "route": str(request.url_rule or ""),
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - g.request_began) * 1000),
            "school": principal.establishment_id if is_known else None,
            "account": f"{principal.kind}:{principal.id}" if is_known else None,
        },
    )
    return response
