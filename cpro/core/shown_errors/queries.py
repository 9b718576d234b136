"""Find an error page by its number."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.shown_errors.models import ShownError

#: A number as quoted: alone, or at the end of the error page's line, after its status.
_CITED = re.compile(r"(?:^|[^0-9a-z])(?:[0-9]{3})?([0-9a-z]{12})\.?$")


def find_error(session: Session, typed: str) -> ShownError | None:
    """Return the error page of a number, typed alone or as the page shows it, in any case; in a platform session."""
    cited = _CITED.search("".join(typed.split()).lower())
    return session.get(ShownError, cited[1]) if cited else None


def find_last_number(session: Session, account: str, *, since: datetime) -> str:
    """Return the number of the last error page shown to an account since an instant, or ""."""
    shown = select(ShownError.number).where(ShownError.account == account, ShownError.at > since)
    return session.scalar(shown.order_by(ShownError.at.desc()).limit(1)) or ""
