"""Flask-Admin views, closed by default.

Stock Flask-Admin allows everything, fetches by primary key past its own query, commits by itself and shows raw
exceptions. Here a view names its permission, every power is off until a subclass turns it on, rows come through the
tenancy filter, and writes go to a feature's operations, inside one unit of work.
"""

from __future__ import annotations

from typing import Any

from flask import abort
from flask_admin import AdminIndexView
from flask_admin.contrib.sqla import ModelView

from cpro.core.parsing import read_id
from cpro.core.permissions import Access, Permission, can
from cpro.core.web.current_user import current_principal
from cpro.core.web.screens import queries


class _Guarded:
    """Ask for a permission before any page of the view; without one declared, nobody enters."""

    permission: Permission | None = None

    def access_for(self, name: str) -> Access | None:
        """Return what a page of the view asks, for the guard; None refuses everyone."""
        return Access(self.permission) if self.permission is not None else None

    def is_accessible(self) -> bool:
        """Return whether the person signed in may open the view."""
        return self.permission is not None and can(current_principal(), self.permission)

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        """Answer 403: the guard has already led the signed-out to the sign-in page."""
        abort(403)


class SecureIndexView(_Guarded, AdminIndexView):
    """The dashboard's base: stock Flask-Admin answers 200 to anyone."""


class SecureModelView(_Guarded, ModelView):
    """A generated screen: no right, no tenant, no power unless declared."""

    can_create = False
    can_edit = False
    can_delete = False
    can_export = False
    can_view_details = False

    def get_one(self, id: object) -> Any:
        """Return the row of an id, or None when it is no id, or that of no row one may see."""
        row_id = read_id(id)
        return None if row_id is None else queries.get_row(self.model, row_id)

    def is_action_allowed(self, name: str) -> bool:
        """Refuse Flask-Admin's own bulk deletion: a screen declares its actions on several rows."""
        return False

    def create_model(self, form: Any) -> Any:
        """Refuse: a screen that creates calls its feature's operation."""
        raise NotImplementedError(f"{type(self).__name__} creates through its feature's operation")

    def update_model(self, form: Any, model: Any) -> Any:
        """Refuse: a screen that edits calls its feature's operation."""
        raise NotImplementedError(f"{type(self).__name__} edits through its feature's operation")

    def delete_model(self, model: Any) -> Any:
        """Refuse: a screen that deletes calls its feature's operation."""
        raise NotImplementedError(f"{type(self).__name__} deletes through its feature's operation")
