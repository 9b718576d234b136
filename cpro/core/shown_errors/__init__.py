"""The error pages shown in the last thirty days: with the number of one, the support finds what happened.

Nothing typed is kept, nor the values of an address that has a page: a number, an instant, a school, the number of an
account, a route, a status and the class of what was raised. Of an address that has none, the path is kept, without what
follows « ? ». Of one account, at most a hundred refusals and a hundred breakdowns a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Declare the nightly forgetting."""
    from cpro.core.shown_errors import jobs as _declared  # noqa: F401  # its handler, known once imported
