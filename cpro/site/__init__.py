"""The Flask-Admin instance, the frame and the menu of every page, help and notices.

This package depends on every feature: features that have generated screens add them to its instance.
"""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Register help and notices, build the administration site and give every page its frame."""
    from cpro.core.permissions import Permission
    from cpro.core.web.registry import MenuEntry, registry
    from cpro.core.web.screens import jobs as _declared  # noqa: F401  # their handlers register on import
    from cpro.site import admin, pages
    from cpro.site.frame import Frame
    from cpro.site.glossary import find_words
    from cpro.site.news import views as news
    from cpro.site.search import views as search
    from cpro.site.support import school_choice
    from cpro.site.support import views as support
    from cpro.site.support.audit_labels import register_audit_labels as name_support

    app.register_blueprint(pages.bp)
    app.register_blueprint(search.bp)
    app.register_blueprint(news.bp)
    app.register_blueprint(support.bp)
    app.register_blueprint(school_choice.bp)
    registry(app).add_menu_entry(
        MenuEntry("Support", "support.state", Permission.PLATFORM_FOLLOW, order=90, icon="help", covers=("support.*",))
    )
    name_support()
    admin.install(app)
    app.jinja_env.globals["find_words"] = find_words
    app.context_processor(lambda: {"frame": Frame()})
