"""The wordings a school gave, per diploma; a field without a row keeps its default."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cpro.core.tenancy import Owned
from cpro.core.types import UTCDateTime
from cpro.extensions import Model
from cpro.students.models import Diploma

MAX_WORDING = 200


class MaskKey(enum.Enum):
    """The six worded fields of the scenario screen; values are their names in forms and database."""

    DESCRIPTION = "description"
    PROBLEMATIC = "problematic"
    EQUIPMENT = "equipment"
    LINKS = "links"
    RESOURCES = "resources"
    KNOWLEDGE = "knowledge"

    @property
    def default(self) -> str:
        """Return the wording where the school gave none."""
        return _DEFAULTS[self]


_DEFAULTS = {
    MaskKey.DESCRIPTION: "Description du contexte / mise en situation professionnelle",
    MaskKey.PROBLEMATIC: "Problématique / missions à réaliser",
    MaskKey.EQUIPMENT: "Matériels et logiciels utilisés",
    MaskKey.LINKS: "Liens associés au scénario",
    MaskKey.RESOURCES: "Ressources / espaces de formation",
    MaskKey.KNOWLEDGE: "Connaissances associées",
}


class Mask(Owned, Model):
    """One wording of one field, for one diploma, in one school."""

    __tablename__ = "mask"
    __table_args__ = (
        UniqueConstraint("establishment_id", "diploma_id", "key"),
        CheckConstraint(
            "key IN ('description', 'problematic', 'equipment', 'links', 'resources', 'knowledge')", name="key"
        ),
        CheckConstraint(f"length(wording) BETWEEN 1 AND {MAX_WORDING}", name="wording"),
        Index("ix_mask_diploma_id", "diploma_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    diploma_id: Mapped[int] = mapped_column(ForeignKey("diploma.id"))
    key: Mapped[str] = mapped_column(String(16))
    wording: Mapped[str] = mapped_column(String(MAX_WORDING))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    diploma: Mapped[Diploma] = relationship(lazy="raise")
