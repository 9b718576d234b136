"""The last word against overwriting: a record is compared once more under the lock, whatever the page compared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask

from cpro.core.concurrency import StaleForm, fingerprint
from cpro.extensions import db
from cpro.records.models import Bilan, Evaluation, Fiche
from cpro.records.operations.bilans import get_bilan_values, update_bilan
from cpro.records.operations.evaluations import get_evaluation_values, update_evaluation
from cpro.records.operations.fiches import get_fiche_values, update_fiche
from tests.factories import World
from tests.helpers.office import Office
from tests.helpers.records import nothing_written
from tests.records.conftest import Class


@pytest.mark.parametrize(
    ("model", "name", "who", "read", "update", "mine", "theirs"),
    [
        (Bilan, "bilan", "teacher", get_bilan_values, update_bilan, {"body": "<p>Le mien</p>"}, {"body": "<p>?</p>"}),
        (Evaluation, "evaluation", "teacher", get_evaluation_values, update_evaluation, {"level": "4"}, {"level": "1"}),
        (
            Fiche,
            "draft",
            "student",
            get_fiche_values,
            partial(update_fiche, is_done=False),
            {"title": "La mienne"},
            {"title": "Une autre"},
        ),
    ],
    ids=["bilan", "evaluation", "fiche"],
)
def test_update_refuses_what_was_saved_since_the_form_was_opened(
    app: Flask,
    world: World,
    classroom: Class,
    model: Any,
    name: str,
    who: str,
    read: Callable[[Any], dict[str, str]],
    update: Callable[..., Any],
    mine: dict[str, str],
    theirs: dict[str, str],
) -> None:
    """`theirs` is what the page showed of a field, and that its author changed since in another window."""
    row_id, office = getattr(classroom, name), Office(app, world)

    def save(page: dict[str, str], **act: Any) -> bool:
        stored = read(db.session.get_one(model, row_id))
        update(classroom.own, row_id, {**stored, **mine}, opened_on=fingerprint({**stored, **page}), **act)
        return mine.items() <= read(db.session.get_one(model, row_id)).items()

    with nothing_written(app), pytest.raises(StaleForm):
        office.act(save, who, page=theirs)

    assert office.act(save, who, page={})
