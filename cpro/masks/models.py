"""The wordings of a school, per diploma; a field without a row keeps its default."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cpro.core.shown import Filter, shown
from cpro.core.tenancy import Owned
from cpro.core.types import EnumValue, LabelledEnum, UTCDateTime
from cpro.extensions import Model
from cpro.students.models import Diploma

MAX_WORDING = 200


class FieldKind(enum.Enum):
    """The content of a worded field: safe rich text, or the links of the scenario."""

    RICH_TEXT = enum.auto()
    LINKS = enum.auto()


class MaskKey(LabelledEnum):
    """The worded fields of the scenario screen, in display order; values are their names in forms and database.

    Each has the label shown to a school that customises it, the default wording, and the example shown under it in the
    preview. Forms, pages, prints and help are built from this list; a new rich text is a line here, the column of its
    name in `Scenario` and the migration of both.
    """

    DESCRIPTION = (
        "description",
        "Description",
        "Description du contexte / mise en situation professionnelle",
        "<p>Une entreprise vous confie la rénovation de l’éclairage de son atelier.</p>",
    )
    PROBLEMATIC = (
        "problematic",
        "Problématique",
        "Problématique / missions à réaliser",
        "<p>Comment réduire la consommation sans arrêter la production ?</p>",
    )
    EQUIPMENT = (
        "equipment",
        "Matériels et logiciels",
        "Matériels et logiciels utilisés",
        "<ul><li>Platine d’éclairage connectée</li><li>Logiciel de schéma électrique</li></ul>",
    )
    LINKS = (
        "links",
        "Liens",
        "Liens associés au scénario",
        "Documentation du constructeur",
        FieldKind.LINKS,
    )
    RESOURCES = (
        "resources",
        "Ressources",
        "Ressources / espaces de formation",
        "<p>Atelier, salle informatique</p>",
    )
    KNOWLEDGE = (
        "knowledge",
        "Connaissances",
        "Connaissances associées",
        "<p>Éclairage, puissance, énergie</p>",
    )

    default: str
    example: str
    kind: FieldKind

    def __new__(
        cls, name: str, label: str = "", default: str = "", example: str = "", kind: FieldKind = FieldKind.RICH_TEXT
    ) -> Self:
        """Create a member: the name of the field is its value, the rest its attributes."""
        key = object.__new__(cls)
        key._value_ = name
        key.label, key.default, key.example, key.kind = label, default, example, kind
        return key


class Mask(Owned, Model):
    """One wording of one field, for one diploma, in one school."""

    __tablename__ = "mask"
    __table_args__ = (
        UniqueConstraint("establishment_id", "diploma_id", "key"),
        CheckConstraint(f"key IN ({', '.join(repr(key.value) for key in MaskKey)})", name="key"),
        CheckConstraint(f"length(wording) BETWEEN 1 AND {MAX_WORDING}", name="wording"),
        Index("ix_mask_diploma_id", "diploma_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    diploma_id: Mapped[int] = mapped_column(ForeignKey("diploma.id"))
    key: Mapped[MaskKey] = mapped_column(
        EnumValue(MaskKey, 16),
        info=shown(
            "Intitulé d’origine",
            of="default",
            typed="Champ",
            filters=[Filter("champ", "Champ", "tous les champs")],
        ),
    )
    wording: Mapped[str] = mapped_column(
        String(MAX_WORDING),
        info=shown(
            "Intitulé de l’établissement",
            sort=True,
            typed="Intitulé",
            help="200 caractères au plus ; vide, l’intitulé d’origine revient.",
        ),
    )
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    diploma: Mapped[Diploma] = relationship(
        lazy="raise",
        info=shown("Diplôme", of="short_label", sort=True, filters=[Filter("diplome", everything="tous les diplômes")]),
    )
