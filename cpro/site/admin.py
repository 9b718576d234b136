"""The Flask-Admin instance, with our theme, and every feature's generated screens."""

from __future__ import annotations

from flask import Flask
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme

from cpro.core.web.headers import csp_nonce
from cpro.dashboard.views import Dashboard


def install(app: Flask) -> None:
    """Build the administration site of an application, with the dashboard as its index."""
    site = Admin(
        app,
        name="CPro",
        theme=Bootstrap4Theme(base_template="admin/base.html", swatch="default", fluid=True),
        index_view=Dashboard(url="/admin"),
        csp_nonce_generator=csp_nonce,
    )
    for feature in app.extensions["cpro_features"]:
        if hasattr(feature, "register_admin"):
            feature.register_admin(site)
