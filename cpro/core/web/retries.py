"""Retry a request when PostgreSQL rolls back its transaction because of a deadlock.

Locks are taken in one order (docs/decisions/0017-one-lock-order.md), so this should not happen; a long import, which
locks its school last, is the one exception. The user then notices nothing, instead of seeing a 503 with a button.
"""

from __future__ import annotations

import logging

from flask import Flask, g, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from cpro.core.database_errors import was_undone
from cpro.core.transactions import count_commits

logger = logging.getLogger(__name__)

#: Attempts, including the first, before the 503.
_TIMES = 3


class RetryingFlask(Flask):
    """A Flask application that calls a view again when PostgreSQL rolled it back before it committed anything."""

    def dispatch_request(self) -> ResponseReturnValue:
        """Call the view, again after a deadlock; `g` and the session are reset to their initial state."""
        commits, kept, cookie = count_commits(), dict(vars(g)), dict(session)
        for _time in range(1, _TIMES):
            try:
                return super().dispatch_request()
            except DBAPIError as error:
                if not was_undone(error) or count_commits() != commits:
                    raise
                logger.warning("%s %s was undone by PostgreSQL, and is called again", request.method, request.path)
                _restore(kept, cookie)
        return super().dispatch_request()


def _restore(kept: dict[str, object], cookie: dict[str, object]) -> None:
    vars(g).clear()
    vars(g).update(kept)
    if dict(session) != cookie:
        session.clear()
        session.update(cookie)
    for _name, upload in request.files.items(multi=True):
        upload.stream.seek(0)
