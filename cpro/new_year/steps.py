"""Compute the state of the steps of a new school year: done, remaining, waiting for another step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cpro.core.formatting import plural
from cpro.core.permissions import Permission
from cpro.core.types import LabelledEnum
from cpro.establishments.queries import get_current_establishment
from cpro.new_year import queries
from cpro.new_year.declared import PUPILS, STEPS, StepDeclaration
from cpro.new_year.models import Mark, StepMark


class StepState(LabelledEnum):
    """State of a step; reports store the labels."""

    TO_DO = "to-do", "à faire"
    WAITING = "waiting", "après l’import des élèves"
    STARTED = "started", "commencé"
    DONE = "done", "fait"
    SET_ASIDE = "set-aside", "laissé de côté"

    @property
    def is_over(self) -> bool:
        """Return whether nothing remains to do for the step."""
        return self in (StepState.DONE, StepState.SET_ASIDE)


@dataclass(frozen=True)
class Step:
    """One step: its state, its figures, who worked on it last and when."""

    declared: StepDeclaration
    state: StepState
    #: sentences without a full stop: « 3 formations sans diplôme »
    figures: tuple[str, ...] = ()
    #: sentences reserved to the holders of a permission
    reserved: tuple[tuple[Permission, str], ...] = ()
    at: datetime | None = None
    by: str = ""
    #: whether it is done by a person's mark, rather than by its figures
    is_marked_by_hand: bool = False

    @property
    def key(self) -> str:
        """Return its key in rows and forms."""
        return self.declared.key

    @property
    def title(self) -> str:
        """Return its title."""
        return self.declared.title

    @property
    def right(self) -> Permission:
        """Return the permission required to do it."""
        return self.declared.right


def is_marked_by_hand(step: StepDeclaration, *, is_imported: bool) -> bool:
    """Return whether a step is done by a person's mark, depending on whether the pupils of the year were imported."""
    return step.is_marked_by_hand or (step.is_marked_without_import and not is_imported)


def list_steps(year: int, *, now: datetime) -> list[Step]:
    """Return the steps of a school year, in order, from the current figures of the school."""
    counted, runs = queries.count_for_steps(year, now), queries.find_imports(year)
    marks, lines = queries.get_marks(year), queries.find_last_lines(year)
    imported = {key: (run.applied_at, run.actor.label) for key, run in runs.items()}
    worked_on = {key: (line.at, line.actor_label) for key, line in lines.items()}
    said = {key: (mark.marked_at, mark.marked_by) for key, mark in marks.items()}
    done_by = worked_on | imported | said
    waits = PUPILS not in runs and PUPILS not in marks
    found = []
    for step in STEPS:
        by_hand = is_marked_by_hand(step, is_imported=PUPILS in runs)
        state = _get_state(
            step,
            counted[step.key],
            marks.get(step.key),
            is_imported=step.key in runs,
            by_hand=by_hand,
            waits=waits and step.waits_for_pupils,
        )
        if not state.is_over and step.key in worked_on:
            state = StepState.STARTED
        at, by = done_by.get(step.key, (None, ""))
        figures, reserved = _describe(step, counted[step.key])
        found.append(Step(step, state, figures, reserved, at, by, by_hand))
    return found


def _get_state(
    step: StepDeclaration,
    counted: Sequence[int],
    mark: StepMark | None,
    *,
    is_imported: bool,
    by_hand: bool,
    waits: bool,
) -> StepState:
    if mark is not None and mark.mark is Mark.SET_ASIDE:
        return StepState.SET_ASIDE
    if waits:
        return StepState.WAITING
    if step.is_void(get_current_establishment()):
        return StepState.DONE
    if by_hand:
        return StepState.TO_DO if mark is None else StepState.DONE
    if step.files:
        return StepState.DONE if is_imported else StepState.TO_DO
    remains = any(count for figure, count in zip(step.figures, counted, strict=True) if figure.is_left_to_do)
    return StepState.TO_DO if remains else StepState.DONE


def _describe(
    step: StepDeclaration, counted: Sequence[int]
) -> tuple[tuple[str, ...], tuple[tuple[Permission, str], ...]]:
    """Return the figures of a step as text: those for every reader, and those reserved to a permission.

    A zero count is included: it shows that all is done.
    """
    figures = [
        (figure.reserved_to, plural(count, figure.one, figure.several))
        for figure, count in zip(step.figures, counted, strict=True)
    ]
    return tuple(words for right, words in figures if right is None), tuple(
        (right, words) for right, words in figures if right is not None
    )
