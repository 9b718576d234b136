"""The school, and the versions of its two pictures."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, case, event, false, select
from sqlalchemy.orm import Mapped, column_property, mapped_column

from cpro.core.shown import shown
from cpro.core.tenancy import Owned, TenantRoot
from cpro.core.types import EnumValue, LabelledEnum, UTCDateTime
from cpro.core.validators import TIMEZONES, fold
from cpro.extensions import Model


class CNILKind(LabelledEnum):
    """What the reference given for transfers refers to; values are what forms and database keep."""

    DECLARATION = "declaration", "Déclaration CNIL (avant le 25 mai 2018)"
    REGISTER = "registre", "Registre RGPD"


class TeachersConsent(LabelledEnum):
    """Which teachers' accounts opened by the administrator wait for the head; values are what forms post."""

    NONE = "aucun", "Aucun : je suis seulement prévenu"
    TYPED = "saisis", "Ceux créés à la main ou par un tableau, réactivés, ou donnés à un ancien administrateur"
    ALL = "tous", "Tous, ceux des fichiers de STS-Web compris"


class Module(LabelledEnum):
    """The parts of CPro that a school's head can switch on and off; values are what forms post."""

    SCENARIOS = "scenarios", "Scénarios"
    PASSPORT = "passport", "Passeport"
    INSPECTORS = "inspectors", "Accès inspecteur"


class PictureKind(LabelledEnum):
    """The two pictures of a school; values are used in URLs and in the database."""

    LOGO = "logo", "logo"
    STAMP = "cachet", "cachet de l’établissement"

    @property
    def print_box_mm(self) -> tuple[float, float]:
        """Return the largest box it fills on a printed page: width and height, in millimetres."""
        return (60, 25) if self is PictureKind.LOGO else (60, 40)


