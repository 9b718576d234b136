"""Paramètres: the tab Transferts, its switch and the pupils that transfers leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from cpro.core import clock
from cpro.core.concurrency import fingerprint
from cpro.core.formatting import at_school, of_school, plural
from cpro.core.lists import ListState
from cpro.core.permissions import Permission, requires
from cpro.core.web.conflicts import describe_kept
from cpro.core.web.current_user import current_actor
from cpro.core.web.pages import render_page
from cpro.establishments.models import Establishment
from cpro.establishments.operations.transfers_switch import get_switch_values, update_transfers_switch
from cpro.establishments.queries import get_school_today
from cpro.establishments.web.forms import NO, YES, TransfersForm
from cpro.settings.consequences import describe_switching_off, describe_switching_on, describe_without_siecle
from cpro.settings.tabs import SettingsPage
from cpro.settings.views import bp, describe_changes
from cpro.students.queries import count_without_ine, find_without_ine
from cpro.students.web.presenters import call_apart, describe_ine_remedy, describe_no_missing_ine
from cpro.transfers.expected import Expected, list_expected
from cpro.transfers.models import Direction

_WITHOUT_INE_SHOWN = 10


class TransfersPage(SettingsPage[TransfersForm]):
    """The form of the transfers switch."""

    form_class, template = TransfersForm, "settings/transfers.html"
    tab, edit = "transfers", Permission.TRANSFERS_EDIT
    #: when the switch was saved, and what it changed
    saved_at: datetime
    changes: Mapping[str, Any] = {}

    def values(self) -> Mapping[str, Any]:
        stored = get_switch_values(self.school)
        return {name: (YES if value else NO) if isinstance(value, bool) else value for name, value in stored.items()}

    def before_save(self, form: TransfersForm) -> ResponseReturnValue | None:
        stopped = _what_switching_off_stops(form, self.school)
        return _switching_off_page(form, stopped) if stopped and request.form.get("confirme") != YES else None

    def offer(self, form: TransfersForm) -> None:
        if not (self.school.cnil_reference or form.cnil_kind.raw_data):
            form.cnil_kind.data = None  # the kind has not been chosen yet

    def save(self, form: TransfersForm) -> tuple[str, str]:
        is_unsaid = not (self.school.cnil_reference or form.cnil_kind.raw_data)
        self.saved_at = clock.utcnow()
        self.changes = update_transfers_switch(
            cnil_kind=None if is_unsaid else form.cnil_kind.data,
            cnil_reference=form.cnil_reference.data,
            transfers_enabled=form.transfers_enabled.data == YES,
            uses_siecle=form.uses_siecle.data == YES,
            opened_on=form.version.data,
            by=current_actor(),
            now=self.saved_at,
        )
        return url_for("settings.transfers"), describe_changes(form, self.changes)

    def describe_saved(self, message: str) -> str:
        sentences = []
        if self.changes.get("transfers_enabled") == (False, True):
            sentences.append(_describe_expected(list_expected(self.school.id, since=self.saved_at)))
        if self.changes.get("uses_siecle") == (True, False):
            sentences.append(_describe_siecle_left())
        return Markup(" ").join([message, *sentences])

    def context(self, form: TransfersForm) -> Mapping[str, Any]:
        return {
            "without_ine": _list_without_ine(),
            "switching_on": [] if self.school.transfers_enabled else describe_switching_on(),
            "without_siecle": describe_without_siecle(),
            **super().context(form),
        }


@bp.get("/admin/parametres/transferts")
@requires(Permission.TRANSFERS_VIEW)
def transfers() -> ResponseReturnValue:
    """Show the transfers switch."""
    return TransfersPage().show()


@bp.post("/admin/parametres/transferts")
@requires(Permission.TRANSFERS_EDIT, keeps_typed_form=True)
def save_transfers() -> ResponseReturnValue:
    """Save the transfers switch."""
    return TransfersPage().answer()


def _what_switching_off_stops(form: TransfersForm, school: Establishment) -> list[str]:
    """Return the warning shown before transfers are switched off; nothing for any other change.

    A script that posts only the documented fields, without the version of a form, gets no confirmation.
    """
    is_as_shown = form.version.data == fingerprint(get_switch_values(school))
    if not school.transfers_enabled or form.transfers_enabled.data != NO or not is_as_shown:
        return []
    return [line.text for line in describe_switching_off()]


def _switching_off_page(form: TransfersForm, consequences: list[str]) -> ResponseReturnValue:
    return render_page(
        "confirm.html",
        title="Désactiver les transferts",
        question="Désactiver les transferts ?",
        consequences=[*consequences, *describe_kept(form)],
        action_url=url_for("settings.save_transfers"),
        fields={**{each.name: each.data for each in form}, "confirme": YES},
        submit_label="Désactiver les transferts",
        cancel_url=url_for("settings.transfers", abandonner=1),
        danger=True,
    )


def _describe_expected(expected: Sequence[Expected]) -> Markup:
    """Return what the switch copies once « Oui » is saved, and where to follow it."""
    copied = " ".join(_describe_way(each) for each in expected)
    nothing = "Aucun élève n’est à transférer pour l’instant ; la recherche reprend après chaque import et chaque nuit."
    return Markup('Les transferts sont activés. {} <a href="{}">Visualiser les transferts effectués</a>').format(
        copied or nothing, url_for("transfers.index")
    )


def _describe_way(expected: Expected) -> str:
    whose = "ses données sont copiées" if expected.pupils == 1 else "leurs données sont copiées"
    other = f"{expected.other_name} ({expected.other_uai})" if expected.other_uai else expected.other_name
    if expected.direction is Direction.DESTINATION:
        who = plural(expected.pupils, "élève arrivé", "élèves arrivés")
        return f"{who} {of_school(other)} : {whose} chez vous dans la minute."
    who = plural(expected.pupils, "ancien élève parti", "anciens élèves partis")
    return f"{who} {at_school(other)} : {whose} là-bas dans la minute."


def _describe_siecle_left() -> Markup:
    return Markup(
        "Désormais, les exports de SIECLE sont refusés, et les élèves et les divisions se corrigent à la main ou par "
        'un tableau. <a href="{}">Revenir à « Oui »</a>'
    ).format(url_for("settings.transfers", _anchor="siecle"))


def _list_without_ine() -> dict[str, Any]:
    """Return the first pupils that transfers leave out, and how many there are."""
    today = get_school_today(clock.utcnow())
    students = find_without_ine(ListState(size=_WITHOUT_INE_SHOWN), today).rows
    return {
        "counts": count_without_ine(today),
        "empty_message": describe_no_missing_ine(),
        "students": students,
        "called": call_apart(students),
        "remedy": describe_ine_remedy(),
    }
