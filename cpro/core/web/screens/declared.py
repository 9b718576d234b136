"""What a screen is declared with: its words, columns, filters, forms, the permission of each power, its operations."""

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

#: The pages by which rows leave.
_EXPORTS = ("export", "request_workbook", "workbook")
#: The pages that are about the list itself, as their own address has it.
_OF_THE_LIST = frozenset({"index_view", "action_view", "keep_list", "choose_columns", *_EXPORTS})


def _power(name: str) -> Any:
    """Return the property by which Flask-Admin asks whether the person signed in has a power."""
    return property(lambda screen: may(getattr(screen, f"{name}_permission")))


class DeclaredScreen(SecureModelView):
    """The declaration of a screen, and what Flask-Admin asks of it before there is a request."""

    list_template, details_template = "screens/list.html", "screens/details.html"
    create_template = edit_template = "screens/form.html"
    can_view_details = True
    can_create, can_edit, can_delete, can_export = map(_power, ("create", "edit", "delete", "export"))
    create_permission: Permission | None = None
    edit_permission: Permission | None = None
    delete_permission: Permission | None = None
    export_permission: Permission | None = None
    #: what the screen's own actions ask for, besides the powers above
    action_permissions: Sequence[Permission] = ()
    #: the pages of its own before which a code of the second factor is asked again, as before an export
    code_again: Collection[str] = ()

    #: French: the page's title, one row, and several
    title: str = ""
    #: the title of the list where the menu calls it otherwise
    heading: str = ""
    noun: tuple[str, str] = ("ligne", "lignes")
    #: what the journal calls these rows; rows opened by the support are recorded under it
    object_type: str = ""
    #: the attribute by which people call a row
    called: str = "id"
    #: names of attributes, or columns and filters of the screen's own; no name: every attribute that is shown
    columns: Sequence[Any] = ()
    #: the right that a column asks for, by its key, beside the screen's own
    column_permissions: ClassVar[Mapping[str, Permission]] = {}
    #: the level (ok, info, warning, blocked) of each word of the column « state »; without any, it is a text
    levels: ClassVar[Mapping[str, str]] = {}
    filters: Sequence[Any] = ()
    #: the folded columns that a search looks in, in any of which a word may stand; empty without search
    search_keys: tuple[Any, ...] = ()
    search_help: str = ""
    default_order: Sequence[Any] = ()
    #: what loads more than the relationships of the columns
    options: Sequence[Any] = ()
    empty_text: str = "Il n’y a rien ici pour l’instant."
    #: help page beside the title
    help_slug: str | None = None
    #: the endpoint of the tab that these rows belong to, whose neighbours stand above them; "" for a screen of its own
    under_tab: str = ""
    bulk_actions: Sequence[BulkAction] = ()

    #: the attributes that are typed, at creation where they differ, or the forms written by hand
    form_columns: Sequence[str] = ()
    create_columns: Sequence[str] = ()
    form_class: type[VersionedForm] | None = None
    create_form_class: type[VersionedForm] | None = None
    #: the operations of the feature: `(values, by, now)`, `(row, values, opened_on, by, now)`, `(row, by, now)`
    create_with: Callable[..., Any] | None = None
    update_with: Callable[..., Any] | None = None
    delete_with: Callable[..., Any] | None = None
    #: the button that creates, and what the page of creation says first
    create_label: str = "Créer"
    create_help: str = ""
    #: what is said when correcting a row left none
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
        """Return the screen's pages; those below its list say in their addresses which list that is."""
        made: Blueprint = super().create_blueprint(admin)
        above.stand_below(
            made, self.endpoint, carries=lambda endpoint, _values: endpoint.rpartition(".")[2] not in _OF_THE_LIST
        )
        return made

    def open_columns(self) -> list[Column]:
        """Return the columns that the person signed in may read."""
        asked = self.column_permissions
        return [each for each in self.columns if each.key not in asked or may(asked[each.key])]

    def open_filters(self) -> list[Filter]:
        """Return the filters that the person signed in may use."""
        return [each for each in self.filters if each.permission is None or may(each.permission)]

    def scaffold_form(self) -> Any:
        """Return the form of correction: Flask-Admin's own would draw every row of a related table."""
        return self.form_class

    def access_for(self, name: str) -> Access | None:
        """Return what a page of the screen asks; a form of creation or correction survives an expired sign-in."""
        access = super().access_for(name)
        return access and Access(
            access.permission,
            keeps_typed_form=name in ("create_view", "edit_view"),
            code_again=name in (*_EXPORTS, *self.code_again),
            sends_file=name in ("export", "workbook"),
        )

    # --- What a subclass overrides ---------------------------------------------------------------------------------

    def search_numbers(self) -> Any:
        """Return the column where a search looks for numbers, for those who may read it whole; None for others."""
        return None

    def search_whole(self, text: str) -> Any:
        """Return the condition that a text sought stands for as a whole, as an address does; None for words."""
        return None

    def label_of(self, row: Any) -> str:
        """Return what people call a row."""
        return str(getattr(row, self.called))

    def full_label(self, row: Any) -> str:
        """Return what distinguishes a row from another of the same name, wherever somebody is about to act on it."""
        return self.label_of(row)

    def counts(self) -> Mapping[str, Counted]:
        """Return what the list counts besides its rows, by name; `list_links` is given the numbers."""
        return {}

    def list_links(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Return more links above the list, as (label, address)."""
        return []

    def row_links(self, row: Any) -> list[tuple[str, str]]:
        """Return more links of a row's page, as (label, address)."""
        return []

    def row_actions(self, row: Any) -> list[tuple[str, str]]:
        """Return more actions of a row, offered in the list and on its page, as (label, address)."""
        return []

    def why_not_create(self) -> str | None:
        """Return why nothing can be created here now, in a sentence, or None when it can."""
        return None

    def refusal_links(self, row: Any = None) -> list[tuple[str, str]]:
        """Return where to go when creation is refused, or the correction of a row, as (label, address)."""
        return []

    def bulk_note(self) -> str:
        """Return where to do what is not offered on the rows ticked, in a sentence; "" for nothing."""
        return ""

    def why_not_edit(self, row: Any) -> str | None:
        """Return why this row cannot be corrected here, in a sentence, or None when it can."""
        return None

    def check_deletion(self, row: Any) -> None:
        """Raise what the feature's operation raises when this row cannot be deleted; each page that offers it asks."""

    def list_deletable(self, rows: Sequence[Any]) -> Collection[int]:
        """Return the ids of the rows of a list whose deletion it offers: all that `check_deletion` lets go.

        A screen whose rule asks the database overrides it, to ask once for all of them.
        """
        return {row.id for row in rows if refusal_of(self.check_deletion, row) is None}

    def deletion_consequences(self, row: Any) -> list[str]:
        """Return what follows from deleting a row, for the confirmation."""
        return ["Cette suppression est définitive."]

    def created_text(self, row: Any) -> str:
        """Return what is said once a row is created: what it is, and what to do next where there is something."""
        return f"La fiche est créée\u202f: {self.label_of(row)}."

    def form_values(self, row: Any) -> dict[str, Any]:
        """Return the values a form opens on; they are what two people must not overwrite."""
        return {name: kinds.typed_value(self.model, name, row) for name in self.form_columns}

    def prepare_form(self, form: Any, row: Any | None) -> None:
        """Complete a form before it is shown or read (choices that depend on the school)."""

    def create(self, form: Any, *, by: Actor, now: Any) -> Any:
        """Create a row through the feature's operation and return it."""
        return _operation(self, self.create_with)(form.data, by=by, now=now)

    def before_update(self, row: Any, form: Any) -> None:
        """Judge what cannot be judged inside the unit of work, as a password; raise a `DomainError` to refuse."""

    def update(self, row: Any, form: Any, *, opened_on: str | None, by: Actor, now: Any) -> Any:
        """Correct a row through the feature's operation, which checks `opened_on`."""
        return _operation(self, self.update_with)(row, form.data, opened_on=opened_on, by=by, now=now)

    def check_fresh(self, row: Any, opened_on: str | None) -> None:
        """Raise `StaleForm` when a row is not any more what the form was opened on: for values of several tables."""
        check_fresh(self.form_values(row), opened_on)

    def delete(self, row: Any, *, by: Actor, now: Any) -> None:
        """Delete a row through the feature's operation."""
        _operation(self, self.delete_with)(row, by=by, now=now)


def _operation(screen: DeclaredScreen, operation: Callable[..., Any] | None) -> Callable[..., Any]:
    if operation is None:
        raise NotImplementedError(f"{type(screen).__name__}: name the feature's operation")
    return operation
