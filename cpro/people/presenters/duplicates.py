"""The page that merges two rows of a pupil: both side by side, and the consequences for each."""

from __future__ import annotations

from cpro.core.formatting import format_date, format_day_of, join_french, mask_ine, person_name, plural
from cpro.core.permissions import Permission
from cpro.core.web.current_user import may
from cpro.core.web.registry import registry
from cpro.people.duplicates import Holding, is_doubtful, list_identity_differences, prefer
from cpro.students.accounts.links import was_ever_opened
from cpro.students.merging import comes_back, is_known_to_siecle, list_filled
from cpro.students.models import Division, Student
from cpro.students.queries import get_division

_FILLED_LABELS = {
    "usage_name": "le nom d’usage",
    "birth_date": "la date de naissance",
    "division_id": "la division",
    "mef_code": "la formation",
    "ine": "l’INE",
    "siecle_id": "le numéro de SIECLE",
    "local_id": "le numéro",
}


def compare(kept: Holding, other: Holding) -> list[tuple[str, str, str]]:
    """Return the differences between two rows of a pupil: label, kept row, other row."""
    return [(label, mine, theirs) for (label, mine), (_, theirs) in zip(_facts(kept), _facts(other), strict=True)]


def describe_candidate(student: Student) -> str:
    """Return a row's description that distinguishes it in a list of namesakes."""
    born = format_date(student.birth_date) if student.birth_date else "naissance inconnue"
    division = _division(student)
    details = [born, division.code if division else "sans division", student.situation, f"fiche n°\u202f{student.id}"]
    return f"{person_name(student.last_name, student.first_name)} ({', '.join(details)})"


def describe_choice(student: Student) -> tuple[str, str]:
    """Return which rows are offered for a merge with a pupil's, and what is said where none has the name sought."""
    then = "Vous verrez les deux côte à côte avant de décider."
    if not is_known_to_siecle(student):
        return (
            f"Choisissez l’autre fiche du même élève. {then}",
            "Aucune autre fiche ne porte ce nom\u202f: cherchez-la par un autre nom.",
        )
    return (
        "SIECLE connaît cet élève\u202f: sont proposées les fiches qu’il ne connaît pas, saisies à la main ou venues "
        f"d’un tableau. Choisissez celle du même élève. {then}",
        "Aucune fiche saisie à la main ou venue d’un tableau ne porte ce nom\u202f: cherchez-la par un autre nom. Deux "
        "élèves que SIECLE connaît ne se réunissent pas ici\u202f: corrigez-les dans SIECLE, puis importez le nouvel "
        "export.",
    )


def describe_merge(kept: Holding, other: Holding) -> list[str]:
    """Return the consequences of the merge for the contents of each row, in sentences."""
    return [*_of_identity(kept, other), *_moved(kept, other), *_of_accounts(kept, other), *_of_the_rest(kept, other)]


def describe_proposal(kept: Holding, other: Holding) -> str:
    """Return which row is proposed to be kept, and why, beside the choice."""
    preferred, why = prefer(kept, other)
    if not why:
        return "CPro n’a pas de préférence entre ces deux fiches."
    which = "Cette fiche est celle" if preferred is kept else "L’autre fiche est celle"
    return f"{which} que CPro propose de garder\u202f: {why}."


def _of_identity(kept: Holding, other: Holding) -> list[str]:
    differing = list_identity_differences(kept.student, other.student)
    if not differing:
        return []
    names = join_french(differing)
    if is_doubtful(kept.student, other.student):
        return [
            f"Attention\u202f: {names} diffèrent. Ce sont sans doute deux élèves\u202f: réunis, leurs parcours ne se "
            "sépareront plus."
        ]
    return [f"Les deux fiches diffèrent par {names}\u202f: c’est ce que dit la fiche gardée qui reste."]


