"""Save the levels that a teacher types in the grid of a division: pupils × competences, on one day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cpro.audit.operations import About, record
from cpro.core.bulk_writes import bulk_insert
from cpro.core.errors import FieldErrors, check_no_error
from cpro.core.formatting import plural
from cpro.core.permissions import Actor
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.records import grid
from cpro.records.errors import LevelsGivenMeanwhile
from cpro.records.grid import Cell, Grid, LastLevel
from cpro.records.models import Evaluation
from cpro.records.operations import evaluations, rules
from cpro.students.models import Division


@dataclass(frozen=True)
class TypedGrid:
    """Input of a grid page: `levels` as typed and `shown` as rendered, 1–4 or blank.

    `for_all` contains, by competence, a level for the pupils who have none in that column. `seen` is the latest
    évaluation that the page had read.
    """

    levels: Mapping[Cell, str]
    shown: Mapping[Cell, str]
    for_all: Mapping[int, str]
    seen: int


def cell_name(cell: Cell) -> str:
    """Return the name of the field of a cell."""
    return f"niveau-{cell[0]}-{cell[1]}"


def save_grid(division: Division, values: Mapping[str, str], typed: TypedGrid, *, by: Actor, now: datetime) -> int:
    """Save the actor's levels of a day where they differ from what the page showed; return how many.

    `values`: evaluated_on yyyy-mm-dd, and scenario by id, for the new levels. All or nothing. Raises `NotYourDivision`,
    `FieldErrors` naming `niveau-<pupil>-<competence>`, and `LevelsGivenMeanwhile` when another teacher gave a level in
    a cell since the page was rendered; posted again from a page that shows it, the level is saved.
    """
    evaluations.check_teaches(division, by)
    lock_current_establishment()
    errors: dict[str, str] = {}
    day = evaluations.clean_day(values, errors, now)
    scenario = evaluations.clean_scenario(division, values.get("scenario") or "", errors)
    if day is None or errors:
        raise FieldErrors(errors)
    known = grid.read_grid(division, day, by.id or 0)
    wanted = _changed(known, typed)
    check_no_error(_refused(known, wanted))
    clashes = _clashes(known, wanted, typed, grid.list_levels_since(known, typed.seen, by.id or 0))
    if clashes:
        raise LevelsGivenMeanwhile(clashes)
    common = {**scenario, "evaluated_on": day, "fiche_uid": None}
    _write(division, known, wanted, common, by=by, now=now)
    return len(wanted)


def _changed(known: Grid, typed: TypedGrid) -> dict[Cell, str]:
    """Return the levels to save: those that differ from what was shown, and are not already stored."""
    levels = {cell: text.strip() for cell, text in typed.levels.items()}
    for competence_id, text in typed.for_all.items():
        for student in known.students if text.strip() else ():
            cell = student.id, competence_id
            levels[cell] = levels.get(cell) or typed.shown.get(cell) or text.strip()
    return {
        cell: text
        for cell, text in levels.items()
        if text != typed.shown.get(cell, "") and text != known.shown.get(cell, "")
    }


def _refused(known: Grid, wanted: Mapping[Cell, str]) -> dict[str, str]:
    """Return why levels cannot be saved, {field: sentence}."""
    students, competences = {each.id for each in known.students}, {each.id for each in known.competences}
    errors = {}
    for cell, text in wanted.items():
        if cell[0] not in students:
            errors[cell_name(cell)] = evaluations.NO_LONGER_IN_DIVISION
        elif cell[1] not in competences:
            errors[cell_name(cell)] = "Cette compétence n’est plus dans la liste du diplôme."
        elif text and evaluations.read_level(text) is None:
            errors[cell_name(cell)] = "Tapez un niveau de 1 à 4, ou laissez vide."
    return errors


def _clashes(
    known: Grid, wanted: Mapping[Cell, str], typed: TypedGrid, news: Mapping[Cell, LastLevel]
) -> dict[str, str]:
    """Return the levels given meanwhile in the cells to save, {field: sentence}."""
    clashes = {}
    for cell, text in wanted.items():
        stored = known.shown.get(cell, "")
        mine = f"votre «\u202f{text}\u202f» n’est pas encore enregistré" if text else "rien n’est encore effacé"
        if stored != typed.shown.get(cell, ""):
            given = f"le niveau {stored}" if stored else "une case vidée"
            clashes[cell_name(cell)] = f"Vous avez déjà, pour ce jour, {given}\u202f: {mine}."
        elif cell in news:
            clashes[cell_name(cell)] = (
                f"{news[cell].author_label} vient de donner le niveau {news[cell].level}\u202f: {mine}."
            )
    return clashes


def _write(
    division: Division,
    known: Grid,
    wanted: Mapping[Cell, str],
    common: Mapping[str, Any],
    *,
    by: Actor,
    now: datetime,
) -> None:
    students = {each.id: each for each in known.students}
    competences = {each.id: evaluations.describe_competence(each) for each in known.competences}
    given, corrected, cleared = [], 0, 0
    for cell, text in sorted(wanted.items()):
        own, level = known.own.get(cell), evaluations.read_level(text)
        if level is None:
            db.session.delete(own)
            cleared += 1
        elif own is not None:
            own.level, own.changed_at = level, now
            corrected += 1
        else:
            birth = rules.get_origin_values(students[cell[0]], by=by, now=now)
            given.append({**common, **competences[cell[1]], **birth, "level": level})
    bulk_insert(db.session(), Evaluation, given)
    db.session.flush()
    counts = {"given": len(given), "corrected": corrected, "cleared": cleared}
    changes = {name: (None, plural(count, "niveau", "niveaux")) for name, count in counts.items() if count}
    if changes:
        record("evaluation:division", About("division", division.id, division.code), by=by, now=now, changes=changes)
