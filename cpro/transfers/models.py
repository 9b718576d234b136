"""A transfer as the platform stores it, and the side that each of its two schools sees."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.search import Searched
from cpro.core.shown import Filter, shown
from cpro.core.tenancy import Owned, PlatformOnly, key_within_school
from cpro.core.types import EnumValue, LabelledEnum, UTCDateTime
from cpro.extensions import Model

_CURRENT_ON_SQLITE = text("is_current = 1")  # as SQLAlchemy writes the condition there
_CURRENT = text("is_current")
_UNRECORDED = text("told_at IS NULL AND done_at IS NOT NULL")

_NEW = text("told_at IS NULL")
#: Label used for the other school by a side that may not name it.
UNNAMED = "non nommé, car les identités diffèrent"


class TransferState(LabelledEnum):
    """States of a transfer; the values are those stored in the database."""

    WAITING_SOURCE = "waiting_left", "en attente de l’établissement d’origine"
    WAITING_DESTINATION = "waiting_joined", "en attente de l’établissement d’accueil"
    TWINS = "twins", "même INE présent deux fois"
    BLOCKED = "blocked", "arrêté : même INE présent deux fois"
    CONFLICT = "conflict", "identité à confirmer"
    AGREEMENT = "agreement", "accord à donner"
    OFFERED = "offered", "proposé"
    DONE = "done", "effectué"
    CANCELLED = "cancelled", "annulé"
    REFUSED = "refused", "refusé"
    EXPIRED = "expired", "proposition expirée"


class Direction(LabelledEnum):
    """Which school a side belongs to: the source (« vers un autre établissement ») or the destination.

    Values are those stored in the database.
    """

    SOURCE = "left"
    DESTINATION = "joined"

    @property
    def other(self) -> Direction:
        """Return the direction of the other side."""
        return Direction.DESTINATION if self is Direction.SOURCE else Direction.SOURCE


class Disagreement(LabelledEnum):
    """What two schools disagree on about one pupil."""

    BIRTH_DATE = "birth_date", "la date de naissance"
    LAST_NAME = "last_name", "le nom"
    FIRST_NAME = "first_name", "le prénom"


class Transfer(PlatformOnly, Model):
    """A pupil in the source school and in the destination school; for twins, two active pupils with the same INE.

    The columns keep their first names, left_… for the source and joined_… for the destination. No school reads this
    table. Pupils are referred to by id, without foreign keys: undoing an import deletes pupils.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        # A pair is copied once: the database refuses a second current row even if workers race.
        Index(
            "uq_transfer_current_pair",
            "left_student_id",
            "joined_student_id",
            unique=True,
            sqlite_where=_CURRENT_ON_SQLITE,
            postgresql_where=_CURRENT,
        ),
        Index("ix_transfer_left", "left_id", "id"),
        Index("ix_transfer_joined", "joined_id", "id"),
        Index("ix_transfer_state", "state", "id"),
        Index("ix_transfer_untold", "left_id", "id", sqlite_where=_UNRECORDED, postgresql_where=_UNRECORDED),
        {"sqlite_autoincrement": True},  # the journal refers to it by id
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column("left_id", ForeignKey("establishment.id"))
    source_student_id: Mapped[int] = mapped_column("left_student_id")
    destination_id: Mapped[int] = mapped_column("joined_id", ForeignKey("establishment.id"))
    #: empty until the destination school links the offer to one of its pupils
    destination_student_id: Mapped[int | None] = mapped_column("joined_student_id")
    state: Mapped[TransferState] = mapped_column(EnumValue(TransferState, 16))
    #: whether it is current for its pair; one that is over (the pupil went back) makes room for the next
    is_current: Mapped[bool] = mapped_column(default=True)
    #: whether it started as an offer rather than from an INE
    is_offer: Mapped[bool] = mapped_column(default=False)
    #: the day the pupil had left when the copy was made: another day means another departure
    departed_on: Mapped[date | None] = mapped_column("left_on")
    #: when the source school agreed, for a pupil not imported from SIECLE or whose identities differ
    agreed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: when the destination school confirmed despite disagreements, and so asked the source school
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: when the journal of the source school recorded it; a run records all those of a school in one line, at its end
    recorded_at: Mapped[datetime | None] = mapped_column("told_at", UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class TransferSide(Owned, Searched, Model):
    """A school's view of a transfer: its own pupil, the other school by name and UAI, figures, never content.

    While the identities differ, the destination's side does not name the source school before that school agreed (any
    INE could be used to probe); the source's side names the school that asks.
    """

    __tablename__ = "transfer_side"
    latest_first = True
    __table_args__ = (
        UniqueConstraint("establishment_id", "id"),
        UniqueConstraint("transfer_id", "direction"),
        key_within_school("student_id", "student", name="fk_transfer_side_student"),
        CheckConstraint("direction IN ('left', 'joined')", name="direction"),
        Index("ix_transfer_side_list", "establishment_id", "direction", "state", "id"),
        # The sort order of the list, and one index per filter, ending with it.
        Index("ix_transfer_side_changed_at", "establishment_id", "changed_at", "id"),
        Index("ix_transfer_side_direction", "establishment_id", "direction", "changed_at", "id"),
        Index("ix_transfer_side_state", "establishment_id", "state", "changed_at", "id"),
        Index("ix_transfer_side_other_uai", "establishment_id", "other_uai", "changed_at", "id"),
        Index("ix_transfer_side_student", "establishment_id", "student_id", "id"),
        Index("ix_transfer_side_done_at", "establishment_id", "done_at", "id"),
        Index("ix_transfer_side_search_key", "establishment_id", "search_key", "id"),
        {"sqlite_autoincrement": True},  # the journal refers to it by id
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"))
    #: a `Direction`; meaningless between twins
    direction: Mapped[Direction] = mapped_column(EnumValue(Direction, 8))
    #: the school's own pupil; empty for an offer not yet linked, once an undone import deleted the pupil, and once the
    #: names are erased (`anonymisation`)
    student_id: Mapped[int | None]
    #: the name of its own pupil at the time; for an offer, the name given by the source school
    student_label: Mapped[str] = mapped_column(String(210), info=shown("Élève", key="pupil", sort="search_key"))
    #: the other school at the time; both empty while it may not be named (`Verdict.names_other_to`)
    other_name: Mapped[str] = mapped_column(
        String(150), info=shown("Autre établissement", reads=lambda name: name or UNNAMED)
    )
    other_uai: Mapped[str] = mapped_column(
        String(8),
        info=shown(
            "UAI",
            sort=("other_uai", "changed_at"),
            filters=[Filter("uai", where=lambda text: TransferSide.other_uai == text.upper())],
        ),
    )
    #: pupil and other school, folded, for searches
    search_key: Mapped[str] = mapped_column(String(400))
    state: Mapped[TransferState] = mapped_column(
        EnumValue(TransferState, 16),
        info=shown(
            "État",
            filters=[
                Filter(
                    "etat",
                    "",
                    "tous les états",
                    where=lambda word: TransferSide.state == TransferState(word.replace("-", "_")),
                    choices=lambda: [(each.value.replace("_", "-"), each.label) for each in TransferState],
                )
            ],
        ),
    )
    #: same as the transfer's
    is_current: Mapped[bool] = mapped_column(default=True)
    is_offer: Mapped[bool] = mapped_column(default=False)
    #: number of records copied, by kind; without those already there
    fiches: Mapped[int] = mapped_column(default=0, info=shown("Fiches"))
    bilans: Mapped[int] = mapped_column(default=0, info=shown("Bilans"))
    evaluations: Mapped[int] = mapped_column(default=0, info=shown("Évaluations"))
    #: fiches not validated, which stay in the source school; shown to that school only
    left_out: Mapped[int] = mapped_column(default=0)
    #: whether the identities differ, or differed when it was done; never how, which would tell one guess from another
    identities_differ: Mapped[bool] = mapped_column(default=False)
    #: on the side of a school that tried too many identities: until when its pupil is not compared (`guesses`)
    held_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: for an offer, on the side that must link it, until it is closed
    offered_birth_date: Mapped[date | None]
    #: who in this school confirmed, agreed, refused, accepted or cancelled; people of the other school are not named
    decided_by: Mapped[str] = mapped_column(String(200), default="", info=shown("Décidé chez vous par", in_list=False))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=shown("Décidé le", in_list=False))
    #: a `Direction`: which of the two schools decided; empty when no decision was needed
    decided_in: Mapped[str] = mapped_column(String(8), default="")
    #: why it was refused or cancelled, as typed; both schools see it
    reason: Mapped[str] = mapped_column(String(300), default="", info=shown("Raison", in_list=False))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(
        UTCDateTime, info=shown("Dernier changement", sort=True, in_list=False)
    )
    done_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime,
        info=shown(
            "Effectué le",
            filters=[Filter("du", "Effectués depuis le", day="from"), Filter("au", "Effectués jusqu’au", day="until")],
        ),
    )
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def records(self) -> int:
        """Return the number of records that the transfer copied."""
        return self.fiches + self.bilans + self.evaluations

    @property
    def other_school(self) -> str:
        """Return the other school as pages name it: « l’établissement 0999002X », or « l’autre établissement »."""
        return f"l’établissement {self.other_uai}" if self.other_uai else self.other_name or "l’autre établissement"

    @property
    def is_named(self) -> bool:
        """Return whether the side names the other school."""
        return bool(self.other_name or self.other_uai)


class TriedIdentity(PlatformOnly, Model):
    """An identity that differed from another school's under one INE (`guesses`): digests only, no INE or names."""

    __tablename__ = "tried_identity"
    __table_args__ = (
        UniqueConstraint("ine_digest", "establishment_id", "identity_digest"),
        Index("ix_tried_identity_tried_at", "tried_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    ine_digest: Mapped[str] = mapped_column(String(64))
    identity_digest: Mapped[str] = mapped_column(String(64))
    tried_at: Mapped[datetime] = mapped_column(UTCDateTime)


class SchoolPair(PlatformOnly, Model):
    """Two schools that have had at least one transfer; their heads are notified of the first one."""

    __tablename__ = "school_pair"
    __table_args__ = (
        UniqueConstraint("first_id", "second_id"),
        CheckConstraint("first_id < second_id", name="in_order"),
        Index("ix_school_pair_untold", "id", sqlite_where=_NEW, postgresql_where=_NEW),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the smaller of the two ids
    first_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    second_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    #: the first transfer between them
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: when both heads were notified by e-mail; one job handles several pairs at once
    notified_at: Mapped[datetime | None] = mapped_column("told_at", UTCDateTime)
