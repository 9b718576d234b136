"""Generated screens: searchable, filterable, sortable, exportable lists; pages to read, create and correct a row.

A feature's `web/screens.py` declares a `Screen` over its table: columns, filters, the permission of each power, and
the operation that each power calls. Flask-Admin provides the URLs and the registration in the site; its own behaviours
that could harm a school (docs/decisions/0005) are replaced here: access by id, unlimited pages, one-click deletion,
formulas in exports, raw exceptions.
"""

from __future__ import annotations

from cpro.core.shown import Filter, choice
from cpro.core.web.screens.kinds import field_of, form_of
from cpro.core.web.screens.parts import BulkAction, Column, once
from cpro.core.web.screens.view import Screen

__all__ = ["BulkAction", "Column", "Filter", "Screen", "choice", "field_of", "form_of", "once"]
