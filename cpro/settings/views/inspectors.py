"""Paramètres, tab Accès inspecteur: mandates, their closing and extension, the pages each inspector consulted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from cpro.audit import labels
from cpro.audit.models import AuditEntry
from cpro.audit.queries import count_lines_of, select_lines_of
from cpro.core import clock
from cpro.core.clock import end_of, last_day_of_school_year, start_of
from cpro.core.errors import DomainError, refusal_of
from cpro.core.formatting import format_date, format_instant, of_name
from cpro.core.lists import ListState, find_page_from
from cpro.core.mail import MailMessage
from cpro.core.mail.queries import find_last_messages
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.core.web.current_user import current_actor, may
from cpro.core.web.edit_page import EditPage
from cpro.core.web.forms import typed_before_sign_in
from cpro.core.web.mail import describe_state
from cpro.core.web.pages import back_to, render_page
from cpro.establishments.models import Establishment, Module
from cpro.establishments.operations.modules import is_module_on
from cpro.establishments.queries import get_current_establishment
from cpro.inspectors import queries
from cpro.inspectors.models import Mandate, MandateState
from cpro.inspectors.operations import (
    check_closure,
    check_extension,
    close_mandate,
    extend_mandate,
    extension_values,
    open_mandate,
)
from cpro.inspectors.web.forms import ClosingForm, ExtensionForm, MandateForm
from cpro.inspectors.web.presenters import describe_diplomas
from cpro.settings.tabs import settings_frame

bp = Blueprint("inspectors", __name__, url_prefix="/admin/parametres/inspecteurs")

#: How many mandates of a state the tab shows; the generated screen lists them all.
_SHOWN = 20
_LINES_SHOWN = 50
#: The journal lines of a page read; the other lines of the list record when the inspector came and left, or was
#: refused.
_CONSULTATIONS = ("page:opened", "record:opened", "list:searched")


@dataclass(frozen=True)
class ShownMandate:
    """A mandate as a page shows it."""

    id: int
    name: str
    email: str
    days: str
    diplomas: str
    purpose: str
    opened: str
    closed: str
    state: str
    #: whether it can still be extended or closed
    is_open: bool
    #: delivery state of the last message to the inspector
    message: str = ""


@bp.get("")
@requires(Permission.MANDATES_EXPLAIN)
def index() -> ResponseReturnValue:
    """Show the mandates to those who manage them; to others, explain what they are and who opens them."""
    if not may(Permission.MANDATES_MANAGE):
        return render_page(
            "inspectors/explanation.html",
            heads=[head.label for head in queries.list_heads()],
            is_on=is_module_on(get_current_establishment(), Module.INSPECTORS),
            **settings_frame("inspectors"),
        )
    return _page(MandateForm(typed_before_sign_in()))


@bp.post("")
@requires(Permission.MANDATES_MANAGE, keeps_typed_form=True)
def open_access() -> ResponseReturnValue:
    """Open a mandate; the response is the same whether or not the inspector had an account."""
    form = MandateForm()
    if not form.validate():
        return _page(form, 422)
    school = get_current_establishment()
    try:
        with platform_unit_of_work("a mandate is the school's, the account it may create the platform's") as work:
            mandate = open_mandate(
                work.session,
                establishment_id=school.id,
                name=form.name.data,
                email=form.email.data,
                diploma_codes=form.diplomas.data or [],
                starts_on=form.starts_on.data,
                ends_on=form.ends_on.data,
                purpose=form.purpose.data,
                by=current_actor(),
                now=clock.utcnow(),
            )
            mandate_id = mandate.id
    except DomainError as refusal:
        form.blame(refusal)
        return _page(form, refusal.status)
    mandate = queries.get_mandate(mandate_id)
    opened = f"Accès ouvert à {mandate.inspector_name} {_days(mandate)}, pour {describe_diplomas(mandate)}."
    mailed = f"Un message part à l’adresse {mandate.email} : le tableau dit où il en est."
    return back_to(url_for("inspectors.index"), f"{opened} {mailed}")


@bp.route("/<int:mandate_id>/fermer", methods=["GET", "POST"])
@requires(Permission.MANDATES_MANAGE, keeps_typed_form=True, code_again=False)  # closing must not be delayed
def close(mandate_id: int) -> ResponseReturnValue:
    """Confirm, asking for a reason, then close a mandate."""
    mandate = queries.get_mandate(mandate_id)
    form = ClosingForm() if request.method == "POST" else ClosingForm(typed_before_sign_in())
    refused = refusal_of(check_closure, mandate, current_actor(), now=clock.utcnow())
    if refused is not None:
        return _refused(refused)
    if not form.validate_on_submit():
        return _closing_page(form, mandate, form.status)
    try:
        with unit_of_work():
            close_mandate(mandate, reason=form.reason.data, by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        form.blame(refusal)
        return _closing_page(form, queries.get_mandate(mandate_id), refusal.status)
    return back_to(url_for("inspectors.index"), f"L’accès {of_name(mandate.inspector_name)} est fermé.")


class ExtensionPage(EditPage[ExtensionForm]):
    """The form of a mandate's last day."""

    form_class, template = ExtensionForm, "inspectors/action.html"
    keeps_absent = False

    def __init__(self, mandate_id: int) -> None:
        self.mandate_id, self.about = mandate_id, ("mandate", mandate_id)
        self.load()

    def load(self) -> None:
        self.mandate = queries.get_mandate(self.mandate_id)

    def values(self) -> Mapping[str, Any]:
        return extension_values(self.mandate)

    def before_save(self, form: ExtensionForm) -> ResponseReturnValue | None:
        if not form.chose_theirs("ends_on"):
            return None
        name, days = of_name(self.mandate.inspector_name), _days(self.mandate)
        return back_to(url_for("inspectors.index"), f"L’accès {name} court {days}.")

    def save(self, form: ExtensionForm) -> tuple[str, str]:
        ends_on, version = form.ends_on.data, form.version.data
        extend_mandate(self.mandate, ends_on=ends_on, opened_on=version, by=current_actor(), now=clock.utcnow())
        name, days = of_name(self.mandate.inspector_name), _days(self.mandate)
        return url_for("inspectors.index"), f"L’accès {name} court désormais {days}."

    def context(self, form: ExtensionForm) -> Mapping[str, Any]:
        limit = last_day_of_school_year(self.mandate.starts_on)
        return {
            "mandate": _shown(self.mandate, get_current_establishment()),
            "title": f"Prolonger l’accès {of_name(self.mandate.inspector_name)}",
            "consequences": [
                f"L’accès peut aller jusqu’au {format_date(limit)}, la fin de l’année scolaire de son premier jour.",
                "Un message donne les nouvelles dates à la personne.",
            ],
            "action_url": url_for("inspectors.extend", mandate_id=self.mandate_id),
            "submit_label": "Prolonger l’accès",
            "danger": False,
        }


