"""Generated screens: students, divisions, diplomas."""

from __future__ import annotations

from typing import Any

from flask import g, url_for
from sqlalchemy.orm import joinedload

from cpro.core.formatting import format_count, format_date, mask_ine, spoken_name
from cpro.core.permissions import Permission
from cpro.core.web.forms import VersionedForm
from cpro.core.web.screens import BulkAction, Column, Screen, TextFilter, choice
from cpro.core.web.screens.read_only import may
from cpro.students import operations
from cpro.students.accounts.queries import count_without_account, count_without_account_by_division
from cpro.students.mefs import diplomas_of_divisions
from cpro.students.models import Diploma, Division, Origin, Student
from cpro.students.queries import suggest_divisions
from cpro.students.web.choices import offer_diplomas
from cpro.students.web.forms import DiplomaForm, DivisionForm, StudentForm


class StudentsScreen(Screen):
    """Students: browsed by all who may, created and corrected by hand outside SIECLE, never deleted."""

    permission = Permission.STUDENTS_VIEW
    create_permission = edit_permission = Permission.STUDENTS_EDIT
    export_permission = Permission.RECORDS_EXPORT
    title, noun, object_type = "Élèves", ("élève", "élèves"), "student"
    create_label = "Créer un élève"
    empty_text = "Aucun élève pour l’instant : ils arrivent par l’import des fichiers, ou à la main hors SIECLE."
    options = (joinedload(Student.division),)
    search_keys, search_help = (Student.search_key,), "Nom ou prénom, sans souci des accents."
    default_order = (Student.search_key,)
    form_class = StudentForm
    columns = (
        Column("name", "Nom", lambda row: row.last_name.upper(), (Student.search_key,)),
        Column("first_name", "Prénom", lambda row: row.first_name),
        Column("usage_name", "Nom d’usage", lambda row: row.usage_name.upper(), in_list=False),
        Column(
            "birth_date",
            "Naissance",
            lambda row: format_date(row.birth_date) if row.birth_date else "",
            (Student.birth_date,),
        ),
        Column("division", "Division", lambda row: row.division.code if row.division else "aucune"),
        Column("mef", "Formation (MEF)", lambda row: row.mef_code, in_list=False),
        Column("ine", "INE", lambda row: shown_ine(row.ine)),
        Column("state", "Situation", lambda row: _situation(row)),
        Column("came_by", "Provenance", lambda row: Origin(row.came_by).label, in_list=False),
    )
    filters = (
        choice(
            "situation",
            "Situation",
            "présents et partis",
            (
                ("presents", "présents", lambda: Student.is_active.is_(True)),
                ("partis", "partis", lambda: Student.is_active.is_(False)),
            ),
        ),
        choice(
            "ine",
            "INE",
            "avec ou sans INE",
            (
                ("avec", "avec INE", lambda: Student.ine.is_not(None)),
                ("sans", "sans INE", lambda: Student.ine.is_(None)),
            ),
        ),
        TextFilter("division", "Division", lambda code: Student.division.has(Division.code == code), suggest_divisions),
        TextFilter("mef", "Code MEF", lambda code: Student.mef_code == code),
    )

    bulk_actions = (
        BulkAction(
            "open-accounts",
            "Ouvrir un compte",
            Permission.USERS_EDIT,
            leads_to=lambda ids: url_for("pupil_accounts.open_accounts", ids=",".join(map(str, ids))),
        ),
        BulkAction(
            "sheets",
            "Fiches d’activation",
            Permission.USERS_EDIT,
            leads_to=lambda ids: url_for("credential_sheets.choose", eleves=",".join(map(str, ids))),
        ),
    )

    def label_of(self, row: Student) -> str:
        """Return the student's name."""
        return spoken_name(row.first_name, row.last_name)

    def full_label(self, row: Student) -> str:
        """Return the student's name, with division and birth date."""
        beside = [row.division.code if row.division else "", format_date(row.birth_date) if row.birth_date else ""]
        return f"{self.label_of(row)} ({', '.join(filter(None, beside)) or 'sans division'})"

    def why_not_create(self) -> str | None:
        """Send back to SIECLE the schools that use it."""
        return operations.KeptBySIECLE().message if operations.is_kept_by_siecle() else None

    def why_not_edit(self, row: Student) -> str | None:
        """Send back to SIECLE the schools that use it."""
        return self.why_not_create()

    def form_values(self, row: Student) -> dict[str, Any]:
        """Return the student as the form shows it."""
        return operations.student_values(row, row.division)

    def prepare_form(self, form: VersionedForm, row: Student | None) -> None:
        """Suggest divisions."""
        form["division"].suggestions = suggest_divisions()

    def create(self, form: VersionedForm, *, by: Any, now: Any) -> Student:
        """Create through the feature's operation."""
        return operations.create_student(form.data, by=by, now=now)

    def update(self, row: Student, form: VersionedForm, *, opened_on: str | None, by: Any, now: Any) -> None:
        """Correct through the feature's operation."""
        operations.update_student(row, form.data, opened_on=opened_on, by=by, now=now)

    def list_links(self) -> list[tuple[str, str]]:
        """Lead to the neighbouring lists."""
        missing = [("Sans INE", url_for("students.without_ine"))] if may(Permission.MISSING_INE_VIEW) else []
        return [
            *self._accounts_link(),
            *missing,
            ("Divisions", url_for("divisions.index_view")),
            ("Diplômes", url_for("diplomes.index_view")),
            *courses_link(),
        ]

    def _accounts_link(self) -> list[tuple[str, str]]:
        """Return the link that opens an account to every pupil who has none, while there are any."""
        number = count_without_account() if may(Permission.USERS_EDIT) else 0
        label = f"Ouvrir les comptes de tous ({format_count(number)})"
        return [(label, url_for("pupil_accounts.open_accounts", tous="oui"))] if number else []


