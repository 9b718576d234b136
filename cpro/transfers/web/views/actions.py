"""The actions on one transfer, each on its own page: confirm, agree, refuse, ask again, take back, cancel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.concurrency import fingerprint
from cpro.core.errors import DomainError, refusal_of
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.forms import BaseForm
from cpro.core.web.pages import back_to, render_page
from cpro.establishments.queries import get_current_establishment
from cpro.transfers import cancellation, decisions, offers, queries
from cpro.transfers.errors import ChangedMeanwhile, EvaluatedUpon, NoSuchTransfer, NotNow, TransfersOff
from cpro.transfers.lifecycle import Event
from cpro.transfers.models import Direction, TransferSide, TransferState
from cpro.transfers.web.forms import CancellingForm, PlainForm, RefusalForm
from cpro.transfers.web.presenters import describe_other_school, list_facts, list_identities
from cpro.transfers.web.views.transfers import bp, show_side


@dataclass(frozen=True)
class Asked:
    """The texts of an action: page title, button, consequences, and the message once it is done."""

    event: Event
    title: str
    submit_label: str
    consequences: Callable[[TransferSide], Sequence[str]]
    done: Callable[[TransferSide], str]
    is_danger: bool = False
    #: whether differing identities are shown first
    compares: bool = False


@bp.route("/<int:side_id>/confirmer", methods=["GET", "POST"])
@requires(Permission.TRANSFERS_MANAGE)
def confirm(side_id: int) -> ResponseReturnValue:
    """Confirm that two schools describe the same pupil, and ask the source school for its agreement."""
    return _play(_CONFIRM, side_id, PlainForm(), lambda form, **who: decisions.confirm(**who))


@bp.route("/<int:side_id>/accorder", methods=["GET", "POST"])
@requires(Permission.TRANSFERS_MANAGE)
def agree(side_id: int) -> ResponseReturnValue:
    """Agree, as the source school, to the copy of a pupil's records."""
    return _play(_AGREE, side_id, PlainForm(), lambda form, **who: decisions.agree(**who))


@bp.route("/<int:side_id>/refuser", methods=["GET", "POST"])
@requires(Permission.TRANSFERS_MANAGE)
def refuse(side_id: int) -> ResponseReturnValue:
    """Refuse a transfer, with a reason shown to both schools."""
    return _play(
        _REFUSE,
        side_id,
        RefusalForm(),
        lambda form, **who: decisions.refuse(reason=form.reason.data, **who),
    )


@bp.route("/<int:side_id>/redemander", methods=["GET", "POST"])
@requires(Permission.TRANSFERS_MANAGE)
def ask_again(side_id: int) -> ResponseReturnValue:
    """Ask again for a transfer that was cancelled or refused here, or for the records that one did not copy."""
    return _play(_ASK_AGAIN, side_id, PlainForm(), lambda form, **who: decisions.ask_again(**who))


@bp.route("/<int:side_id>/reprendre", methods=["GET", "POST"])
@requires(Permission.TRANSFERS_MANAGE)
def take_back(side_id: int) -> ResponseReturnValue:
    """Take back an offer not answered yet."""
    return _play(_TAKE_BACK, side_id, PlainForm(), lambda form, **who: offers.take_back(**who))


@bp.route("/<int:side_id>/annuler", methods=["GET", "POST"])
@requires(Permission.TRANSFERS_MANAGE)
def cancel(side_id: int) -> ResponseReturnValue:
    """Remove the copies of a transfer; evaluated fiches are kept on request."""
    return _play(
        _CANCEL,
        side_id,
        CancellingForm(),
        lambda form, **who: cancellation.cancel(
            reason=form.reason.data or "", keep_evaluated=form.keep_evaluated.data == "oui", **who
        ),
    )


def _play(asked: Asked, side_id: int, form: BaseForm, act: Callable[..., TransferSide]) -> ResponseReturnValue:
    """Show the page of an action, or perform it; if the transfer changed since it was shown, show its current state."""
    side = queries.get_side(side_id)
    refused = refusal_of(queries.check_open, asked.event, side, now=clock.utcnow())
    if refused is not None:
        return show_side(side, refused)
    if request.method != "POST":
        evaluated = cancellation.count_evaluated_upon(side) if asked.event is Event.CANCEL else 0
        if evaluated:
            form.blame(EvaluatedUpon(evaluated))
        return _page(asked, side, form, evaluated=evaluated)
    if (seen := request.form.get("version")) and seen != fingerprint(_look_at(asked, side)):
        return show_side(side, ChangedMeanwhile())
    if not form.validate():
        return _page(asked, queries.get_side(side_id), form, 422)
    try:
        with platform_unit_of_work(f"transfers: {asked.event.name}") as work:
            side = act(
                form,
                session=work.session,
                establishment_id=get_current_establishment().id,
                side_id=side_id,
                by=current_actor(),
                now=clock.utcnow(),
            )
            sentence, where = asked.done(side), url_for("transfers.show", side_id=side.id)
    except NoSuchTransfer:
        raise
    except EvaluatedUpon as refusal:
        form.blame(refusal)
        return _page(asked, queries.get_side(side_id), form, refusal.status, evaluated=refusal.count)
    except (NotNow, TransfersOff) as refusal:
        return show_side(queries.get_side(side_id), refusal)
    except DomainError as refusal:
        form.blame(refusal)
        return _page(asked, queries.get_side(side_id), form, refusal.status)
    return back_to(where, sentence)


