"""Pages of the feature: the pupils one follows, a pupil's records, the forms that write them."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("records", __name__, url_prefix="/eleves")
