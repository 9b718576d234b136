"""Link an account to its pupil and unlink it, each after confirmation; notify the head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from cpro.audit import labels
from cpro.core import clock
from cpro.core.errors import DomainError, NotFound
from cpro.core.formatting import format_instant, of_name, person_name, plural
from cpro.core.lists import ListState, Page
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.forms import PasswordForm
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.registry import registry
from cpro.establishments.web.history import HistoryLine
from cpro.people.presenters.emergency import describe_waiting_code
from cpro.people.presenters.links import UNLINKED, describe_link
from cpro.people.views.pupil_accounts import bp
from cpro.students.accounts import links, queries
from cpro.students.accounts.operations import check_may_receive
from cpro.students.models import Student
from cpro.users.models import Account

_Found = TypeVar("_Found", Student, Account)


@bp.get("/admin/utilisateurs/<int:account_id>/eleve")
@requires(Permission.USERS_EDIT)
def choose_student(account_id: int) -> ResponseReturnValue:
    """Offer the present pupils without an account, for an account linked to none."""
    account = queries.get_account(account_id)
    try:
        links.check_linkable(account)
    except DomainError as refusal:
        return _account_page(account, refusal)
    return _choice(
        queries.find_students_without_account,
        lambda each: (queries.describe_student(each), _link_url(account.id, each.id)),
        title=f"Relier le compte {account.login}",
        lead="Choisissez l’élève à qui appartient ce compte. Seuls les élèves présents sans compte sont proposés.",
        heading="Élève",
        nothing="Aucun élève présent sans compte",
        back_url=_account_url(account),
    )


@bp.get("/admin/eleves/<int:student_id>/compte")
@requires(Permission.USERS_EDIT)
def choose_account(student_id: int) -> ResponseReturnValue:
    """Offer the pupils' accounts that are not linked, for a pupil without an account."""
    student = queries.get_student(student_id)
    back_url = url_for("eleves.details_view", id=student.id)
    try:
        check_may_receive(student)
    except DomainError as refusal:
        return back_to(back_url, refusal.message, "warning")
    return _choice(
        queries.find_unlinked_accounts,
        lambda each: (f"{person_name(each.last_name, each.first_name)} ({each.login})", _link_url(each.id, student.id)),
        title=f"Relier un compte : {queries.name_in_sentence(student)}",
        lead="Choisissez le compte de cet élève. Seuls les comptes d’apprenant reliés à aucun élève sont proposés.",
        heading="Compte",
        nothing="Aucun compte d’apprenant sans élève",
        back_url=back_url,
    )


@bp.route("/admin/utilisateurs/<int:account_id>/relier", methods=["GET", "POST"])
@requires(Permission.USERS_EDIT)
def link(account_id: int) -> ResponseReturnValue:
    """Ask for confirmation, then link an account to pupil `eleve`; show the new code if the account had been opened."""
    account = queries.get_account(account_id)
    if not request.values.get("eleve"):
        return redirect(url_for("pupil_accounts.choose_student", account_id=account.id), 303)
    student = _asked_student()
    try:
        links.check_linkable(account)
        check_may_receive(student)
        form = _password_form(account)
        if not _is_confirmed(form):
            return _link_confirmation(account, student, form)
        with unit_of_work():
            code = links.link_account(
                account,
                student,
                password_given=form is not None and form.password_was_given,
                by=current_actor(),
                now=clock.utcnow(),
            )
    except DomainError as refusal:
        return _account_page(account, refusal)
    name = queries.name_in_sentence(queries.get_student(student.id))
    if code is None:
        return back_to(
            url_for("credential_sheets.choose", ids=account.id),
            f"Le compte {account.login} est maintenant celui {of_name(name)}. Préparez sa fiche d’activation pour "
            "qu’il puisse servir.",
        )
    return render_page(
        "people/linked.html",
        name=name,
        login=account.login,
        code=code,
        waits=describe_waiting_code(account.id),
        back_url=_account_url(account),
    )


