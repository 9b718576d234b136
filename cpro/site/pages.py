"""Help, legal mentions, health: pages that belong to no feature."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import NotFound
from cpro.core.permissions import Permission, public, requires
from cpro.core.web.current_user import current_principal
from cpro.core.web.pages import render_page
from cpro.establishments.web.own_school import describe_data_protection
from cpro.masks.models import MaskKey
from cpro.site.health import list_problems

bp = Blueprint("pages", __name__)

#: How long what `security.txt` says holds, from the day it is read.
_CONTACT_HOLDS = timedelta(days=90)

#: The pages of help, in the order shown: the address `/aide/<slug>`, also the name of the template, and the title.
HELP_PAGES = {
    "etablissement": "Les renseignements de l’établissement",
    "transferts": "Comment fonctionne un transfert",
    "declaration-cnil": "La déclaration CNIL et ce qui l’a remplacée",
    "logo": "Le logo et le cachet",
    "utilisateurs": "Les comptes des utilisateurs",
    "masques": "Les masques de saisie",
    "competences": "Les listes de compétences",
    "scenarios": "Les scénarios",
    "parcours": "Les fiches, les évaluations et les bilans",
    "conservation": "La conservation des données",
    "inspecteurs": "L’accès des inspecteurs",
    "imports": "Les imports",
    "passeport": "Le passeport professionnel",
}


@bp.get("/aide/<slug>")
@requires(Permission.HELP_READ)
def help_page(slug: str) -> ResponseReturnValue:
    """Show a page of help."""
    if slug not in HELP_PAGES:
        raise NotFound("Cette page d’aide n’existe pas.")
    return render_page(f"help/{slug}.html", slug=slug, help_pages=HELP_PAGES, mask_keys=list(MaskKey))


@bp.get("/mentions/accessibilite")
@public
def accessibility() -> ResponseReturnValue:
    """Show the accessibility statement (RGAA)."""
    return render_page("mentions/accessibilite.html", contact_email=current_app.config["CPRO_CONTACT_EMAIL"])


@bp.get("/mentions/donnees-personnelles")
@public
def privacy() -> ResponseReturnValue:
    """Show the privacy notice; to a person signed in, with the DPD of the school they work in."""
    principal = current_principal()
    in_school = principal is not None and principal.establishment_id is not None
    return render_page(
        "mentions/donnees-personnelles.html", data_protection=describe_data_protection() if in_school else {}
    )


@bp.get("/.well-known/security.txt")
@public
def security_contact() -> ResponseReturnValue:
    """Say whom to tell a weakness to (RFC 9116), where whoever deploys CPro gave an address."""
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
    """Ask search engines to read nothing."""
    return _plain_text("User-agent: *", "Disallow: /")


@bp.get("/favicon.ico")
@public
def favicon() -> ResponseReturnValue:
    """Send the mark of CPro to what looks for it at this address."""
    return current_app.send_static_file("favicon.ico")


def _plain_text(*lines: str) -> Response:
    return Response("".join(f"{line}\n" for line in lines), mimetype="text/plain")


@bp.get("/sante")
@public
def alive() -> ResponseReturnValue:
    """Answer a monitor that this process runs; ask nothing of the database, even a busy one."""
    return jsonify(status="ok")


@bp.get("/sante/pret")
@public
def ready() -> ResponseReturnValue:
    """Answer a monitor: 200 when people are served and their work is done, else 503 and what is not well."""
    problems = list_problems(current_app.config["CPRO_UPLOADS"], now=clock.utcnow())
    if problems:
        current_app.logger.error("not well: %s", "; ".join(problems))
        return jsonify(status="unavailable", problems=problems), 503
    return jsonify(status="ok"), 200