class Establishment(TenantRoot, Model):
    """A school: all its descriptive fields may be blank; only the code is required."""

    __tablename__ = "establishment"
    __table_args__ = (
        UniqueConstraint("code"),
        UniqueConstraint("uai"),
        CheckConstraint("NOT transfers_enabled OR cnil_reference <> ''", name="transfers_need_reference"),
        CheckConstraint("cnil_kind IN ('declaration', 'registre')", name="cnil_kind"),
        CheckConstraint("retention_years BETWEEN 1 AND 3", name="retention_years"),
        {"sqlite_autoincrement": True},  # the journal refers to it by its id
    )

    if TYPE_CHECKING:
        #: the version of the logo in use, or None; defined below, and loaded on demand (`undefer`)
        logo_id: Mapped[int | None]

    #: the school's code in URLs and at sign-in: lower-case letters, digits, hyphen
    code: Mapped[str] = mapped_column(String(32), info=shown("Code de connexion", in_list=False))
    name: Mapped[str] = mapped_column(String(150), default="", info=shown("Nom de l’établissement", sort=True))
    #: seven digits and a key letter; empty (NULL, so that blanks do not collide) until known
    uai: Mapped[str | None] = mapped_column(
        String(8), info=shown("Code UAI (ex-RNE)", sort=True, help="Sept chiffres et une lettre, par exemple 0570109J.")
    )
    #: since when an import or a transfer relies on the UAI: from then on only the command line can correct it
    uai_locked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    email: Mapped[str] = mapped_column(
        String(254),
        default="",
        info=shown("Adresse électronique", "email", sort=True),
    )
    #: where a head's code is sent, as set by the platform's operator; only the command line writes it
    head_email: Mapped[str] = mapped_column(String(254), default="", server_default="")
    #: the UAI set by the command line, for a school that has its académie's mailbox; the form changes `uai` only
    official_uai: Mapped[str | None] = mapped_column(String(8))
    #: the last `email` confirmed by a signed-in head, or by its earlier holder: heads' codes are sent there from then
    #: on
    confirmed_email: Mapped[str] = mapped_column(String(254), default="", server_default="")
    kind: Mapped[str] = mapped_column(String(80), default="", info=shown("Type d’établissement", in_list=False))
    address_line1: Mapped[str] = mapped_column(String(120), default="", info=shown("Adresse", in_list=False))
    address_line2: Mapped[str] = mapped_column(
        String(120), default="", info=shown("Complément d’adresse", in_list=False)
    )
    postal_code: Mapped[str] = mapped_column(String(5), default="", info=shown("Code postal", in_list=False))
    city: Mapped[str] = mapped_column(String(100), default="", info=shown("Ville", sort=True))
    phone: Mapped[str] = mapped_column(String(20), default="", info=shown("Téléphone", "phone", in_list=False))
    website: Mapped[str] = mapped_column(String(255), default="", info=shown("Site internet", "website", in_list=False))
    academy: Mapped[str] = mapped_column(String(60), default="", info=shown("Académie", in_list=False))
    #: printed with the stamp
    signatory_name: Mapped[str] = mapped_column(String(120), default="", info=shown("Nom du signataire", in_list=False))
    signatory_function: Mapped[str] = mapped_column(
        String(120),
        default="",
        info=shown(
            "Fonction du signataire", in_list=False, help="Imprimée avec le cachet, par exemple « Proviseure »."
        ),
    )
    #: the data-protection contact (DPD)
    dpd_name: Mapped[str] = mapped_column(
        String(120), default="", info=shown("Délégué à la protection des données (DPD)", in_list=False)
    )
    dpd_email: Mapped[str] = mapped_column(
        String(254), default="", info=shown("Adresse électronique du DPD", "email", in_list=False)
    )
    timezone: Mapped[str] = mapped_column(
        String(40), default="Europe/Paris", info=shown("Fuseau horaire", in_list=False, choices=TIMEZONES)
    )
    #: for apprentices: the labour administration, the contract's code, the training centre
    dreets: Mapped[str] = mapped_column(String(150), default="", info=shown("DREETS", in_list=False))
    mcpfa: Mapped[str] = mapped_column(String(150), default="", info=shown("MCPFA", in_list=False))
    greta_cfa: Mapped[str] = mapped_column(String(150), default="", info=shown("GRETA ou CFA", in_list=False))
    cnil_kind: Mapped[CNILKind] = mapped_column(
        EnumValue(CNILKind, 16),
        default=CNILKind.DECLARATION,
        info=shown("Nature de la référence", in_list=False),
    )
    cnil_reference: Mapped[str] = mapped_column(
        String(60),
        default="",
        info=shown(
            "Référence",
            in_list=False,
            typed="Numéro de la déclaration, ou référence dans le registre",
            help="Déclaration : 6 ou 7 chiffres, par exemple 1679866 v 0. Registre : 3 à 60 caractères.",
        ),
    )
    transfers_enabled: Mapped[bool] = mapped_column(
        default=False,
        info=shown(
            "Transferts", reads=lambda value: "activés" if value else "désactivés", typed="Activer les transferts"
        ),
    )
    uses_siecle: Mapped[bool] = mapped_column(
        default=True, info=shown("Utilise SIECLE", in_list=False, typed="L’établissement utilise SIECLE")
    )
    #: years during which a departed pupil's records are kept, 1 to 3
    retention_years: Mapped[int] = mapped_column(default=3, server_default="3")
    #: the modules that the head switches (`is_module_on`): when off, their pages are closed and their data stays
    scenarios_enabled: Mapped[bool] = mapped_column(default=True)
    passport_enabled: Mapped[bool] = mapped_column(default=True)
    inspectors_enabled: Mapped[bool] = mapped_column(default=True)
    #: whether every teacher's account opened by the administrator waits for the head's consent; only the head sets it
    teachers_need_consent: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: whether accounts that no STS-Web file names open at once, like those that a file names
    typed_teachers_open_at_once: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: name, UAI, code and city, folded: what the support's search reads
    search_key: Mapped[str] = mapped_column(String(400), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @property
    def teachers_consent(self) -> TeachersConsent:
        """Return which teachers' accounts wait for the head."""
        if self.teachers_need_consent:
            return TeachersConsent.ALL
        return TeachersConsent.NONE if self.typed_teachers_open_at_once else TeachersConsent.TYPED

    @teachers_consent.setter
    def teachers_consent(self, asked: TeachersConsent) -> None:
        """Set which teachers' accounts wait for the head."""
        self.teachers_need_consent = asked is TeachersConsent.ALL
        self.typed_teachers_open_at_once = asked is TeachersConsent.NONE


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
    kind: Mapped[PictureKind] = mapped_column(EnumValue(PictureKind, 8))
    #: the file's name in the store; empty for a deletion
    stored_name: Mapped[str] = mapped_column(String(120), default="")
    mimetype: Mapped[str] = mapped_column(String(20), default="")
    #: in pixels; 0 for a deletion
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


Establishment.logo_id = column_property(
    select(case((PictureVersion.stored_name != "", PictureVersion.id)))
    .where(
        PictureVersion.establishment_id == Establishment.id,
        PictureVersion.kind == PictureKind.LOGO,
        PictureVersion.undone_at.is_(None),
    )
    .order_by(PictureVersion.id.desc())
    .limit(1)
    .correlate(Establishment)
    .scalar_subquery(),
    deferred=True,
)
