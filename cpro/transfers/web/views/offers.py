"""Offers, when one of two schools does not use SIECLE: offer departed pupils, link the pupils offered."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError, FieldErrors, refusal_of
from cpro.core.formatting import format_date, plural
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.forms import typed_before_sign_in
from cpro.core.web.pages import back_to, render_page
from cpro.establishments.queries import get_current_establishment
from cpro.transfers import offers, queries
from cpro.transfers.errors import IdentityDiffers, NoSuchTransfer, NotNow, TransfersOff
from cpro.transfers.lifecycle import Event
from cpro.transfers.models import TransferSide
from cpro.transfers.web.forms import AcceptanceForm, OfferForm
from cpro.transfers.web.presenters import describe_other_school
from cpro.transfers.web.views.transfers import bp, show_side

#: How many pupils a form shows; the others are found by searching.
_SHOWN = 50
#: More than the pupils leaving a school in a year; a larger number is not a person's choice.
_MOST_CHOSEN = 500


@bp.get("/proposer")
@requires(Permission.TRANSFERS_MANAGE)
def offer() -> ResponseReturnValue:
    """Show the form that offers departed pupils to another school."""
    return _offer_page(OfferForm(typed_before_sign_in()), shows_pupils=_offers_to_anyone())


@bp.post("/proposer")
@requires(Permission.TRANSFERS_MANAGE, keeps_typed_form=True)
def send_offer() -> ResponseReturnValue:
    """Offer the ticked pupils, or only search for others, or check the destination, depending on the button.

    A school that uses SIECLE sees its pupils once the destination is known not to use it.
    """
    form = OfferForm()
    only_looks = _only_searches() or request.form.get("geste") == "destination"
    if not form.validate() and (form.sought.errors or not only_looks):
        return _offer_page(form, 422, shows_pupils=_offers_to_anyone())
    try:
        with platform_unit_of_work("transfers: offer") as work:
            sides = offers.offer(
                work.session,
                establishment_id=get_current_establishment().id,
                student_ids=[] if only_looks else _ids(form.students.data),
                uai=form.uai.data or "",
                by=current_actor(),
                now=clock.utcnow(),
            )
            counted = plural(len(sides), "élève est proposé", "élèves sont proposés")
            sentence = f"{counted} à {sides[0].other_school}, qui a 60 jours pour répondre."
    except DomainError as refusal:
        # The operation checks the destination before the pupils: if only these are refused, the destination is valid.
        destination_is_good = "students" in refusal.errors
        shows_pupils = destination_is_good or _offers_to_anyone()
        if only_looks and (destination_is_good or (shows_pupils and _only_searches())):
            return _offer_page(OfferForm(), shows_pupils=shows_pupils)
        form.blame(refusal)
        return _offer_page(form, refusal.status, shows_pupils=shows_pupils)
    return back_to(url_for("transfers.index", liste="en-cours"), sentence)


@bp.route("/<int:side_id>/accepter", methods=["GET", "POST"])
@requires(Permission.TRANSFERS_MANAGE)
def accept(side_id: int) -> ResponseReturnValue:
    """Link an offered pupil to one of the school's own, and copy; or only search, depending on the button."""
    form = AcceptanceForm()
    side = queries.get_side(side_id)
    refused = refusal_of(queries.check_open, Event.ACCEPT, side, now=clock.utcnow())
    if refused is not None:
        return show_side(side, refused)
    if request.method != "POST":
        return _accept_page(form, side)
    is_sound = form.validate()
    if _only_searches() or not is_sound:
        return _accept_page(form, queries.get_side(side_id), 200 if is_sound else 422)
    try:
        with platform_unit_of_work("transfers: accept") as work:
            side = offers.accept(
                work.session,
                establishment_id=get_current_establishment().id,
                side_id=side_id,
                student_id=_chosen(form),
                confirmed=bool(form.confirmed.data),
                by=current_actor(),
                now=clock.utcnow(),
            )
            sentence = f"{side.student_label} : le transfert est effectué."
    except NoSuchTransfer:
        raise
    except (NotNow, TransfersOff) as refusal:
        return show_side(queries.get_side(side_id), refusal)
    except DomainError as refusal:
        form.blame(refusal)
        return _accept_page(
            form, queries.get_side(side_id), refusal.status, differs=isinstance(refusal, IdentityDiffers)
        )
    return back_to(url_for("transfers.show", side_id=side_id), sentence)


def _offers_to_anyone() -> bool:
    """Return whether any destination is allowed: the school does not use SIECLE itself."""
    return not get_current_establishment().uses_siecle


def _only_searches() -> bool:
    return request.form.get("geste") == "chercher"


def _sought(form: OfferForm | AcceptanceForm) -> str:
    """Return the text a pupil is searched by; "" if it is invalid, which spares a query."""
    return "" if form.sought.errors else form.sought.data or ""


def _offer_page(form: OfferForm, status: int = 200, *, shows_pupils: bool) -> ResponseReturnValue:
    found = queries.list_offerable(limit=_SHOWN + 1, sought=_sought(form)) if shows_pupils else []
    ticked = set(_ids(form.students.data)) if shows_pupils else set()
    kept = queries.list_chosen(sorted(ticked - {student.id for student in found[:_SHOWN]}), present=False)
    form.offer([*kept, *found[:_SHOWN]])
    return render_page(
        "transfers/offer.html",
        form=form,
        is_on=get_current_establishment().transfers_enabled,
        shows_pupils=shows_pupils,
        finds_no_one=shows_pupils and bool(_sought(form)) and not found,
        more=len(found) > _SHOWN,
        status=status,
    )


def _accept_page(
    form: AcceptanceForm, side: TransferSide, status: int = 200, *, differs: bool = False
) -> ResponseReturnValue:
    found = queries.list_linkable(side, limit=_SHOWN + 1, sought=_sought(form))
    chosen = read_id(form.student.data or "")
    shown = [student.id for student in found[:_SHOWN]]
    kept = queries.list_chosen([chosen], present=True) if chosen is not None and chosen not in shown else []
    form.offer([*kept, *found[:_SHOWN]])
    return render_page(
        "transfers/accept.html",
        form=form,
        side=side,
        differs=differs or bool(form.confirmed.data),
        more=len(found) > _SHOWN,
        finds_no_one=bool(_sought(form)) and not found,
        facts=[
            ("Élève proposé", side.student_label),
            ("Date de naissance", format_date(side.offered_birth_date)),
            ("Proposé par", describe_other_school(side)),
        ],
        status=status,
    )


def _ids(values: Sequence[str] | None) -> list[int]:
    return [found for text in (values or [])[:_MOST_CHOSEN] if (found := read_id(text)) is not None]


def _chosen(form: AcceptanceForm) -> int:
    found = read_id(form.student.data or "")
    if found is None:
        raise FieldErrors({"student": "Choisissez lequel de vos élèves est celui que l’on vous propose."})
    return found
