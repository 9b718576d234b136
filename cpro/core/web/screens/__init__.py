"""Generated screens: lists that are searched, filtered, sorted and exported; records read, created, corrected.

A feature's `web/screens.py` declares a `Screen` over its table: columns, filters, the permission of each power, and
which operation each power calls. Flask-Admin gives the addresses and the place in the site; everything it does by
itself that a school could suffer from (docs/decisions/0005) is done here instead: access by id, pages without end,
one-click deletion, formulas in exports, raw exceptions.
"""

from __future__ import annotations

from cpro.core.shown import Filter, choice
from cpro.core.web.screens.kinds import field_of, form_of
from cpro.core.web.screens.parts import BulkAction, Column, once
from cpro.core.web.screens.view import Screen

__all__ = ["BulkAction", "Column", "Filter", "Screen", "choice", "field_of", "form_of", "once"]
