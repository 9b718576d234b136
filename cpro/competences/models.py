"""The competences of a diploma: national, or added by a school for a diploma of its own."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cpro.core.tenancy import DiplomaScoped, Shared
from cpro.extensions import Model
from cpro.students.models import Diploma


class Competence(Shared, DiplomaScoped, Model):
    """One line of the list of a diploma."""

    __tablename__ = "competence"
    __table_args__ = (
        UniqueConstraint("establishment_id", "diploma_id", "code"),
        Index(
            "uq_competence_national_code",
            "diploma_id",
            "code",
            unique=True,
            sqlite_where=text("establishment_id IS NULL"),
            postgresql_where=text("establishment_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    diploma_id: Mapped[int] = mapped_column(ForeignKey("diploma.id"), index=True)
    #: as published: « C1 », « C13 »
    code: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(250))
    #: place in the list, from 1
    position: Mapped[int]

    diploma: Mapped[Diploma] = relationship(lazy="raise")

    @classmethod
    def is_within(cls, diploma_ids: Collection[int]) -> ColumnElement[bool]:
        """Return the condition of the competences of these diplomas."""
        return cls.diploma_id.in_(diploma_ids)
