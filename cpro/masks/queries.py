"""Read wordings."""

from __future__ import annotations

from sqlalchemy import func, select

from cpro.extensions import db
from cpro.masks.models import Mask, MaskKey


def get_wordings(diploma_id: int) -> dict[MaskKey, str]:
    """Return the school's wordings for a diploma; fields left to their default are absent."""
    rows = db.session.scalars(select(Mask).where(Mask.diploma_id == diploma_id))
    return {row.key: row.wording for row in rows}


def get_labels(diploma_id: int) -> dict[MaskKey, str]:
    """Return the labels of the scenario screen for a diploma: the school's wording, else the default."""
    wordings = get_wordings(diploma_id)
    return {key: wordings.get(key, key.default) for key in MaskKey}


def list_masks(diploma_id: int) -> list[Mask]:
    """Return the stored wordings of a diploma, by id."""
    return list(db.session.scalars(select(Mask).where(Mask.diploma_id == diploma_id).order_by(Mask.id)))


def count_wordings_by_diploma() -> dict[int, int]:
    """Return how many fields are worded for each diploma that has any."""
    rows = db.session.execute(select(Mask.diploma_id, func.count(Mask.id)).group_by(Mask.diploma_id))
    return {diploma_id: count for diploma_id, count in rows}
