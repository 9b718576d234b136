"""Registry of what features add to pages that do not import them: menu, sections of objects and of « Mon compte ».

A feature adds its entries in its `register(app)`; pages of lower features show them without importing it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask, current_app

from cpro.core.counts import Counted
from cpro.core.formatting import DEFAULT_TIMEZONE
from cpro.core.open_schools import OpenSchool
from cpro.core.permissions import Permission, Principal


@dataclass(frozen=True)
class MenuEntry:
    """One line of the side bar, visible with its permission, highlighted on the endpoints it covers."""

    label: str
    endpoint: str
    permission: Permission
    order: int
    icon: str
    #: endpoints (or "blueprint.*") on which this entry is the current one
    covers: tuple[str, ...]
    #: a permission whose holders have another entry instead
    unless: Permission | None = None
    #: whether the entry is shown now, in this school; None for always
    when: Callable[[], bool] | None = None
    #: returns the tabs of its page that the signed-in person may open: label, url
    tabs: Callable[[], Sequence[Mapping[str, Any]]] = lambda: ()
    #: rows waiting there for a person of some rights, counted beside the entry; none for people who do not act on
    #: them. Kept for all people of these rights and all schools: the statements name the person as `core.reader` does
    waits: Callable[[frozenset[Permission]], Sequence[Counted]] = lambda rights: ()


def find_entry(entries: Sequence[MenuEntry], endpoint: str) -> MenuEntry | None:
    """Return the entry that a page belongs to: the one that links to it rather than one that merely covers it."""
    blueprint = endpoint.partition(".")[0]
    covering = [entry for entry in entries if {endpoint, f"{blueprint}.*"} & {*entry.covers}]
    leading = [entry for entry in covering if entry.endpoint.partition(".")[0] == blueprint]
    return next(iter(leading or covering), None)


def _compare_nothing(typed: str) -> str | None:
    raise NotImplementedError("no feature of this application knows passwords")


@dataclass
class Registry:
    """Everything that the features of one application have registered."""

    #: returns the IANA name of the time zone of the school worked in, the default one outside a school
    timezone: Callable[[], str] = lambda: DEFAULT_TIMEZONE

    #: returns who last changed a field of an object (its type, its id, the field) and when, or None if unknown
    saved_by: Callable[[str, object, str], tuple[str, str] | None] = lambda object_type, object_id, name: None
    #: returns the schools open to an inspector (their platform account's id) at an instant, by name
    open_schools: Callable[[int, datetime], Sequence[OpenSchool]] = lambda inspector_id, now: ()
    #: returns how a school calls an inspector (account's id, school's id), or None
    name_in_school: Callable[[int, int], str | None] = lambda inspector_id, establishment_id: None

    #: compares a typed password with that of the signed-in person, outside any unit of work, and returns the stored
    #: hash; raises a `DomainError` on the field `current_password`
    check_password: Callable[[str], str | None] = _compare_nothing

    menu: list[MenuEntry] = field(default_factory=list)
    _object_sections: list[Callable[[str, str], tuple[str, dict[str, Any]] | None]] = field(default_factory=list)
    _account_sections: list[Callable[[], tuple[str, dict[str, Any]] | None]] = field(default_factory=list)

    def add_menu_entry(self, entry: MenuEntry) -> None:
        """Add an entry to the side bar."""
        self.menu = sorted([*self.menu, entry], key=lambda each: each.order)

    def find_first_endpoint(self, principal: Principal) -> str | None:
        """Return the endpoint of the first page of the side bar that a person may open in a school, or None."""
        return next((entry.endpoint for entry in self.menu if principal.can(entry.permission)), None)

    def add_object_section(
        self, provider: Callable[[str, str], tuple[str, dict[str, Any]] | None], *, is_first: bool = False
    ) -> None:
        """Add a section to the page of every object: from its type and id, a template and its context, or None."""
        self._object_sections.insert(0 if is_first else len(self._object_sections), provider)

    def object_sections(self, object_type: str, object_id: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the sections that features add to the page of an object."""
        found = (provider(object_type, object_id) for provider in self._object_sections)
        return [section for section in found if section is not None]

    def add_account_section(self, provider: Callable[[], tuple[str, dict[str, Any]] | None]) -> None:
        """Add a section to « Mon compte »: a template and its context for the signed-in person, or None."""
        self._account_sections.append(provider)

    def account_sections(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the sections that features add to « Mon compte »."""
        found = (provider() for provider in self._account_sections)
        return [section for section in found if section is not None]


def registry(app: Flask | None = None) -> Registry:
    """Return the registry of an application, the current one by default."""
    found = (app or current_app).extensions.setdefault("cpro_registry", Registry())
    assert isinstance(found, Registry)
    return found
