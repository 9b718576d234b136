"""The error pages shown in the last thirty days: given the number of one, the support finds what happened.

No user input is stored, nor the values in the URL of an existing page: only a number, an instant, a school, an
account's id, a route, a status and the class of the exception. For a URL without page, the path is stored, without
its query string. For each account, at most a hundred refusals and a hundred failures a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Declare the nightly cleanup."""
    from cpro.core.shown_errors import jobs as _declared  # noqa: F401  # importing declares its handler
