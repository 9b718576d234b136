"""The model of shown error pages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import PlatformOnly
from cpro.core.types import UTCDateTime
from cpro.extensions import Model


class ShownError(PlatformOnly, Model):
    """An error page shown to a user; its school is not a foreign key, so that the row outlives the school."""

    __tablename__ = "shown_error"

    #: the request id, also in the page and the logs
    number: Mapped[str] = mapped_column(String(12), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    #: the current school, if any
    school_id: Mapped[int | None]
    #: the account, "account:12"; empty when not signed in
    account: Mapped[str] = mapped_column(String(40))
    #: the method and the route, without the values in its URL; the requested path when there is no such page
    route: Mapped[str] = mapped_column(String(200))
    status: Mapped[int]
    #: the class of the exception
    cause: Mapped[str] = mapped_column(String(100))
