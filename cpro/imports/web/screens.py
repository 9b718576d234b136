"""Generated screen: the history of the imports, read and exported; imports are made in « Gérer les imports »."""

from __future__ import annotations

from collections.abc import Mapping

from flask import url_for

from cpro.core.formatting import format_school_year
from cpro.core.permissions import Permission
from cpro.core.web.current_user import may
from cpro.core.web.screens import Column, Screen
from cpro.imports.models import ImportRun, RunState
from cpro.imports.runs.lifecycle import describe_failure
from cpro.imports.web.presenters import describe_files, summarise_run


def _state(run: ImportRun) -> str:
    """Return the state of an import, and why it failed if it did."""
    reason = describe_failure(run) if run.state is RunState.FAILED else ""
    return f"{run.state.label} : {reason}" if reason else run.state.label


class ImportsScreen(Screen):
    """The imports of the school, latest first."""

    permission, export_permission = Permission.IMPORTS_VIEW, Permission.RECORDS_EXPORT
    title, noun, object_type = "Historique des imports", ("import", "imports"), "import_run"
    called = "label"
    help_slug = "imports"
    empty_text = "Aucun import n’a encore été fait."
    default_order = (ImportRun.id.desc(),)
    columns = (
        *("created_at", Column("who", "Par", lambda row: row.actor.label), "kind"),
        Column("files", "Fichiers", describe_files, is_long=True),
        Column("state", "État", _state, is_long=True),
        Column("figures", "Chiffres", summarise_run, is_long=True),
        Column("year", "Année scolaire", lambda row: format_school_year(row.school_year), in_list=False),
        *("applied_at", "undone_at"),
    )
    filters = ("state", "kind")

    def list_links(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Link the administrator to the deposit."""
        return [("Gérer les imports", url_for("imports.index"))] if may(Permission.IMPORTS_MANAGE) else []

    def row_links(self, row: ImportRun) -> list[tuple[str, str]]:
        """Link to the changes of the import, and to its page."""
        links = []
        if row.keeps_analysis:
            links += [
                ("Modifications", url_for("imports.changes", run_id=row.id)),
                ("Constats", url_for("imports.findings", run_id=row.id)),
            ]
        if row.keeps_analysis and may(Permission.RECORDS_EXPORT):
            links.append(("Tout en CSV", url_for("imports.export", run_id=row.id)))
        if may(Permission.IMPORTS_MANAGE):
            links.append(("Ouvrir l’import", url_for("imports.show", run_id=row.id)))
        return links
