"""Imports: the deposit, its changes field by field, and its findings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.formatting import NO_BREAK_SPACE
from cpro.core.permissions import Actor
from cpro.core.shown import Filter, shown
from cpro.core.tenancy import Owned, key_within_school
from cpro.core.types import EnumValue, LabelledEnum, UTCDateTime
from cpro.extensions import Model
from cpro.imports.changes import Changes, ChangesType

#: kinds of the jobs that analyse large files, that apply an import, and that undo a large one
ANALYSE_JOB, APPLY_JOB, UNDO_JOB = "imports:analyse", "imports:apply", "imports:undo"

#: The action, in the journal, of a deposit refused at once: it leaves no import.
REFUSED_DEPOSIT = "import:refused"
#: The action of the line that says that further refused deposits of an account are not recorded for a while.
REFUSALS_CUT = "import:refusals-cut"


class RunState(LabelledEnum):
    """States of an import; values are those stored in the database."""

    DEPOSITED = "deposited", "déposé"
    ANALYSED = "analysed", "analysé, à confirmer"
    APPLYING = "applying", "en cours d’application"
    APPLIED = "applied", "appliqué"
    UNDONE = "undone", "annulé"
    FAILED = "failed", "échoué"
    REPLACED = "replaced", "remplacé par un autre dépôt"
    ABANDONED = "abandoned", "abandonné"
    EXPIRED = "expired", "périmé sans avoir été appliqué"


class RunKind(LabelledEnum):
    """Where the files of an import come from; values are those stored in the database."""

    SIECLE = "siecle", "SIECLE"
    TABLE = "table", "hors SIECLE"


class ChangeAction(LabelledEnum):
    """What happens to one object; values are those stored in the database."""

    CREATE = "create", "à créer"
    CHANGE = "change", "à modifier"
    DEACTIVATE = "deactivate", "à désactiver"
    REACTIVATE = "reactivate", "à réactiver"

    @property
    def done_label(self) -> str:
        """Return the label of the action in the past tense, for an applied import."""
        return _DONE_LABELS.get(self, self.label)


_DONE_LABELS = {
    ChangeAction.CREATE: "créé",
    ChangeAction.CHANGE: "modifié",
    ChangeAction.DEACTIVATE: "désactivé",
    ChangeAction.REACTIVATE: "réactivé",
}
#: Actions on existing objects.
CORRECTING = (ChangeAction.CHANGE, ChangeAction.REACTIVATE, ChangeAction.DEACTIVATE)


class ImportRun(Owned, Model):
    """One deposit, from its analysis to its application and its undoing."""

    __tablename__ = "import_run"
    __table_args__ = (
        UniqueConstraint("establishment_id", "id"),
        # The database refuses two imports in progress in one school, even if workers race.
        UniqueConstraint("open_key"),
        Index("ix_import_run_establishment_id", "establishment_id", "id"),
        {"sqlite_autoincrement": True},  # the journal refers to it by id
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    kind: Mapped[RunKind] = mapped_column(
        EnumValue(RunKind, 8),
        default=RunKind.SIECLE,
        info=shown("Origine", filters=[Filter("origine", everything="toutes les origines")]),
    )
    state: Mapped[RunState] = mapped_column(
        "state_value",
        EnumValue(RunState, 16),
        default=RunState.DEPOSITED,
        info=shown("État", filters=[Filter("etat", everything="tous les états")]),
    )
    #: the school's id while the import is not over, else empty
    open_key: Mapped[int | None]
    #: [{"name", "kind", "stored"}]: the files; the kind is its French label, "stored" the name under which it is kept;
    #: files of the deposit that are not used have "left", a sentence saying why, instead of "stored"
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    #: folder of the files while the import is not over (`imports.upload_files`), else empty
    kept_in: Mapped[str] = mapped_column(String(32), default="")
    #: calendar year in which the files' school year starts
    school_year: Mapped[int]
    #: who deposited, as named in the journal: {kind, id, label, role, origin}
    requested_by: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: whether accounts are opened for pupils
    opens_student_accounts: Mapped[bool] = mapped_column(default=False)
    #: {"students": {"created": 3, …}, "staff": {…}, …}
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    #: the data the analysis was based on (`queries.fingerprint_of_data`)
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    #: what the same file of pupils will find once the import is applied (`diff.repetition`), empty if it must be read;
    #: deferred, since lists of imports do not need it
    settled: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    #: `queries.fingerprint_of_data` after the application, for `settled`
    settled_with: Mapped[str] = mapped_column(String(64), default="", server_default="")
    #: [{"key", "sentence"}]: what must be confirmed before the application
    confirmations_needed: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    #: keys of what was confirmed
    confirmations_given: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: {key of a question: id of the person meant, 0 for another person}; used by a new analysis
    answers: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    #: the last job that analyses, applies or undoes it; no foreign key, because old jobs are swept
    job_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, info=shown("Déposé le", sort=True))
    analysed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    applied_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=shown("Appliqué le", in_list=False))
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=shown("Annulé le", in_list=False))

    @property
    def label(self) -> str:
        """Return the label of the import: « Import SIECLE n° 3 »."""
        return f"Import {self.kind.label} n°{NO_BREAK_SPACE}{self.id}"

    @property
    def keeps_analysis(self) -> bool:
        """Return whether the analysis can be read: while the import is in progress, or once it was applied."""
        applied = self.state in (RunState.APPLIED, RunState.UNDONE)
        return bool(self.counts) and (applied or self.open_key is not None)

    @property
    def used_files(self) -> list[dict[str, Any]]:
        """Return the files that the analysis reads."""
        return [file for file in self.files if "left" not in file]

    @property
    def left_files(self) -> list[dict[str, Any]]:
        """Return the files of the deposit that are not used."""
        return [file for file in self.files if "left" in file]

    @property
    def actor(self) -> Actor:
        """Return who deposited it."""
        return Actor(**self.requested_by)


class ImportChange(Owned, Model):
    """What an import does to one object: a proposal until it is applied, then the data needed to undo it."""

    __tablename__ = "import_change"
    __table_args__ = (
        key_within_school("run_id", "import_run", name="fk_import_change_run", ondelete="CASCADE"),
        Index("ix_import_change_run", "establishment_id", "run_id", "object_type", "action_value", "id"),
        Index("ix_import_change_object", "establishment_id", "object_type", "object_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    run_id: Mapped[int]
    #: division, mef, student or account
    object_type: Mapped[str] = mapped_column(String(16))
    #: empty for an object still to be created
    object_id: Mapped[int | None]
    #: the object's number in the files: ELEVE_ID, code, "type:id" of STS-Web; a created object is found by it
    object_key: Mapped[str] = mapped_column(String(40), default="")
    #: its name, as displayed
    object_label: Mapped[str] = mapped_column(String(210))
    #: its name, folded, for searches in the list
    search_key: Mapped[str] = mapped_column(String(210), default="")
    action: Mapped[ChangeAction] = mapped_column("action_value", EnumValue(ChangeAction, 12))
    #: whether it is to be done; false for proposals until a person ticks them
    is_selected: Mapped[bool] = mapped_column(default=True)
    #: {field: (old, new)}; `imports.changes` defines how it is stored
    changes: Mapped[Changes] = mapped_column(ChangesType)


class ImportQuestion(Owned, Model):
    """A line that may be about a known person, or a column that is not recognised: the user must say."""

    COLUMN = "column"

    __tablename__ = "import_question"
    __table_args__ = (
        key_within_school("run_id", "import_run", name="fk_import_question_run", ondelete="CASCADE"),
        UniqueConstraint("establishment_id", "run_id", "key", name="uq_import_question_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    run_id: Mapped[int]
    #: identifies the line in the same files, "student:900001": finds its answer again after a new analysis
    key: Mapped[str] = mapped_column(String(60))
    #: student, account, or column: which column of the model a column of a table is; the answer is a column number
    object_type: Mapped[str] = mapped_column(String(16))
    line: Mapped[int]
    #: the person of the line, as the file describes them: name, birth date, division
    person: Mapped[str] = mapped_column(String(300))
    sentence: Mapped[str] = mapped_column(String(400))
    #: [[id, description]]: people of the school it may be about
    candidates: Mapped[list[list[Any]]] = mapped_column(JSON)
    #: the effect of « une autre personne »: whether it creates a person, or leaves the line out
    can_create: Mapped[bool]
    #: id of one of the candidates, 0 for another person, empty while unanswered
    answer: Mapped[int | None]

    @property
    def field(self) -> str:
        """Return the name of its field in the forms of the answers."""
        return f"{'colonne' if self.object_type == self.COLUMN else 'question'}-{self.id}"


class ImportFinding(Owned, Model):
    """A finding about a line of a file; the sentence names no one, the label does."""

    __tablename__ = "import_finding"
    __table_args__ = (
        key_within_school("run_id", "import_run", name="fk_import_finding_run", ondelete="CASCADE"),
        Index("ix_import_finding_run", "establishment_id", "run_id", "severity", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    run_id: Mapped[int]
    #: name of a `Severity`
    severity: Mapped[str] = mapped_column(String(8))
    #: name of a `FindingCode` or a `MatchCode`
    code: Mapped[str] = mapped_column(String(24))
    #: French label of the file's kind
    file_kind: Mapped[str] = mapped_column(String(40))
    #: 0 for a finding about the whole file
    line: Mapped[int]
    #: whom or what the line is about, as far as it can be read
    object_label: Mapped[str] = mapped_column(String(210), default="")
    search_key: Mapped[str] = mapped_column(String(210), default="")
    sentence: Mapped[str] = mapped_column(String(400))
