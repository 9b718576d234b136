"""The frame of every page: the signed-in person, the school, the menu."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from flask import g, request, url_for

from cpro.config import INACTIVITY_LIMIT, SIGN_IN_LIFE, TRUSTED_DEVICE_LIFE, VERSION
from cpro.core import tenancy
from cpro.core.formatting import describe_duration
from cpro.core.permissions import Permission, Principal
from cpro.core.tenancy import TenancyError
from cpro.core.web.checklist import NextStep
from cpro.core.web.current_user import current_principal, sign_in_end
from cpro.core.web.registry import find_entry
from cpro.core.web.shortcut import is_search_key_on
from cpro.dashboard.checklist import find_next_step
from cpro.dashboard.views import count_all, list_items
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment
from cpro.problems.queries import count_open
from cpro.site.declaration import read_judgment
from cpro.site.menu import Menu, list_entries, read_menu


class Frame:
    """The frame of every page; nothing is looked up before a template asks for it.

    Usable on error pages too: a value that cannot be known is None.
    """

    version = VERSION

    @cached_property
    def principal(self) -> dict[str, str] | None:
        """Return the signed-in person and their role."""
        person = _person()
        return {"label": person.label, "role_label": person.role.label} if person else None

    @cached_property
    def establishment(self) -> dict[str, str | None] | None:
        """Return the current school."""
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
    def _menu(self) -> Menu:
        person = _person()
        return read_menu(person) if person is not None and _school() is not None else Menu()

    @property
    def menu(self) -> Sequence[dict[str, Any]]:
        """Return the entries of the side bar that the person may follow."""
        return self._menu.lines

    @property
    def news(self) -> int | None:
        """Return the number of the person's unread news; None for roles that have no bell."""
        return self._menu.news

    @property
    def news_url(self) -> str:
        """Return the address of « Nouveautés »."""
        return url_for("news.index")

    @cached_property
    def next_step(self) -> NextStep | None:
        """Return the next step for the school, for readers of the dashboard; looked up after an action."""
        if _school() is None or not self._may(Permission.DASHBOARD_VIEW) or request.endpoint == "admin.index":
            return None
        return find_next_step(_person(), list_items(count_all()), request.blueprint or "", request.path)

    def tabs_beside(self, endpoint: str) -> list[dict[str, Any]]:
        """Return the tabs of this page's module that the person may open; the one at `endpoint` is current."""
        person = _person()
        entry = find_entry(list_entries(person), request.endpoint or "") if person is not None else None
        own = url_for(endpoint)
        return [{**tab, "current": tab["url"] == own} for tab in entry.tabs()] if entry else []

    @property
    def module(self) -> str:
        """Return the name of the module of the page, for its title."""
        return next((entry["label"] for entry in self.menu if entry["current"]), "CPro")

    @property
    def leave_school_url(self) -> str | None:
        """Return the address where support and inspectors leave the school they entered."""
        person = _person()
        entered = person is not None and person.can(Permission.SCHOOL_CHOOSE) and person.establishment_id is not None
        return url_for("schools.leave") if entered else None

    @property
    def account_url(self) -> str:
        """Return the address of the person's own account page."""
        return url_for("users.own_account")

    @property
    def home_url(self) -> str:
        """Return the address of the person's home page."""
        return url_for("users.home")

    @property
    def search_key(self) -> str:
        """Return the shortcut key of the search, "" where this browser turned it off."""
        return "/" if is_search_key_on() else ""

    @property
    def sign_out_url(self) -> str:
        """Return the sign-out address."""
        return url_for("users.sign_out")

    @property
    def accessibility_url(self) -> str:
        """Return the address of the accessibility statement."""
        return url_for("pages.accessibility")

    @cached_property
    def sign_in_left(self) -> dict[str, int] | None:
        """Return the seconds until the sign-in ends: without another request, and at most."""
        end = sign_in_end()
        return end.count_seconds() if end else None

    @property
    def idle_limit(self) -> str:
        """Return how long a sign-in lasts without activity, in words."""
        return describe_duration(INACTIVITY_LIMIT)

    @property
    def sign_in_life(self) -> str:
        """Return how long this sign-in lasts at most, in words."""
        end = sign_in_end()
        if end and end.is_trusted:
            return f"{describe_duration(TRUSTED_DEVICE_LIFE)} sur un appareil de confiance"
        return describe_duration(SIGN_IN_LIFE)

    @property
    def prolong_url(self) -> str:
        """Return the address where a script posts that the person is still active."""
        return url_for("sessions.prolong")

    @property
    def accessibility_state(self) -> str:
        """Return the accessibility state of the pages, in the terms of the declaration."""
        return read_judgment().state

    @property
    def sitemap_url(self) -> str:
        """Return the address of the site map."""
        return url_for("pages.sitemap")

    @property
    def help_url(self) -> str | None:
        """Return the address of the list of help pages, for those who may read them."""
        return url_for("pages.help_index") if self._may(Permission.HELP_READ) else None

    @property
    def problem_url(self) -> str:
        """Return the address of « Décrire un problème »."""
        return url_for("problems.describe")

    @cached_property
    def open_problems(self) -> int:
        """Return the number of problems that the support has to handle, in the school entered or in all of them."""
        person = _person()
        with tenancy.platform_session("the problems that wait") as lookup:
            return count_open(lookup, person.establishment_id if person else None)

    @property
    def search_url(self) -> str:
        """Return the address that answers the search of the header."""
        return url_for("search.everywhere")

    @property
    def privacy_url(self) -> str:
        """Return the address of the privacy notice."""
        return url_for("pages.privacy")

    @property
    def operator_url(self) -> str:
        """Return the address of the page about who administers CPro."""
        return url_for("pages.operator")

    def _may(self, permission: Permission) -> bool:
        person = _person()
        return person is not None and person.can(permission)


def _person() -> Principal | None:
    """Return the signed-in person, unless the request failed before it was known."""
    return current_principal()


def _school() -> Establishment | None:
    """Return the current school, read once per request; None when the request failed before a scope was opened."""
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
