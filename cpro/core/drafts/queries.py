"""Queries on drafts, always limited to one account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from cpro.core.drafts.models import Draft
from cpro.core.drafts.operations import LIFETIME, DraftKey
from cpro.extensions import db


def list_drafts(key: DraftKey, *, account_id: int, now: datetime) -> Sequence[Draft]:
    """Return an account's drafts of one object, the latest first."""
    return db.session.scalars(
        select(Draft)
        .where(
            Draft.account_id == account_id,
            Draft.form == key.form,
            Draft.object_key == key.object,
            Draft.over_at.is_(None),
            Draft.saved_at >= now - LIFETIME,
        )
        .order_by(Draft.saved_at.desc(), Draft.id.desc())
    ).all()


def list_written_about(subject: str, form: str, *, account_id: int, now: datetime) -> Sequence[Draft]:
    """Return an account's drafts of one form about one subject, the latest first."""
    return db.session.scalars(
        select(Draft)
        .where(
            Draft.account_id == account_id,
            Draft.form == form,
            Draft.subject == subject,
            Draft.over_at.is_(None),
            Draft.saved_at >= now - LIFETIME,
        )
        .order_by(Draft.saved_at.desc(), Draft.id.desc())
    ).all()
