"""Pages of the feature: lists of pupils, a pupil's records, the forms that write them."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("records", __name__, url_prefix="/eleves")