class DivisionsScreen(Screen):
    """Divisions: browsed by all who may, created and corrected by hand outside SIECLE, never deleted.

    In a school that uses SIECLE, a person chooses the diploma of a division whose courses lead to several.
    """

    permission = Permission.STUDENTS_VIEW
    create_permission = edit_permission = Permission.STUDENTS_EDIT
    export_permission = Permission.RECORDS_EXPORT
    title, noun, object_type = "Divisions", ("division", "divisions"), "division"
    create_label = "Créer une division"
    empty_text = "Aucune division pour l’instant : elles arrivent par l’import des fichiers, ou à la main hors SIECLE."
    options = (joinedload(Division.diploma),)
    default_order = (Division.code,)
    form_class = DivisionForm
    columns = (
        Column("code", "Code", lambda row: row.code, (Division.code,)),
        Column("label", "Intitulé", lambda row: row.label, (Division.label,)),
        Column("diploma", "Diplôme", lambda row: row.diploma.short_label if row.diploma else "à rattacher"),
    )
    filters = (
        choice(
            "diplome",
            "Diplôme",
            "rattachées ou non",
            (
                ("oui", "rattachées à un diplôme", lambda: Division.diploma_id.is_not(None)),
                ("non", "à rattacher", lambda: Division.diploma_id.is_(None)),
            ),
        ),
    )

    def label_of(self, row: Division) -> str:
        """Return the division's code."""
        return row.code

    def why_not_create(self) -> str | None:
        """Send back to SIECLE the schools that use it."""
        return operations.KeptBySIECLE().message if operations.is_kept_by_siecle() else None

    def why_not_edit(self, row: Division) -> str | None:
        """Send back to SIECLE the schools that use it, unless the diploma is to be chosen."""
        refusal = self.why_not_create()
        return refusal if refusal and len(_diplomas_by_division().get(row.id, ())) < 2 else None

    def form_values(self, row: Division) -> dict[str, Any]:
        """Return the division as the form shows it."""
        return operations.division_values(row, row.diploma)

    def prepare_form(self, form: VersionedForm, row: Division | None) -> None:
        """Offer diplomas; what SIECLE's files say is not typed."""
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

    def create(self, form: VersionedForm, *, by: Any, now: Any) -> Division:
        """Create through the feature's operation."""
        return operations.create_division(form.data, by=by, now=now)

    def update(self, row: Division, form: VersionedForm, *, opened_on: str | None, by: Any, now: Any) -> None:
        """Correct through the feature's operation."""
        operations.update_division(row, form.data, opened_on=opened_on, by=by, now=now)

    def list_links(self) -> list[tuple[str, str]]:
        """Lead to the courses, whose diploma divisions take."""
        return courses_link()

    def row_actions(self, row: Division) -> list[tuple[str, str]]:
        """Offer to open the accounts of a division where pupils have none."""
        if not may(Permission.USERS_EDIT) or not _without_account_by_division().get(row.id):
            return []
        return [("Ouvrir les comptes", url_for("pupil_accounts.open_accounts", division=row.code))]

    def row_links(self, row: Division) -> list[tuple[str, str]]:
        """Lead to the division's students."""
        return [("Ses élèves", url_for("eleves.index_view", division=row.code))]


