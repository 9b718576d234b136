"""Hooks of the feature: its tabs, its help, lines of the checklist, what its settings change."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, url_for

from cpro.audit.queries import count_by_period, find_last_change
from cpro.audit.web.page_views import QUIET, record_consultation
from cpro.core import clock
from cpro.core.charts import Chart, Series
from cpro.core.formatting import DEFAULT_TIMEZONE, format_date, format_instant, join_french, plural
from cpro.core.permissions import Permission, can
from cpro.core.web.forms import MayAskPassword
from cpro.core.web.registry import ChecklistItem, Consequence, HelpPage, MenuEntry, SettingsTab, registry
from cpro.core.web.responses import current_principal, remote_address
from cpro.establishments import queries
from cpro.establishments.gate import missing_particulars
from cpro.establishments.models import PictureKind
from cpro.establishments.own_school import describe_data_protection, own_school_section
from cpro.establishments.web import history

#: How many weeks the chart of activity shows.
_WEEKS = 5


def register_hooks(app: Flask) -> None:
    """Register tabs, menu, help, consequences and checklist."""
    app_registry = registry(app)
    app_registry.timezone = lambda: queries.get_current_establishment().timezone
    app_registry.saved_by = _saved_by
    app_registry.data_protection = describe_data_protection
    app_registry.add_pupil_section(own_school_section)
    app_registry.add_menu_entry(
        MenuEntry(
            "Paramètres",
            "settings.establishment",
            Permission.PARTICULARS_VIEW,
            order=60,
            icon="settings",
            covers=tuple(
                f"{name}.*"
                for name in "settings modules history masks inspectors retention etablissements masques mandats".split()
            ),
        )
    )
    app_registry.add_settings_tab(
        SettingsTab("establishment", "Établissement", "settings.establishment", Permission.PARTICULARS_VIEW, 10)
    )
    app_registry.add_settings_tab(
        SettingsTab("transfers", "Transferts", "settings.transfers", Permission.TRANSFERS_VIEW, 20)
    )
    app_registry.add_settings_tab(SettingsTab("pictures", "Logo", "settings.pictures", Permission.LOGO_VIEW, 40))
    app_registry.add_settings_tab(SettingsTab("modules", "Modules", "modules.edit", Permission.MODULES_SWITCH, 60))
    for slug, title in (
        ("etablissement", "Les renseignements de l’établissement"),
        ("transferts", "Comment fonctionne un transfert"),
        ("declaration-cnil", "La déclaration CNIL et ce qui l’a remplacée"),
        ("logo", "Le logo et le cachet"),
    ):
        app_registry.add_help_page(HelpPage(slug, title, f"help/{slug}.html"))
    app_registry.add_consequences("transfers", _transfers_consequences)
    app_registry.add_consequences("pictures", _pictures_consequences)
    app_registry.add_checklist(_checklist)
    app_registry.add_object_section(history.record_section)
    app_registry.add_chart(_activity)
    for part in history.PARTS:
        app_registry.add_history(part)


def settings_frame(tab: str) -> dict[str, Any]:
    """Return what every settings page shows around its form: the tabs one may see, and what the tab changes.

    That the support opened the page is recorded in the journal, once in ten minutes; an inspector, each time.
    """
    principal, app_registry = current_principal(), registry()
    part = next((each for each in app_registry.history_parts.values() if each.tab == tab), None)
    if principal is not None:
        record_consultation(
            principal,
            object_type="settings",
            object_id=tab,
            object_label=next(each.label for each in app_registry.settings_tabs if each.key == tab),
            origin=remote_address(),
            now=clock.utcnow(),
            quiet=QUIET,
        )
    return {
        "tabs": [
            {"label": each.label, "url": url_for(each.endpoint), "current": each.key == tab}
            for each in app_registry.settings_tabs
            if can(principal, each.permission)
        ],
        # They are for the people who run the school, or help to: an inspector reads the particulars alone.
        "consequences": app_registry.consequences(tab) if can(principal, Permission.DASHBOARD_VIEW) else [],
        "history_url": url_for("history.index", de=part.key)
        if part and can(principal, Permission.SETTINGS_HISTORY)
        else None,
    }


def password_given(form: MayAskPassword) -> bool:
    """Return whether the person signed in typed their password, and the right one; call it outside any unit of work.

    Raises a `DomainError` on the field `current_password` for a wrong one.
    """
    typed = form.current_password.data or ""
    if typed:
        registry().check_password(typed)
    return bool(typed)


def _saved_by(object_type: str, object_id: object, field: str) -> tuple[str, str] | None:
    """Return who last changed a field and when, from the journal: « Chloé Martin », « 23/11/2026 à 14 h 30 »."""
    entry = find_last_change(object_type, object_id, field)
    if entry is None:
        return None
    return entry.actor_label, format_instant(entry.at, queries.get_current_establishment().timezone)


def _activity() -> Chart:
    """Draw what the journal records of the last five weeks, Monday to Sunday on the school's clocks."""
    zone = ZoneInfo(queries.get_current_establishment().timezone or DEFAULT_TIMEZONE)
    today = clock.utcnow().astimezone(zone).date()
    mondays = [today - timedelta(days=today.weekday() + 7 * (_WEEKS - 1 - week)) for week in range(_WEEKS + 1)]
    # Midnight is computed for each Monday apart: clocks may have changed in between.
    bounds = [datetime.combine(monday, time(), zone) for monday in mondays]
    counts = count_by_period(bounds, "account:signed-in")
    sign_ins, others = sum(each[0] for each in counts), sum(each[1] for each in counts)
    return Chart(
        key="activite",
        title="Activité des cinq dernières semaines",
        summary=f"{plural(sign_ins, 'connexion', 'connexions')} et "
        f"{plural(others, 'autre action', 'autres actions')} inscrites au journal depuis le {format_date(mondays[0])}.",
        heading="Semaine du",
        categories=[f"{monday.day:02}/{monday.month:02}" for monday in mondays[:-1]],
        series=[
            Series("Connexions", [each[0] for each in counts]),
            Series("Autres actions", [each[1] for each in counts]),
        ],
    )


