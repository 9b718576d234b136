"""Dashboard items on students: courses, divisions, INE, pupils' accounts; the chart of divisions."""

from __future__ import annotations

from flask import url_for

from cpro.core.charts import Chart, Series
from cpro.core.codes import NOT_IN_CODES
from cpro.core.counts import Counted
from cpro.core.formatting import MoreThan, format_count, join_french, plural
from cpro.core.permissions import Permission
from cpro.core.web.checklist import Asked, ChecklistItem, Figures
from cpro.core.web.current_user import may
from cpro.students import queries
from cpro.students.accounts import queries as accounts
from cpro.students.operations import is_kept_by_siecle
from cpro.students.web.presenters import describe_ine_remedy

#: More bars would be unreadable; the other divisions are summed.
_DIVISIONS_SHOWN = 12


def count_students() -> Asked:
    """Return the counts of the lines."""
    return {
        "active students": Counted(queries.select_active_students()),
        "courses": Counted(queries.select_mefs()),
        "unlinked courses": Counted(queries.select_unlinked_mefs()),
        "unknown courses": Counted(queries.select_unknown_mefs()),
        "divisions without course": Counted(queries.select_divisions_without_course()),
        "students without INE": Counted(queries.select_active_without_ine()),
        "students without account": Counted(accounts.select_without_account()),
        "accounts of pupils": Counted(accounts.select_accounts_of_pupils()),
        "unseen links": Counted(accounts.select_unseen_links()),
    }


def list_student_items(figures: Figures) -> list[ChecklistItem]:
    """Return the lines of courses, divisions, their codes and INE."""
    return [
        *_courses(figures["courses"], figures["unlinked courses"], figures["unknown courses"]),
        *_divisions(figures["divisions without course"]),
        *_division_twins(),
        *_without_ine(figures["students without INE"], figures["active students"]),
    ]


def _courses(total: int, unlinked: int, unknown: int) -> list[ChecklistItem]:
    """Return the line of the courses without diploma, once the school or its pupils have courses."""
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


def _divisions(number: int) -> list[ChecklistItem]:
    """Return the line of the divisions without diploma whose pupils have no course: nothing else would report them."""
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
    """Return the line of the divisions with equivalent codes: probably one class split in two."""
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


def _without_ine(without: int, active: int) -> list[ChecklistItem]:
    """Return the line of the INE, once there are pupils."""
    if not active:
        return []
    return [
        ChecklistItem(
            "Compléter les INE",
            "Tous les élèves présents ont un INE."
            if not without
            else "Sans INE, leurs données ne pourront pas les suivre dans un autre établissement. "
            + describe_ine_remedy(),
            done=not without,
            link_url=url_for("students.without_ine"),
            link_label="Voir la liste",
            figure=format_count(without),
            act=Permission.IMPORTS_MANAGE,
        )
    ]


def list_pupil_account_items(figures: Figures) -> list[ChecklistItem]:
    """Return the lines of pupils' accounts to open, to link and to check."""
    return [
        *_accounts_to_open(figures["students without account"]),
        *_unlinked_accounts(figures["accounts of pupils"]),
        *_unseen_links(figures["unseen links"]),
    ]


def _accounts_to_open(number: int) -> list[ChecklistItem]:
    """Return the line of the pupils without account, for those who open them."""
    if not number or not may(Permission.USERS_EDIT):
        return []
    who = plural(number, "élève présent ne peut pas se connecter", "élèves présents ne peuvent pas se connecter")
    return [
        ChecklistItem(
            "Ouvrir les comptes des élèves",
            f"Sans compte, {who}.",
            link_url=url_for("pupil_accounts.open_accounts"),
            link_label="Ouvrir les comptes",
            figure=format_count(number),
            after=("imports",),
        )
    ]


def _unlinked_accounts(among: int) -> list[ChecklistItem]:
    """Return the line of the pupils' accounts without a pupil, for those who link them.

    None when there are more accounts than the dashboard counts: each of them would have to be read.
    """
    if isinstance(among, MoreThan) or not may(Permission.USERS_EDIT):
        return []
    number = accounts.count_unlinked_accounts()
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


def _unseen_links(number: int) -> list[ChecklistItem]:
    """Return the line of the links made manually, for the head, until marked as read."""
    if not number or not may(Permission.USERS_CONSENT):
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


def render_accounts_by_division(figures: Figures) -> Chart | None:
    """Return the chart of students and activated accounts by division; divisions beyond the first are summed.

    None when there are more students than the dashboard counts: each of them would have to be read.
    """
    if isinstance(figures["active students"], MoreThan):
        return None
    divisions = queries.count_accounts_by_division()
    if not divisions:
        return None
    shown, others = divisions[:_DIVISIONS_SHOWN], divisions[_DIVISIONS_SHOWN:]
    if others:
        shown.append(
            queries.DivisionFigures(
                f"{len(others)} autres", sum(each.students for each in others), sum(each.activated for each in others)
            )
        )
    students, activated = sum(each.students for each in divisions), sum(each.activated for each in divisions)
    return Chart(
        key="divisions",
        title="Divisions et comptes activés",
        summary=f"{plural(students, 'apprenant', 'apprenants')} dans "
        f"{plural(len(divisions), 'division', 'divisions')} ; {plural(activated, 'compte activé', 'comptes activés')}.",
        heading="Division",
        categories=[each.code for each in shown],
        series=[
            Series("Apprenants", [each.students for each in shown]),
            Series("Comptes activés", [each.activated for each in shown]),
        ],
    )
