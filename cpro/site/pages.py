"""Help, legal mentions, health: pages that belong to no feature."""

from __future__ import annotations

from datetime import timedelta
from hmac import compare_digest

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import NotFound
from cpro.core.permissions import Permission, public, requires
from cpro.core.web.current_user import current_principal
from cpro.core.web.pages import render_page
from cpro.establishments.web.own_school import describe_data_protection
from cpro.masks.models import MaskKey
from cpro.site.declaration import JUDGED_ON, read_judgment
from cpro.site.glossary import WORDS
from cpro.site.health import list_problems
from cpro.site.help import HELP_PAGES
from cpro.site.operator_powers import OPERATOR_POWERS
from cpro.site.sitemap import list_sections

bp = Blueprint("pages", __name__)

#: How long `security.txt` is valid, from the day it is read.
_CONTACT_HOLDS = timedelta(days=90)


@bp.get("/aide")
@requires(Permission.HELP_READ)
def help_index() -> ResponseReturnValue:
    """Show the list of the pages of help."""
    return render_page("help/index.html", help_pages=HELP_PAGES)


@bp.get("/aide/<slug>")
@requires(Permission.HELP_READ)
def help_page(slug: str) -> ResponseReturnValue:
    """Show a page of help."""
    if slug not in HELP_PAGES:
        raise NotFound("Cette page d’aide n’existe pas.")
    return render_page(f"help/{slug}.html", slug=slug, help_pages=HELP_PAGES, mask_keys=list(MaskKey), words=WORDS)


@bp.get("/plan-du-site")
@public
def sitemap() -> ResponseReturnValue:
    """Show the site map: the pages that the visitor may open."""
    principal = current_principal()
    in_school = principal is not None and principal.establishment_id is not None
    return render_page("sitemap.html", sections=list_sections(principal, in_school=in_school))


@bp.get("/mentions/accessibilite")
@public
def accessibility() -> ResponseReturnValue:
    """Show the accessibility declaration (decree 2019-768)."""
    config = current_app.config
    return render_page(
        "mentions/accessibilite.html",
        judgment=read_judgment(),
        judged_on=JUDGED_ON,
        entity=config["CPRO_ENTITY"],
        contact_email=config["CPRO_CONTACT_EMAIL"],
        plan_url=config["CPRO_ACCESSIBILITY_PLAN_URL"],
        year_url=config["CPRO_ACCESSIBILITY_YEAR_URL"],
        public_url=config["CPRO_PUBLIC_URL"],
    )


@bp.get("/mentions/donnees-personnelles")
@public
def privacy() -> ResponseReturnValue:
    """Show the privacy notice; to a signed-in person, with the DPD of the current school."""
    principal = current_principal()
    in_school = principal is not None and principal.establishment_id is not None
    return render_page(
        "mentions/donnees-personnelles.html", data_protection=describe_data_protection() if in_school else {}
    )


@bp.get("/mentions/administration")
@public
def operator() -> ResponseReturnValue:
    """Show who administers CPro, how to reach them, and what they can do."""
    config = current_app.config
    return render_page(
        "mentions/administration.html",
        entity=config["CPRO_ENTITY"],
        contact_email=config["CPRO_CONTACT_EMAIL"],
        powers=[words for words, _commands in OPERATOR_POWERS],
    )


@bp.get("/.well-known/security.txt")
@public
def security_contact() -> ResponseReturnValue:
    """Return where to report a vulnerability (RFC 9116), if the platform gives an address."""
    address = current_app.config["CPRO_CONTACT_EMAIL"]
    if not address:
        raise NotFound("Aucune adresse de contact n’est donnée pour cette plateforme.")
    expires = (clock.utcnow() + _CONTACT_HOLDS).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _plain_text(
        f"Contact: mailto:{address}",
        f"Expires: {expires}",
        "Preferred-Languages: fr, en",
        f"Canonical: {current_app.config['CPRO_PUBLIC_URL']}/.well-known/security.txt",
    )


@bp.get("/robots.txt")
@public
def robots() -> ResponseReturnValue:
    """Ask search engines to index nothing."""
    return _plain_text("User-agent: *", "Disallow: /")


@bp.get("/favicon.ico")
@public
def favicon() -> ResponseReturnValue:
    """Send the icon to browsers that request it at this address."""
    return current_app.send_static_file("favicon.ico")


def _plain_text(*lines: str, status: int = 200) -> Response:
    return Response("".join(f"{line}\n" for line in lines), status, mimetype="text/plain")


@bp.get("/sante")
@public
def alive() -> ResponseReturnValue:
    """Answer a monitor that this process runs; does not query the database, which may be busy."""
    return jsonify(status="ok")


@bp.get("/sante/pret")
@public
def ready() -> ResponseReturnValue:
    """Answer a monitor: 200 when pages are served and jobs are done, else 503 and the failed checks."""
    problems = list_problems(current_app.config["CPRO_UPLOADS"])
    if problems:
        current_app.logger.error("not well: %s", "; ".join(problems))
        return jsonify(status="unavailable", problems=problems), 503
    return jsonify(status="ok"), 200


@bp.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """Answer Prometheus, which must send the token of `CPRO_METRICS_TOKEN`; 404 without that setting."""
    token = current_app.config["CPRO_METRICS_TOKEN"]
    if not token:
        raise NotFound("Cette adresse n’existe pas.")
    given = request.authorization
    if given is None or given.type != "bearer":
        answer = _plain_text("Authorization: Bearer <CPRO_METRICS_TOKEN> is needed", status=401)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    if not compare_digest((given.token or "").encode(), token.encode()):
        return _plain_text("this is not the token of CPRO_METRICS_TOKEN", status=403)
    from prometheus_client import CONTENT_TYPE_LATEST

    from cpro.site.metrics import render_metrics

    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return Response(render_metrics(app, app.config["CPRO_UPLOADS"]), content_type=CONTENT_TYPE_LATEST)
