"""The choices of an évaluation: the competences and the scenarios of a diploma."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from cpro.establishments.models import Module
from cpro.establishments.operations.modules import is_module_on
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.scenarios.models import Scenario

#: A longer drop-down would need a search: only the latest are listed.
_SCENARIOS_SHOWN = 200


def list_scenarios(diploma_id: int) -> Sequence[Scenario]:
    """Return the active scenarios of a diploma, the latest changed first; none while the module is off."""
    if not is_module_on(get_current_establishment(), Module.SCENARIOS):
        return []
    return db.session.scalars(
        select(Scenario)
        .where(Scenario.diploma_id == diploma_id, Scenario.archived_at.is_(None))
        .order_by(Scenario.changed_at.desc(), Scenario.id.desc())
        .limit(_SCENARIOS_SHOWN)
    ).all()
