"""The administration site: Flask-Admin with our theme, the frame of every page, the dashboard."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from flask import Flask, g, request, url_for
from flask_admin import Admin, expose
from flask_admin.theme import Bootstrap4Theme

from cpro.config import VERSION
from cpro.core.permissions import Permission, Principal
from cpro.core.tenancy import TenancyError
from cpro.core.web.checklist import list_items_for
from cpro.core.web.registry import MenuEntry, registry
from cpro.core.web.responses import csp_nonce, current_principal
from cpro.core.web.screens.base import SecureIndexView
from cpro.establishments.models import Establishment, PictureKind
from cpro.establishments.queries import find_picture, get_current_establishment

_STYLESHEETS = (
    "cpro.css",
    "css/frame.css",
    "css/forms.css",
    "css/panels.css",
    "css/generated.css",
    "css/screens.css",
    "css/richtext.css",
    "css/charts.css",
    "css/history.css",
    "css/transfers.css",
    "css/print.css",
)


class Dashboard(SecureIndexView):
    """« Les incontournables »: what is missing, what it blocks, the link."""

    permission = Permission.DASHBOARD_VIEW

    @expose("/")
    def index(self) -> Any:
        """Show the checklist."""
        checklist = list_items_for(current_principal(), registry().checklist())
        return self.render(
            "dashboard.html",
            checklist=checklist,
            missing_count=sum(not item.done for item in checklist),
            charts=registry().charts(),
        )


def install(app: Flask) -> None:
    """Build the administration site of an application and give every page its frame."""
    site = Admin(
        app,
        name="CPro",
        theme=Bootstrap4Theme(base_template="admin/base.html", swatch="default", fluid=True),
        index_view=Dashboard(url="/admin"),
        csp_nonce_generator=csp_nonce,
    )
    registry(app).add_menu_entry(
        MenuEntry(
            "Tableau de bord",
            "admin.index",
            Permission.DASHBOARD_VIEW,
            order=0,
            icon="dashboard",
            covers=("admin.index",),
        )
    )
    for feature in app.extensions["cpro_features"]:
        if hasattr(feature, "register_admin"):
            feature.register_admin(site)
    app.context_processor(lambda: {"frame": Frame()})


class Frame:
    """What surrounds every page; nothing is looked up before a template asks for it.

    Usable on error pages too: whatever cannot be known is None.
    """

    version = VERSION

    @cached_property
    def principal(self) -> dict[str, str] | None:
        """Return who is signed in and in which role."""
        person = _person()
        return {"label": person.label, "role_label": person.role.label} if person else None

    @cached_property
    def establishment(self) -> dict[str, str | None] | None:
        """Return the school worked in."""
        school = _school()
        if school is None:
            return None
        logo = find_picture(PictureKind.LOGO) if self._may(Permission.LOGO_VIEW) else None
        return {
            "name": school.name or school.code,
            "uai": school.uai or "",
            "logo_url": url_for("settings.logo_image", v=logo.id) if logo else None,
        }

    @cached_property
    def menu(self) -> list[dict[str, Any]]:
        """Return the lines of the side bar that the person may follow."""
        if _school() is None:
            return []
        entries = [
            entry
            for entry in registry().menu
            if self._may(entry.permission)
            and not (entry.unless and self._may(entry.unless))
            and (entry.when is None or entry.when())
        ]
        current = _current(entries, request.endpoint or "")
        return [
            {
                "label": entry.label,
                "url": url_for(entry.endpoint),
                "icon": entry.icon,
                "current": entry is current,
            }
            for entry in entries
        ]

    @property
    def module(self) -> str:
        """Return the name of the module of the page, for its title."""
        return next((entry["label"] for entry in self.menu if entry["current"]), "CPro")

    @property
    def leave_school_url(self) -> str | None:
        """Return where support and inspectors leave the school they entered."""
        person = _person()
        entered = person is not None and person.role.is_platform and person.establishment_id is not None
        return url_for("schools.leave") if entered else None

    @property
    def account_url(self) -> str:
        """Return one's own account."""
        return url_for("users.own_account")

    @property
    def home_url(self) -> str:
        """Return the page one lands on."""
        return url_for("users.home")

    @property
    def sign_out_url(self) -> str:
        """Return where to sign out."""
        return url_for("users.sign_out")

    @property
    def accessibility_url(self) -> str:
        """Return the accessibility statement."""
        return url_for("pages.accessibility")

    @property
    def privacy_url(self) -> str:
        """Return the privacy notice."""
        return url_for("pages.privacy")

    @property
    def stylesheet_urls(self) -> list[str]:
        """Return the style sheets, ours after Flask-Admin's Bootstrap."""
        bootstrap = url_for("admin.static", filename="bootstrap/bootstrap4/swatch/default/bootstrap.min.css")
        return [bootstrap, *(url_for("static", filename=name, v=self.version) for name in _STYLESHEETS)]

    @property
    def script_urls(self) -> list[str]:
        """Return our scripts, all optional."""
        names = ["cpro.js"] if self.principal is None else ["cpro.js", "unsaved.js"]
        return [url_for("static", filename=name, v=self.version) for name in names]

    def _may(self, permission: Permission) -> bool:
        person = _person()
        return person is not None and person.can(permission)


def _person() -> Principal | None:
    """Return who is signed in, unless the request failed before anybody could be asked."""
    return current_principal()


def _school() -> Establishment | None:
    """Return the school worked in, once per request; None where the request failed before the guard opened a scope."""
    person = _person()
    if person is None or person.establishment_id is None:
        return None
    if "frame_school" not in g:
        try:
            g.frame_school = get_current_establishment()
        except TenancyError:
            g.frame_school = None
    school = g.frame_school
    assert school is None or isinstance(school, Establishment)
    return school


def _current(entries: list[MenuEntry], endpoint: str) -> MenuEntry | None:
    """Return the one line that a page belongs to: rather the line that leads to it than one that merely covers it."""
    covering = [entry for entry in entries if _covers(entry, endpoint)]
    leading = [entry for entry in covering if entry.endpoint.partition(".")[0] == endpoint.partition(".")[0]]
    return next(iter(leading or covering), None)


def _covers(entry: MenuEntry, endpoint: str) -> bool:
    blueprint = endpoint.partition(".")[0]
    return endpoint in entry.covers or f"{blueprint}.*" in entry.covers
