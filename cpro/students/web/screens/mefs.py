"""Generated screen: the ministry's courses (MEF) that the school uses, and the diploma each prepares for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask import url_for

from cpro.core.formatting import join_french
from cpro.core.permissions import Permission
from cpro.core.web.current_user import may
from cpro.core.web.forms import VersionedForm
from cpro.core.web.screens import Screen
from cpro.students import mefs
from cpro.students.models import MEF
from cpro.students.web.choices import offer_diplomas
from cpro.students.web.forms import MEFForm


class MEFsScreen(Screen):
    """Courses: created by imports, linked to diplomas by the administrator, read by the head and the support."""

    permission, export_permission = Permission.MEFS_VIEW, Permission.RECORDS_EXPORT
    create_permission = edit_permission = delete_permission = Permission.DIPLOMAS_EDIT
    title, noun, object_type = "Formations (MEF)", ("formation", "formations"), "mef"
    create_label = "Ajouter une formation"
    create_help = (
        "Les fichiers de SIECLE amènent les formations que suivent vos élèves ; ajoutez-en une pour la rattacher "
        "d’avance à son diplôme."
    )
    empty_text = "Aucune formation pour l’instant : elles arrivent par l’import des fichiers de SIECLE."
    default_order = (MEF.code,)
    columns, filters = ("code", "label", "diploma"), ("diploma",)
    form_columns, create_columns, form_class = ("label", "diploma"), ("code", "label", "diploma"), MEFForm
    create_with, delete_with = staticmethod(mefs.create_mef), staticmethod(mefs.delete_mef)

    def label_of(self, row: MEF) -> str:
        """Return the course's label and code."""
        return f"{row.label} ({row.code})" if row.label else row.code

    def list_links(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Return the links to the diplomas."""
        return [("Diplômes", url_for("diplomes.index_view"))] if may(Permission.STUDENTS_VIEW) else []

    def row_links(self, row: MEF) -> list[tuple[str, str]]:
        """Return the link to the students who follow the course."""
        return [("Ses élèves", url_for("eleves.index_view", mef=row.code))] if may(Permission.STUDENTS_VIEW) else []

    def prepare_form(self, form: VersionedForm, row: MEF | None) -> None:
        """Fill the diplomas, and name the other years to link; without any, the question is removed."""
        offer_diplomas(form["diploma"])
        if row is None:
            return
        others = [each.code for each in mefs.list_unlinked_years(row)]
        if others:
            verb = "reste" if len(others) == 1 else "restent"
            form["other_years"].description = f"{join_french(others)} {verb} à rattacher."
        else:
            del form["other_years"]

    def update(self, row: MEF, form: VersionedForm, *, opened_on: str | None, by: Any, now: Any) -> None:
        """Update through the feature's operation."""
        mefs.update_mef(
            row,
            form.data,
            links_other_years=bool(form.data.get("other_years")),
            opened_on=opened_on,
            by=by,
            now=now,
        )

    def check_deletion(self, row: MEF) -> None:
        """Refuse the courses that pupils follow."""
        mefs.check_mef_deletion(row)

    def list_deletable(self, rows: Sequence[MEF]) -> Collection[int]:
        """Return the courses that no pupil follows."""
        followed = mefs.find_followed([row.code for row in rows])
        return {row.id for row in rows if row.code not in followed}

    def deletion_consequences(self, row: MEF) -> list[str]:
        """Return the consequences of a deletion."""
        return ["La formation quitte la liste ; un fichier qui la nomme la ramène, à rattacher à nouveau."]
