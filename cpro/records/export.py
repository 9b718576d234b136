"""A school's data on one pupil (identity, training, account, records) as plain data (RGPD, art. 15 and 20).

The shape is published in the help (templates/help/parcours.html) and changes only with `VERSION`. Dates are yyyy-mm-dd,
instants ISO 8601 in UTC, rich texts HTML beside their plain text; no password, no code, nothing about other people
except the names of authors.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from cpro.core.drafts.models import Draft
from cpro.core.drafts.queries import list_written_about
from cpro.core.richtext import from_typed, sanitise, to_text
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.records import queries
from cpro.records.models import Bilan, Evaluation, Fiche, Level
from cpro.records.operations.rules import get_draft_subject
from cpro.students.models import Division, Student
from cpro.users.models import Account

FORMAT = "cpro-donnees-apprenant"
VERSION = 2


def build_export(student: Student, *, now: datetime) -> dict[str, Any]:
    """Return the current school's data on a pupil loaded with division and diploma, ready for JSON.

    Keys: format, version, etablissement, identite, formation, compte (None without one), fiches, evaluations, bilans,
    brouillons; records come latest first. It contains the pupil's drafts, so it may only be given to the pupil.
    """
    school = get_current_establishment()
    titles = queries.list_fiches_by_origin(student.id)
    return {
        "format": FORMAT,
        "version": VERSION,
        "etablissement": {"nom": school.name, "uai": school.uai or "", "email": school.email},
        "identite": _identity(student),
        "formation": _training(student.division, student.mef_code),
        "compte": _account(student.account_id),
        "fiches": [_fiche(each) for each in titles.values()],
        "evaluations": [_evaluation(each, titles) for each in queries.list_evaluations(student.id)],
        "bilans": [_bilan(each) for each in queries.list_bilans(student.id)],
        "brouillons": _drafts(student, now),
    }


def _identity(student: Student) -> dict[str, Any]:
    return {
        "nom_de_famille": student.last_name,
        "nom_d_usage": student.usage_name,
        "prenom": student.first_name,
        "date_de_naissance": _day(student.birth_date),
        "ine": student.ine,
        "numero_siecle": student.siecle_id,
        "numero_dans_l_etablissement": student.local_id,
        "venu_par": student.came_by.label,
        "present": student.is_active,
        "parti_le": _day(student.departed_on),
        "inscrit_le": _instant(student.created_at),
    }


def _training(division: Division | None, mef_code: str) -> dict[str, Any]:
    diploma = division.diploma if division else None
    return {
        "division": division.code if division else "",
        "intitule_de_la_division": division.label if division else "",
        "diplome": diploma.label if diploma else "",
        "code_du_diplome": diploma.code if diploma else "",
        "mef": mef_code,
    }


def _account(account_id: int | None) -> dict[str, Any] | None:
    account = db.session.get(Account, account_id) if account_id is not None else None
    if account is None:
        return None
    return {
        "identifiant": account.login,
        "prenom": account.first_name,
        "nom": account.last_name,
        "email": account.email,
        "actif": account.is_active,
        "cree_le": _instant(account.created_at),
        "active_le": _instant(account.activated_at),
    }


def _fiche(fiche: Fiche) -> dict[str, Any]:
    return {
        "titre": fiche.title,
        "lieu": fiche.place.label,
        "nom_du_lieu": fiche.place_name,
        "du": _day(fiche.starts_on),
        "au": _day(fiche.ends_on),
        "taches_html": sanitise(fiche.tasks),
        "taches": to_text(fiche.tasks),
        "etat": fiche.state.label,
        "validee_le": _instant(fiche.validated_at),
        "validee_par": fiche.validated_by_label,
        **_origin(fiche),
    }


def _evaluation(evaluation: Evaluation, titles: Mapping[str, Fiche]) -> dict[str, Any]:
    fiche = titles.get(evaluation.fiche_uid or "")
    return {
        "code_de_la_competence": evaluation.competence_code,
        "competence": evaluation.competence_label,
        "diplome": evaluation.diploma_label,
        "code_du_diplome": evaluation.diploma_code,
        "niveau": evaluation.level,
        "niveau_en_mots": Level(evaluation.level).label,
        "evalue_le": _day(evaluation.evaluated_on),
        "scenario": evaluation.scenario_title,
        "fiche": fiche.title if fiche else "",
        **_origin(evaluation),
    }


def _bilan(bilan: Bilan) -> dict[str, Any]:
    return {
        "du": _day(bilan.starts_on),
        "au": _day(bilan.ends_on),
        "texte_html": sanitise(bilan.body),
        "texte": to_text(bilan.body),
        **_origin(bilan),
    }


def _drafts(student: Student, now: datetime) -> list[dict[str, Any]]:
    if student.account_id is None:
        return []
    subject = get_draft_subject(student.id)
    return [_draft(each) for each in list_written_about(subject, "fiche", account_id=student.account_id, now=now)]


def _draft(draft: Draft) -> dict[str, Any]:
    """Return the draft of a fiche, as typed."""
    typed = {str(name): str(text) for name, text in draft.fields}
    source = typed.get("tasks", "")
    tasks = sanitise(source) if typed.get("tasks_format") == "html" else from_typed(source)
    return {
        "titre": typed.get("title", ""),
        "lieu": typed.get("place", ""),
        "nom_du_lieu": typed.get("place_name", ""),
        "du": typed.get("starts_on", ""),
        "au": typed.get("ends_on", ""),
        "taches_html": tasks,
        "taches": to_text(tasks),
        "commence_le": _instant(draft.began_at),
        "enregistre_le": _instant(draft.saved_at),
    }


def _origin(row: Fiche | Evaluation | Bilan) -> dict[str, Any]:
    return {
        "origine": {
            "identifiant": row.origin_uid,
            "auteur": row.author_label,
            "ecrit_le": _instant(row.created_at),
            "modifie_le": _instant(row.changed_at),
            "etablissement_d_origine": row.origin_school,
        }
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _instant(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds") if instant else None
