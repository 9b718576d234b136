"""The declaration of a screen: labels, columns, filters, forms, the permission of each power, operations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from flask import Blueprint
from flask_admin import Admin
from sqlalchemy.orm import joinedload

from cpro.core.concurrency import check_fresh
from cpro.core.counts import Counted
from cpro.core.errors import refusal_of
from cpro.core.permissions import Access, Actor, Permission
from cpro.core.shown import Filter, shown_names
from cpro.core.web.current_user import may
from cpro.core.web.forms import VersionedForm
from cpro.core.web.screens import above, kinds
from cpro.core.web.screens.base import SecureModelView
from cpro.core.web.screens.parts import BulkAction, Column
from cpro.extensions import db

#: The pages that export rows.
_EXPORTS = ("export", "request_workbook", "workbook")
#: The pages that act on the list itself, from its own URL.
_OF_THE_LIST = frozenset({"index_view", "action_view", "keep_list", "choose_columns", *_EXPORTS})


def _power(name: str) -> Any:
    """Return the property by which Flask-Admin asks whether the signed-in person has a power."""
    return property(lambda screen: may(getattr(screen, f"{name}_permission")))


class DeclaredScreen(SecureModelView):
    """The declaration of a screen, and the settings that Flask-Admin reads outside a request."""

    list_template, details_template = "screens/list.html", "screens/details.html"
    create_template = edit_template = "screens/form.html"
    can_view_details = True
    can_create, can_edit, can_delete, can_export = map(_power, ("create", "edit", "delete", "export"))
    create_permission: Permission | None = None
    edit_permission: Permission | None = None
    delete_permission: Permission | None = None
    export_permission: Permission | None = None
    #: permissions of the screen's own actions, besides the powers above
    action_permissions: Sequence[Permission] = ()
    #: the screen's own pages that require a new second-factor code, as an export does
    code_again: Collection[str] = ()

    #: French: the page's title, one row, and several
    title: str = ""
    #: the title of the list, if it differs from the menu's
    heading: str = ""
    noun: tuple[str, str] = ("ligne", "lignes")
    #: the object type of the rows in the journal; rows opened by the support are recorded under it
    object_type: str = ""
    #: the attribute with the display name of a row
    called: str = "id"
    #: names of attributes, or columns and filters of the screen's own; without names, every displayed attribute
    columns: Sequence[Any] = ()
    #: the permission of a column, by its key, besides the screen's own
    column_permissions: ClassVar[Mapping[str, Permission]] = {}
    #: the level (ok, info, warning, blocked) of each value of the column « state »; if empty, it is plain text
    levels: ClassVar[Mapping[str, str]] = {}
    filters: Sequence[Any] = ()
    #: the folded columns to search in, each word in any of them; empty for no search
    search_keys: tuple[Any, ...] = ()
    search_help: str = ""
    default_order: Sequence[Any] = ()
    #: loader options in addition to the relationships of the columns
    options: Sequence[Any] = ()
    empty_text: str = "Il n’y a rien ici pour l’instant."
    #: help page linked beside the title
    help_slug: str | None = None
    #: the endpoint of the tab of these rows, with whose neighbours it is shown; "" for a screen without tabs
    under_tab: str = ""
    bulk_actions: Sequence[BulkAction] = ()

    #: the editable attributes, at creation if they differ, or the hand-written forms
    form_columns: Sequence[str] = ()
    create_columns: Sequence[str] = ()
    form_class: type[VersionedForm] | None = None
    create_form_class: type[VersionedForm] | None = None
    #: the operations of the feature: `(values, by, now)`, `(row, values, opened_on, by, now)`, `(row, by, now)`
    create_with: Callable[..., Any] | None = None
    update_with: Callable[..., Any] | None = None
    delete_with: Callable[..., Any] | None = None
    #: the label of the creation button, and the introduction of the creation page
    create_label: str = "Créer"
    create_help: str = ""
    #: the message when a correction left no row
    vanished_text: str = "Enregistré."

    def __init__(self, model: type[Any], *, url: str, endpoint: str) -> None:
        named = self.columns or shown_names(model)
        self.columns = [each if isinstance(each, Column) else kinds.column_of(model, each) for each in named]
        made = [[each] if isinstance(each, Filter) else kinds.filters_of(model, each) for each in self.filters]
        self.filters = [each for some in made for each in some]
        related = [column.loads for column in self.columns if column.loads is not None]
        self.options = [*self.options, *map(joinedload, related)]
        self.form_class = self.form_class or kinds.form_of(model, self.form_columns)
        created = kinds.form_of(model, self.create_columns) if self.create_columns else self.form_class
        self.create_form_class = self.create_form_class or created
        super().__init__(model, db, name=self.title, url=url, endpoint=endpoint)

    def create_blueprint(self, admin: Admin) -> Blueprint:
        """Return the screen's pages; those below its list keep the list in their URLs."""
        made: Blueprint = super().create_blueprint(admin)
        above.stand_below(
            made, self.endpoint, carries=lambda endpoint, _values: endpoint.rpartition(".")[2] not in _OF_THE_LIST
        )
        return made

    def open_columns(self) -> list[Column]:
        """Return the columns that the signed-in person may read."""
        asked = self.column_permissions
        return [each for each in self.columns if each.key not in asked or may(asked[each.key])]

    def open_filters(self) -> list[Filter]:
        """Return the filters that the signed-in person may use."""
        return [each for each in self.filters if each.permission is None or may(each.permission)]

    def scaffold_form(self) -> Any:
        """Return the correction form: Flask-Admin's own would load every row of a related table."""
        return self.form_class

    def access_for(self, name: str) -> Access | None:
        """Return the access that a page requires; a creation or correction form survives an expired sign-in."""
        access = super().access_for(name)
        return access and Access(
            access.permission,
            keeps_typed_form=name in ("create_view", "edit_view"),
            code_again=name in (*_EXPORTS, *self.code_again),
            sends_file=name in ("export", "workbook"),
        )

    # --- What a subclass overrides ---------------------------------------------------------------------------------

    def search_numbers(self) -> Any:
        """Return the column where a search matches whole numbers, for people who may read them in full; else None."""
        return None

    def search_whole(self, text: str) -> Any:
        """Return the condition for the whole search text, such as an e-mail address; None to search its words."""
        return None

    def label_of(self, row: Any) -> str:
        """Return the display name of a row."""
        return str(getattr(row, self.called))

    def full_label(self, row: Any) -> str:
        """Return a label that distinguishes a row from its namesakes, wherever a user is about to act on it."""
        return self.label_of(row)

    def counts(self) -> Mapping[str, Counted]:
        """Return what the list counts besides its rows, by name; `list_links` receives the numbers."""
        return {}

    def list_links(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Return additional links above the list, as (label, URL)."""
        return []

    def row_links(self, row: Any) -> list[tuple[str, str]]:
        """Return additional links of a row's page, as (label, URL)."""
        return []

    def row_actions(self, row: Any) -> list[tuple[str, str]]:
        """Return additional actions of a row, shown in the list and on its page, as (label, URL)."""
        return []

    def why_not_create(self) -> str | None:
        """Return a sentence that says why nothing can be created now, or None."""
        return None

    def refusal_links(self, row: Any = None) -> list[tuple[str, str]]:
        """Return the links shown when creation, or the correction of a row, is refused, as (label, URL)."""
        return []

    def bulk_note(self) -> str:
        """Return a sentence about where to do what is not available on the ticked rows; "" for none."""
        return ""

    def why_not_edit(self, row: Any) -> str | None:
        """Return a sentence that says why this row cannot be corrected here, or None."""
        return None

    def check_deletion(self, row: Any) -> None:
        """Raise the operation's refusal if this row cannot be deleted; called by each page that offers it."""

    def list_deletable(self, rows: Sequence[Any]) -> Collection[int]:
        """Return the ids of the rows of a list that can be deleted: those that pass `check_deletion`.

        Override it if the rule queries the database, to query once for all rows.
        """
        return {row.id for row in rows if refusal_of(self.check_deletion, row) is None}

    def deletion_consequences(self, row: Any) -> list[str]:
        """Return the consequences of deleting a row, for the confirmation page."""
        return ["Cette suppression est définitive."]

    def created_text(self, row: Any) -> str:
        """Return the message after a creation: what was created, and what to do next, if anything."""
        return f"La fiche est créée\u202f: {self.label_of(row)}."

    def form_values(self, row: Any) -> dict[str, Any]:
        """Return the initial values of a form, which are also compared to detect concurrent edits."""
        return {name: kinds.typed_value(self.model, name, row) for name in self.form_columns}

    def prepare_form(self, form: Any, row: Any | None) -> None:
        """Complete a form before it is shown or read, such as choices that depend on the school."""

    def create(self, form: Any, *, by: Actor, now: Any) -> Any:
        """Create a row through the feature's operation and return it."""
        return _operation(self, self.create_with)(form.data, by=by, now=now)

    def before_update(self, row: Any, form: Any) -> None:
        """Check what cannot be checked inside the unit of work, such as a password; raise a `DomainError` to refuse."""

    def update(self, row: Any, form: Any, *, opened_on: str | None, by: Actor, now: Any) -> Any:
        """Correct a row through the feature's operation, which checks `opened_on`."""
        return _operation(self, self.update_with)(row, form.data, opened_on=opened_on, by=by, now=now)

    def check_fresh(self, row: Any, opened_on: str | None) -> None:
        """Raise `StaleForm` if a row changed since the form was opened; for values of several tables."""
        check_fresh(self.form_values(row), opened_on)

    def delete(self, row: Any, *, by: Actor, now: Any) -> None:
        """Delete a row through the feature's operation."""
        _operation(self, self.delete_with)(row, by=by, now=now)


def _operation(screen: DeclaredScreen, operation: Callable[..., Any] | None) -> Callable[..., Any]:
    if operation is None:
        raise NotImplementedError(f"{type(screen).__name__}: name the feature's operation")
    return operation
