"""What surrounds every page: who is signed in, the school, the menu, our scripts and style sheets."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from flask import g, url_for

from cpro.config import VERSION
from cpro.core.permissions import Permission, Principal
from cpro.core.tenancy import TenancyError
from cpro.core.web.current_user import current_principal
from cpro.core.web.pages import static_url
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment
from cpro.site.menu import list_lines

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
        logo_id = school.logo_id if self._may(Permission.LOGO_VIEW) else None
        return {
            "name": school.name or school.code,
            "uai": school.uai or "",
            "logo_url": url_for("settings.logo_image", v=logo_id) if logo_id else None,
        }

    @cached_property
    def menu(self) -> list[dict[str, Any]]:
        """Return the lines of the side bar that the person may follow."""
        person = _person()
        return list_lines(person) if person is not None and _school() is not None else []

    @property
    def module(self) -> str:
        """Return the name of the module of the page, for its title."""
        return next((entry["label"] for entry in self.menu if entry["current"]), "CPro")

    @property
    def leave_school_url(self) -> str | None:
        """Return where support and inspectors leave the school they entered."""
        person = _person()
        entered = person is not None and person.can(Permission.SCHOOL_CHOOSE) and person.establishment_id is not None
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
        return [bootstrap, *(f"{static_url(name)}?v={self.version}" for name in _STYLESHEETS)]

    @property
    def script_urls(self) -> list[str]:
        """Return our scripts, all optional."""
        names = ["cpro.js"] if self.principal is None else ["cpro.js", "unsaved.js"]
        return [f"{static_url(name)}?v={self.version}" for name in names]

    def _may(self, permission: Permission) -> bool:
        person = _person()
        return person is not None and person.can(permission)


def _person() -> Principal | None:
    """Return who is signed in, unless the request failed before that was known."""
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
