"""The state of a transfer as steps: what is done, what is missing, who must act.

The only facts shown about the other school are its name, its UAI and whether it activated transfers: a school needs
them to know whom to ask. About an identity, only that it differs, never how. A school that has not activated transfers
itself sees nothing of others: it has no side.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from cpro.establishments.models import Establishment
from cpro.transfers.lifecycle import PENDING
from cpro.transfers.models import Direction, TransferSide, TransferState


class StepState(enum.Enum):
    """Progress of one step; the values are compared by templates."""

    DONE = "done"
    MISSING = "missing"
    STOPPED = "stopped"
    LATER = "later"


class Who(enum.Enum):
    """Who must act on a missing step."""

    US = "us"
    THEM = "them"
    BOTH = "both"
    NONE = "none"


@dataclass(frozen=True)
class Step:
    """One step: a title, a sentence saying what is done or missing and who must act, and when it was done."""

    key: str
    title: str
    sentence: str
    state: StepState
    who: Who = Who.NONE
    at: datetime | None = None


#: The same sentence whatever differs: naming the part that agrees would tell one guess from another.
_WHAT = "le nom, le prénom ou la date de naissance"
_ORDER = ("departure", "activation", "identity", "agreement", "copy")
_TITLES = {
    "departure": "Départ et arrivée",
    "activation": "Activation des transferts",
    "identity": "Identité de l’élève",
    "agreement": "Accord de l’établissement d’origine",
    "copy": "Copie des données",
}
#: The current step of each state; the steps before it are done.
_AT = {
    TransferState.TWINS: "departure",
    TransferState.BLOCKED: "departure",
    TransferState.WAITING_SOURCE: "activation",
    TransferState.WAITING_DESTINATION: "activation",
    TransferState.CONFLICT: "identity",
    TransferState.AGREEMENT: "agreement",
    TransferState.OFFERED: "identity",
    TransferState.DONE: "copy",
    TransferState.CANCELLED: "copy",
    TransferState.REFUSED: "identity",
    TransferState.EXPIRED: "identity",
}


def list_steps(side: TransferSide, school: Establishment) -> list[Step]:
    """Return the steps of one side of a school, in order: departure, activation, identity, agreement, copy.

    A copy that will no longer happen by itself is not included.
    """
    reached = _AT[side.state]
    if side.state is TransferState.REFUSED and side.decided_in == Direction.SOURCE.value:
        reached = "agreement"
    if side.state is TransferState.CANCELLED and side.done_at is None:
        reached = "identity"
    steps = []
    for key in _ORDER:
        if key == reached:
            steps.append(_current(key, side, school))
        elif _ORDER.index(key) < _ORDER.index(reached):
            if _is_shown(key, side):
                steps.append(Step(key, _TITLES[key], _done(key, side), StepState.DONE))
        elif key == "copy" and side.state in PENDING:
            steps.append(Step(key, _TITLES[key], _later(side, school), StepState.LATER))
    return steps


def next_act(side: TransferSide, school: Establishment) -> str:
    """Return one sentence for a list: what is missing and who must act, or what happened."""
    steps = list_steps(side, school)
    return next(
        (step.sentence for step in steps if step.state in (StepState.MISSING, StepState.STOPPED)), steps[-1].sentence
    )


def _later(side: TransferSide, school: Establishment) -> str:
    """Return when the copy will be made: once people act, or once an import says who is present where."""
    what = "les fiches validées, les bilans et les évaluations"
    match side.state:
        case TransferState.TWINS if _is_own_twin(side, school):
            return "Rien n’est copié de l’un à l’autre : le prochain import, l’INE corrigé, lèvera l’arrêt."
        case TransferState.TWINS:
            return (
                f"Quand un import aura montré lequel des deux établissements l’élève a quitté, {what} seront copiés "
                "vers l’autre."
            )
        case TransferState.BLOCKED:
            return f"Quand un import n’aura laissé cet INE qu’à un seul élève présent, {what} lui seront copiés."
        case _:
            return f"{_capital(what)} seront copiés dès que rien ne manque."


def _is_shown(key: str, side: TransferSide) -> bool:
    """Return whether a past step gets a line: agreement is only needed for some transfers."""
    return key != "agreement" or side.decided_in == Direction.SOURCE.value


def _done(key: str, side: TransferSide) -> str:
    return {
        "departure": "L’élève est parti de l’établissement d’origine et présent dans l’établissement d’accueil.",
        "activation": "Les deux établissements ont activé les transferts.",
        "identity": _of_identity(side),
        "agreement": "L’établissement d’origine a donné son accord.",
    }[key]


def _of_identity(side: TransferSide) -> str:
    """Return how the identity was established: designated, confirmed despite disagreements, or never in doubt."""
    if side.is_offer:
        return "L’établissement d’accueil a désigné l’élève."
    if not side.identities_differ:
        return "L’INE est le même ; le nom, le prénom et la date de naissance ne se contredisent pas."
    who = "votre établissement" if side.direction is Direction.DESTINATION else side.other_school
    return f"{_capital(_WHAT)} différaient : {who} a confirmé qu’il s’agit du même élève."


def _current(key: str, side: TransferSide, school: Establishment) -> Step:
    sentence, state, who = _sentence(side, school)
    at = side.done_at if side.state is TransferState.DONE else side.decided_at
    return Step(key, _TITLES[key], sentence, state, who, at)


def _sentence(side: TransferSide, school: Establishment) -> tuple[str, StepState, Who]:
    """Return the sentence of a side's current step, its progress, and who must act."""
    is_destination = side.direction is Direction.DESTINATION
    other = side.other_school
    match side.state:
        case TransferState.WAITING_SOURCE | TransferState.WAITING_DESTINATION:
            return _of_switches(side, school)
        case TransferState.TWINS:
            return _of_twins(side, school)
        case TransferState.BLOCKED:
            return (
                "Le même INE est présent plusieurs fois : rien n’est copié. Le prochain import de l’établissement où "
                "il est en trop lèvera le blocage.",
                StepState.STOPPED,
                Who.BOTH,
            )
        case TransferState.CONFLICT:
            return _of_conflict(side, is_destination)
        case TransferState.AGREEMENT:
            return _of_agreement(side, is_destination)
        case TransferState.OFFERED:
            if is_destination:
                sentence = (
                    f"{_capital(other)} propose ces données : désignez l’élève dans votre établissement, ou refusez."
                )
                return sentence, StepState.MISSING, Who.US
            sentence = f"{_capital(other)} n’a pas encore répondu à votre proposition."
            return sentence, StepState.MISSING, Who.THEM
        case TransferState.DONE:
            return _of_copy(side, is_destination), StepState.DONE, Who.NONE
        case _:
            return _of_end(side), StepState.STOPPED, Who.NONE


