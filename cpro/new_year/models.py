"""The marks that people put on the steps of a school year, and the report once it is prepared."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned
from cpro.core.types import EnumValue, LabelledEnum, UTCDateTime
from cpro.extensions import Model


class Mark(LabelledEnum):
    """The marks that a person may put on a step; values are used in the database and in forms."""

    CHECKED = "checked", "relu"
    SET_ASIDE = "set-aside", "laissé de côté"


class StepMark(Owned, Model):
    """A person's mark on one step of a school year."""

    __tablename__ = "new_year_mark"
    __table_args__ = (UniqueConstraint("establishment_id", "school_year", "step"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: calendar year in which the school year starts
    school_year: Mapped[int]
    #: key of a `StepDeclaration`
    step: Mapped[str] = mapped_column(String(16))
    mark: Mapped[Mark] = mapped_column(EnumValue(Mark, 16))
    marked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: the person's name at that time
    marked_by: Mapped[str] = mapped_column(String(200))


class NewYearReport(Owned, Model):
    """State of the steps of a school year when it was declared prepared."""

    __tablename__ = "new_year_report"
    __table_args__ = (UniqueConstraint("establishment_id", "school_year"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: calendar year in which the school year starts
    school_year: Mapped[int]
    finished_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: the person's name at that time
    finished_by: Mapped[str] = mapped_column(String(200))
    #: [{"step": its key, "state": French label, "figures": [sentence], "at": ISO instant or "", "by": name}]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