def _transfers_consequences() -> list[Consequence]:
    school = queries.get_current_establishment()
    if school.transfers_enabled:
        return [
            Consequence(
                "Les transferts sont activés : les données d’un élève qui change d’établissement le suivent, "
                "si l’autre établissement les a activés aussi.",
                "ok",
            )
        ]
    return [
        Consequence(
            "Les transferts sont désactivés : les données de vos élèves ne partent vers aucun établissement, "
            "et vous n’en recevez pas.",
            "blocked",
        )
    ]


def _pictures_consequences() -> list[Consequence]:
    lines = []
    for kind in PictureKind:
        if queries.find_picture(kind):
            lines.append(Consequence(f"Le {kind.label} est prêt à être imprimé sur les passeports.", "ok"))
        else:
            lines.append(Consequence(f"Sans {kind.label}, sa place reste vide sur les passeports.", "info"))
    return lines


def _checklist() -> list[ChecklistItem]:
    school = queries.get_current_establishment()
    missing = missing_particulars(school)
    missing_text = join_french([each.label for each in missing])
    settings = url_for("settings.establishment")
    items = [
        ChecklistItem(
            "Renseigner l’établissement",
            "Le nom, l’adresse électronique et le code UAI sont connus."
            if not missing
            else f"Manque : {missing_text}. Sans quoi ni création d’utilisateurs, ni export du passeport.",
            done=not missing,
            link_url=f"{settings}#{missing[0].field}" if missing else settings,
            link_label="Compléter" if missing else "Voir",
            figure=f"{3 - len(missing)}/3",
            act=Permission.ESTABLISHMENT_EDIT,
        ),
        ChecklistItem(
            "Activer les transferts",
            "Les données des élèves peuvent les suivre d’un établissement à l’autre."
            if school.transfers_enabled
            else "Tant qu’ils sont désactivés, un élève qui change d’établissement perd le fil de son parcours.",
            done=school.transfers_enabled,
            link_url=url_for("settings.transfers"),
            link_label="Voir" if school.transfers_enabled else "Activer",
            act=Permission.TRANSFERS_EDIT,
        ),
    ]
    pictures = [kind for kind in PictureKind if queries.find_picture(kind)]
    items.append(
        ChecklistItem(
            "Déposer le logo et le cachet",
            "Les deux seront imprimés sur les passeports."
            if len(pictures) == 2
            else "Le passeport professionnel s’imprime avec l’un et l’autre.",
            done=len(pictures) == 2,
            link_url=url_for("settings.pictures"),
            link_label="Voir" if len(pictures) == 2 else "Déposer",
            figure=f"{len(pictures)}/2",
            act=Permission.PICTURES_EDIT,
        )
    )
    return items
