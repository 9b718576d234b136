"""« Visualiser les transferts effectués »: lists, timeline of a transfer, request of a run, receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from flask import Blueprint, request, send_file, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, events
from cpro.core.errors import DomainError
from cpro.core.formatting import plural
from cpro.core.lists import ListState, Page
from cpro.core.permissions import Permission, can, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import announce, current_actor, current_principal
from cpro.core.web.jobs import progress_url
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.registry import registry
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment, get_school_today
from cpro.students.queries import count_with_ine
from cpro.transfers import queries
from cpro.transfers.errors import NotNow, TransfersOff
from cpro.transfers.jobs import request_run
from cpro.transfers.lifecycle import Event, list_open_events
from cpro.transfers.models import Direction, TransferSide
from cpro.transfers.receipts import render_receipt
from cpro.transfers.recording import record_checked
from cpro.transfers.web.presenters import describe_hold, describe_recourse, list_facts, shown_side, shown_steps

bp = Blueprint("transfers", __name__, url_prefix="/admin/parametres/transferts/effectues")

#: How many rows of a list the first page shows, and how many a page of a single list.
_SHOWN, _PER_PAGE = 10, 20


@dataclass(frozen=True)
class ListOf:
    """One of the lists: its title, the name of its table, its text when empty, and the query of a page of it."""

    key: str
    title: str
    caption: str
    empty: str
    find: Callable[[ListState], Page[TransferSide]]


_LISTS = (
    ListOf(
        "en-cours",
        "En cours",
        "Transferts en cours",
        "Aucun transfert n’est en cours. Un transfert apparaît ici quand un import montre qu’un élève est passé d’un "
        "établissement à l’autre.",
        queries.find_pending,
    ),
    ListOf(
        "recus",
        "En provenance d’autres établissements",
        "Transferts reçus",
        "Aucun transfert n’a encore été effectué depuis un autre établissement vers le vôtre.",
        lambda asked: queries.find_closed(asked, Direction.DESTINATION),
    ),
    ListOf(
        "envoyes",
        "À destination d’autres établissements",
        "Transferts envoyés",
        "Aucun transfert n’a encore été effectué depuis votre établissement vers un autre.",
        lambda asked: queries.find_closed(asked, Direction.SOURCE),
    ),
)


@bp.get("")
@requires(Permission.TRANSFERS_VIEW)
def index() -> ResponseReturnValue:
    """Show the lists side by side, or one of them by pages (`liste`, `page`), searched or not (`recherche`)."""
    announce(events.search_made, "transfers", screen="Transferts", sought=_asked().search)
    return _index_page()


@bp.get("/<int:side_id>")
@requires(Permission.TRANSFERS_VIEW)
def show(side_id: int) -> ResponseReturnValue:
    """Show the state of one transfer: what is done, what is missing, who must act."""
    side = queries.get_side(side_id)
    announce(
        events.record_opened,
        "transfers",
        object_type="transfer",
        object_id=str(side.id),
        object_label=side.student_label,
    )
    return show_side(side)


@bp.post("/essayer")
@requires(Permission.TRANSFERS_MANAGE)
def try_now() -> ResponseReturnValue:
    """Request a run on the school's pupils, and redirect to its progress."""
    if not get_current_establishment().transfers_enabled:
        return _index_page(TransfersOff())
    with unit_of_work():
        job_id = request_run(by=current_actor(), now=clock.utcnow()).id
    return back_to(progress_url(job_id))


@bp.post("/<int:side_id>/verifier")
@requires(Permission.TRANSFERS_MANAGE)
def check(side_id: int) -> ResponseReturnValue:
    """Record that the first transfer with a school was expected: the person's dashboard asks for it no more."""
    try:
        with unit_of_work():
            record_checked(queries.get_side(side_id), by=current_actor(), now=clock.utcnow())
    except NotNow as refused:
        return show_side(queries.get_side(side_id), refused)
    return back_to(url_for(".show", side_id=side_id), "C’est noté\u202f: cet échange est attendu.")


@bp.get("/<int:side_id>/recepisse.pdf")
@requires(Permission.RECORDS_EXPORT, code_again=False)  # of one pupil only
def receipt(side_id: int) -> ResponseReturnValue:
    """Send the receipt of a completed transfer."""
    side, school, now = queries.get_side(side_id), get_current_establishment(), clock.utcnow()
    if side.done_at is None:
        raise NotNow("Rien n’a été copié : il n’y a pas de récépissé.")
    return send_file(
        BytesIO(render_receipt(side, school, now=now)),
        mimetype="application/pdf",
        download_name=f"recepisse-transfert-{side.id}.pdf",
    )


# --- Shared with the actions --------------------------------------------------------------------------------------