def _page(
    asked: Asked, side: TransferSide, form: BaseForm, status: int = 200, *, evaluated: int = 0
) -> ResponseReturnValue:
    seen = _look_at(asked, side)
    return render_page(
        "transfers/action.html",
        asked=asked,
        side=side,
        form=form,
        version=fingerprint(seen),
        **seen,
        consequences=[*([_KEEPING] if evaluated else []), *asked.consequences(side)],
        evaluated=evaluated,
        cancel_url=url_for("transfers.show", side_id=side.id),
        status=status,
    )


def _look_at(asked: Asked, side: TransferSide) -> dict[str, Any]:
    """Return what the page of an action shows of a transfer, to support the decision."""
    return {
        "facts": list_facts(side, get_current_establishment()),
        "identities": list_identities(*queries.list_identities(side, now=clock.utcnow())) if asked.compares else [],
    }


_KEEPING = "Ce qui a servi à une évaluation faite chez vous est conservé et devient celui de votre établissement."


def _confirming(side: TransferSide) -> list[str]:
    return [
        f"Vous affirmez que l’élève que connaît {side.other_school} sous cet INE est bien le vôtre.",
        "Rien n’est copié sans l’accord de l’établissement d’origine. Pour en juger, il lira le nom et l’UAI de votre "
        "établissement, et le nom, le prénom et la date de naissance que vous avez enregistrés.",
        "Vous ne lirez son nom et son UAI que s’il donne son accord, ou une fois l’erreur corrigée.",
        "Votre nom est inscrit au journal de votre établissement, et n’est pas montré à l’autre.",
    ]


def _agreeing(side: TransferSide) -> list[str]:
    return [
        f"Les fiches validées, bilans et évaluations de cet élève sont copiés vers {side.other_school}.",
        *(["L’établissement d’accueil lira alors le nom et l’UAI du vôtre."] if side.identities_differ else []),
        "Vous gardez les vôtres, en lecture seule.",
        "Un accord ne se reprend pas ; seul l’établissement d’accueil peut annuler le transfert, pendant 30 jours.",
    ]


def _refusing(side: TransferSide) -> list[str]:
    if side.direction is Direction.SOURCE:
        return [
            f"Rien n’est copié vers {side.other_school}, qui lira votre raison.",
            *(["Le nom et l’UAI de votre établissement ne lui sont pas montrés."] if side.identities_differ else []),
            "Vous pourrez changer d’avis : l’accord restera possible depuis la page de ce transfert.",
        ]
    again = (
        "L’autre établissement pourra vous proposer l’élève à nouveau."
        if side.is_offer
        else "Vous pourrez le demander à nouveau depuis la page de ce transfert."
    )
    return [
        f"Rien n’est copié chez vous. {_source_school(side)} lira votre raison.",
        again,
    ]


def _asking(side: TransferSide) -> list[str]:
    if side.state is TransferState.DONE:
        return [
            "Ce qui a été ajouté dans l’établissement d’origine, ou supprimé chez vous, est copié à nouveau.",
            "Ce que vous avez déjà n’est pas copié une seconde fois.",
        ]
    return [
        "Le transfert est jugé à nouveau, comme s’il se présentait aujourd’hui.",
        "Si rien ne manque, les documents sont copiés aussitôt ; sinon, sa page dira ce qui manque et qui doit agir.",
    ]


def _taking_back(side: TransferSide) -> list[str]:
    return [
        f"La proposition disparaît chez {side.other_school}, avec le nom et la date de naissance qu’elle portait.",
        "Rien n’a été copié. Vous pourrez proposer cet élève à nouveau.",
    ]


def _cancelling(side: TransferSide) -> list[str]:
    return [
        "Les copies reçues par ce transfert disparaissent de votre établissement.",
        f"{_source_school(side)} garde tous ses documents : il n’est pas touché.",
        "Ce transfert ne se refera pas de lui-même. Vous pourrez le demander à nouveau.",
    ]


def _source_school(side: TransferSide) -> str:
    return "L’établissement d’origine" + (f" ({describe_other_school(side)})" if side.is_named else "")


def _describe_outcome(side: TransferSide) -> str:
    """Return the message shown after an action that may copy."""
    if side.state is TransferState.DONE:
        return f"{side.student_label} : le transfert est effectué."
    if side.state is TransferState.AGREEMENT:
        return f"{side.student_label} : c’est noté. L’établissement d’origine doit encore donner son accord."
    if side.state is TransferState.CONFLICT:
        return f"{side.student_label} : c’est noté. L’établissement d’accueil doit encore confirmer l’identité."
    return f"{side.student_label} : c’est noté. État du transfert : {side.state.label}."


_CONFIRM = Asked(
    Event.CONFIRM,
    "Confirmer l’identité",
    "Confirmer et demander l’accord",
    _confirming,
    _describe_outcome,
    compares=True,
)
_AGREE = Asked(Event.AGREE, "Donner votre accord", "Donner votre accord", _agreeing, _describe_outcome, compares=True)
_REFUSE = Asked(
    Event.REFUSE,
    "Refuser le transfert",
    "Refuser le transfert",
    _refusing,
    lambda side: f"{side.student_label} : le transfert est refusé.",
    is_danger=True,
    compares=True,
)
_ASK_AGAIN = Asked(Event.ASK_AGAIN, "Demander à nouveau", "Demander à nouveau", _asking, _describe_outcome)
_TAKE_BACK = Asked(
    Event.TAKE_BACK,
    "Reprendre la proposition",
    "Reprendre la proposition",
    _taking_back,
    lambda side: f"{side.student_label} : la proposition est reprise.",
    is_danger=True,
)
_CANCEL = Asked(
    Event.CANCEL,
    "Annuler le transfert",
    "Annuler le transfert",
    _cancelling,
    lambda side: f"{side.student_label} : le transfert est annulé, les copies reçues ont disparu.",
    is_danger=True,
)
