"""Generated screens: lists that are searched, filtered, sorted and exported; records read, created, corrected.

A feature's `web/screens.py` declares a `Screen` over its table: columns, filters, the permission of each power, and
which operation each power calls. Flask-Admin gives the addresses and the place in the site; everything it does by
itself that a school could suffer from (docs/decisions/0005) is done here instead: access by id, pages without end,
one-click deletion, formulas in exports, raw exceptions.
"""

from __future__ import annotations

from cpro.core.web.screens.parts import BulkAction, Column, DateFilter, Filter, TextFilter, choice
from cpro.core.web.screens.view import Screen

__all__ = ["BulkAction", "Column", "DateFilter", "Filter", "Screen", "TextFilter", "choice"]
