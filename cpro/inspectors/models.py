"""Mandates and their diplomas."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cpro.core.shown import shown
from cpro.core.tenancy import Owned, key_within_school
from cpro.core.types import LabelledEnum, UTCDateTime
from cpro.extensions import Model
from cpro.students.models import Diploma

#: How many days before its last one an access is reported as ending soon.
SOON = timedelta(days=7)


class MandateState(LabelledEnum):
    """The state of a mandate; values are those used in URLs."""

    TO_COME = "a-venir", "à venir"
    RUNNING = "en-cours", "en cours"
    ENDED = "termines", "terminé"
    CLOSED = "fermes", "fermé"

    @property
    def heading(self) -> str:
        """Return the French heading of the mandates in this state."""
        return {"a-venir": "À venir", "en-cours": "En cours", "termines": "Terminés", "fermes": "Fermés"}[self.value]


class Mandate(Owned, Model):
    """What opens a school to one inspector: which diplomas, from which day to which, and why."""

    __tablename__ = "mandate"
    __table_args__ = (
        UniqueConstraint("establishment_id", "id"),
        CheckConstraint("starts_on <= ends_on", name="days_in_order"),
        CheckConstraint("(closed_at IS NULL) = (closing_reason = '')", name="closing_has_reason"),
        key_within_school("opened_by_id", "account", name="fk_mandate_opened_by"),
        Index("ix_mandate_inspector", "inspector_id", "establishment_id", "ends_on"),
        Index("ix_mandate_days", "establishment_id", "starts_on", "id"),
        {"sqlite_autoincrement": True},  # the journal refers to it by id: ids must not be reused
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    #: the inspector's account, shared by all schools; none of its data is shown to the school
    inspector_id: Mapped[int] = mapped_column(ForeignKey("platform_account.id"))
    #: as the school typed it: the name used in its own pages and journal
    inspector_name: Mapped[str] = mapped_column(String(150), info=shown("Inspecteur", key="name", sort=True))
    #: as the school typed it, in lower case; e-mails about the mandate go there
    email: Mapped[str] = mapped_column(String(254), info=shown("Adresse", in_list=False))
    #: distinguishes "all" from a list that became empty, which opens nothing
    all_diplomas: Mapped[bool]
    #: both days included, in the school's time zone
    starts_on: Mapped[date] = mapped_column(info=shown("Du", sort=True))
    ends_on: Mapped[date] = mapped_column(info=shown("Au", sort=True))
    purpose: Mapped[str] = mapped_column(String(300), info=shown("Objet", in_list=False))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime, info=shown("Ouvert le", in_list=False))
    opened_by_id: Mapped[int]
    opened_by_label: Mapped[str] = mapped_column(String(200), info=shown("Ouvert par", in_list=False))
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=shown("Fermé le", in_list=False))
    closed_by_label: Mapped[str] = mapped_column(String(200), default="", info=shown("Fermé par", in_list=False))
    closing_reason: Mapped[str] = mapped_column(
        String(300), default="", info=shown("Raison de la fermeture", in_list=False)
    )

    diplomas: Mapped[list[MandateDiploma]] = relationship(lazy="raise", order_by="MandateDiploma.id")

    def state_on(self, today: date) -> MandateState:
        """Return the state of the mandate on a given day of the school."""
        if self.closed_at is not None:
            return MandateState.CLOSED
        if today < self.starts_on:
            return MandateState.TO_COME
        return MandateState.RUNNING if today <= self.ends_on else MandateState.ENDED


class MandateDiploma(Owned, Model):
    """One of the diplomas that a mandate opens."""

    __tablename__ = "mandate_diploma"
    __table_args__ = (
        UniqueConstraint("establishment_id", "mandate_id", "diploma_id", name="uq_mandate_diploma"),
        key_within_school("mandate_id", "mandate", name="fk_mandate_diploma_mandate"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    mandate_id: Mapped[int]
    diploma_id: Mapped[int] = mapped_column(ForeignKey("diploma.id"), index=True)

    diploma: Mapped[Diploma] = relationship(lazy="raise")