def _of_switches(side: TransferSide, school: Establishment) -> tuple[str, StepState, Who]:
    if not school.transfers_enabled:
        return "Votre établissement n’a pas activé les transferts.", StepState.MISSING, Who.US
    return f"{_capital(side.other_school)} n’a pas activé les transferts.", StepState.MISSING, Who.THEM


def _of_twins(side: TransferSide, school: Establishment) -> tuple[str, StepState, Who]:
    if _is_own_twin(side, school):
        return (
            "Deux élèves présents dans votre établissement ont le même INE : corrigez-le "
            f"{'dans SIECLE' if school.uses_siecle else 'dans vos fichiers'}, puis importez à nouveau.",
            StepState.STOPPED,
            Who.US,
        )
    return (
        f"L’élève est présent chez vous et dans {side.other_school} sous le même INE : celui des deux qu’il a quitté "
        "doit importer à nouveau ses élèves.",
        StepState.STOPPED,
        Who.BOTH,
    )


def _is_own_twin(side: TransferSide, school: Establishment) -> bool:
    """Return whether both pupils present belong to the school."""
    return side.other_uai == (school.uai or "") and side.other_name == school.name


def _of_conflict(side: TransferSide, is_destination: bool) -> tuple[str, StepState, Who]:
    what = f"Sous le même INE, {_WHAT} diffèrent entre les deux établissements"
    if is_destination:
        return (
            f"{what} : confirmez qu’il s’agit du même élève, ce qui demande l’accord de l’établissement d’origine, ou "
            "refusez.",
            StepState.MISSING,
            Who.US,
        )
    return f"{what} : {side.other_school} doit confirmer ou refuser.", StepState.MISSING, Who.THEM


def _of_agreement(side: TransferSide, is_destination: bool) -> tuple[str, StepState, Who]:
    other = side.other_school
    if is_destination:
        why = (
            f"{_capital(_WHAT)} diffèrent"
            if side.identities_differ
            else "Cet élève n’est pas venu d’un fichier de SIECLE"
        )
        return f"{why} : {other} doit donner son accord.", StepState.MISSING, Who.THEM
    how = "sous une autre identité" if side.identities_differ else "sans SIECLE"
    return f"{_capital(other)} a inscrit cet élève {how} : donnez votre accord, ou refusez.", StepState.MISSING, Who.US


def _of_copy(side: TransferSide, is_destination: bool) -> str:
    if not side.records:
        return "L’élève n’avait rien à emporter."
    if is_destination:
        return "Les données sont arrivées ; elles se lisent et ne se modifient pas."
    return "Les données ont été copiées ; votre établissement garde les siennes."


def _of_end(side: TransferSide) -> str:
    here = side.decided_in == side.direction.value
    who = "Votre établissement" if here else _capital(side.other_school)
    reason = f" Raison : {side.reason}" if side.reason else ""
    if side.state is TransferState.EXPIRED:
        return "La proposition a expiré sans réponse."
    if side.state is TransferState.REFUSED:
        return f"{who} a refusé ce transfert.{reason}"
    if not side.decided_in:
        return "Ce transfert a été annulé avec l’import qui l’avait causé."
    if side.done_at is None:
        return f"{who} a repris la proposition."
    return f"{who} a annulé ce transfert ; l’établissement d’origine garde ses données.{reason}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
