"""The school, and the versions of its two pictures."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, event, false
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned, TenantRoot
from cpro.core.types import UTCDateTime
from cpro.core.validators import fold
from cpro.extensions import Model


class CNILKind(enum.Enum):
    """What the reference given for transfers refers to; values are what forms and database keep."""

    DECLARATION = "declaration"
    REGISTER = "registre"

    @property
    def label(self) -> str:
        """Return the French name."""
        return {"declaration": "Déclaration CNIL (avant le 25 mai 2018)", "registre": "Registre RGPD"}[self.value]


class Module(enum.Enum):
    """The parts of CPro that a school's head switches on and off; values are what forms post."""

    SCENARIOS = "scenarios"
    PASSPORT = "passport"
    INSPECTORS = "inspectors"

    @property
    def label(self) -> str:
        """Return the French name."""
        return {"scenarios": "Scénarios", "passport": "Passeport", "inspectors": "Accès inspecteur"}[self.value]


class PictureKind(enum.Enum):
    """The two pictures of a school; values are what addresses and database keep."""

    LOGO = "logo"
    STAMP = "cachet"

    @property
    def label(self) -> str:
        """Return the French name, as in « le logo »."""
        return {"logo": "logo", "cachet": "cachet de l’établissement"}[self.value]

    @property
    def print_box(self) -> Literal["logo", "stamp"]:
        """Return the name of the box it fills on a printed page (imaging.PRINT_BOXES_MM)."""
        return "logo" if self is PictureKind.LOGO else "stamp"


class Establishment(TenantRoot, Model):
    """A school: everything it says of itself may be left blank, except its name's column of origin, the code."""

    __tablename__ = "establishment"
    __table_args__ = (
        UniqueConstraint("code"),
        UniqueConstraint("uai"),
        CheckConstraint("NOT transfers_enabled OR cnil_reference <> ''", name="transfers_need_reference"),
        CheckConstraint("cnil_kind IN ('declaration', 'registre')", name="cnil_kind"),
        CheckConstraint("retention_years BETWEEN 1 AND 3", name="retention_years"),
    )

    #: the school's word in addresses and at sign-in: lower-case letters, digits, hyphen
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(150), default="")
    #: seven digits and a key letter; empty (NULL, so that blanks do not collide) until known
    uai: Mapped[str | None] = mapped_column(String(8))
    #: since when an import or a transfer has relied on the UAI: only the command line corrects it then
    uai_locked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    email: Mapped[str] = mapped_column(String(254), default="")
    #: where whoever runs the platform said that a head's code goes; the command line alone writes it
    head_email: Mapped[str] = mapped_column(String(254), default="", server_default="")
    #: the UAI that the command line gave, of a school that has its académie's mailbox; the form changes `uai` alone
    official_uai: Mapped[str | None] = mapped_column(String(8))
    #: the `email` that a head signed in, or its earlier holder, confirmed last: heads' codes go there from then on
    confirmed_email: Mapped[str] = mapped_column(String(254), default="", server_default="")
    kind: Mapped[str] = mapped_column(String(80), default="")
    address_line1: Mapped[str] = mapped_column(String(120), default="")
    address_line2: Mapped[str] = mapped_column(String(120), default="")
    postal_code: Mapped[str] = mapped_column(String(5), default="")
    city: Mapped[str] = mapped_column(String(100), default="")
    phone: Mapped[str] = mapped_column(String(20), default="")
    website: Mapped[str] = mapped_column(String(255), default="")
    academy: Mapped[str] = mapped_column(String(60), default="")
    #: printed with the stamp
    signatory_name: Mapped[str] = mapped_column(String(120), default="")
    signatory_function: Mapped[str] = mapped_column(String(120), default="")
    #: the data-protection contact (DPD)
    dpd_name: Mapped[str] = mapped_column(String(120), default="")
    dpd_email: Mapped[str] = mapped_column(String(254), default="")
    timezone: Mapped[str] = mapped_column(String(40), default="Europe/Paris")
    #: for apprentices: the labour administration, the contract's code, the training centre
    dreets: Mapped[str] = mapped_column(String(150), default="")
    mcpfa: Mapped[str] = mapped_column(String(150), default="")
    greta_cfa: Mapped[str] = mapped_column(String(150), default="")
    cnil_kind: Mapped[str] = mapped_column(String(16), default=CNILKind.DECLARATION.value)
    cnil_reference: Mapped[str] = mapped_column(String(60), default="")
    transfers_enabled: Mapped[bool] = mapped_column(default=False)
    uses_siecle: Mapped[bool] = mapped_column(default=True)
    #: years during which a departed pupil's records are kept, 1 to 3
    retention_years: Mapped[int] = mapped_column(default=3, server_default="3")
    #: the modules that the head switches (`is_module_on`): off, their pages are closed and their data stays
    scenarios_enabled: Mapped[bool] = mapped_column(default=True)
    passport_enabled: Mapped[bool] = mapped_column(default=True)
    inspectors_enabled: Mapped[bool] = mapped_column(default=True)
    #: whether a teacher's account that the administrator opens waits for the head's consent; the head alone says so
    teachers_need_consent: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: name, UAI, code and city, folded: what the support searches
    search_key: Mapped[str] = mapped_column(String(400), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


@event.listens_for(Establishment, "before_insert")
@event.listens_for(Establishment, "before_update")
def _refresh_search_key(mapper: object, connection: object, establishment: Establishment) -> None:
    parts = (establishment.name, establishment.uai, establishment.code, establishment.city)
    establishment.search_key = fold(" ".join(part for part in parts if part))


class PictureVersion(Owned, Model):
    """One step in the life of a logo or a stamp: a deposit, or a deletion (no file).

    The current picture of a kind is its latest version that was not undone; undoing one restores the one before.
    """

    __tablename__ = "picture_version"
    __table_args__ = (
        UniqueConstraint("establishment_id", "id"),
        CheckConstraint("kind IN ('logo', 'cachet')", name="kind"),
        CheckConstraint("(stored_name = '') = (width = 0)", name="file_has_size"),
        Index("ix_picture_version_establishment_id_kind", "establishment_id", "kind", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    kind: Mapped[str] = mapped_column(String(8))
    #: the file's name in the store; empty for a deletion
    stored_name: Mapped[str] = mapped_column(String(120), default="")
    mimetype: Mapped[str] = mapped_column(String(20), default="")
    #: in pixels; 0 for a deletion
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
