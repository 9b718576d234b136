"""Help, legal mentions, health: pages that belong to no feature."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from cpro.core import tenancy
from cpro.core.errors import DomainError, NotFound
from cpro.core.permissions import Permission, public, requires
from cpro.core.storage import FileStorage
from cpro.core.web.registry import registry
from cpro.core.web.responses import current_principal, render_page

bp = Blueprint("pages", __name__)


@bp.get("/aide/<slug>")
@requires(Permission.HELP_READ)
def help_page(slug: str) -> ResponseReturnValue:
    """Show a page of help that some feature published."""
    page = registry().help_pages.get(slug)
    if page is None:
        raise NotFound("Cette page d’aide n’existe pas.")
    return render_page(page.template, page=page, help_pages=list(registry().help_pages.values()))


@bp.get("/mentions/accessibilite")
@public
def accessibility() -> ResponseReturnValue:
    """Show the accessibility statement (RGAA)."""
    return render_page("mentions/accessibilite.html", contact_email=current_app.config["CPRO_CONTACT_EMAIL"])


@bp.get("/mentions/donnees-personnelles")
@public
def privacy() -> ResponseReturnValue:
    """Show the privacy notice; to whoever is signed in, with the DPD of the school they work in."""
    principal = current_principal()
    in_school = principal is not None and principal.establishment_id is not None
    return render_page(
        "mentions/donnees-personnelles.html", data_protection=registry().data_protection() if in_school else {}
    )


@bp.get("/sante")
@public
def alive() -> ResponseReturnValue:
    """Answer a monitor that this process runs; ask nothing of the database, even a busy one."""
    return jsonify(status="ok")


@bp.get("/sante/pret")
@public
def ready() -> ResponseReturnValue:
    """Answer a monitor: 200 when database and uploads answer, else 503."""
    try:
        with tenancy.platform_session("health") as session:
            session.execute(text("SELECT 1 FROM establishment LIMIT 1"))
        FileStorage(current_app.config["CPRO_UPLOADS"]).check_writable()
    except (SQLAlchemyError, DomainError) as error:
        current_app.logger.error("health check failed: %s", error)
        return jsonify(status="unavailable"), 503
    return jsonify(status="ok"), 200
