"""Diplomas, divisions and students of a school.

Terms: the *INE* is the national identifier by which a pupil's records follow them; a *division* is a class; a *MEF* is
a course of the ministry's list, one year of it; a *departed* student is inactive, never deleted. Invariant: no form
writes an INE; only an import sets it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_admin import Admin


def register(app: Flask) -> None:
    """Register the feature: the list of students without INE and its listeners to settings."""
    from cpro.students import audit_labels
    from cpro.students.accounts import jobs as _declared  # noqa: F401  # its handler registers on import
    from cpro.students.credential_sheets import jobs as _swept  # noqa: F401
    from cpro.students.web import hooks, several, views  # noqa: F401  # `several` adds its routes to `views.bp`

    app.register_blueprint(views.bp)
    audit_labels.register_audit_labels()
    hooks.register_hooks(app)


def register_admin(site: Admin) -> None:
    """Add the feature's generated screens to the administration site."""
    from cpro.students.models import MEF, Diploma, Division, Student
    from cpro.students.web.screens import DiplomasScreen, DivisionsScreen, MEFsScreen, StudentsScreen

    site.add_view(StudentsScreen(Student, url="/admin/eleves", endpoint="eleves"))
    site.add_view(DivisionsScreen(Division, url="/admin/divisions", endpoint="divisions"))
    site.add_view(DiplomasScreen(Diploma, url="/admin/diplomes", endpoint="diplomes"))
    site.add_view(MEFsScreen(MEF, url="/admin/mefs", endpoint="mefs"))
