"""Hooks of the feature."""

from __future__ import annotations

from typing import Any

from flask import Flask, url_for

from cpro.core import clock
from cpro.core.formatting import join_french, plural
from cpro.core.permissions import Permission
from cpro.core.web.registry import Consequence, MenuEntry, TabSection, registry
from cpro.establishments.gate import missing_particulars
from cpro.establishments.models import Module
from cpro.establishments.operations.modules import is_module_on
from cpro.establishments.queries import get_current_establishment
from cpro.students import queries
from cpro.students.operations import is_kept_by_siecle

_SHOWN_IN_TAB = 10


def register_hooks(app: Flask) -> None:
    """Register the menu line, the section of the tab Transferts and consequences."""
    app_registry = registry(app)
    app_registry.add_menu_entry(
        MenuEntry(
            "Élèves",
            "eleves.index_view",
            Permission.STUDENTS_VIEW,
            order=40,
            icon="student",
            covers=("students.*", "eleves.*", "divisions.*", "diplomes.*", "competences.*", "mefs.*"),
        )
    )
    app_registry.add_section("transfers", TabSection("students/_without_ine_section.html", _section))
    app_registry.add_consequences("establishment", _particulars_consequences)
    app_registry.add_consequences("transfers", _transfers_consequences)
    app_registry.add_consequences("modules", _modules_consequences)


def _section() -> dict[str, Any]:
    today = clock.utcnow().date()
    return {
        "counts": queries.count_without_ine(today),
        "empty_message": describe_no_missing_ine(),
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
            Consequence(
                f"Les passeports de {plural(students, 'apprenant', 'apprenants')} peuvent être exportés."
                if students
                else "Les passeports des apprenants pourront être exportés.",
                "ok",
            )
            if is_module_on(school, Module.PASSPORT)
            else Consequence(
                f"Le module « Passeport » est désactivé : {plural(students, 'passeport', 'passeports')} en attente."
                if students
                else "Le module « Passeport » est désactivé : aucun passeport ne peut être exporté.",
                "blocked",
            ),
        ]
    verb = "manque" if len(missing) == 1 else "manquent"
    what = join_french([each.label for each in missing])
    first = missing[0]
    who = (
        plural(students, "apprenant ne peut pas exporter son", "apprenants ne peuvent pas exporter leur")
        if students
        else "aucun apprenant ne pourra exporter son"
    )
    return [
        Consequence(
            f"{what[0].upper()}{what[1:]} {verb} : {who} passeport.", "blocked", f"#{first.field}", "Compléter"
        ),
        Consequence("Aucun nouvel utilisateur ne peut être créé.", "blocked"),
    ]


def describe_no_missing_ine() -> str:
    """Return what is said where no pupil lacks an INE: nothing of pupils where there are none yet."""
    if not queries.count_active_students():
        return "Aucun élève n’est encore présent dans l’établissement."
    return "Tous vos élèves ont un INE : aucun n’est écarté des transferts."


def _transfers_consequences() -> list[Consequence]:
    without = queries.count_without_ine(clock.utcnow().date())
    if not without.active and not without.departed:
        return [Consequence(describe_no_missing_ine(), "ok" if queries.count_active_students() else "info")]
    who = [
        *([plural(without.active, "élève sans INE", "élèves sans INE")] if without.active else []),
        *([plural(without.departed, "ancien élève sans INE", "anciens élèves sans INE")] if without.departed else []),
    ]
    several = without.active + without.departed > 1
    verb = "ne pourront pas être transférés" if several else "ne pourra pas être transféré"
    link = url_for("students.without_ine")
    return [Consequence(f"{join_french(who)} {verb}.", "warning", link, "Voir la liste")]


def _modules_consequences() -> list[Consequence]:
    count = queries.count_active_students()
    students = plural(count, "apprenant", "apprenants") if count else "les apprenants"
    if is_module_on(get_current_establishment(), Module.PASSPORT):
        return [Consequence(f"Désactiver « Passeport » en priverait {students} ; rien ne serait effacé.")]
    return [Consequence(f"Le module « Passeport » est désactivé : {students} en sont privés.", "blocked")]
