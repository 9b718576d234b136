"""The places that rooms above offer to rooms below: menu, tabs, consequences, checklist, help.

A room fills them in its `register(app)`; pages below show them without importing the room.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app

from cpro.core.permissions import Permission


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
class ChecklistItem:
    """One line of « Les incontournables »: what is missing, what it blocks, the figure and the link."""

    title: str
    detail: str
    done: bool
    link_url: str
    link_label: str
    figure: str | None = None


@dataclass(frozen=True)
class TabSection:
    """A part of a settings page that another room provides: a template and the function that fills it."""

    template: str
    context: Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class HelpPage:
    """One page of help: its address `/aide/<slug>`, its title and its template."""

    slug: str
    title: str
    template: str


@dataclass
class Registry:
    """What the rooms of one application have put in the places."""

    menu: list[MenuEntry] = field(default_factory=list)
    settings_tabs: list[SettingsTab] = field(default_factory=list)
    help_pages: dict[str, HelpPage] = field(default_factory=dict)
    _consequences: dict[str, list[Callable[[], Sequence[Consequence]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _sections: dict[str, list[TabSection]] = field(default_factory=lambda: defaultdict(list))
    _checklist: list[Callable[[], Sequence[ChecklistItem]]] = field(default_factory=list)

    def add_menu_entry(self, entry: MenuEntry) -> None:
        """Place a line in the side bar."""
        self.menu = sorted([*self.menu, entry], key=lambda each: each.order)

    def add_settings_tab(self, tab: SettingsTab) -> None:
        """Place a tab in Paramètres."""
        self.settings_tabs = sorted([*self.settings_tabs, tab], key=lambda each: each.order)

    def add_help_page(self, page: HelpPage) -> None:
        """Publish a page of help."""
        self.help_pages[page.slug] = page

    def add_consequences(self, tab: str, provider: Callable[[], Sequence[Consequence]]) -> None:
        """Say, beside a settings tab, what it changes elsewhere."""
        self._consequences[tab].append(provider)

    def add_section(self, page: str, section: TabSection) -> None:
        """Add a part to a settings page."""
        self._sections[page].append(section)

    def add_checklist(self, provider: Callable[[], Sequence[ChecklistItem]]) -> None:
        """Add lines to « Les incontournables »."""
        self._checklist.append(provider)

    def consequences(self, tab: str) -> list[Consequence]:
        """Return what a settings tab changes, as the figures stand now."""
        return [line for provider in self._consequences[tab] for line in provider()]

    def sections(self, page: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the template and the context of each part of a settings page."""
        return [(section.template, section.context()) for section in self._sections[page]]

    def checklist(self) -> list[ChecklistItem]:
        """Return « Les incontournables », as the figures stand now."""
        return [item for provider in self._checklist for item in provider()]


def registry(app: Flask | None = None) -> Registry:
    """Return the registry of an application, the current one by default."""
    places = (app or current_app).extensions.setdefault("cpro_registry", Registry())
    assert isinstance(places, Registry)
    return places
