"""Present a side on a page: plain text, prepared before the template is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from cpro.core.formatting import format_date, format_day_of, format_instant, join_french, plural
from cpro.establishments.models import Establishment
from cpro.transfers.guesses import TRIES
from cpro.transfers.identity import Pupil
from cpro.transfers.lifecycle import CANCEL_PERIOD
from cpro.transfers.models import UNNAMED, Direction, TransferSide, TransferState
from cpro.transfers.timeline import Step, StepState, Who, list_steps, next_act

_LEVELS = {
    TransferState.DONE: "ok",
    TransferState.CONFLICT: "warning",
    TransferState.AGREEMENT: "warning",
    TransferState.OFFERED: "warning",
    TransferState.TWINS: "blocked",
    TransferState.BLOCKED: "blocked",
    TransferState.REFUSED: "blocked",
}
_WHO = {
    Who.US: "À votre établissement d’agir",
    Who.THEM: "À l’autre établissement d’agir",
    Who.BOTH: "Aux deux établissements d’agir",
}
#: label of a step and icon of its line
_STEPS = {
    StepState.DONE: ("Fait", "ok"),
    StepState.MISSING: ("En attente", "todo"),
    StepState.STOPPED: ("Arrêté", "blocked"),
    StepState.LATER: ("Ensuite", "todo"),
}


@dataclass(frozen=True)
class ShownSide:
    """A side as shown in lists and on its own page."""

    id: int
    pupil: str
    #: the role of the other school: « Établissement d’origine »…
    way: str
    other_school: str
    state: str
    level: str
    #: when it was completed if DONE, else when it last changed
    at: str
    #: what was copied, "" unless DONE
    figures: str
    #: a sentence: what is missing and who must act
    next_act: str
    url: str


@dataclass(frozen=True)
class ShownStep:
    """A step of a timeline as the page shows it; `key` is matched by the style sheet."""

    key: str
    title: str
    sentence: str
    word: str
    icon: str
    who: str
    at: str


def get_level(state: TransferState) -> str:
    """Return the level of a state: ok, info, warning or blocked."""
    return _LEVELS.get(state, "info")


def shown_side(side: TransferSide, school: Establishment) -> ShownSide:
    """Return a side of a school as text."""
    stands = side.state is TransferState.DONE
    return ShownSide(
        id=side.id,
        pupil=side.student_label,
        way=describe_way(side),
        other_school=describe_other_school(side),
        state=side.state.label,
        level=get_level(side.state),
        at=format_instant(side.done_at if stands else side.changed_at, school.timezone),
        figures=describe_figures(side) if stands else "",
        next_act=next_act(side, school),
        url=url_for("transfers.show", side_id=side.id),
    )


def shown_steps(side: TransferSide, school: Establishment) -> list[ShownStep]:
    """Return the timeline of a side as text."""
    return [_shown_step(each, school) for each in list_steps(side, school)]


def list_facts(side: TransferSide, school: Establishment) -> list[tuple[str, str]]:
    """Return the known facts about a side, as (label, value) pairs; never any content."""
    decided = f"{side.decided_by}, le {format_instant(side.decided_at, school.timezone)}" if side.decided_by else ""
    pairs = [
        ("Élève", side.student_label),
        ("Sens", describe_way(side, alone=True)),
        ("Autre établissement", describe_other_school(side)),
        ("État", side.state.label),
        ("Effectué le", format_instant(side.done_at, school.timezone)),
        ("Transféré", describe_figures(side) if side.done_at else ""),
        ("Resté chez vous", _left_out(side)),
        ("Décidé chez vous par", decided),
        ("Raison", side.reason),
        (
            "Valable jusqu’au",
            format_instant(side.expires_at, school.timezone) if side.state is TransferState.OFFERED else "",
        ),
    ]
    return [(label, value) for label, value in pairs if value]


def describe_hold(side: TransferSide, school: Establishment, *, now: datetime) -> str:
    """Return why the comparison of a pupil of the school is suspended, "" if it is not."""
    if side.held_until is None or side.held_until <= now:
        return ""
    return (
        f"Cet élève a été inscrit chez vous sous {TRIES} identités différentes en un jour : elles ne sont plus "
        f"comparées jusqu’au {format_instant(side.held_until, school.timezone)}. L’autre établissement en est averti, "
        "et le journal le dit."
    )


def describe_recourse(side: TransferSide, school: Establishment, *, now: datetime) -> str:
    """Return whom to contact about a copy that this school cannot undo itself, "" if it can or nothing was copied."""
    if side.state is not TransferState.DONE or side.done_at is None:
        return ""
    until = side.done_at + CANCEL_PERIOD
    if until <= now:
        return "Le délai de 30 jours pour annuler ce transfert est passé."
    if side.direction is Direction.DESTINATION:
        return ""
    return (
        "Votre établissement garde ses données ; seul celui qui a reçu la copie peut annuler ce transfert. Si vous ne "
        f"l’attendiez pas, demandez-le à {describe_other_school(side)}, jusqu’au "
        f"{format_day_of(until, school.timezone)}. Désactiver les transferts, dans leurs réglages, empêche "
        "les suivants."
    )


def list_identities(*pupils: Pupil) -> list[tuple[str, list[str]]]:
    """Return the identities of some pupils side by side: a label, then the value for each."""
    return [
        ("Nom", [_family_name(each) for each in pupils]),
        ("Prénom", [each.first_name for each in pupils]),
        ("Date de naissance", [format_date(each.birth_date) for each in pupils]),
    ]


def describe_way(side: TransferSide, *, alone: bool = False) -> str:
    """Return the direction as text: as a label of the other school, or on its own."""
    if side.state is TransferState.TWINS:
        return "Même INE dans un autre établissement" if alone else "Même INE dans"
    if side.direction is Direction.DESTINATION:
        return "Vers votre établissement" if alone else "Établissement d’origine"
    return "Vers un autre établissement" if alone else "Établissement d’accueil"


def describe_other_school(side: TransferSide) -> str:
    """Return the other school as a list names it, or why it is not named."""
    if side.other_name and side.other_uai:
        return f"{side.other_name} ({side.other_uai})"
    return side.other_name or side.other_uai or UNNAMED


def describe_figures(side: TransferSide) -> str:
    """Return a description of what was copied: « 2 fiches, 1 bilan et 3 évaluations », or « rien »."""
    parts = [
        plural(count, *words)
        for count, words in (
            (side.fiches, ("fiche", "fiches")),
            (side.bilans, ("bilan", "bilans")),
            (side.evaluations, ("évaluation", "évaluations")),
        )
        if count
    ]
    return join_french(parts) or "rien : il n’y avait rien à copier"


def _family_name(pupil: Pupil) -> str:
    usage = f" (nom d’usage : {pupil.usage_name.upper()})" if pupil.usage_name else ""
    return f"{pupil.last_name.upper()}{usage}"


def _left_out(side: TransferSide) -> str:
    if not side.left_out or side.direction is not Direction.SOURCE:
        return ""
    return plural(side.left_out, "fiche jamais validée", "fiches jamais validées")


def _shown_step(step: Step, school: Establishment) -> ShownStep:
    word, icon = _STEPS[step.state]
    return ShownStep(
        key=step.state.value,
        title=step.title,
        sentence=step.sentence,
        word=word,
        icon=icon,
        who=_WHO.get(step.who, "") if step.state in (StepState.MISSING, StepState.STOPPED) else "",
        at=format_instant(step.at, school.timezone),
    )
