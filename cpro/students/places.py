"""What the room puts in the shared places."""

from __future__ import annotations

from typing import Any

from flask import Flask, url_for

from cpro.core import clock
from cpro.core.charts import Chart, Series
from cpro.core.formatting import format_count, join_french, plural
from cpro.core.permissions import Permission
from cpro.core.registry import ChecklistItem, Consequence, HelpPage, MenuEntry, TabSection, registry
from cpro.establishments.gate import missing_particulars
from cpro.establishments.models import Module
from cpro.establishments.operations.modules import is_module_on
from cpro.establishments.queries import get_current_establishment
from cpro.students import queries
from cpro.students.operations import is_kept_by_siecle
from cpro.users.queries import count_pending_accounts

_SHOWN_IN_TAB = 10
#: A drawing of more bars is a table; the others are added up.
_DIVISIONS_DRAWN = 12


def fill(app: Flask) -> None:
    """Register the menu line, the section of the tab Transferts, consequences and checklist."""
    places = registry(app)
    places.add_menu_entry(
        MenuEntry(
            "Élèves",
            "eleves.index_view",
            Permission.STUDENTS_VIEW,
            order=40,
            icon="student",
            covers=("students.*", "eleves.*", "divisions.*", "diplomes.*", "competences.*", "mefs.*"),
        )
    )
    places.add_menu_entry(
        MenuEntry(
            "Gérer les profils utilisateurs",
            "utilisateurs.index_view",
            Permission.USERS_VIEW,
            order=30,
            icon="people",
            covers=("utilisateurs.*", "sheets.*", "pupil_accounts.*"),
        )
    )
    places.add_help_page(HelpPage("utilisateurs", "Les comptes des utilisateurs", "help/utilisateurs.html"))
    places.add_section("transfers", TabSection("students/_without_ine_section.html", _section))
    places.add_consequences("establishment", _particulars_consequences)
    places.add_consequences("transfers", _transfers_consequences)
    places.add_consequences("modules", _modules_consequences)
    places.add_checklist(_checklist)
    places.add_chart(_accounts_by_division)


def _section() -> dict[str, Any]:
    today = clock.utcnow().date()
    return {
        "counts": queries.count_without_ine(today),
        "students": queries.list_without_ine(today, limit=_SHOWN_IN_TAB),
        "by_siecle": is_kept_by_siecle(),
        "all_url": url_for("students.without_ine"),
    }


def _particulars_consequences() -> list[Consequence]:
    school = get_current_establishment()
    missing = missing_particulars(school)
    students = queries.count_active_students()
    if not missing:
        return [
            Consequence("Vous pouvez créer des utilisateurs.", "ok"),
            Consequence(f"Les passeports de {plural(students, 'apprenant', 'apprenants')} peuvent être exportés.", "ok")
            if is_module_on(school, Module.PASSPORT)
            else Consequence(
                f"Le module « Passeport » est désactivé : {plural(students, 'passeport', 'passeports')} en attente.",
                "blocked",
            ),
        ]
    verb = "manque" if len(missing) == 1 else "manquent"
    what = join_french([each.label for each in missing])
    first = missing[0]
    who = plural(students, "apprenant ne peut pas exporter son", "apprenants ne peuvent pas exporter leur")
    return [
        Consequence(
            f"{what[0].upper()}{what[1:]} {verb} : {who} passeport.", "blocked", f"#{first.field}", "Compléter"
        ),
        Consequence("Aucun nouvel utilisateur ne peut être créé.", "blocked"),
    ]


def _transfers_consequences() -> list[Consequence]:
    without = queries.count_without_ine(clock.utcnow().date())
    if not without.active and not without.departed:
        return [Consequence("Tous vos élèves ont un INE : aucun n’est écarté des transferts.", "ok")]
    who = [
        *([plural(without.active, "élève sans INE", "élèves sans INE")] if without.active else []),
        *([plural(without.departed, "ancien élève sans INE", "anciens élèves sans INE")] if without.departed else []),
    ]
    several = without.active + without.departed > 1
    verb = "ne pourront pas être transférés" if several else "ne pourra pas être transféré"
    link = url_for("students.without_ine")
    return [Consequence(f"{join_french(who)} {verb}.", "warning", link, "Voir la liste")]


def _modules_consequences() -> list[Consequence]:
    students = plural(queries.count_active_students(), "apprenant", "apprenants")
    if is_module_on(get_current_establishment(), Module.PASSPORT):
        return [Consequence(f"Désactiver « Passeport » en priverait {students} ; rien ne serait effacé.")]
    return [Consequence(f"Le module « Passeport » est désactivé : {students} en sont privés.", "blocked")]


def _accounts_by_division() -> Chart | None:
    """Draw students and activated accounts by division; beyond the first, divisions are added up."""
    figures = queries.count_accounts_by_division()
    if not figures:
        return None
    shown, others = figures[:_DIVISIONS_DRAWN], figures[_DIVISIONS_DRAWN:]
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


def _checklist() -> list[ChecklistItem]:
    without = queries.count_without_ine(clock.utcnow().date())
    return [
        *_pending_accounts(),
        *_courses(),
        ChecklistItem(
            "Compléter les INE",
            "Tous les élèves présents ont un INE."
            if not without.active
            else "Sans INE, leurs données ne pourront pas les suivre dans un autre établissement.",
            done=not without.active,
            link_url=url_for("students.without_ine"),
            link_label="Voir la liste",
            figure=format_count(without.active),
        ),
    ]


def _courses() -> list[ChecklistItem]:
    """Return the line of the courses without diploma, once the school has courses."""
    total, unlinked = queries.count_mefs()
    if not total:
        return []
    return [
        ChecklistItem(
            "Rattacher les formations (MEF) à un diplôme",
            "Toutes les formations sont rattachées à un diplôme."
            if not unlinked
            else "Sans diplôme, une formation laisse ses divisions sans masque de saisie ni compétences.",
            done=not unlinked,
            link_url=url_for("mefs.index_view", diplome="non") if unlinked else url_for("mefs.index_view"),
            link_label="Voir la liste",
            figure=format_count(unlinked),
        )
    ]


def _pending_accounts() -> list[ChecklistItem]:
    """Return the line of the accounts that wait for the head, while there are any."""
    pending = count_pending_accounts()
    if not pending:
        return []
    who = plural(pending, "personne ne peut pas", "personnes ne peuvent pas")
    return [
        ChecklistItem(
            "Donner l’accord du chef d’établissement",
            f"Sans cet accord, {who} activer son compte de chef d’établissement ou d’administrateur."
            if pending == 1
            else f"Sans cet accord, {who} activer leur compte de chef d’établissement ou d’administrateur.",
            done=False,
            link_url=url_for("utilisateurs.index_view", etat="accord"),
            link_label="Voir la liste",
            figure=format_count(pending),
        )
    ]
