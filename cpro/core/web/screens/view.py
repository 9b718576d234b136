"""The base of every generated screen: Flask-Admin's own pages over a model, closed by default and completed.

Flask-Admin's list, row page, creation, correction and actions on ticked rows run unchanged; they call this class for
the rows, the forms, the writes and the rendering (docs/decisions/0005 says what is replaced, and why).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import urlencode

from flask import abort, make_response, request
from flask.typing import ResponseReturnValue
from flask_admin import expose

from cpro.core import clock, events
from cpro.core.drafts.operations import DraftKey
from cpro.core.errors import DomainError, Forbidden, MaybeThere, NotFound, refusal_of
from cpro.core.lists import disambiguate, find_beside
from cpro.core.parsing import read_id
from cpro.core.ticked_rows import MOST_AT_ONCE, check_not_too_many, check_ticked_rows, read_ticked_ids
from cpro.core.transactions import unit_of_work
from cpro.core.validators import fold
from cpro.core.web import drafts
from cpro.core.web.conflicts import explain
from cpro.core.web.current_user import announce, current_actor, may
from cpro.core.web.forms import VersionedForm, typed_before_sign_in
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.registry import registry
from cpro.core.web.screens import above, queries, remembered
from cpro.core.web.screens.arranged import ArrangedScreen, KeepForm, ListedPage
from cpro.core.web.screens.bulk import describe_left_out
from cpro.core.web.screens.listing import PAGE_SIZES, Listing
from cpro.core.web.screens.parts import BulkAction, Column, ListedRow

#: the power that each page requires, besides the permission to read the screen
_POWERS = {
    "create_view": "can_create",
    "edit_view": "can_edit",
    "delete_view": "can_delete",
    **dict.fromkeys(("export", "request_workbook", "workbook"), "can_export"),
}


class Screen(ArrangedScreen):
    """A browsable table of the data model; every power requires its permission, or is off.

    The labels, formats, filters, sorting and form fields of its columns are declared in the model (`core.shown`); a
    subclass names the columns and declares what differs (`DeclaredScreen`). It writes through the operations of its
    feature, inside the unit of work that the screen opens.
    """

    # --- Rights ----------------------------------------------------------------------------------------------------

    def _handle_view(self, name: str, **kwargs: Any) -> ResponseReturnValue | None:
        """Raise on a power that the person lacks, and on a URL without a valid row, where Flask-Admin redirects."""
        refused: ResponseReturnValue | None = super()._handle_view(name, **kwargs)
        self.demand(name not in _POWERS or getattr(self, _POWERS[name]))
        if name in ("details_view", "edit_view") and not request.args.get("id"):
            self.get_one("")
        return refused

    def demand(self, power: bool) -> None:
        """Raise `Forbidden` if the signed-in person lacks a power."""
        if not power:
            raise Forbidden("Votre compte n’a pas ce droit sur ces fiches.")

    def why_not_delete(self, row: Any) -> str | None:
        """Return a sentence that says why this row cannot be deleted, or None."""
        refusal = refusal_of(self.check_deletion, row)
        return refusal.message if refusal else None

    # --- Rows ------------------------------------------------------------------------------------------------------

    def get_one(self, id: object) -> Any:
        """Return a row with its displayed relationships; raise `NotFound` for an invalid id or a foreign row."""
        row = self.find_row(read_id(id))
        if row is None:
            raise NotFound("Cette fiche n’existe pas, ou n’est pas de votre établissement.")
        return row

    def asked_row(self) -> Any:
        """Return the row named in the URL or the form, or raise `NotFound`.

        A unit of work expires the rows read before it, and their related rows: a write must call this again inside it.
        """
        return self.get_one(request.values.get("id", ""))

    def find_row(self, row_id: int | None) -> Any | None:
        """Return a row with its displayed relationships, or None."""
        return next(iter(self._rows_of([row_id])), None) if row_id else None

    def _rows_of(self, ids: Any) -> Sequence[Any]:
        return queries.list_rows(self.model, ids, self.options)

    # --- Pages -----------------------------------------------------------------------------------------------------

    def render(self, template: str, **page: Any) -> ResponseReturnValue:
        """Render a page of the screen, adding to the context given by Flask-Admin or by our own methods."""
        page["row"] = row = page.pop("model", None)
        if template == self.list_template:
            page.update(self._list_page(page.pop("data"), page.get("refused_name")))
        elif template == self.details_template:
            opened = {"object_type": self.object_type, "object_id": str(row.id)}
            page["neighbours"], is_listed = self._find_neighbours(row) if request.method == "GET" else ((), False)
            if not page.get("refusal_text"):
                announce(events.record_opened, self, **opened, object_label=self.label_of(row))
            list_url = self.left_listing().url()  # once the neighbours moved the list
            page["back_url"] = above.at_row(list_url, row.id) if is_listed else list_url
            values = [(column.label, column.value(row)) for column in self.open_columns()]
            page.update(values=values, sections=registry().object_sections(*opened.values()))
        elif page["form"] is not None:
            page.update(self._form_page(page["form"], row))
        return render_page(template, screen=self, admin_view=self, **page)

    def _list_page(self, listed: ListedPage, refused_name: KeepForm | None) -> dict[str, Any]:
        listing = self._listing()
        if listing.is_narrowed:
            announce(events.search_made, self, screen=self.title, sought=listing.phrase())
        above.show_list(self.endpoint, listing)
        remembered.remember_narrowed(self.endpoint, listing)
        refusal = self.why_not_create() if self.can_create else None
        offered = self.refusal_links() if refusal else ()
        links = [{"text": "", "link_url": url, "link_label": label} for label, url in offered]
        columns, actions = self.shown_columns(listed.habits), self.open_bulk_actions()
        return {
            "listing": listing,
            "links": self.list_links(listed.counts),
            "columns": columns,
            "rows": list(self._list_rows(listed.page.rows, columns, actions)),
            "arranged": self.arranged(listing, listed.habits, refused_name),
            "gate": [{"text": refusal}, *links] if refusal else [],
            "page": listed.page,
            "page_sizes": PAGE_SIZES,
            "bulk_actions": actions,
            "most_at_once": MOST_AT_ONCE,
            "ticked": request.args.get(above.TICKED, "").split(","),
            "chosen_action": request.args.get(above.CHOSEN, ""),
            "are_close": remembered.choose_rows(request.args.get("rangs", "")),
            "last_narrowed": None if listing.is_narrowed else self.last_narrowed(),
        }

    def _find_neighbours(self, row: Any) -> tuple[list[tuple[str, str, str]], bool]:
        """Return the rows before and after one in the parent list, each as relation, label, URL, and whether it has it.

        Browsing past the end of a page moves the parent list to the page of the row.
        """
        left = self.left_listing()
        selection = self._selection(left)
        found = find_beside(
            left,
            selection.statement.options(*self.options),
            *selection.order,
            row_id=row.id,
            place_of=selection.place_of,
            by_name=selection.is_by_name,
        )
        above.show_list(self.endpoint, found.listed)
        neighbours = [
            (rel, self.full_label(each), self.get_url(".details_view", id=each.id))
            for rel, each in (("prev", found.before), ("next", found.after))
            if each is not None
        ]
        return neighbours, found.has_row

    def _list_rows(
        self, rows: Sequence[Any], columns: Sequence[Column], actions: Sequence[BulkAction]
    ) -> Iterator[ListedRow]:
        """Yield the rows as the template renders them; what is the same for all rows is computed once."""
        readers = [column.open_texts() for column in columns]
        refused = [action.left_out(rows, by=current_actor(), together=False) for action in actions]
        details, edit, delete = map(self._row_address, (".details_view", ".edit_view", ".delete_view"))
        can_edit, deletable = self.can_edit, self.list_deletable(rows) if self.can_delete else ()
        labels = [self.full_label(row) for row in rows]
        for row, label, unique in zip(rows, labels, disambiguate(labels, [row.id for row in rows]), strict=True):
            heading, *texts = [read(row) for read in readers]
            row_actions = [("Corriger", edit(row.id))] if can_edit and not self.why_not_edit(row) else []
            row_actions += self.row_actions(row)
            if row.id in deletable:
                row_actions.append(("Supprimer", delete(row.id)))
            yield ListedRow(
                id=row.id,
                full_label=unique,
                url=details(row.id),
                heading=heading or label,
                link_name=unique if heading in unique else f"{heading}, {unique}",
                cells=[self._cell(column, text) for column, text in zip(columns[1:], texts, strict=True)],
                actions=row_actions,
                anchor=above.row_anchor(row.id),
                why_no_box=_explain_no_box(row.id, refused),
            )

    def _row_address(self, endpoint: str) -> Callable[[int], str]:
        """Return a function that gives a page's URL for each row id; the common part of the URL is built once."""
        page = self.get_url(endpoint, **{above.PARAMETER: None})
        more = "".join(f"&{urlencode({name: query})}" for name, query in above.list_parameters().items())
        return lambda row_id: f"{page}?id={row_id}{more}"

    def _cell(self, column: Column, text: str) -> tuple[str, str, str]:
        return column.css, text, self.levels.get(text, "") if column.key == "state" else ""

    def details_page(self, row: Any, *, refusal_text: str = "", status: int = 200) -> ResponseReturnValue:
        """Render the page of a row, with the message that refused an action on it."""
        return self.render(self.details_template, model=row, refusal_text=refusal_text, status=status)

    # --- Forms -----------------------------------------------------------------------------------------------------

    def create_form(self, obj: Any = None) -> Any:
        """Return the creation form, or answer why nothing can be created."""
        self._refuse(self.why_not_create(), self.create_template, 409)
        assert self.create_form_class is not None
        made = self.create_form_class
        form = made() if request.method == "POST" else made(typed_before_sign_in())
        self.prepare_form(form, None)
        return form

    def edit_form(self, obj: Any = None) -> Any:
        """Return the correction form with the values of a row, or answer why it cannot be corrected."""
        self._refuse(self.why_not_edit(obj), self.edit_template, 403, model=obj)
        assert self.form_class is not None
        stored, about = self.form_values(obj), (self.object_type, obj.id)
        if request.method == "POST":
            form = self.form_class.sent(stored, about=about, prepare=lambda each: self.prepare_form(each, obj))
        else:
            form = self.form_class.opened(stored, about=about)
            self.prepare_form(form, obj)
        return form

    def validate_form(self, form: Any) -> bool:
        """Accept every post: `create_model` and `update_model` validate it, with French messages."""
        return request.method == "POST"

    def create_model(self, form: Any) -> None:
        """Create through the feature's operation, or show its refusal beside the fields."""
        if not form.validate():
            return
        try:
            with unit_of_work():
                drafts.saved(DraftKey(self.object_type, "new"), creates=True)
                row_id = self.create(form, by=current_actor(), now=clock.utcnow()).id
        except DomainError as refused:
            form.blame(refused)
            return
        _answer(back_to(self.get_url(".details_view", id=row_id), self.created_text(self.find_row(row_id))))

    @property
    def is_confirmed(self) -> bool:
        """Return whether a creation is posted again after the question if the row already exists (`MaybeThere`)."""
        return request.form.get("confirmed") == "oui"

    def update_model(self, form: Any, model: Any) -> None:
        """Correct through the feature's operation; the second of two editors is warned, and loses no input."""
        row_id = model.id
        if not form.validate():
            return
        try:
            self.before_update(model, form)
            with unit_of_work():
                row = self.asked_row()
                self.update(row, form, opened_on=form.version.data, by=current_actor(), now=clock.utcnow())
        except DomainError as refused:
            form.refusal = refused
            return
        row = self.find_row(row_id)
        if row is None:  # a custom text left blank deletes its row
            _answer(back_to(self.left_listing().url(), self.vanished_text))
        _answer(back_to(self.get_url(".details_view", id=row_id), f"{self.label_of(row)}\u202f: enregistré."))

    def _form_page(self, form: VersionedForm, row: Any | None) -> dict[str, Any]:
        """Return the context of a form's page besides its fields: its status once refused, the conflicts to resolve."""
        status = form.status if request.method == "POST" else 200
        if row is None:
            ids = form.refusal.ids if isinstance(form.refusal, MaybeThere) else ()
            return {"status": status, "maybe": [self.find_row(each) for each in ids]}
        if form.refusal is None and not form.clashes:
            return {"status": status}
        row = self.asked_row()  # a unit of work expires what was read before it
        return {"status": status, "row": row, "conflict": explain(form, form.refusal, stored=self.form_values(row))}

    def _refuse(self, reason: str | None, template: str, status: int, **page: Any) -> None:
        if reason:
            status = status if request.method == "POST" else 200
            _answer(self.render(template, form=None, refusal_text=reason, status=status, **page))

    # --- Deletion and actions on several rows -----------------------------------------------------------------------

    def delete_model(self, model: Any) -> None:
        """Delete a row through the feature's operation."""
        self.delete(model, by=current_actor(), now=clock.utcnow())

    @expose("/delete/", methods=("GET", "POST"))
    def delete_view(self) -> ResponseReturnValue:
        """Ask for confirmation, then delete a row."""
        row = self.asked_row()
        label, refusal = self.label_of(row), refusal_of(self.check_deletion, row)
        if request.method == "POST" and refusal is None:
            try:
                with unit_of_work():
                    self.delete_model(self.asked_row())
                return back_to(self.left_listing().url(), f"Suppression faite\u202f: {label}.")
            except DomainError as refused:
                refusal = refused
        if refusal is not None:
            return self.details_page(self.asked_row(), refusal_text=refusal.message, status=refusal.status)
        return _confirm(
            f"Supprimer {label}",
            consequences=self.deletion_consequences(row),
            action_url=self.get_url(".delete_view"),
            fields={"id": row.id},
            cancel_url=self.get_url(".details_view", id=row.id),
            danger=True,
        )

    def open_bulk_actions(self) -> list[BulkAction]:
        """Return the actions on several rows that the signed-in person may run."""
        return [action for action in self.bulk_actions if may(action.permission)]

    def handle_action(self, return_view: str | None = None) -> ResponseReturnValue:
        """Confirm, then run, an action on the ticked rows."""
        action = next((each for each in self.open_bulk_actions() if each.key == request.form.get("action")), None)
        if action is None:
            raise Forbidden("Cette action n’existe pas, ou votre compte n’en a pas le droit.")
        listing = self._listing()  # the search and the filters of the posted list
        ticked = _read_ticked()
        back = listing.url(**{above.TICKED: ticked, above.CHOSEN: action.key})
        try:
            rows = self._rows_meant(listing)
        except DomainError as refusal:
            return back_to(back, refusal.message, "warning")
        rows.sort(key=lambda row: getattr(row, "search_key", "") or fold(self.full_label(row)))
        left_out = action.left_out(rows, by=current_actor(), together=True)
        kept = describe_left_out([(self.full_label(row), left_out[row.id]) for row in rows if row.id in left_out])
        rows = [row for row in rows if row.id not in left_out]
        if not rows:
            return back_to(back, " ".join(kept), "warning")
        if action.leads_to is not None:
            how = above.WHOLE if ticked == above.WHOLE else above.SOME
            above.show_list(self.endpoint, listing, ticked=how, action=action.key)
            return back_to(action.leads_to([row.id for row in rows]), " ".join(kept), "warning")
        if request.form.get("confirme") != "oui":
            return _confirm(
                action.describe(len(rows), self.noun),
                consequences=[*action.consequences([self.full_label(row) for row in rows]), *kept],
                action_url=listing.elsewhere(self.get_url(".action_view"), **{above.TICKED: ticked}),
                fields={"action": action.key, "rowid": [row.id for row in rows], "confirme": "oui"},
                cancel_url=back,
                danger=action.danger,
            )
        try:
            with unit_of_work():
                done = action.run([row.id for row in rows], by=current_actor(), now=clock.utcnow())
        except DomainError as refusal:
            return back_to(back, refusal.message, "warning")
        return back_to(listing.url(), done)

    def _rows_meant(self, listing: Listing) -> list[Any]:
        """Return the ticked rows, or every row of the list if all of it is meant. Raises as `core.ticked_rows` does."""
        if request.form.get("tous") == "oui":
            ids = queries.list_ids(self._selection(listing).statement, most=MOST_AT_ONCE + 1)
            check_not_too_many(ids)
        else:
            ids = read_ticked_ids(request.form.getlist("rowid"))
        rows = list(self._rows_of(ids))
        check_ticked_rows(len(rows), ids)
        return rows

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> ResponseReturnValue:
        """Answer 404: a row is chosen by its code, in the form itself (`core.web.choices`)."""
        raise NotFound("Cette adresse n’existe pas.")

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> ResponseReturnValue:
        """Answer 404: lists have no inline editing."""
        raise NotFound("Cette adresse n’existe pas.")


def _answer(answer: ResponseReturnValue) -> NoReturn:
    """End the request with our own response, where Flask-Admin would flash English and redirect with 302."""
    abort(make_response(answer))


def _read_ticked() -> str:
    """Return what the posted list has ticked, for the URL that shows it ticked again; no page has more rows."""
    if request.form.get("tous") == "oui" or request.args.get(above.TICKED) == above.WHOLE:
        return above.WHOLE
    ids = map(read_id, request.form.getlist("rowid")[: PAGE_SIZES[-1]])
    return ",".join(str(each) for each in ids if each)


def _explain_no_box(row_id: int, refused: Sequence[Mapping[int, str]]) -> str:
    """Return why no action accepts a row; "" if one does, or if there are no actions."""
    reasons = [each[row_id] for each in refused if row_id in each]
    return " ".join(dict.fromkeys(reasons)) if refused and len(reasons) == len(refused) else ""


def _confirm(title: str, **page: Any) -> ResponseReturnValue:
    return render_page("confirm.html", title=title, question=f"{title}\u202f?", submit_label=title, **page)
