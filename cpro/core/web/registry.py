"""What features add to pages that do not import them: the menu, tabs, consequences, parts of a page.

A feature adds its entries in its `register(app)`; pages of features below show them without importing it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask, current_app

from cpro.core.formatting import DEFAULT_TIMEZONE
from cpro.core.permissions import Permission
from cpro.core.tenancy import OpenSchool


@dataclass(frozen=True)
class MenuEntry:
    """One line of the side bar: shown to those who hold the permission, lit on the endpoints it covers."""

    label: str
    endpoint: str
    permission: Permission
    order: int
    icon: str
    #: endpoints (or "blueprint.*") on which the entry is the current one
    covers: tuple[str, ...]
    #: a right whose holders have another entry instead
    unless: Permission | None = None
    #: whether it is offered now, in this school; None for always
    when: Callable[[], bool] | None = None


@dataclass(frozen=True)
class SettingsTab:
    """One tab of Paramètres."""

    key: str
    label: str
    endpoint: str
    permission: Permission
    order: int


@dataclass(frozen=True)
class Consequence:
    """One line of « Ce que cela change »: `level` is ok, info, warning or blocked."""

    text: str
    level: str = "info"
    link_url: str | None = None
    link_label: str | None = None


@dataclass(frozen=True)
class TabSection:
    """A part of a settings page that another feature provides: a template and the function that fills it."""

    template: str
    context: Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class RestorePlan:
    """What restoring one line of the settings' history would do: `items` are label, present value, value restored.

    `version` is the fingerprint of what is stored now, as a form would carry it; `warnings` say what happened since.
    """

    title: str
    items: Sequence[tuple[str, str, str]]
    version: str = ""
    warnings: Sequence[str] = ()
    #: whether the person signed in must type their password again
    asks_password: bool = False


@dataclass(frozen=True)
class Restoring:
    """How a feature restores what a line of the settings' history replaced."""

    #: which of the lines of a page can be restored, at once for all of them
    restorable: Callable[[Sequence[Any]], set[int]]
    #: what restoring a line would do, or None when nothing is left to restore; writes nothing
    plan: Callable[[Any], RestorePlan | None]
    #: calls the feature's operation inside the page's unit of work, with the line, then `opened_on`, `by` and `now`;
    #: raises that operation's `DomainError` and returns the sentence that says what was done
    restore: Callable[..., str]
    #: whether `restore` takes `password_given` too, since a plan may ask for it
    may_ask_password: bool = False


@dataclass(frozen=True)
class HistoryPart:
    """One part of the settings' history: which lines of the journal it shows, and how one of them is restored."""

    #: as in `?de=`
    key: str
    label: str
    #: the settings tab it belongs to
    tab: str
    object_type: str
    actions: tuple[str, ...]
    edit: Permission
    #: how lines are restored; None for a part that is only read
    restoring: Restoring | None = None
    #: for a part made of pictures: the addresses of those its lines name, by the line's id
    pictures: Callable[[Sequence[Any]], dict[int, str]] | None = None
    #: whether its lines are about several objects, which must then be named
    names_object: bool = False


@dataclass
class Registry:
    """Everything that the features of one application have registered."""

    #: returns the IANA name of the time zone of the school worked in
    timezone: Callable[[], str] = lambda: DEFAULT_TIMEZONE

    #: returns who last changed a field of an object (its type, its id, the field) and when, or None when nobody can say
    saved_by: Callable[[str, object, str], tuple[str, str] | None] = lambda object_type, object_id, name: None
    #: returns the schools open to an inspector (their platform account's id) at an instant, by name
    open_schools: Callable[[int, datetime], Sequence[OpenSchool]] = lambda inspector_id, now: ()
    #: returns how a school calls an inspector (account's id, school's id), or None
    name_in_school: Callable[[int, int], str | None] = lambda inspector_id, establishment_id: None

    #: compares what the person signed in typed with their password, outside any unit of work; raises a `DomainError` on
    #: the field `current_password`
    check_password: Callable[[str], None] = lambda typed: None

    menu: list[MenuEntry] = field(default_factory=list)
    settings_tabs: list[SettingsTab] = field(default_factory=list)
    _consequences: dict[str, list[Callable[[], Sequence[Consequence]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _sections: dict[str, list[TabSection]] = field(default_factory=lambda: defaultdict(list))
    _previews: dict[str, list[Callable[..., tuple[str, dict[str, Any]]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _object_sections: list[Callable[[str, str], tuple[str, dict[str, Any]] | None]] = field(default_factory=list)
    history_parts: dict[str, HistoryPart] = field(default_factory=dict)

    def add_menu_entry(self, entry: MenuEntry) -> None:
        """Place a line in the side bar."""
        self.menu = sorted([*self.menu, entry], key=lambda each: each.order)

    def add_settings_tab(self, tab: SettingsTab) -> None:
        """Place a tab in Paramètres."""
        self.settings_tabs = sorted([*self.settings_tabs, tab], key=lambda each: each.order)

    def add_consequences(self, tab: str, provider: Callable[[], Sequence[Consequence]]) -> None:
        """Say, beside a settings tab, what it changes elsewhere."""
        self._consequences[tab].append(provider)

    def add_section(self, page: str, section: TabSection) -> None:
        """Add a part to a settings page."""
        self._sections[page].append(section)

    def add_preview(self, page: str, provider: Callable[..., tuple[str, dict[str, Any]]]) -> None:
        """Show, on a settings page, what it gives elsewhere; given `about`, a provider returns its template."""
        self._previews[page].append(provider)

    def previews(self, page: str, **about: Any) -> list[tuple[str, dict[str, Any]]]:
        """Return the previews of a settings page; `about` is passed to their providers."""
        return [provider(**about) for provider in self._previews[page]]

    def add_object_section(
        self, provider: Callable[[str, str], tuple[str, dict[str, Any]] | None], *, is_first: bool = False
    ) -> None:
        """Add a part to the page of every record: given its type and id, a template and its context, or None."""
        self._object_sections.insert(0 if is_first else len(self._object_sections), provider)

    def object_sections(self, object_type: str, object_id: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the parts that features add to the page of a record."""
        found = (provider(object_type, object_id) for provider in self._object_sections)
        return [section for section in found if section is not None]

    def add_history(self, part: HistoryPart) -> None:
        """Add a part to the settings' history."""
        self.history_parts[part.key] = part

    def consequences(self, tab: str) -> list[Consequence]:
        """Return what a settings tab changes, from the present figures."""
        return [line for provider in self._consequences[tab] for line in provider()]

    def sections(self, page: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the template and the context of each part of a settings page."""
        return [(section.template, section.context()) for section in self._sections[page]]


def registry(app: Flask | None = None) -> Registry:
    """Return the registry of an application, the current one by default."""
    found = (app or current_app).extensions.setdefault("cpro_registry", Registry())
    assert isinstance(found, Registry)
    return found
