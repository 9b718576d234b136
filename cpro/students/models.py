"""Diplomas, divisions, students, and who teaches where."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, ForeignKey, Index, String, UniqueConstraint, and_, event, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cpro.core.formatting import format_date
from cpro.core.search import Searched
from cpro.core.shown import Filter, choice, computed, shown
from cpro.core.tenancy import DiplomaScoped, Owned, Shared, key_within_school
from cpro.core.types import EnumValue, LabelledEnum, UTCDateTime, empty_last
from cpro.core.validators import fold
from cpro.extensions import Model


class Diploma(Shared, DiplomaScoped, Model):
    """A diploma: national, or added by one school."""

    __tablename__ = "diploma"
    __table_args__ = (
        UniqueConstraint("establishment_id", "code"),
        Index(
            "uq_diploma_national_code",
            "code",
            unique=True,
            sqlite_where=text("establishment_id IS NULL"),
            postgresql_where=text("establishment_id IS NULL"),
        ),
        {"sqlite_autoincrement": True},  # the journal refers to it by its id
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the ministry's code (8 digits), or a code chosen by the school
    code: Mapped[str] = mapped_column(
        String(16),
        info=shown("Code", sort=True, help="Le code officiel du diplôme, ou un mot à vous : 16 caractères au plus."),
    )
    label: Mapped[str] = mapped_column(String(150), info=shown("Intitulé complet", sort=True))
    #: everyday label: « Bac pro MELEC »
    short_label: Mapped[str] = mapped_column(
        String(60), info=shown("Intitulé court", sort=True, help="Comme on le dit : « Bac pro MELEC ».")
    )

    @computed(
        "Origine",
        needs=("establishment_id",),
        filters=[
            choice(
                "origine",
                "",
                "toutes les origines",
                (
                    ("nationaux", "nationaux", lambda: Diploma.establishment_id.is_(None)),
                    ("propres", "propres à l’établissement", lambda: Diploma.establishment_id.is_not(None)),
                ),
            )
        ],
    )
    def origin(self) -> str:
        """Return whether the diploma is national or the school's own."""
        return "national" if self.establishment_id is None else "de l’établissement"

    @classmethod
    def is_within(cls, diploma_ids: Collection[int]) -> ColumnElement[bool]:
        """Return the condition of these diplomas."""
        return cls.id.in_(diploma_ids)


def _diploma_shown(owner: Callable[[], Any]) -> dict[str, Any]:
    """Return how the diploma of a course or of a division is displayed."""
    linked = (
        ("oui", "rattachées à un diplôme", lambda: owner().diploma_id.is_not(None)),
        ("non", "à rattacher", lambda: owner().diploma_id.is_(None)),
    )
    return shown(
        "Diplôme",
        of="short_label",
        sort=True,
        blank="à rattacher",
        typed="Diplôme préparé",
        filters=[choice("diplome", "", "rattachées ou non", linked)],
    )


