"""The generated screens of an application."""

from __future__ import annotations

from flask import Flask

from cpro.core.web.screens import Screen


def screens(app: Flask) -> list[Screen]:
    """Return the generated screens, in the order of their registration."""
    return [view for view in app.extensions["admin"][0]._views if isinstance(view, Screen)]
