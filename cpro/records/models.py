"""Fiches, évaluations and bilans of a pupil, and the origin of the copies among them."""

from __future__ import annotations

import enum
from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from cpro.core.tenancy import DiplomaScoped, Owned, key_within_school
from cpro.core.types import EnumValue, LabelledEnum, UTCDateTime
from cpro.extensions import Model
from cpro.students.models import Student


class FicheState(LabelledEnum):
    """States of a fiche; values are used in the database."""

    DRAFT = "draft", "brouillon"
    SUBMITTED = "submitted", "à valider"
    VALIDATED = "validated", "validée"


class Place(LabelledEnum):
    """Where a situation was met (PFMP: période de formation en milieu professionnel); values are also used in forms."""

    SCHOOL = "school", "au lycée ou au CFA"
    COMPANY = "company", "en entreprise (PFMP)"


class Level(enum.IntEnum):
    """How well a competence is mastered; values are used in forms and in the database.

    The labels are those of the national scale of four levels, also used in collège: décret n° 2015-1929 du 31 décembre
    2015 relatif à l’évaluation des acquis scolaires des élèves.
    """

    INSUFFICIENT = 1
    FRAGILE = 2
    SATISFACTORY = 3
    VERY_GOOD = 4

    @property
    def label(self) -> str:
        """Return the French label."""
        return ("maîtrise insuffisante", "maîtrise fragile", "maîtrise satisfaisante", "très bonne maîtrise")[self - 1]


class PupilRecord(Owned, DiplomaScoped):
    """Columns common to the three kinds: the pupil, the origin, the author.

    The texts about its origin are copied, so that they outlive accounts and travel with transfers.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    student_id: Mapped[int]
    #: UUID, set once with the record and kept by its copies
    origin_uid: Mapped[str] = mapped_column(String(36))
    #: the account that wrote it, in this school; empty for a copy
    author_id: Mapped[int | None]
    author_label: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: name and UAI of the school where a copy was written; empty for a record written here
    origin_school: Mapped[str] = mapped_column(String(170), default="")
    #: the reception that made a copy (no foreign key: transfers are a higher feature); a copy is read-only
    received_in: Mapped[int | None]

    @classmethod
    def is_within(cls, diploma_ids: Collection[int]) -> ColumnElement[bool]:
        """Return the condition of the records of the pupils who prepare for these diplomas."""
        students = select(Student.id).where(Student.is_within(diploma_ids))
        return cls.student_id.in_(students.correlate(None))

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        name = cls.__tablename__  # type: ignore[attr-defined]
        return (
            UniqueConstraint("establishment_id", "student_id", "origin_uid", name=f"uq_{name}_origin"),
            key_within_school("student_id", "student", name=f"fk_{name}_student"),
            key_within_school("author_id", "account", name=f"fk_{name}_author"),
            Index(f"ix_{name}_student", "establishment_id", "student_id", "id"),
            Index(f"ix_{name}_received_in", "establishment_id", "received_in"),
            Index(f"ix_{name}_author", "establishment_id", "author_id"),
            *cls.own_table_args(),
        )

    @classmethod
    def own_table_args(cls) -> tuple[object, ...]:
        """Return the constraints of one kind of record."""
        return ()


class Fiche(PupilRecord, Model):
    """A situation that a pupil met, in school or in company."""

    __tablename__ = "fiche"

    title: Mapped[str] = mapped_column(String(150))
    place: Mapped[Place] = mapped_column(EnumValue(Place, 8))
    #: the company or the workshop
    place_name: Mapped[str] = mapped_column(String(150), default="")
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    #: safe rich text
    tasks: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[FicheState] = mapped_column(EnumValue(FicheState, 10))
    validated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    validated_by_label: Mapped[str] = mapped_column(String(200), default="")

    @classmethod
    def own_table_args(cls) -> tuple[object, ...]:
        """Return the constraints of fiches."""
        return (
            CheckConstraint("place IN ('school', 'company')", name="place"),
            CheckConstraint("state IN ('draft', 'submitted', 'validated')", name="state"),
            CheckConstraint("starts_on <= ends_on", name="days_in_order"),
            Index("ix_fiche_state", "establishment_id", "state", "student_id", "id"),
        )


class Evaluation(PupilRecord, Model):
    """The level given by a teacher to one competence of a pupil on a day.

    The competence and the scenario are also stored as text: the texts travel with a transfer, the links do not.
    """

    __tablename__ = "evaluation"

    #: empty when the school has no such competence, as in a copy from a diploma of another school
    competence_id: Mapped[int | None] = mapped_column(ForeignKey("competence.id"), index=True)
    competence_code: Mapped[str] = mapped_column(String(16))
    competence_label: Mapped[str] = mapped_column(String(250))
    #: code and short label of the diploma the competence belongs to
    diploma_code: Mapped[str] = mapped_column(String(16))
    diploma_label: Mapped[str] = mapped_column(String(60))
    level: Mapped[int]
    evaluated_on: Mapped[date]
    scenario_id: Mapped[int | None]
    scenario_title: Mapped[str] = mapped_column(String(150), default="")
    #: the fiche of the same pupil it refers to, by its origin, which copies keep
    fiche_uid: Mapped[str | None] = mapped_column(String(36))

    @classmethod
    def own_table_args(cls) -> tuple[object, ...]:
        """Return the constraints of évaluations."""
        return (
            CheckConstraint("level BETWEEN 1 AND 4", name="level"),
            Index("ix_evaluation_day", "establishment_id", "evaluated_on", "id"),
            key_within_school("scenario_id", "scenario", name="fk_evaluation_scenario"),
            ForeignKeyConstraint(
                ["establishment_id", "student_id", "fiche_uid"],
                ["fiche.establishment_id", "fiche.student_id", "fiche.origin_uid"],
                name="fk_evaluation_fiche",
            ),
        )


class Bilan(PupilRecord, Model):
    """A teacher's summary of a period of a pupil."""

    __tablename__ = "bilan"

    starts_on: Mapped[date]
    ends_on: Mapped[date]
    #: safe rich text
    body: Mapped[str] = mapped_column(Text)

    @classmethod
    def own_table_args(cls) -> tuple[object, ...]:
        """Return the constraints of bilans."""
        return (CheckConstraint("starts_on <= ends_on", name="days_in_order"),)


#: The three kinds, in the order in which they may be written: an évaluation refers to a fiche.
KINDS: tuple[type[Fiche] | type[Bilan] | type[Evaluation], ...] = (Fiche, Bilan, Evaluation)
