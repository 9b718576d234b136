"""Generated screens: students, divisions, diplomas."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from flask import url_for
from markupsafe import Markup

from cpro.core.counts import Counted
from cpro.core.errors import refusal_of
from cpro.core.formatting import format_count, format_date, spoken_name
from cpro.core.permissions import Actor, Permission
from cpro.core.web.current_user import may
from cpro.core.web.forms import VersionedForm
from cpro.core.web.screens import BulkAction, Filter, Screen, once
from cpro.students import operations, queries
from cpro.students.accounts.queries import count_without_account_by_division, select_without_account
from cpro.students.mefs import diplomas_of_divisions
from cpro.students.merging import has_candidates
from cpro.students.models import Diploma, Division, Student
from cpro.students.web.choices import offer_diplomas
from cpro.students.web.forms import StudentForm
from cpro.students.web.presenters import why_not_back

#: keys of the actions that SIECLE's files replace
_DEPARTURE, _RETURN, _COURSE, _DIVISION = "depart", "return", "course", "division"


def _leading_to(
    key: str,
    label: str,
    endpoint: str,
    name: str,
    *,
    permission: Permission = Permission.USERS_EDIT,
    left_out: Callable[[Sequence[Student]], Mapping[int, str]] = lambda rows: {},
) -> BulkAction:
    """Return a bulk action on pupils that has a page of its own.

    `left_out` says why it leaves out some rows; it always leaves out merged ones.
    """

    def leads_to(ids: Sequence[int]) -> str:
        asked: dict[str, Any] = {name: ",".join(map(str, ids))}
        return url_for(endpoint, **asked)

    def leave_out(rows: Sequence[Student], *, by: Actor, together: bool) -> dict[int, str]:
        return {**left_out(rows)} | {
            row.id: operations.Merged().message for row in rows if row.merged_into_id is not None
        }

    return BulkAction(key, label, permission, leads_to=leads_to, left_out=leave_out)


class StudentsScreen(Screen):
    """Students: browsed by all who may, created and updated manually outside SIECLE, never deleted."""

    permission, export_permission = Permission.STUDENTS_VIEW, Permission.RECORDS_EXPORT
    create_permission = edit_permission = Permission.STUDENTS_EDIT
    title, noun, object_type = "Élèves", ("élève", "élèves"), "student"
    create_label = "Créer un élève"
    empty_text = "Aucun élève pour l’instant : ils arrivent par l’import des fichiers, ou à la main hors SIECLE."
    search_keys = (Student.search_key,)
    default_order = (Student.search_key,)
    columns = (
        *("last_name", "first_name", "usage_name", "birth_date", "division"),
        *("mef_code", "ine", "situation", "came_by"),
    )
    column_permissions: ClassVar[Mapping[str, Permission]] = {"mef_code": Permission.MEFS_VIEW}
    filters = (
        *("situation", "ine", "division"),
        Filter(
            "mef",
            "Formation (MEF)",
            coded="toutes les formations",
            where=lambda code: Student.mef_code == code.upper(),
            permission=Permission.MEFS_VIEW,
        ),
    )
    form_columns = ("last_name", "usage_name", "first_name", "birth_date", "division", "mef_code")
    form_class = StudentForm
    update_with = staticmethod(operations.update_student)
    bulk_actions = (
        _leading_to("open-accounts", "Ouvrir un compte", "pupil_accounts.open_accounts", "ids"),
        _leading_to("sheets", "Fiches d’activation", "credential_sheets.choose", "eleves"),
        _leading_to(
            _DEPARTURE,
            "Noter le départ",
            "students.depart",
            "ids",
            permission=Permission.STUDENTS_EDIT,
            left_out=lambda rows: {row.id: "Cet élève est déjà parti." for row in rows if not row.is_active},
        ),
        _leading_to(
            _RETURN,
            "Noter le retour",
            "students.come_back",
            "ids",
            permission=Permission.STUDENTS_EDIT,
            left_out=why_not_back,
        ),
        _leading_to(
            _DIVISION,
            "Changer de division",
            "students.change_division",
            "ids",
            permission=Permission.STUDENTS_EDIT,
            left_out=lambda rows: {row.id: "Cet élève est parti." for row in rows if not row.is_active},
        ),
        _leading_to(
            _COURSE, "Donner une formation", "students.give_course", "ids", permission=Permission.STUDENTS_EDIT
        ),
    )

    @property
    def search_help(self) -> str:  # type: ignore[override]
        """Return which fields a search covers: the INE too, for those who may read it whole."""
        looked_in = "Nom, prénom ou INE" if may(Permission.INE_READ) else "Nom ou prénom"
        return f"{looked_in}, en entier ou le début d’un mot, sans souci des accents."

    def open_filters(self) -> list[Filter]:
        """Fill the filters of divisions and courses by code, read together."""
        opened = super().open_filters()
        return [replace(each, choices=partial(_offer_codes, each.key)) if each.coded else each for each in opened]

    def search_numbers(self) -> Any:
        """Search by INE for those who may read it whole: it would disclose to others what the list masks."""
        return Student.ine if may(Permission.INE_READ) else None

    def label_of(self, row: Student) -> str:
        """Return the student's name."""
        return spoken_name(row.first_name, row.last_name)

    def full_label(self, row: Student) -> str:
        """Return the student's name, with division and birth date."""
        beside = [row.division.code if row.division else "", format_date(row.birth_date) if row.birth_date else ""]
        return f"{self.label_of(row)} ({', '.join(filter(None, beside)) or 'sans division'})"

    def create(self, form: VersionedForm, *, by: Any, now: Any) -> Student:
        """Create through the feature's operation."""
        return operations.create_student(form.data, confirmed=self.is_confirmed, by=by, now=now)

    def why_not_create(self) -> str | None:
        """Return the refusal shown to schools that use SIECLE."""
        return _kept_by_siecle()

    def why_not_edit(self, row: Student) -> str | None:
        """Return the refusal shown to schools that use SIECLE, and for a row merged into another."""
        refusal = refusal_of(operations.check_may_correct, row)
        return refusal.message if refusal else None

    def refusal_links(self, row: Student | None = None) -> list[tuple[str, str]]:
        """Return the links to the imports, and to the setting that says whether SIECLE is used; none if merged."""
        return [] if row is not None and row.merged_into_id is not None else _instead_of_siecle()

    def bulk_note(self) -> str:
        """Return where the divisions and the departures come from, for those who would change them."""
        if not (may(Permission.STUDENTS_EDIT) and operations.is_kept_by_siecle()):
            return ""
        return "Changer de division, noter un départ ou un retour\u202f: dans SIECLE, puis par un nouvel import."

    def open_bulk_actions(self) -> list[BulkAction]:
        """Remove the bulk actions that SIECLE's files replace."""
        opened = super().open_bulk_actions()
        by_hand = (_DEPARTURE, _RETURN, _COURSE, _DIVISION)
        return [each for each in opened if each.key not in by_hand] if operations.is_kept_by_siecle() else opened

    def row_links(self, row: Student) -> list[tuple[str, str]]:
        """Return the links to the records, a departure, a return or a duplicate; for a merged row, to the kept row."""
        if row.merged_into_id is not None:
            return [("Voir la fiche gardée", self.get_url(".details_view", id=row.merged_into_id))]
        records = [("Voir son parcours", url_for("records.pupil", student_id=row.id))]
        links = records if may(Permission.SCHOOL_RECORDS_READ) else []
        if not may(Permission.STUDENTS_EDIT):
            return links
        twice = ("Réunir un doublon", url_for("duplicates.choose", student_id=row.id))
        if operations.is_kept_by_siecle():
            return [*links, twice] if has_candidates(row) else links
        if row.is_active:
            moved = ("Changer de division", url_for("students.change_division", ids=row.id))
            return [*links, moved, ("Noter son départ", url_for("students.depart", ids=row.id)), twice]
        return [*links, ("Noter son retour", url_for("students.come_back", ids=row.id)), twice]

    def counts(self) -> Mapping[str, Counted]:
        """Count the pupils without account, for those who may open them one."""
        return {"without_account": Counted(select_without_account())} if may(Permission.USERS_EDIT) else {}

    def list_links(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Return the links to the related lists."""
        missing = [("Sans INE", url_for("students.without_ine"))] if may(Permission.MISSING_INE_VIEW) else []
        return [
            *self._accounts_link(counts),
            *missing,
            ("Divisions", url_for("divisions.index_view")),
            ("Diplômes", url_for("diplomes.index_view")),
            *courses_link(),
        ]

    def _accounts_link(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Return the link that opens an account for every pupil without one, while there are any."""
        number = counts.get("without_account", 0)
        label = f"Ouvrir les comptes de tous ({format_count(number)})"
        return [(label, url_for("pupil_accounts.open_accounts", tous="oui"))] if number else []


class DivisionsScreen(Screen):
    """Divisions: browsed by all who may, created, updated and, once empty, deleted manually outside SIECLE.

    In a school that uses SIECLE, a person chooses the diploma of a division whose courses lead to several.
    """

    permission, export_permission = Permission.STUDENTS_VIEW, Permission.RECORDS_EXPORT
    create_permission = edit_permission = delete_permission = Permission.STUDENTS_EDIT
    title, noun, object_type = "Divisions", ("division", "divisions"), "division"
    called = "code"
    create_label = "Créer une division"
    empty_text = "Aucune division pour l’instant : elles arrivent par l’import des fichiers, ou à la main hors SIECLE."
    default_order = (Division.code,)
    columns, filters = ("code", "label", "diploma"), ("diploma",)
    form_columns = ("code", "label", "diploma")
    create_with, update_with = staticmethod(operations.create_division), staticmethod(operations.update_division)
    delete_with = staticmethod(operations.delete_division)

    def why_not_create(self) -> str | None:
        """Return the refusal shown to schools that use SIECLE."""
        return _kept_by_siecle()

    def refusal_links(self, row: Division | None = None) -> list[tuple[str, str]]:
        """Return the links to the imports, and to the setting that says whether SIECLE is used."""
        return _instead_of_siecle()

    def why_not_edit(self, row: Division) -> str | None:
        """Return the refusal shown to schools that use SIECLE, unless the diploma is to be chosen."""
        refusal = self.why_not_create()
        return refusal if refusal and len(_diplomas_by_division().get(row.id, ())) < 2 else None

    def check_deletion(self, row: Division) -> None:
        """Refuse the divisions in use."""
        operations.check_division_deletion(row)

    def deletion_consequences(self, row: Division) -> list[str]:
        """Return what a file may create again, and what can no longer be undone."""
        return [
            "Cette suppression est définitive.",
            "Un fichier qui nomme cette division la recrée ; si un import l’a créée, il ne pourra plus être annulé.",
        ]

    def list_deletable(self, rows: Sequence[Division]) -> Collection[int]:
        """Leave the check to each division's page: few are ever empty."""
        return ()

    def prepare_form(self, form: VersionedForm, row: Division | None) -> None:
        """Fill the diplomas; fields managed by SIECLE's files are read-only."""
        if not (row and operations.is_kept_by_siecle()):
            offer_diplomas(form["diploma"])
        else:
            offer_diplomas(form["diploma"], among=_diplomas_by_division().get(row.id, set()))
            form["diploma"].description = (
                "Les formations (MEF) de ses élèves mènent à plusieurs diplômes : les imports garderont "
                "celui que vous choisissez."
            )
            for name in ("code", "label"):
                form[name].render_kw, form[name].description = {"readonly": True}, "Vient des fichiers de SIECLE."

    def list_links(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Return the link to the courses, which give divisions their diploma."""
        return courses_link()

    def row_actions(self, row: Division) -> list[tuple[str, str]]:
        """Return the action that opens the accounts of a division, when some pupils have none."""
        if not may(Permission.USERS_EDIT) or not once("without_account", count_without_account_by_division).get(row.id):
            return []
        return [("Ouvrir les comptes", url_for("pupil_accounts.open_accounts", division=row.code))]

    def row_links(self, row: Division) -> list[tuple[str, str]]:
        """Return the links to the division's students, and to the form that sets their course."""
        links = [("Ses élèves", url_for("eleves.index_view", division=row.code))]
        if may(Permission.STUDENTS_EDIT) and not operations.is_kept_by_siecle():
            links.append(("Donner une formation à ses élèves", url_for("students.give_course", division=row.code)))
        return links


class DiplomasScreen(Screen):
    """Diplomas: the national ones read-only, the school's own editable."""

    permission, export_permission = Permission.STUDENTS_VIEW, Permission.RECORDS_EXPORT
    create_permission = edit_permission = delete_permission = Permission.DIPLOMAS_EDIT
    title, noun, object_type = "Diplômes", ("diplôme", "diplômes"), "diploma"
    called = "short_label"
    create_label = "Créer un diplôme"
    create_help = "Un diplôme propre à votre établissement, à côté des diplômes nationaux."
    default_order = (Diploma.short_label,)
    columns, filters = ("code", "short_label", "label", "origin"), ("origin",)
    form_columns = ("code", "label", "short_label")
    create_with, update_with = staticmethod(operations.create_diploma), staticmethod(operations.update_diploma)
    delete_with = staticmethod(operations.delete_diploma)

    def list_links(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Return the link to the courses that prepare for diplomas."""
        return courses_link()

    def created_text(self, row: Diploma) -> str:
        """Return the link to its competences, which évaluations need."""
        return Markup('{} <a href="{}">Ajoutez maintenant ses compétences</a>.').format(
            super().created_text(row), url_for("competences.paste", diploma_id=row.id)
        )

    def check_deletion(self, row: Diploma) -> None:
        """Refuse the national diplomas, and those in use."""
        operations.check_diploma_deletion(row)

    def list_deletable(self, rows: Sequence[Diploma]) -> Collection[int]:
        """Leave the check to each diploma's page: five features must be asked whether it is in use."""
        return ()

    def why_not_edit(self, row: Diploma) -> str | None:
        """Refuse to edit the national diplomas."""
        return operations.NationalDiploma().message if row.establishment_id is None else None


def _diplomas_by_division() -> dict[int, set[int]]:
    """Return the diplomas of the courses of each division, read once for a list."""
    return once("diplomas_by_division", diplomas_of_divisions)


def _offer_codes(key: str) -> list[tuple[str, str]]:
    """Return the divisions, or the courses, of a filter; both are read at once, for those who may read courses."""
    if not may(Permission.MEFS_VIEW):
        return queries.offer_divisions()
    return once("offered_codes", queries.offer_divisions_and_courses)[key]


def _kept_by_siecle() -> str | None:
    """Return the sentence that refers the schools that use SIECLE to it."""
    return operations.KeptBySIECLE().message if operations.is_kept_by_siecle() else None


def _instead_of_siecle() -> list[tuple[str, str]]:
    """Return the pages that a school with SIECLE should use instead, as permitted: its imports, and that setting."""
    if not operations.is_kept_by_siecle():
        return []
    links = [("Importer le nouvel export", url_for("imports.index"))] if may(Permission.IMPORTS_MANAGE) else []
    if may(Permission.TRANSFERS_EDIT):
        links.append(("Déclarer que l’établissement n’a pas SIECLE…", url_for("settings.transfers", _anchor="siecle")))
    return links


def courses_link() -> list[tuple[str, str]]:
    """Return the link to the list of courses, for those who may read it."""
    return [("Formations (MEF)", url_for("mefs.index_view"))] if may(Permission.MEFS_VIEW) else []