@bp.route("/<int:mandate_id>/prolonger", methods=["GET", "POST"])
@requires(Permission.MANDATES_MANAGE, keeps_typed_form=True)
def extend(mandate_id: int) -> ResponseReturnValue:
    """Give a mandate a later last day."""
    page = ExtensionPage(mandate_id)
    refused = refusal_of(check_extension, page.mandate, current_actor(), now=clock.utcnow())
    if refused is not None:
        return _refused(refused)
    return page.answer() if request.method == "POST" else page.show()


@bp.get("/<int:mandate_id>/consultations")
@requires(Permission.CONSULTATIONS_VIEW)
def consultations(mandate_id: int) -> ResponseReturnValue:
    """List every page that the inspector consulted under a mandate, the latest first."""
    mandate, school = queries.get_mandate(mandate_id), get_current_establishment()
    # Two mandates of one inspector never share a day, so the time is enough to tell which mandate a line belongs to.
    since = max(mandate.opened_at, start_of(mandate.starts_on, school.timezone))
    until = mandate.closed_at or end_of(mandate.ends_on, school.timezone)
    asked = ListState.read(request.args, request.path, sizes=(_LINES_SHOWN,), forward="avant")
    lines = select_lines_of("platform", mandate.inspector_id, since=since, until=until)
    return render_page(
        "inspectors/consultations.html",
        mandate=_shown(mandate, school),
        page=find_page_from(asked, lines, AuditEntry.id.desc()).show(lambda line: _describe_line(line, school)),
        total=count_lines_of("platform", mandate.inspector_id, *_CONSULTATIONS, since=since, until=until),
        **settings_frame("inspectors"),
    )


