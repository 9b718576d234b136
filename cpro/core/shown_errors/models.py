"""One error page that was shown."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import PlatformOnly
from cpro.core.types import UTCDateTime
from cpro.extensions import Model


class ShownError(PlatformOnly, Model):
    """What the platform knows of an error page; its school is no foreign key: it outlives whatever happens to it."""

    __tablename__ = "shown_error"

    #: the number of the request, which the page and the logs give too
    number: Mapped[str] = mapped_column(String(12), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    #: the school worked in, if any
    school_id: Mapped[int | None]
    #: whose page it was, "account:12"; empty where nobody was signed in
    account: Mapped[str] = mapped_column(String(40))
    #: the method and the route, without the values in its address; the path asked for where no page is there
    route: Mapped[str] = mapped_column(String(200))
    status: Mapped[int]
    #: the class of what was raised
    cause: Mapped[str] = mapped_column(String(100))
