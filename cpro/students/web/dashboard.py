"""What the dashboard shows of students: courses, divisions, INE, pupils' accounts; the chart of divisions."""

from __future__ import annotations

from flask import url_for

from cpro.core import clock
from cpro.core.charts import Chart, Series
from cpro.core.formatting import format_count, join_french, plural
from cpro.core.lists import NOT_IN_CODES
from cpro.core.permissions import Permission
from cpro.core.web.checklist import ChecklistItem
from cpro.core.web.current_user import may
from cpro.students import queries
from cpro.students.accounts import queries as accounts
from cpro.students.operations import is_kept_by_siecle

#: More bars would be unreadable; the divisions beyond are added up.
_DIVISIONS_SHOWN = 12


def list_student_items() -> list[ChecklistItem]:
    """Return the lines of courses, divisions, their codes and INE."""
    return [*_courses(), *_divisions(), *_division_twins(), *_without_ine()]


def _courses() -> list[ChecklistItem]:
    """Return the line of the courses without diploma, once the school or its pupils name courses."""
    total, unlinked = queries.count_mefs()
    unknown = queries.count_unknown_mefs()
    if not total + unknown:
        return []
    missing = unlinked + unknown
    detail = "Toutes les formations sont rattachées à un diplôme."
    if missing:
        detail = "Sans diplôme, une formation laisse ses divisions sans masque de saisie ni compétences."
    if unknown:
        detail += f" {plural(unknown, 'code est porté', 'codes sont portés')} par des élèves sans être dans la liste."
    return [
        ChecklistItem(
            "Rattacher les formations (MEF) à un diplôme",
            detail,
            done=not missing,
            link_url=url_for("mefs.index_view", diplome="non") if unlinked else url_for("mefs.index_view"),
            link_label="Voir la liste",
            figure=format_count(missing),
            act=Permission.DIPLOMAS_EDIT,
        )
    ]


def _divisions() -> list[ChecklistItem]:
    """Return the line of the divisions without diploma whose pupils name no course: nothing else would show them."""
    number = queries.count_divisions_without_course()
    if not number:
        return []
    what = plural(number, "division n’a", "divisions n’ont")
    return [
        ChecklistItem(
            "Choisir le diplôme des divisions",
            f"{what} ni diplôme ni formation (MEF) : ses élèves n’ont ni masque de saisie ni compétences."
            if number == 1
            else f"{what} ni diplôme ni formation (MEF) : leurs élèves n’ont ni masque de saisie ni compétences.",
            link_url=url_for("divisions.index_view"),
            link_label="Voir la liste",
            figure=format_count(number),
            act=Permission.STUDENTS_EDIT,
        )
    ]


def _division_twins() -> list[ChecklistItem]:
    """Return the line of the divisions whose codes read the same: probably one class in two halves."""
    twins = queries.list_division_twins()
    if not twins:
        return []
    first = join_french([f"« {code} »" for code in twins[0]])
    mend = (
        "corrigez le code dans SIECLE ou STS-Web, puis importez de nouveau."
        if is_kept_by_siecle()
        else "passez les élèves de l’une dans l’autre, par leur fiche ou par un tableau, puis supprimez celle qui est "
        "vide ; si elles sont bien deux, renommez-en une."
    )
    return [
        ChecklistItem(
            "Vérifier les divisions aux codes proches",
            f"{first} ne se distinguent que par {NOT_IN_CODES}. Si elles ne font qu’une, {mend}",
            link_url=url_for("divisions.index_view"),
            link_label="Voir la liste",
            figure=format_count(len(twins)),
            act=Permission.STUDENTS_EDIT,
        )
    ]


def _without_ine() -> list[ChecklistItem]:
    """Return the line of the INE, once there are pupils."""
    without = queries.count_without_ine(clock.utcnow().date())
    if not without.active and not queries.count_active_students():
        return []
    return [
        ChecklistItem(
            "Compléter les INE",
            "Tous les élèves présents ont un INE."
            if not without.active
            else "Sans INE, leurs données ne pourront pas les suivre dans un autre établissement.",
            done=not without.active,
            link_url=url_for("students.without_ine"),
            link_label="Voir la liste",
            figure=format_count(without.active),
            act=Permission.IMPORTS_MANAGE,
        )
    ]


def list_pupil_account_items() -> list[ChecklistItem]:
    """Return the lines of pupils' accounts to open, to link and to check."""
    return [*_accounts_to_open(), *_unlinked_accounts(), *_unseen_links()]


def _accounts_to_open() -> list[ChecklistItem]:
    """Return the line of the pupils without account, for those who open them."""
    number = accounts.count_without_account() if may(Permission.USERS_EDIT) else 0
    if not number:
        return []
    who = plural(number, "élève présent ne peut pas se connecter", "élèves présents ne peuvent pas se connecter")
    return [
        ChecklistItem(
            "Ouvrir les comptes des élèves",
            f"Sans compte, {who}.",
            link_url=url_for("pupil_accounts.open_accounts"),
            link_label="Ouvrir les comptes",
            figure=format_count(number),
        )
    ]


def _unlinked_accounts() -> list[ChecklistItem]:
    """Return the line of the pupils' accounts that name no pupil, for those who link them."""
    number = accounts.count_unlinked_accounts() if may(Permission.USERS_EDIT) else 0
    if not number:
        return []
    what = plural(number, "compte d’apprenant n’ouvre", "comptes d’apprenants n’ouvrent")
    return [
        ChecklistItem(
            "Relier les comptes d’apprenants à leur élève",
            f"Sans élève, {what} aucun parcours.",
            link_url=url_for("utilisateurs.index_view", etat="sans-eleve"),
            link_label="Voir la liste",
            figure=format_count(number),
        )
    ]


def _unseen_links() -> list[ChecklistItem]:
    """Return the line of the links made by hand, for the head, until they have read of them."""
    number = len(accounts.list_unseen_links()) if may(Permission.USERS_CONSENT) else 0
    if not number:
        return []
    return [
        ChecklistItem(
            "Vérifier les comptes reliés à un élève",
            "Un compte relié ouvre le parcours de l’élève : l’administrateur en a relié ou délié à la main.",
            link_url=url_for("pupil_accounts.seen_links"),
            link_label="Voir la liste",
            figure=format_count(number),
        )
    ]


def draw_accounts_by_division() -> Chart | None:
    """Return the chart of students and activated accounts by division; divisions beyond the first are added up."""
    figures = queries.count_accounts_by_division()
    if not figures:
        return None
    shown, others = figures[:_DIVISIONS_SHOWN], figures[_DIVISIONS_SHOWN:]
    if others:
        shown.append(
            queries.DivisionFigures(
                f"{len(others)} autres", sum(each.students for each in others), sum(each.activated for each in others)
            )
        )
    students, activated = sum(each.students for each in figures), sum(each.activated for each in figures)
    return Chart(
        key="divisions",
        title="Divisions et comptes activés",
        summary=f"{plural(students, 'apprenant', 'apprenants')} dans {plural(len(figures), 'division', 'divisions')} ; "
        f"{plural(activated, 'compte activé', 'comptes activés')}.",
        heading="Division",
        categories=[each.code for each in shown],
        series=[
            Series("Apprenants", [each.students for each in shown]),
            Series("Comptes activés", [each.activated for each in shown]),
        ],
    )
