"""The passports issued: only what the public page may say of each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned, key_within_school
from cpro.core.types import UTCDateTime
from cpro.extensions import Model


class PassportIssue(Owned, Model):
    """One passport issued to a pupil."""

    __tablename__ = "passport_issue"
    __table_args__ = (
        UniqueConstraint("code"),
        key_within_school("student_id", "student", name="fk_passport_issue_student"),
        Index("ix_passport_issue_student", "establishment_id", "student_id", "id"),
        Index("ix_passport_issue_issued_at", "establishment_id", "issued_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    student_id: Mapped[int]
    #: printed and in the QR, without separators; random
    code: Mapped[str] = mapped_column(String(24))
    #: as they were on that day
    school_name: Mapped[str] = mapped_column(String(150))
    school_uai: Mapped[str] = mapped_column(String(8))
    issued_at: Mapped[datetime] = mapped_column(UTCDateTime)
    page_count: Mapped[int]
    #: fiches, évaluations and bilans together
    entry_count: Mapped[int]
    #: SHA-256 of the file, in hexadecimal
    sha256: Mapped[str] = mapped_column(String(64))