@bp.route("/admin/utilisateurs/<int:account_id>/delier", methods=["GET", "POST"])
@requires(Permission.USERS_EDIT)
def unlink(account_id: int) -> ResponseReturnValue:
    """Ask for confirmation, then unlink an account from its pupil."""
    account = queries.get_account(account_id)
    student = queries.find_student_of(account.id)
    if student is None:
        return _account_page(account, links.NotLinked())
    name, form = queries.name_in_sentence(student), _password_form(account)
    if not _is_confirmed(form):
        return render_page(
            "confirm.html",
            title=f"Délier le compte {account.login}",
            question=f"Délier le compte {account.login} {of_name(name)} ?",
            consequences=UNLINKED,
            action_url=url_for("pupil_accounts.unlink", account_id=account.id),
            fields={},
            submit_label="Délier ce compte",
            cancel_url=_account_url(account),
            danger=True,
            form=form,
            status=_status_of(form),
        )
    try:
        with unit_of_work():
            links.unlink_account(
                account,
                password_given=form is not None and form.password_was_given,
                by=current_actor(),
                now=clock.utcnow(),
            )
    except DomainError as refusal:
        return _account_page(account, refusal)
    return back_to(_account_url(account), f"Le compte {account.login} n’est plus relié à {name}.")


@bp.route("/admin/utilisateurs/liens", methods=["GET", "POST"])
@requires(Permission.USERS_CONSENT)
def seen_links() -> ResponseReturnValue:
    """Show the head the accounts linked or unlinked by hand, until they confirm having read the list."""
    if request.method == "POST":
        with unit_of_work():
            noted = links.note_links_seen(by=current_actor(), now=clock.utcnow())
        message = plural(noted, "changement est noté comme lu.", "changements sont notés comme lus.")
        return back_to(url_for("pupil_accounts.seen_links"), message if noted else "")
    timezone = registry().timezone()
    lines = [
        HistoryLine(
            id=entry.id,
            who=entry.actor_label,
            what=labels.action_label(entry.action),
            about=entry.object_label,
            when=format_instant(entry.at, timezone),
            changes=labels.describe(entry, timezone=timezone),
        )
        for entry in queries.list_unseen_links()
    ]
    return render_page("people/links.html", lines=lines)


def _asked_student() -> Student:
    student_id = read_id(request.values.get("eleve", ""))
    if student_id is None:
        raise NotFound("Cet élève n’existe pas, ou n’est pas de votre établissement.")
    return queries.get_student(student_id)


def _password_form(account: Account) -> PasswordForm | None:
    """Return the form of one's own password if the action voids another person's, as a reset does; None otherwise."""
    if not links.was_ever_opened(account):
        return None
    return PasswordForm()


def _is_confirmed(form: PasswordForm | None) -> bool:
    """Return whether the action was posted, with the right password if one is required."""
    return request.method == "POST" if form is None else form.validate_on_submit()


def _status_of(form: PasswordForm | None) -> int:
    return form.status if form is not None else 200


def _link_confirmation(account: Account, student: Student, form: PasswordForm | None) -> ResponseReturnValue:
    return render_page(
        "confirm.html",
        title=f"Relier le compte {account.login}",
        question=f"Relier le compte {account.login} ({account.label}) à {queries.describe_student(student)} ?",
        consequences=describe_link(account, student),
        action_url=url_for("pupil_accounts.link", account_id=account.id),
        fields={"eleve": student.id},
        submit_label="Relier ce compte",
        cancel_url=_account_url(account),
        danger=links.was_ever_opened(account),
        form=form,
        status=_status_of(form),
    )


def _choice(
    find: Callable[[ListState], Page[_Found]],
    row_of: Callable[[_Found], tuple[str, str]],
    *,
    nothing: str,
    **context: Any,
) -> ResponseReturnValue:
    """Show a page of choices, each a text and a URL; `nothing` is shown if there are none."""
    asked = ListState.read(request.args, request.path)
    return render_page(
        "people/choose_link.html",
        asked=asked,
        page=find(asked).show(row_of),
        empty_message=f"{nothing}{' ne répond à ce nom' if asked.search else ''}.",
        **context,
    )


def _link_url(account_id: int, student_id: int) -> str:
    return url_for("pupil_accounts.link", account_id=account_id, eleve=student_id)


def _account_url(account: Account) -> str:
    return url_for("utilisateurs.details_view", id=account.id)


def _account_page(account: Account, refusal: DomainError) -> ResponseReturnValue:
    """Show why nothing was done, with a link back to the account."""
    return render_page(
        "people/link_refused.html", refusal=refusal.message, back_url=_account_url(account), status=refusal.status
    )
