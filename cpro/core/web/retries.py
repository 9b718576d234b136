"""Answer a request again when PostgreSQL undid its transaction to let another go on.

Locks are taken in one order (docs/decisions/0017-one-lock-order.md), so this should not happen; a long import, which
takes its school last, is the one exception. A person then sees nothing of it, rather than a 503 with a button.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from cpro.core.locks import was_undone
from cpro.core.transactions import count_commits

logger = logging.getLogger(__name__)

#: How often a request is answered in all, before the 503.
_TIMES = 3


def install(app: Flask) -> None:
    """Have the views of an application play again a request that was undone before it committed anything."""
    dispatch = app.dispatch_request
    app.dispatch_request = lambda: _answer(dispatch)  # type: ignore[method-assign]


def _answer(dispatch: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    commits = count_commits()
    for _time in range(1, _TIMES):
        try:
            return dispatch()
        except DBAPIError as error:
            if not was_undone(error) or count_commits() != commits:
                raise
            logger.warning("%s %s was undone by PostgreSQL, and is played again", request.method, request.path)
            for _name, upload in request.files.items(multi=True):
                upload.stream.seek(0)
    return dispatch()