class MEF(Owned, Model):
    """A course of the ministry's list that the school uses, and the diploma it prepares for, once linked."""

    __tablename__ = "mef"
    __table_args__ = (UniqueConstraint("establishment_id", "code"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    #: 11 characters: course (3), specialty (3), order (2), length (1), year (1), type (1)
    code: Mapped[str] = mapped_column(
        String(11),
        info=shown("Code MEF", sort=True, help="Onze chiffres ou lettres, par exemple 24725510310."),
    )
    label: Mapped[str] = mapped_column(String(100), default="", info=shown("Intitulé", sort=True))
    #: empty while « à rattacher »
    diploma_id: Mapped[int | None] = mapped_column(ForeignKey("diploma.id"), index=True)

    diploma: Mapped[Diploma | None] = relationship(lazy="raise", info=_diploma_shown(lambda: MEF))


class Division(Owned, DiplomaScoped, Model):
    """A class of a school."""

    __tablename__ = "division"
    __table_args__ = (
        UniqueConstraint("establishment_id", "id"),
        UniqueConstraint("establishment_id", "code", name="uq_division_code"),
        {"sqlite_autoincrement": True},  # the journal refers to it by its id
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: SIECLE's CODE_STRUCTURE: text, up to 8 characters, may contain spaces or be all digits
    code: Mapped[str] = mapped_column(
        String(8), info=shown("Code", sort=True, help="8 caractères au plus, par exemple 2MELEC.")
    )
    label: Mapped[str] = mapped_column(String(100), default="", info=shown("Intitulé", sort=True))
    diploma_id: Mapped[int | None] = mapped_column(ForeignKey("diploma.id"), index=True)

    diploma: Mapped[Diploma | None] = relationship(lazy="raise", info=_diploma_shown(lambda: Division))

    @classmethod
    def is_within(cls, diploma_ids: Collection[int]) -> ColumnElement[bool]:
        """Return the condition of the divisions that prepare for these diplomas."""
        return cls.diploma_id.in_(diploma_ids)


class Origin(LabelledEnum):
    """How a pupil came into a school; values are used in the database."""

    SIECLE = "siecle", "fichier de SIECLE"
    TABLE = "table", "tableau hors SIECLE"
    HAND = "hand", "saisie à la main"


#: Ends with the column that separates merged rows from pupils: these are counted from the index alone.
_BY_NAME = ("search_key", "id", "merged_into_id")
_WITHOUT_INE, _MERGED = text("ine IS NULL"), text("merged_into_id IS NOT NULL")


class Student(Owned, DiplomaScoped, Searched, Model):
    """A pupil, apprentice or trainee of one school; never deleted, inactive once gone."""

    __tablename__ = "student"
    __table_args__ = (
        UniqueConstraint("establishment_id", "id"),
        key_within_school("division_id", "division", name="fk_student_division"),
        key_within_school("account_id", "account", name="fk_student_account"),
        Index("ix_student_establishment_id_search_key", "establishment_id", *_BY_NAME),
        Index("ix_student_establishment_id_ine", "establishment_id", "ine"),
        # Across schools, pupils are matched by INE (transfers): present and departed ones separately.
        Index(
            "ix_student_present_ine",
            "ine",
            postgresql_include=["establishment_id", "id"],
            sqlite_where=text("is_active = 1 AND ine IS NOT NULL"),
            postgresql_where=text("is_active AND ine IS NOT NULL"),
        ),
        Index(
            "ix_student_departed_ine",
            "ine",
            postgresql_include=["establishment_id", "id"],
            sqlite_where=text("is_active = 0 AND ine IS NOT NULL"),
            postgresql_where=text("NOT is_active AND ine IS NOT NULL"),
        ),
        UniqueConstraint("establishment_id", "siecle_id"),
        Index("uq_student_local_id", "establishment_id", "local_id", unique=True),
        # One index per filter of the list, each ending with the sort columns.
        Index("ix_student_division", "establishment_id", "division_id", *_BY_NAME),
        Index("ix_student_mef_code", "establishment_id", "mef_code", *_BY_NAME),
        # The course codes of present pupils, however many of a course have left.
        Index(
            "ix_student_present_mef_code",
            "establishment_id",
            "mef_code",
            sqlite_where=text("is_active = 1"),
            postgresql_where=text("is_active"),
        ),
        Index("ix_student_is_active", "establishment_id", "is_active", *_BY_NAME),
        Index(
            "ix_student_without_ine",
            "establishment_id",
            *_BY_NAME,
            sqlite_where=_WITHOUT_INE,
            postgresql_where=_WITHOUT_INE,
        ),
        Index("ix_student_merged", "establishment_id", *_BY_NAME, sqlite_where=_MERGED, postgresql_where=_MERGED),
        Index("ix_student_division_sort", "establishment_id", "division_sort", "search_key", "id"),
        Index("ix_student_birth_sort", "establishment_id", "birth_sort", "search_key", "id"),
        # An account belongs to at most one pupil.
        Index("uq_student_account", "establishment_id", "account_id", unique=True),
        {"sqlite_autoincrement": True},  # the journal refers to it by its id
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    last_name: Mapped[str] = mapped_column(
        String(100), info=shown("Nom", "capitals", key="name", sort="search_key", typed="Nom de famille")
    )
    usage_name: Mapped[str] = mapped_column(
        String(100), default="", info=shown("Nom d’usage", "capitals", in_list=False)
    )
    first_name: Mapped[str] = mapped_column(String(100), info=shown("Prénom"))
    birth_date: Mapped[date | None] = mapped_column(
        info=shown("Naissance", sort=("birth_sort", "search_key"), typed="Date de naissance")
    )
    birth_sort: Mapped[date] = empty_last("birth_date", Date())
    #: national identifier, 11 characters; only an import sets it, never a form
    ine: Mapped[str | None] = mapped_column(
        String(11),
        info=shown(
            "INE",
            "ine",
            filters=[
                choice(
                    "ine",
                    "",
                    "avec ou sans INE",
                    (("sans", "sans INE", lambda: Student.ine.is_(None)),),
                )
            ],
        ),
    )
    #: SIECLE's ELEVE_ID, stable within the school
    siecle_id: Mapped[str | None] = mapped_column(String(20))
    #: the number that a school without SIECLE gives its pupils in its tables; only an import sets it
    local_id: Mapped[str | None] = mapped_column(String(20))
    #: a transfer to a pupil known only from a table waits for the other school's agreement
    came_by: Mapped[Origin] = mapped_column(
        EnumValue(Origin, 8), default=Origin.HAND, info=shown("Provenance", in_list=False)
    )
    #: the ministry's code of the course followed, 11 characters; only an import sets it
    mef_code: Mapped[str] = mapped_column(
        String(11), default="", info=shown("Formation (MEF)", sort=("mef_code", "search_key"), in_list=False)
    )
    division_id: Mapped[int | None]
    #: sort key of the lists by division, maintained by database triggers (migration 0043): the code, after a digit that
    #: puts pupils without division last
    division_sort: Mapped[str] = mapped_column(String(9), server_default="1", deferred=True)
    #: the account of the student, once opened
    account_id: Mapped[int | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    #: called `left_on`, its column name, in the changes stored by imports and the journal
    departed_on: Mapped[date | None] = mapped_column("left_on")
    #: for a pupil entered twice by mistake, the id of the kept row; this one is then empty (no foreign key: undoing an
    #: import deletes pupils)
    merged_into_id: Mapped[int | None]
    #: family, first and usage names, folded: for sorting and searching
    search_key: Mapped[str] = mapped_column(String(320), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    division: Mapped[Division | None] = relationship(
        lazy="raise",
        foreign_keys="[Student.establishment_id, Student.division_id]",
        viewonly=True,
        info=shown(
            "Division",
            "lookup",
            sort=("division_sort", "search_key"),
            blank="aucune",
            filters=[Filter("division", coded="toutes les divisions")],
        ),
    )

    @computed(
        "Situation",
        needs=("is_active", "merged_into_id", "departed_on"),
        filters=[
            choice(
                "situation",
                "",
                "présents et partis",
                (
                    ("presents", "présents", lambda: Student.is_active.is_(True)),
                    (
                        "partis",
                        "partis",
                        lambda: and_(Student.is_active.is_(False), Student.is_unmerged()),
                    ),
                    ("doublons", "doublons réunis à une autre fiche", lambda: Student.merged_into_id.is_not(None)),
                ),
                otherwise=lambda: Student.is_unmerged(),
            )
        ],
    )
    def situation(self) -> str:
        """Return whether the pupil is present, or the date of departure."""
        if self.is_active:
            return "présent"
        if self.merged_into_id is not None:
            return "doublon, réuni à une autre fiche"
        return f"parti le {format_date(self.departed_on)}" if self.departed_on else "parti"

    @property
    def shown_name(self) -> str:
        """Return the last name shown on pages and documents."""
        return choose_name(self.last_name, self.usage_name)

    @classmethod
    def is_unmerged(cls) -> ColumnElement[bool]:
        """Return the condition of the pupils: a duplicate merged into another row is none."""
        return cls.merged_into_id.is_(None)

    @classmethod
    def is_within(cls, diploma_ids: Collection[int]) -> ColumnElement[bool]:
        """Return the condition of the students whose division prepares for these diplomas; never those without one."""
        divisions = select(Division.id).where(Division.is_within(diploma_ids))
        return cls.division_id.in_(divisions.correlate(None))


class TeacherDivision(Owned, Model):
    """A teacher's division: they see its pupils."""

    __tablename__ = "teacher_division"
    __table_args__ = (
        UniqueConstraint("establishment_id", "account_id", "division_id", name="uq_teacher_division"),
        key_within_school("account_id", "account", name="fk_teacher_division_account"),
        key_within_school("division_id", "division", name="fk_teacher_division_division"),
        Index("ix_teacher_division_division", "establishment_id", "division_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    division_id: Mapped[int]


@event.listens_for(Student, "before_insert")
@event.listens_for(Student, "before_update")
def _refresh_search_key(mapper: object, connection: object, student: Student) -> None:
    student.search_key = make_search_key(student.last_name, student.first_name, student.usage_name or "")


def choose_name(last_name: str, usage_name: str) -> str:
    """Return the last name to display, for callers that have the names without the row."""
    return usage_name or last_name


def make_search_key(last_name: str, first_name: str, usage_name: str) -> str:
    """Return the sort and search key of a student, for rows written in bulk, which no ORM listener sees."""
    return fold(f"{last_name} {first_name} {usage_name}").strip()
