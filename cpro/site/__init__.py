"""The Flask-Admin instance, the frame and the menu of every page, help and notices.

Stands above every feature: those that have generated screens add them to its instance.
"""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Register help and notices, build the administration site and give every page its frame."""
    from cpro.site import admin, pages
    from cpro.site.frame import Frame

    app.register_blueprint(pages.bp)
    admin.install(app)
    app.context_processor(lambda: {"frame": Frame()})
