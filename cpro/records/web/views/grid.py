"""The grid of a division: a level for each pupil in each competence, saved as it is typed or with the form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from cpro.core import clock
from cpro.core.errors import DomainError, FieldErrors
from cpro.core.formatting import format_hour, person_name, plural
from cpro.core.parsing import read_day, read_id, read_integer
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.forms import typed_before_sign_in
from cpro.core.web.pages import asks_for_json, back_to, render_page
from cpro.establishments.queries import get_current_establishment, get_school_today
from cpro.records import choices
from cpro.records.grid import Cell, Grid, LastLevel, list_levels_since, read_grid
from cpro.records.levels import describe_scale
from cpro.records.operations.evaluations import check_teaches, describe_past_year
from cpro.records.operations.grid import TypedGrid, cell_name, save_grid
from cpro.records.web.forms import GridForm
from cpro.records.web.views import bp
from cpro.students.models import Division, Student
from cpro.students.queries import get_division

_CELL = re.compile(r"niveau-([0-9]+)-([0-9]+)")
_SHOWN = re.compile(r"([0-9]+)-([0-9]+):([1-4])")
_FOR_ALL = "tous-"


@dataclass(frozen=True)
class ShownCell:
    """One cell as rendered."""

    name: str
    code: str
    value: str
    last: LastLevel | None
    error: str


@dataclass
class GridPage:
    """The page of a division on a day, with the typed and refused levels, if any."""

    division: Division
    day: date
    form: GridForm
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def render(self, *, status: int = 200) -> ResponseReturnValue:
        """Render the page; it carries what it shows and has read, for the next POST."""
        grid = read_grid(self.division, self.day, current_actor().id or 0)
        scenarios = choices.list_scenarios(self.division.diploma_id) if self.division.diploma_id else []
        offered = [SelectChoice(str(each.id), each.title) for each in scenarios]
        self.form.scenario.choices = [SelectChoice("", "Aucun"), *offered]
        rows = [(student, name_of(student), self._cells(grid, student)) for student in grid.students]
        self.form.form_errors.extend(self._sentences(rows))
        return render_page(
            "records/grid.html",
            division=self.division,
            day=self.day,
            form=self.form,
            competences=grid.competences,
            for_all={each.id: self.typed.get(f"{_FOR_ALL}{each.id}", "") for each in grid.competences},
            rows=rows,
            shown=write_shown(grid.shown),
            seen=grid.seen,
            scale=describe_scale(),
            describe_last=lambda last: describe_last(last, self.day),
            past_year=describe_past_year(self.day, clock.utcnow()),
            status=status,
        )

    def _sentences(self, rows: list[tuple[Student, str, list[ShownCell]]]) -> list[str]:
        """Return why levels were refused, each with its pupil and competence if the page still shows them."""
        labels = {cell.name: f"{name}, {cell.code}\u202f: " for _student, name, cells in rows for cell in cells}
        return [f"{labels.get(name, '')}{text}" for name, text in self.errors.items() if _CELL.fullmatch(name)]

    def _cells(self, grid: Grid, student: Student) -> list[ShownCell]:
        cells = []
        for competence in grid.competences:
            cell = student.id, competence.id
            name = cell_name(cell)
            value = self.typed.get(name, grid.shown.get(cell, ""))
            cells.append(ShownCell(name, competence.code, value, grid.last.get(cell), self.errors.get(name, "")))
        return cells


@bp.get("/evaluer/<int:division_id>/grille")
@requires(Permission.PUPILS_EVALUATE)
def grid(division_id: int) -> ResponseReturnValue:
    """Show the grid of a division on a day (`?jour=`), today by default."""
    row = _own_division(division_id)
    typed = typed_before_sign_in()
    day = read_day(request.args.get("jour")) or get_school_today(clock.utcnow())
    form = GridForm(typed, data={"evaluated_on": day.isoformat(), "scenario": request.args.get("scenario", "")})
    return GridPage(row, day, form, typed or {}).render()


@bp.post("/evaluer/<int:division_id>/grille")
@requires(Permission.PUPILS_EVALUATE, keeps_typed_form=True)
def save_grid_levels(division_id: int) -> ResponseReturnValue:
    """Save the levels typed: all those of the page, or those sent by its script."""
    form, typed = GridForm(), read_typed(request.form)
    try:
        with unit_of_work():
            saved = save_grid(get_division(division_id), form.data, typed, by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        if refusal.status == 403:
            raise
        return _refused(_own_division(division_id), form, typed, refusal)
    if asks_for_json():
        saved_at = format_hour(clock.utcnow(), get_current_establishment().timezone)
        return {"message": f"Enregistré à {saved_at}.", **_news(_own_division(division_id), form, typed)}
    asked = {"jour": form.evaluated_on.data, "scenario": form.scenario.data or None}
    counted = plural(saved, "niveau enregistré", "niveaux enregistrés")
    message = f"{counted}." if saved else "Les niveaux de la page sont tous enregistrés."
    return back_to(url_for("records.grid", division_id=division_id, **asked), message)


def read_typed(fields: Mapping[str, str]) -> TypedGrid:
    """Parse what a page of the grid posted; fields that name no cell are ignored."""
    return TypedGrid(
        levels={
            cell: text
            for name, text in fields.items()
            if (found := _CELL.fullmatch(name)) and (cell := _read_cell(found)) is not None
        },
        shown=read_shown(fields.get("shown", "")),
        for_all={
            competence: text
            for name, text in fields.items()
            if name.startswith(_FOR_ALL) and (competence := read_id(name.removeprefix(_FOR_ALL))) is not None
        },
        seen=read_integer(fields.get("seen", "")) or 0,
    )


def write_shown(levels: Mapping[Cell, str]) -> str:
    """Format the levels that a page shows, for its form: « 12-3:2 12-5:4 »."""
    return " ".join(f"{student}-{competence}:{level}" for (student, competence), level in levels.items())


def read_shown(text: str) -> dict[Cell, str]:
    """Parse the levels that a page showed, from its form."""
    read = ((_read_cell(found), found[3]) for found in _SHOWN.finditer(text))
    return {cell: level for cell, level in read if cell is not None}


def name_of(student: Student) -> str:
    """Return the name of a pupil as shown in a line of the grid."""
    return person_name(student.shown_name, student.first_name)


def _read_cell(found: re.Match[str]) -> Cell | None:
    student, competence = read_id(found[1]), read_id(found[2])
    return (student, competence) if student is not None and competence is not None else None


def _own_division(division_id: int) -> Division:
    row = get_division(division_id)
    check_teaches(row, current_actor())
    return row


def _refused(row: Division, form: GridForm, typed: TypedGrid, refusal: DomainError) -> ResponseReturnValue:
    if asks_for_json():
        answer: dict[str, Any] = {"message": refusal.message, "errors": dict(refusal.errors)}
        return {**answer, **_news(row, form, typed)}, refusal.status
    form.blame(FieldErrors({name: text for name, text in refusal.errors.items() if not _CELL.fullmatch(name)}))
    day = read_day(form.evaluated_on.data) or get_school_today(clock.utcnow())
    return GridPage(row, day, form, request.form, refusal.errors).render(status=refusal.status)


def _news(row: Division, form: GridForm, typed: TypedGrid) -> dict[str, Any]:
    """Return, for the script, what is stored in the cells it sent, and what colleagues gave since."""
    account_id = current_actor().id or 0
    day = read_day(form.evaluated_on.data) or get_school_today(clock.utcnow())
    known = read_grid(row, day, account_id)
    return {
        "seen": known.seen,
        "stored": {cell_name(cell): known.shown.get(cell, "") for cell in typed.levels},
        "news": {
            cell_name(cell): {
                "last": describe_last(found, day),
                "sentence": f"{found.author_label} vient de donner le niveau {found.level}.",
            }
            for cell, found in list_levels_since(known, typed.seen, account_id).items()
        },
    }


def describe_last(last: LastLevel, day: date) -> str:
    """Return the last level of a cell as shown below it on a day: « 3 · 12/10 », with its year if different."""
    is_of_year = last.evaluated_on.year == day.year
    return f"{last.level} · {last.evaluated_on.strftime('%d/%m' if is_of_year else '%d/%m/%y')}"