def _moved(kept: Holding, other: Holding) -> list[str]:
    parts = [
        plural(other.records.fiches, "fiche", "fiches"),
        plural(other.records.evaluations, "évaluation", "évaluations"),
        plural(other.records.bilans, "bilan", "bilans"),
        plural(other.passports, "passeport émis", "passeports émis"),
    ]
    sentences = [
        f"La fiche gardée reçoit de l’autre\u202f: {', '.join(parts)}. Les passeports gardent leur code et restent "
        "vérifiables."
    ]
    taken = [_FILLED_LABELS[name] for name in list_filled(kept.student, other.student) if name in _FILLED_LABELS]
    if taken:
        sentences.append(f"Elle prend de l’autre ce qui lui manque\u202f: {', '.join(taken)}. Le reste ne change pas.")
    if comes_back(kept.student, other.student):
        sentences.append("L’élève redevient présent, puisque l’autre fiche l’est.")
    elif other.student.is_active and not kept.student.is_active:
        sentences.append("L’élève reste parti, comme SIECLE le dit\u202f: il redevient présent par un import.")
    return sentences


def _of_accounts(kept: Holding, other: Holding) -> list[str]:
    if other.account is None:
        if kept.account is None or not was_ever_opened(kept.account):
            return []
        return [f"Le compte {kept.account.login}, qui a déjà servi, ouvre désormais aussi ce que tenait l’autre fiche."]
    login = other.account.login
    if kept.account is not None:
        return [
            f"Le compte {kept.account.login} ouvre désormais tout le parcours\u202f; le compte {login} est fermé, ses "
            "saisies non enregistrées sont perdues. Le chef d’établissement en est averti."
        ]
    then = "\u202f; son titulaire recevra alors un nouveau code" if was_ever_opened(other.account) else ""
    return [
        f"Le compte {login} n’est plus relié à personne\u202f: reliez-le ensuite à la fiche gardée{then}. Ses saisies "
        "non enregistrées sont perdues. Le chef d’établissement en est averti."
    ]


def _of_the_rest(kept: Holding, other: Holding) -> list[str]:
    sentences = []
    if other.transfers:
        sentences.append("Les transferts passés de l’autre fiche restent à elle, et se lisent sur leur page.")
    return [
        *sentences,
        "Ce que quelqu’un était en train d’écrire sur l’autre fiche, sans l’avoir enregistré, est perdu.",
        "L’autre fiche reste, vide, parmi les doublons\u202f: son journal et ses consultations s’y lisent encore.",
        "Un fichier déposé ensuite reconnaît la fiche gardée seule\u202f; le dernier import ne s’annule plus s’il a "
        "apporté l’une des deux, ou modifié l’autre.",
        "Cela ne s’annule pas\u202f: ce qui venait de l’autre fiche ne s’en distingue plus.",
    ]


def _facts(holding: Holding) -> list[tuple[str, str]]:
    student, account = holding.student, holding.account
    division = _division(student)
    ine = (student.ine if may(Permission.INE_READ) else mask_ine(student.ine)) if student.ine else "sans INE"
    return [
        ("Fiche", f"n°\u202f{student.id}, depuis le {format_day_of(student.created_at, registry().timezone())}"),
        ("Nom", student.last_name.upper()),
        ("Nom d’usage", student.usage_name.upper() or "aucun"),
        ("Prénom", student.first_name),
        ("Naissance", format_date(student.birth_date) if student.birth_date else "inconnue"),
        ("Division", division.code if division else "aucune"),
        ("Formation (MEF)", student.mef_code or "aucune"),
        ("INE", ine),
        ("Numéro", student.local_id or student.siecle_id or "aucun"),
        ("Situation", student.situation),
        ("Compte", account.login if account else "aucun"),
        ("Fiches", str(holding.records.fiches)),
        ("Évaluations", str(holding.records.evaluations)),
        ("Bilans", str(holding.records.bilans)),
        ("Passeports émis", str(holding.passports)),
        ("Transferts", str(holding.transfers)),
    ]


def _division(student: Student) -> Division | None:
    return get_division(student.division_id) if student.division_id is not None else None
