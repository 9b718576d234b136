"""CPro: the administration of vocational schools' competence follow-up. `create_app` is the table of contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cpro.core.process import without_collector

if TYPE_CHECKING:
    from flask import Flask


@without_collector()
def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Build the application; `config` overrides the settings read from the environment.

    Raises `config.UnusableSetting` when a setting or a folder prevents the start.
    """
    from cpro import (
        audit,
        backup,
        competences,
        dashboard,
        demo,
        establishments,
        imports,
        inspectors,
        masks,
        new_year,
        passport,
        people,
        problems,
        records,
        scenarios,
        settings,
        site,
        students,
        transfers,
        users,
    )
    from cpro.config import FIXED_SETTINGS, PROJECT_ROOT, load_settings
    from cpro.core import cli_words, drafts, jobs, mail, migrations, shown_errors
    from cpro.core.transactions import configure_engine
    from cpro.core.web.csrf import csrf
    from cpro.core.web.install import install
    from cpro.core.web.retries import RetryingFlask
    from cpro.extensions import babel, db, login_manager

    app = RetryingFlask(
        "cpro",
        template_folder=str(PROJECT_ROOT / "templates"),
        static_folder=str(PROJECT_ROOT / "static"),
    )
    app.cli = cli_words.Commands(app.name)  # help texts in French, including those of `flask`
    app.config.from_mapping(FIXED_SETTINGS)
    app.config.from_mapping(load_settings())
    app.config.from_mapping(config or {})

    db.init_app(app)
    migrations.register(app)
    login_manager.init_app(app)
    csrf.init_app(app)
    babel.init_app(app)
    with app.app_context():
        configure_engine(db.engine)

    install(app)
    app.extensions["cpro_features"] = features = (
        audit,
        establishments,
        users,
        students,
        masks,
        competences,
        problems,
        scenarios,
        records,
        inspectors,
        transfers,
        imports,
        passport,
        new_year,
        settings,
        people,
        dashboard,
        backup,
    )
    for feature in features:
        feature.register(app)
    jobs.register(app)
    mail.register(app)
    drafts.register(app)
    shown_errors.register(app)
    site.register(app)
    app.cli.add_command(demo.group)
    return app
