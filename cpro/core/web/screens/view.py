"""The base of every generated screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from wtforms import Form

from cpro.core import clock
from cpro.core.concurrency import check_fresh
from cpro.core.errors import DomainError, Forbidden, NotFound, refusal_of
from cpro.core.formatting import plural
from cpro.core.parsing import read_id
from cpro.core.permissions import Access, Actor, Permission
from cpro.core.transactions import unit_of_work
from cpro.core.web.conflicts import explain
from cpro.core.web.current_user import current_actor
from cpro.core.web.forms import VersionedForm, posted, typed_before_sign_in
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.screens import queries
from cpro.core.web.screens.listing import MAX_ROWS
from cpro.core.web.screens.read_only import ReadOnlyScreen, may


class _NoForm(Form):
    """Keep Flask-Admin from drawing forms of its own: a screen names its form, or has none."""


class Screen(ReadOnlyScreen):
    """A table of the data model as people browse it; every power asks for its permission, or is off.

    A subclass declares, then overrides `create`, `update`, `delete` for the powers it opens: each calls an operation
    of its feature inside the unit of work that the screen opens, and raises that operation's `DomainError`.
    """

    form = _NoForm

    create_permission: Permission | None = None
    edit_permission: Permission | None = None
    delete_permission: Permission | None = None
    #: the form of creation and correction; one for both unless `create_form_class` says otherwise
    form_class: type[VersionedForm] | None = None
    create_form_class: type[VersionedForm] | None = None

    #: the button that creates, and what the page of creation says first
    create_label: str = "Créer"
    create_help: str = ""
    #: what is said when correcting a row left none
    vanished_text: str = "Enregistré."

    # --- What a subclass overrides ---------------------------------------------------------------------------------

    def why_not_edit(self, row: Any) -> str | None:
        """Return why this row cannot be corrected here, in a sentence, or None when it can."""
        return None

    def why_not_create(self) -> str | None:
        """Return why nothing can be created here now, in a sentence, or None when it can."""
        return None

    def check_deletion(self, row: Any) -> None:
        """Raise what the feature's operation raises when this row cannot be deleted; each page that offers it asks."""

    def form_values(self, row: Any) -> dict[str, Any]:
        """Return the values a form opens on; they are what two people must not overwrite."""
        raise NotImplementedError

    def prepare_form(self, form: VersionedForm, row: Any | None) -> None:
        """Complete a form before it is shown or read (choices that depend on the school)."""

    def create(self, form: VersionedForm, *, by: Actor, now: Any) -> Any:
        """Create a row through the feature's operation and return it."""
        raise NotImplementedError

    def before_update(self, row: Any, form: Any) -> None:
        """Judge what cannot be judged inside the unit of work, as a password; raise a `DomainError` to refuse."""

    def update(self, row: Any, form: VersionedForm, *, opened_on: str | None, by: Actor, now: Any) -> Any:
        """Correct a row through the feature's operation, which checks `opened_on`."""
        raise NotImplementedError

    def delete(self, row: Any, *, by: Actor, now: Any) -> None:
        """Delete a row through the feature's operation."""
        raise NotImplementedError

    def deletion_consequences(self, row: Any) -> list[str]:
        """Return what follows from deleting a row, for the confirmation."""
        return ["Cette suppression est définitive."]

    def refusal_links(self) -> list[tuple[str, str]]:
        """Return where to go when creation is refused, as (label, address)."""
        return []

    def created_text(self, row: Any) -> str:
        """Return what is said once a row is created: what it is, and what to do next where there is something."""
        return f"C’est enregistré\u202f: {self.label_of(row)}."

    def check_fresh(self, row: Any, opened_on: str | None) -> None:
        """Raise `StaleForm` when a row is not any more what the form was opened on: for values of several tables."""
        check_fresh(self.form_values(row), opened_on)

    def why_not_delete(self, row: Any) -> str | None:
        """Return why this row cannot be deleted, in a sentence, or None when it can."""
        refusal = refusal_of(self.check_deletion, row)
        return refusal.message if refusal else None

    # --- What the list asks ----------------------------------------------------------------------------------------

    def creation_gate(self) -> list[dict[str, str]]:
        """Return why nothing can be created here now, and where to go."""
        refusal = self.why_not_create() if self.can_create else None
        if refusal is None:
            return []
        links = [{"text": "", "link_url": url, "link_label": label} for label, url in self.refusal_links()]
        return [{"text": refusal}, *links]

    def has_row_actions(self, rows: Sequence[Any]) -> bool:
        """Return whether one of the rows can be corrected or deleted, or has actions of its own."""
        return any(
            (self.can_edit and not self.why_not_edit(row))
            or (self.can_delete and not self.why_not_delete(row))
            or self.row_actions(row)
            for row in rows
        )

    # --- Powers ----------------------------------------------------------------------------------------------------

    def access_for(self, name: str) -> Access | None:
        """Return what a page of the screen asks; a form of creation or correction survives an expired sign-in."""
        access = super().access_for(name)
        keeps = name in ("create_view", "edit_view")
        return Access(access.permission, keeps_typed_form=keeps) if access else None

    @property
    def can_create(self) -> bool:  # type: ignore[override]
        """Return whether the person signed in may create rows."""
        return may(self.create_permission)

    @property
    def can_edit(self) -> bool:  # type: ignore[override]
        """Return whether the person signed in may correct rows."""
        return may(self.edit_permission)

    @property
    def can_delete(self) -> bool:  # type: ignore[override]
        """Return whether the person signed in may delete rows."""
        return may(self.delete_permission)

    # --- Writing ---------------------------------------------------------------------------------------------------

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> ResponseReturnValue:
        """Create a row."""
        self.demand(self.can_create)
        refusal = self.why_not_create()
        if refusal:
            return self._form_page(None, None, refusal_text=refusal, status=409 if request.method == "POST" else 200)
        form_class = self.create_form_class or self.form_class
        assert form_class is not None, f"{type(self).__name__} declares no form"
        form = form_class(posted() if request.method == "POST" else typed_before_sign_in())
        self.prepare_form(form, None)
        if request.method != "POST":
            return self._form_page(form, None)
        if not form.validate():
            return self._form_page(form, None, status=422)
        try:
            with unit_of_work():
                row_id = self.create(form, by=current_actor(), now=clock.utcnow()).id
        except DomainError as refused:
            form.blame(refused)
            return self._form_page(form, None, status=refused.status)
        return back_to(self.get_url(".details_view", id=row_id), self.created_text(self.find_row(row_id)))

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> ResponseReturnValue:
        """Correct a row; the second person to save is warned, and loses nothing."""
        self.demand(self.can_edit)
        row = self.asked_row()
        row_id = row.id
        refusal = self.why_not_edit(row)
        if refusal:
            return self._form_page(None, row, refusal_text=refusal, status=403 if request.method == "POST" else 200)
        stored = self.form_values(row)
        assert self.form_class is not None, f"{type(self).__name__} declares no form"
        if request.method != "POST":
            form = self.form_class.opened(stored, about=(self.object_type, row_id))
            self.prepare_form(form, row)
            return self._form_page(form, row, conflict=explain(form, None, stored=stored))
        form = self.form_class.sent(
            stored, about=(self.object_type, row_id), prepare=lambda each: self.prepare_form(each, row)
        )
        if not form.validate():
            return self._form_page(form, row, status=form.status, conflict=explain(form, None, stored=stored))
        try:
            self.before_update(row, form)
            with unit_of_work():
                row = self.asked_row()
                self.update(row, form, opened_on=form.version.data, by=current_actor(), now=clock.utcnow())
        except DomainError as refused:
            row = self.asked_row()
            conflict = explain(form, refused, stored=self.form_values(row))
            return self._form_page(form, row, status=refused.status, conflict=conflict)
        row = self.find_row(row_id)
        if row is None:  # a wording left blank is no row any more
            return back_to(self.get_url(".index_view"), self.vanished_text)
        return back_to(self.get_url(".details_view", id=row_id), f"{self.label_of(row)}\u202f: enregistré.")

    @expose("/delete/", methods=("GET", "POST"))
    def delete_view(self) -> ResponseReturnValue:
        """Ask once, then delete a row."""
        self.demand(self.can_delete)
        row = self.asked_row()
        label = self.label_of(row)
        refusal = refusal_of(self.check_deletion, row)
        if request.method == "POST" and refusal is None:
            try:
                with unit_of_work():
                    self.delete(self.asked_row(), by=current_actor(), now=clock.utcnow())
                return back_to(self.get_url(".index_view"), f"Suppression faite : {label}.")
            except DomainError as refused:
                refusal = refused
        if refusal is not None:
            return self.details_page(self.asked_row(), refusal_text=refusal.message, status=refusal.status)
        return render_page(
            "confirm.html",
            title=f"Supprimer {label}",
            question=f"Supprimer {label} ?",
            consequences=self.deletion_consequences(row),
            action_url=self.get_url(".delete_view"),
            fields={"id": row.id},
            submit_label=f"Supprimer {label}",
            cancel_url=self.get_url(".details_view", id=row.id),
            danger=True,
        )

    @expose("/action/", methods=("POST",))
    def action_view(self) -> ResponseReturnValue:
        """Confirm, then do, an action on the rows ticked."""
        action = next((each for each in self.open_bulk_actions() if each.key == request.form.get("action")), None)
        if action is None:
            raise Forbidden("Cette action n’existe pas, ou votre compte n’en a pas le droit.")
        listing = self._listing()  # the search and the filters that the list was posted with
        back = listing.url()
        ids = {read_id(text) for text in request.form.getlist("rowid")[:MAX_ROWS]}
        rows = queries.list_rows(self.model, ids, self.options)
        if not rows or len(rows) != len(ids):
            return back_to(back, "Cochez d’abord des lignes de la liste.", "warning")
        left_out = action.left_out(rows, by=current_actor(), together=True)
        kept = [f"Rien ne change pour {self.full_label(row)}. {left_out[row.id]}" for row in rows if row.id in left_out]
        rows = [row for row in rows if row.id not in left_out]
        if not rows:
            return back_to(back, " ".join(kept), "warning")
        if action.leads_to is not None:
            return back_to(action.leads_to([row.id for row in rows]), " ".join(kept), "warning")
        if request.form.get("confirme") != "oui":
            counted = plural(len(rows), *self.noun)
            return render_page(
                "confirm.html",
                title=f"{action.label} {counted}",
                question=f"{action.label} {counted} ?",
                consequences=[*action.consequences([self.full_label(row) for row in rows]), *kept],
                action_url=listing.action_url(self.get_url(".action_view")),
                fields={"action": action.key, "rowid": [row.id for row in rows], "confirme": "oui"},
                submit_label=f"{action.label} {counted}",
                cancel_url=back,
                danger=action.danger,
            )
        with unit_of_work():
            done = action.run([row.id for row in rows], by=current_actor(), now=clock.utcnow())
        return back_to(back, done)

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> ResponseReturnValue:
        """Answer 404: look-ups are fields of forms here (core.screens.lookups)."""
        raise NotFound("Cette adresse n’existe pas.")

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> ResponseReturnValue:
        """Answer 404: nothing is corrected from inside a list."""
        raise NotFound("Cette adresse n’existe pas.")

    # --- Private ---------------------------------------------------------------------------------------------------

    def _form_page(
        self,
        form: VersionedForm | None,
        row: Any | None,
        *,
        status: int = 200,
        conflict: Sequence[Mapping[str, Any]] = (),
        refusal_text: str = "",
    ) -> ResponseReturnValue:
        return render_page(
            "screens/form.html",
            screen=self,
            form=form,
            row=row,
            conflict=conflict,
            refusal_text=refusal_text,
            status=status,
            admin_view=self,
        )