def show_side(side: TransferSide, refusal: DomainError | None = None) -> ResponseReturnValue:
    """Render the page of a side, with the message of a refused action if any."""
    school, principal = get_current_establishment(), current_principal()
    may_decide = can(principal, Permission.TRANSFERS_MANAGE)
    return render_page(
        "transfers/show.html",
        side=shown_side(side, school),
        steps=shown_steps(side, school),
        facts=list_facts(side, school),
        actions=[_link(each, side) for each in list_open_events(side, now=clock.utcnow())] if may_decide else [],
        receipt_url=url_for("transfers.receipt", side_id=side.id)
        if side.done_at and can(principal, Permission.RECORDS_EXPORT)
        else None,
        pupil_url=url_for("eleves.details_view", id=side.student_id) if side.student_id else None,
        # A run records all its copies in one line; only a decision has a line of its own.
        sections=registry().object_sections("transfer", str(side.id))
        if side.decided_at or side.held_until or queries.was_checked(side)
        else [],
        is_to_check=may_decide and queries.is_to_check(side, clock.utcnow(), reader=current_actor()),
        hold=describe_hold(side, school, now=clock.utcnow()),
        recourse=describe_recourse(side, school, now=clock.utcnow()) if may_decide else "",
        refusal=refusal.message if refusal else "",
        status=refusal.status if refusal else 200,
    )


_LINKS = {
    Event.CONFIRM: ("transfers.confirm", "Confirmer l’identité"),
    Event.AGREE: ("transfers.agree", "Donner votre accord"),
    Event.ACCEPT: ("transfers.accept", "Rattacher à l’un de vos élèves"),
    Event.REFUSE: ("transfers.refuse", "Refuser"),
    Event.TAKE_BACK: ("transfers.take_back", "Reprendre la proposition"),
    Event.ASK_AGAIN: ("transfers.ask_again", "Demander à nouveau"),
    Event.CANCEL: ("transfers.cancel", "Annuler ce transfert"),
}


def _link(event: Event, side: TransferSide) -> dict[str, Any]:
    endpoint, label = _LINKS[event]
    is_danger = event in (Event.REFUSE, Event.CANCEL, Event.TAKE_BACK)
    return {"label": label, "url": url_for(endpoint, side_id=side.id), "is_danger": is_danger}


def _asked() -> ListState:
    keys = [each.key for each in _LISTS]
    return ListState.read(request.args, url_for("transfers.index"), filters={"liste": keys}, sizes=(_PER_PAGE,))


def _index_page(refusal: TransfersOff | None = None) -> ResponseReturnValue:
    school, principal, asked = get_current_establishment(), current_principal(), _asked()
    chosen = next((each for each in _LISTS if each.key == asked.chosen.get("liste")), None)
    figures = queries.count_sides()
    may_decide = can(principal, Permission.TRANSFERS_MANAGE)
    return render_page(
        "transfers/index.html",
        school=school,
        lists=[
            _shown_list(each, school, asked if chosen else replace(asked.first_page(), size=_SHOWN, sizes=()))
            for each in ([chosen] if chosen else _LISTS)
        ],
        chosen=chosen,
        asked=asked,
        figures=_figures(figures),
        may_decide=may_decide,
        may_offer=may_decide and school.transfers_enabled and queries.may_offer(),
        departed=None if chosen or asked.search else _departed(school),
        to_try=_list_to_try(figures) if may_decide and not chosen else [],
        refusal=refusal.message if refusal else "",
        status=refusal.status if refusal else 200,
    )


def _shown_list(each: ListOf, school: Establishment, asked: ListState) -> dict[str, Any]:
    return {
        "key": each.key,
        "title": each.title,
        "caption": each.caption,
        "empty": each.empty,
        "page": each.find(asked).show(lambda side: shown_side(side, school)),
        "url": asked.page_url(liste=each.key),
    }


def _figures(figures: queries.Figures) -> list[str]:
    return [
        plural(figures.received, "transfert reçu", "transferts reçus"),
        plural(figures.sent, "transfert envoyé", "transferts envoyés"),
        plural(figures.to_decide, "attend votre décision", "attendent votre décision"),
        plural(figures.waiting, "attend autre chose", "attendent autre chose"),
    ]


def _list_to_try(figures: queries.Figures) -> list[str]:
    """Return what a run requested now would process: waiting transfers and pupils with an INE; empty if nothing."""
    pending = figures.waiting + figures.to_decide
    present, gone = count_with_ine(get_school_today(clock.utcnow()))
    return [
        *([plural(pending, "transfert en cours", "transferts en cours")] if pending else []),
        *([plural(present, "élève présent avec INE", "élèves présents avec INE")] if present else []),
        *([plural(gone, "ancien élève avec INE", "anciens élèves avec INE")] if gone else []),
    ]


def _departed(school: Establishment) -> dict[str, Any]:
    """Return the first departed pupils whom no school has requested."""
    found = queries.list_without_destination(clock.today_in(school.timezone, clock.utcnow()), limit=_SHOWN + 1)
    return {"rows": found[:_SHOWN], "more": len(found) > _SHOWN}
