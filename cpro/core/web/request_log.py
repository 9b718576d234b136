"""Log each request once answered, under a number that its page and its answer show."""

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
    """Return the number of the request being answered, "" outside of any or before it was given one."""
    return str(g.get("request_number", ""))


def _begin() -> None:
    g.request_number, g.request_began = secrets.token_hex(6), time.perf_counter()
    clear_contextvars()  # a thread answers one request after the other
    bind_contextvars(request=g.request_number)


def _log(response: Response) -> Response:
    """Log who asked for which route, its status and how long it took; files of the interface are left out."""
    if "request_began" not in g or request.endpoint in FILES:
        return response
    response.headers[HEADER] = g.request_number
    principal = g.get("_login_user")  # of Flask-Login: asking it here would load an account for nothing
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
