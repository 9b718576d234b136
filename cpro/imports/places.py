"""What the room puts in the shared places: the menu, its help, its line of « Les incontournables »."""

from __future__ import annotations

from flask import Flask, url_for

from cpro.core.formatting import plural
from cpro.core.permissions import Permission, can
from cpro.core.registry import ChecklistItem, HelpPage, MenuEntry, registry
from cpro.core.web import current_principal
from cpro.imports import queries
from cpro.imports.models import RunState
from cpro.students.queries import count_active_students


def fill(app: Flask) -> None:
    """Register menu, help and checklist."""
    places = registry(app)
    places.add_menu_entry(
        MenuEntry(
            "Gérer les imports",
            "imports.index",
            Permission.IMPORTS_MANAGE,
            order=10,
            icon="import",
            covers=("imports.*", "historique_imports.*"),
        )
    )
    places.add_menu_entry(
        MenuEntry(
            "Historique des imports",
            "historique_imports.index_view",
            Permission.IMPORTS_VIEW,
            order=10,
            icon="import",
            covers=("imports.*", "historique_imports.*"),
            unless=Permission.IMPORTS_MANAGE,
        )
    )
    places.add_help_page(HelpPage("imports", "Les imports", "help/imports.html"))
    places.add_checklist(_checklist)


def _checklist() -> list[ChecklistItem]:
    """Say whether pupils have come, and whether an analysis waits."""
    pending, count = queries.find_open_run(), count_active_students()
    manages = can(current_principal(), Permission.IMPORTS_MANAGE)
    url = url_for("imports.index") if manages else url_for("historique_imports.index_view")
    items = [
        ChecklistItem(
            "Importer les élèves et les personnels",
            f"{plural(count, 'élève présent', 'élèves présents')} dans l’établissement."
            if count
            else "Aucun élève n’est encore là : déposez les fichiers de SIECLE, ou les tableaux de nos modèles.",
            done=bool(count),
            link_url=url,
            link_label="Gérer les imports" if manages else "Voir l’historique",
        )
    ]
    if manages and pending is not None and pending.state is RunState.ANALYSED:
        items.append(
            ChecklistItem(
                "Confirmer l’import déposé",
                "Son analyse est prête. Rien n’est écrit tant que vous ne l’avez pas confirmée.",
                done=False,
                link_url=url_for("imports.show", run_id=pending.id),
                link_label="Lire l’analyse",
            )
        )
    return items