def _page(form: MandateForm, status: int = 200) -> ResponseReturnValue:
    school = get_current_establishment()
    today = clock.today_in(school.timezone, clock.utcnow())
    form.diplomas.choices = [
        SelectChoice(diploma.code, diploma.short_label) for diploma in queries.list_prepared_diplomas()
    ]
    groups = [(state, queries.list_mandates(state, today, limit=_SHOWN + 1)) for state in MandateState]
    shown = [mandate.id for _state, found in groups for mandate in found[:_SHOWN]]
    messages = find_last_messages("mandate", shown)
    return render_page(
        "inspectors/mandates.html",
        form=form,
        groups=[
            (
                state,
                [_shown(mandate, school, messages.get(str(mandate.id))) for mandate in found[:_SHOWN]],
                len(found) > _SHOWN,
            )
            for state, found in groups
        ],
        is_on=is_module_on(school, Module.INSPECTORS),
        status=status,
        **settings_frame("inspectors"),
    )


def _refused(refusal: DomainError) -> ResponseReturnValue:
    """Show the tab with the sentence of the refusal."""
    form = MandateForm(formdata=None)
    form.blame(refusal)
    return _page(form, refusal.status)


def _closing_page(form: ClosingForm, mandate: Mandate, status: int = 200) -> ResponseReturnValue:
    return render_page(
        "inspectors/action.html",
        form=form,
        mandate=_shown(mandate, get_current_establishment()),
        status=status,
        title=f"Fermer l’accès {of_name(mandate.inspector_name)}",
        consequences=[
            "L’accès est fermé à l’instant : la prochaine page que la personne demandera lui sera refusée.",
            "Un message le lui dit, sans la raison.",
            "Ses consultations restent lisibles ici. Pour rouvrir, il faudra un nouvel accès.",
        ],
        action_url=url_for("inspectors.close", mandate_id=mandate.id),
        submit_label="Fermer l’accès",
        danger=True,
    )


def _shown(mandate: Mandate, school: Establishment, message: MailMessage | None = None) -> ShownMandate:
    now = clock.utcnow()
    state = mandate.state_on(clock.today_in(school.timezone, now))
    closed = (
        f"{mandate.closed_by_label}, le {format_instant(mandate.closed_at, school.timezone)} : {mandate.closing_reason}"
        if mandate.closed_at
        else ""
    )
    return ShownMandate(
        id=mandate.id,
        name=mandate.inspector_name,
        email=mandate.email,
        days=_days(mandate),
        diplomas=describe_diplomas(mandate),
        purpose=mandate.purpose,
        opened=f"{mandate.opened_by_label}, le {format_instant(mandate.opened_at, school.timezone)}",
        closed=closed,
        state=state.label,
        is_open=state in (MandateState.TO_COME, MandateState.RUNNING),
        message=describe_state(message, school.timezone, now=now) if message else "",
    )


def _describe_line(line: AuditEntry, school: Establishment) -> dict[str, str]:
    changes = labels.describe(line, timezone=school.timezone)
    return {
        "when": format_instant(line.at, school.timezone),
        "what": labels.action_label(line.action),
        "object": line.object_label,
        "detail": ", ".join(f"{change.label} : {change.new}" for change in changes),
    }


def _days(mandate: Mandate) -> str:
    return f"du {format_date(mandate.starts_on)} au {format_date(mandate.ends_on)}"
