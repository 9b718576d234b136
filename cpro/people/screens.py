"""Generated screen: the accounts of the school, and the actions on one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy import and_

from cpro.core import clock
from cpro.core.errors import DomainError, refusal_of
from cpro.core.formatting import of_name
from cpro.core.mail import public_link
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor, current_principal, may
from cpro.core.web.forms import PasswordForm, VersionedForm
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.screens import Filter, Screen, choice
from cpro.establishments.gate import GateClosed, missing_particulars
from cpro.establishments.operations.proof import find_proved_address
from cpro.establishments.queries import get_current_establishment, lock_current_establishment
from cpro.people.bulk_actions import BULK_ACTIONS
from cpro.people.forms.users import UserForm, offer_roles, offer_students, read_divisions
from cpro.people.presenters import accounts as presenters
from cpro.people.presenters.emergency import describe_waiting_code
from cpro.students import queries
from cpro.students.accounts.queries import is_of_departed, is_unlinked
from cpro.students.teacher_divisions import create_user, update_user
from cpro.users.models import Account
from cpro.users.operations import access, consent
from cpro.users.operations.manual import RULES, get_account_details
from cpro.users.queries import has_email, is_pending, is_to_be_seen

_PENDING = is_pending()


class UsersScreen(Screen):
    """Accounts: written by the administrator, within the head's rules; read by the head and the support."""

    permission, export_permission = Permission.USERS_VIEW, Permission.RECORDS_EXPORT
    create_permission = edit_permission = Permission.USERS_EDIT
    title, noun, object_type = "Utilisateurs", ("utilisateur", "utilisateurs"), "account"
    heading, called = "Gérer les profils utilisateurs", "label"
    create_label = "Créer un utilisateur"
    create_help = (
        "L’identifiant est formé du prénom et du nom. La personne choisit son mot de passe avec le code de sa fiche "
        "d’activation, que vous imprimez ensuite."
    )
    action_permissions = (Permission.USERS_CONSENT, Permission.SECOND_FACTORS_RESET)
    code_again = ("reset_view", "second_factor_view")
    help_slug = "utilisateurs"
    search_keys = (Account.search_key,)
    search_help = (
        "Nom, prénom ou identifiant, ou le début d’un mot, sans souci des accents\u202f; une adresse électronique "
        "en entier."
    )
    default_order = (Account.search_key,)
    form_class = UserForm
    columns = (
        *("last_name", "first_name", "civility", "role", "login", "email", "confirmed_email", "discipline"),
        *("state", "activated_at", "last_sign_in_at"),
    )
    levels: ClassVar = {
        "actif": "ok",
        "jamais activé": "info",
        "attend l’accord du chef": "warning",
        "désactivé": "blocked",
    }
    filters = (
        "role",
        choice(
            "etat",
            "État",
            "tous les états",
            (
                ("jamais-active", "jamais activés", lambda: and_(Account.is_active, Account.activated_at.is_(None))),
                ("actif", "actifs", lambda: and_(Account.is_active, Account.activated_at.is_not(None), ~_PENDING)),
                ("desactive", "désactivés", lambda: ~Account.is_active),
                ("accord", "attendant un accord", lambda: and_(Account.is_active, _PENDING)),
                (
                    "a-voir",
                    "ouverts ou changés par l’administrateur, à voir par le chef",
                    is_to_be_seen,
                ),
                ("sans-eleve", "apprenants sans élève", is_unlinked),
                ("parti", "élèves partis", is_of_departed),
            ),
        ),
        Filter(
            "division",
            "Division",
            coded="toutes les divisions",
            where=queries.is_of_division,
            choices=queries.offer_divisions,
        ),
    )
    bulk_actions = BULK_ACTIONS

    def search_whole(self, text: str) -> Any:
        """Look for a whole e-mail address too."""
        return has_email(text)

    def full_label(self, row: Account) -> str:
        """Return the person's name and login."""
        return f"{self.label_of(row)} ({row.login})"

    def list_links(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Link to the activation sheets, and for the head to their setting."""
        sheets = ("Fiches d’activation", url_for("credential_sheets.choose"), Permission.USERS_EDIT)
        switch = ("Accord pour les comptes d’enseignants", url_for("teachers.ask"), Permission.USERS_CONSENT)
        return [(label, url) for label, url, permission in (sheets, switch) if may(permission)]

    def created_text(self, row: Account) -> str:
        """Return the login, and how the person gets their code."""
        created = f"{self.label_of(row)} a maintenant un compte, sous l’identifiant {row.login}."
        if row.is_pending:
            return f"{created} Il attend l’accord du chef d’établissement, qui le donne depuis cette fiche."
        if row.role.has_private_code:
            return f"{created} {presenters.where_code_goes()}"
        return f"{created} Imprimez sa fiche d’activation pour qu’il puisse servir."

    def why_not_create(self) -> str | None:
        """Require the school's particulars before any account is created."""
        missing = missing_particulars(get_current_establishment())
        return GateClosed(missing).message if missing else None

    def refusal_links(self, row: Account | None = None) -> list[tuple[str, str]]:
        """Link to each particular that must be filled in before an account can be created."""
        if row is not None:
            return []
        settings = url_for("settings.establishment")
        missing = missing_particulars(get_current_establishment())
        return [(f"Compléter {each.label}", f"{settings}#{each.field}") for each in missing]

    def why_not_edit(self, row: Account) -> str | None:
        """Prevent the administrator from correcting a head's account."""
        return presenters.why_not_corrected(row)

    def prepare_form(self, form: VersionedForm, row: Account | None) -> None:
        """Offer the pupils without an account at creation; later, a separate page links an account to its pupil."""
        if row is not None:
            del form["student"]
            offer_roles(form, row, by=current_actor())
            return
        offer_students(form)

    def form_values(self, row: Account) -> dict[str, Any]:
        """Return the account as the form shows it."""
        codes = queries.list_division_codes_of(row.id)
        return {**get_account_details(row), "divisions": codes}

    def create(self, form: VersionedForm, *, by: Any, now: Any) -> Account:
        """Create through the feature's operation."""
        values = {name: form[name].data or "" for name in RULES}
        divisions, student = read_divisions(form, values), read_id(form["student"].data or "")
        return create_user(
            values, division_ids=divisions, student_id=student, confirmed=self.is_confirmed, by=by, now=now
        )

    def update(self, row: Account, form: VersionedForm, *, opened_on: str | None, by: Any, now: Any) -> None:
        """Correct through the feature's operation."""
        values = {name: form[name].data or "" for name in RULES}
        lock_current_establishment()  # as the operation does: what is compared cannot change before the write
        self.check_fresh(row, opened_on)
        update_user(row, values, division_ids=read_divisions(form, values), by=by, now=now)

    def row_links(self, row: Account) -> list[tuple[str, str]]:
        """Return links to the actions allowed on the account by the signed-in person."""
        links: list[tuple[str, str]] = []
        person = current_principal()
        oneself = person is not None and (person.kind, person.id) == ("account", row.id)
        if may(Permission.USERS_EDIT) and not oneself:
            links += self._list_actions_on(row)
        if may(Permission.USERS_CONSENT) and row.consent_needed:
            label = "Donner mon accord" if row.is_pending else "Retirer mon accord"
            links.append((label, self.get_url(".consent_view", id=row.id)))
        if not refusal_of(access.check_second_factor_reset, row, current_actor()):
            links.append(("Réinitialiser le second facteur", self.get_url(".second_factor_view", id=row.id)))
        return links

    def _list_actions_on(self, row: Account) -> list[tuple[str, str]]:
        """Return the actions on another person's account that the operations would not refuse."""
        by = current_actor()
        if not row.is_active:
            refused = refusal_of(access.check_reactivation, row, by)
            return [] if refused else [("Réactiver", self.get_url(".reactivate_view", id=row.id))]
        links = []
        if not refusal_of(access.check_reset, row, by):
            links.append(("Réinitialiser", self.get_url(".reset_view", id=row.id)))
        if not row.is_pending and not row.role.has_private_code:
            links.append(("Fiche d’activation", url_for("credential_sheets.choose", ids=row.id)))
        if not refusal_of(access.check_deactivation, row, by):
            links.append(("Désactiver", self.get_url(".deactivate_view", id=row.id)))
        return links

    # --- Actions on one account -----------------------------------------------------------------------------------

    @expose("/desactiver/", methods=("GET", "POST"))
    def deactivate_view(self) -> ResponseReturnValue:
        """Ask for confirmation, then deactivate an account."""
        self.demand(may(Permission.USERS_EDIT))
        return self._run_action(
            "Désactiver",
            presenters.describe_deactivation(self.asked_row()),
            access.deactivate_account,
            "désactivé",
            access.check_deactivation,
        )

    @expose("/reactiver/", methods=("GET", "POST"))
    def reactivate_view(self) -> ResponseReturnValue:
        """Ask for confirmation, then reactivate an account."""
        self.demand(may(Permission.USERS_EDIT))
        row = self.asked_row()
        if (refused := refusal_of(access.check_reactivation, row, current_actor())) is not None:
            return self._refused(refused)
        return self._run_action(
            "Réactiver",
            presenters.describe_reactivation(row),
            access.reactivate_account,
            presenters.reactivated,
            access.check_reactivation,
            danger=False,
        )

    @expose("/reinitialiser/", methods=("GET", "POST"))
    def reset_view(self) -> ResponseReturnValue:
        """Ask for confirmation, then void a password and show the new code, only this once."""
        self.demand(may(Permission.USERS_EDIT))
        row = self.asked_row()
        consequences = presenters.describe_reset(row)
        refused = refusal_of(access.check_reset, row, current_actor())
        if refused is not None:
            return self._refused(refused)
        form = PasswordForm()
        if not form.validate_on_submit():
            return self._ask_password("Réinitialiser", row, consequences, ".reset_view", form)
        try:
            with unit_of_work():
                code = access.reset_account(
                    row, password_given=form.password_was_given, by=current_actor(), now=clock.utcnow()
                )
                label, row_id = self.label_of(row), row.id
        except DomainError as refusal:
            return self._refused(refusal)
        if code is None:
            address = find_proved_address(get_current_establishment())
            message = f"Le code {of_name(label)} part à {address} : {presenters.FOLLOWED}."
            return back_to(self.get_url(".details_view", id=row_id), message)
        school, waits = get_current_establishment(), describe_waiting_code(row_id)
        context = {"row": self.asked_row(), "code": code, "school": school, "waits": waits}
        context["address"] = public_link(f"/{school.code}")
        return render_page("people/new_code.html", screen=self, admin_view=self, **context)

    @expose("/second-facteur/", methods=("GET", "POST"))
    def second_factor_view(self) -> ResponseReturnValue:
        """Ask for confirmation, then remove a person's second factor."""
        self.demand(may(Permission.SECOND_FACTORS_RESET))
        row, verb = self.asked_row(), "Réinitialiser le second facteur"
        if (refused := refusal_of(access.check_second_factor_reset, row, current_actor())) is not None:
            return self._refused(refused)
        consequences = presenters.describe_second_factor_reset(row)
        form = PasswordForm()
        if not form.validate_on_submit():
            return self._ask_password(verb, row, consequences, ".second_factor_view", form)
        try:
            with unit_of_work():
                access.reset_second_factor(
                    row, password_given=form.password_was_given, by=current_actor(), now=clock.utcnow()
                )
                message, row_id = f"Le second facteur {of_name(self.label_of(row))} est réinitialisé.", row.id
        except DomainError as refusal:
            return self._refused(refusal)
        return back_to(self.get_url(".details_view", id=row_id), message)

    @expose("/accord/", methods=("GET", "POST"))
    def consent_view(self) -> ResponseReturnValue:
        """Let the head grant or revoke their consent to a further head or a second administrator."""
        self.demand(may(Permission.USERS_CONSENT))
        row, mailed_to = self.asked_row(), find_proved_address(get_current_establishment())
        if not row.is_pending:
            return self._run_action(
                "Retirer mon accord",
                ["Le compte ne pourra plus se connecter tant que vous n’aurez pas donné votre accord à nouveau."],
                consent.revoke_consent,
                "votre accord est retiré",
                consent.check_revocation,
            )
        consequences = [f"{self.label_of(row)} pourra activer son compte : {row.role.label.lower()}."]
        if row.role.has_private_code:
            consequences.append(presenters.where_code_goes())
        return self._run_action(
            "Donner mon accord",
            consequences,
            partial(consent.grant_consent, mailed_to=request.form.get("mailed_to", "")),
            "votre accord est donné",
            consent.check_consent,
            fields={"mailed_to": mailed_to},
            danger=False,
        )

    def _ask_password(
        self, verb: str, row: Account, consequences: Sequence[str], endpoint: str, form: PasswordForm
    ) -> ResponseReturnValue:
        """Return the confirmation page, with the password."""
        return self._confirm(verb, row, consequences, endpoint, form=form), form.status

    def _run_action(
        self,
        verb: str,
        consequences: Sequence[str],
        act: Callable[..., object],
        done: str | Callable[[Account], str],
        refuse: Callable[[Account, Any], None],
        fields: dict[str, str] | None = None,
        danger: bool = True,
    ) -> ResponseReturnValue:
        row = self.asked_row()
        refused = refusal_of(refuse, row, current_actor())
        if refused is not None:
            return self._refused(refused)
        if request.method != "POST":
            return self._confirm(verb, row, consequences, request.endpoint or "", fields, danger)
        try:
            with unit_of_work():
                act(row, by=current_actor(), now=clock.utcnow())
                message = f"{self.label_of(row)} : {done(row) if callable(done) else done}."
                row_id = row.id
        except DomainError as refusal:
            return self._refused(refusal)
        return back_to(self.get_url(".details_view", id=row_id), message)

    def _confirm(
        self,
        verb: str,
        row: Account,
        consequences: Sequence[str],
        endpoint: str,
        fields: dict[str, str] | None = None,
        danger: bool = True,
        form: PasswordForm | None = None,
    ) -> str:
        label = self.full_label(row)
        return render_template(
            "confirm.html",
            title=f"{verb} : {label}",
            question=f"{verb} : {label} ?",
            consequences=consequences,
            action_url=self.get_url(endpoint),
            fields={"id": row.id, **(fields or {})},
            submit_label=verb,
            cancel_url=self.get_url(".details_view", id=row.id),
            danger=danger,
            form=form,
        )

    def _refused(self, refusal: DomainError) -> ResponseReturnValue:
        """Show the row again with the message of the refusal."""
        row = self.asked_row()
        return self.details_page(row, refusal_text=refusal.message, status=refusal.status)
