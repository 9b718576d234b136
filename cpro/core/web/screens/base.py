"""Flask-Admin views, closed by default: a view names its permission, and every power is off until it is turned on."""

from __future__ import annotations

from typing import Any

from flask import abort
from flask_admin import AdminIndexView
from flask_admin.contrib.sqla import ModelView

from cpro.core.parsing import read_id
from cpro.core.permissions import Access, Permission
from cpro.core.web.current_user import may
from cpro.core.web.screens import queries


class _Guarded:
    """Require a permission for every page of the view; without a declared one, access is denied."""

    permission: Permission | None = None

    def access_for(self, name: str) -> Access | None:
        """Return the access that a page of the view requires, for the guard; None denies everyone."""
        return Access(self.permission) if self.permission is not None else None

    def is_accessible(self) -> bool:
        """Return whether the signed-in person may open the view."""
        return may(self.permission)

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        """Answer 403: the guard has already redirected anonymous visitors to the sign-in page."""
        abort(403)


class SecureIndexView(_Guarded, AdminIndexView):
    """The base of the dashboard: Flask-Admin's own answers 200 to anyone."""


class SecureModelView(_Guarded, ModelView):
    """A model view, without permission or power; Flask-Admin fetches by key and ignores the view's own query."""

    can_create = can_edit = can_delete = can_export = can_view_details = False

    def get_one(self, id: object) -> Any:
        """Return the row of an id, or None if the id is invalid or its row not visible to the user."""
        row_id = read_id(id)
        return None if row_id is None else next(iter(queries.list_rows(self.model, [row_id])), None)

    def is_action_allowed(self, name: str) -> bool:
        """Disable Flask-Admin's own bulk deletion."""
        return False
