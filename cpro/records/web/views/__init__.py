"""Pages of the feature: lists of pupils, a pupil's records, the forms that write them."""

from __future__ import annotations

from flask import Blueprint

from cpro.core.web.screens import above

#: The name of the list of pupils for the pages below it: those of a pupil.
LIST = "pupils"

bp = Blueprint("records", __name__, url_prefix="/eleves")

above.stand_below(bp, LIST, carries=lambda _endpoint, values: "student_id" in values)