class DiplomasScreen(Screen):
    """Diplomas: the national ones to read, the school's own to keep."""

    permission = Permission.STUDENTS_VIEW
    create_permission = edit_permission = delete_permission = Permission.DIPLOMAS_EDIT
    export_permission = Permission.RECORDS_EXPORT
    title, noun, object_type = "Diplômes", ("diplôme", "diplômes"), "diploma"
    create_label = "Créer un diplôme"
    create_help = "Un diplôme propre à votre établissement, à côté des diplômes nationaux."
    default_order = (Diploma.short_label,)
    form_class = DiplomaForm
    columns = (
        Column("code", "Code", lambda row: row.code, (Diploma.code,)),
        Column("short_label", "Intitulé court", lambda row: row.short_label, (Diploma.short_label,)),
        Column("label", "Intitulé complet", lambda row: row.label, (Diploma.label,)),
        Column("origin", "Origine", lambda row: "national" if row.establishment_id is None else "de l’établissement"),
    )
    filters = (
        choice(
            "origine",
            "Origine",
            "toutes les origines",
            (
                ("nationaux", "nationaux", lambda: Diploma.establishment_id.is_(None)),
                ("propres", "propres à l’établissement", lambda: Diploma.establishment_id.is_not(None)),
            ),
        ),
    )

    def label_of(self, row: Diploma) -> str:
        """Return the diploma as people say it."""
        return row.short_label

    def list_links(self) -> list[tuple[str, str]]:
        """Lead to the courses that prepare for diplomas."""
        return courses_link()

    def why_not_edit(self, row: Diploma) -> str | None:
        """Keep the national diplomas as they are."""
        return operations.NationalDiploma().message if row.establishment_id is None else None

    def check_deletion(self, row: Diploma) -> None:
        """Keep the national diplomas, and those that something names."""
        operations.check_diploma_deletion(row)

    def form_values(self, row: Diploma) -> dict[str, Any]:
        """Return the diploma as the form shows it."""
        return operations.diploma_values(row)

    def create(self, form: VersionedForm, *, by: Any, now: Any) -> Diploma:
        """Create through the feature's operation."""
        return operations.create_diploma(form.data, by=by, now=now)

    def update(self, row: Diploma, form: VersionedForm, *, opened_on: str | None, by: Any, now: Any) -> None:
        """Correct through the feature's operation."""
        operations.update_diploma(row, form.data, opened_on=opened_on, by=by, now=now)

    def delete(self, row: Diploma, *, by: Any, now: Any) -> None:
        """Delete through the feature's operation."""
        operations.delete_diploma(row, by=by, now=now)


def _diplomas_by_division() -> dict[int, set[int]]:
    """Return the diplomas of the courses of each division, asked once for a list."""
    if "diplomas_by_division" not in g:
        g.diplomas_by_division = diplomas_of_divisions()
    found: dict[int, set[int]] = g.diplomas_by_division
    return found


def _without_account_by_division() -> dict[int | None, int]:
    """Return how many pupils of each division have no account, asked once for a list."""
    if "without_account_by_division" not in g:
        g.without_account_by_division = count_without_account_by_division()
    found: dict[int | None, int] = g.without_account_by_division
    return found


def courses_link() -> list[tuple[str, str]]:
    """Return the link to the list of courses, for whoever may read it."""
    return [("Formations (MEF)", url_for("mefs.index_view"))] if may(Permission.MEFS_VIEW) else []


def shown_ine(ine: str | None) -> str:
    """Return an INE as the person signed in may see it: support and inspectors read its last three characters only."""
    if ine is None:
        return "sans INE"
    return ine if may(Permission.INE_READ) else mask_ine(ine)


def _situation(student: Student) -> str:
    if student.is_active:
        return "présent"
    return f"parti le {format_date(student.departed_on)}" if student.departed_on else "parti"
