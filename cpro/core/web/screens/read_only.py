"""Generate the read-only part of a screen: the list, the details of a row, exports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy.sql.base import ExecutableOption

from cpro.core import clock, events
from cpro.core.errors import Forbidden, NotFound
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission, Principal, can
from cpro.core.spreadsheets import csv_lines, xlsx_file
from cpro.core.web.current_user import current_actor, current_principal, remote_address
from cpro.core.web.pages import render_page
from cpro.core.web.registry import registry
from cpro.core.web.screens import queries
from cpro.core.web.screens.base import SecureModelView
from cpro.core.web.screens.listing import MAX_ROWS, PAGE_SIZES, Listing
from cpro.core.web.screens.parts import AnyFilter, BulkAction, Column
from cpro.extensions import db

_MIMETYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ReadOnlyScreen(SecureModelView):
    """The reading half of a screen: the list, one row, exports."""

    can_view_details = True

    #: French: the page's title, one row, and several
    title: str = ""
    #: the title of the list where the menu calls it otherwise
    heading: str = ""
    noun: tuple[str, str] = ("ligne", "lignes")
    #: what the journal calls these rows; rows opened by the support are recorded under it
    object_type: str = ""
    columns: Sequence[Column] = ()
    filters: Sequence[AnyFilter] = ()
    #: the folded columns that a search looks in, in any of which a word may stand; empty without search
    search_keys: tuple[Any, ...] = ()
    search_help: str = ""
    default_order: Sequence[Any] = ()
    options: Sequence[ExecutableOption] = ()
    empty_text: str = "Il n’y a rien ici pour l’instant."
    #: help page beside the title
    help_slug: str | None = None
    export_permission: Permission | None = None
    bulk_actions: Sequence[BulkAction] = ()
    #: what the screen's own actions ask for, besides the powers above
    action_permissions: Sequence[Permission] = ()

    def __init__(self, model: type[Any], *, url: str, endpoint: str) -> None:
        self.column_list = [column.key for column in self.columns]
        super().__init__(model, db, name=self.title, url=url, endpoint=endpoint)

    # --- What a subclass overrides ---------------------------------------------------------------------------------

    def label_of(self, row: Any) -> str:
        """Return what people call a row."""
        return str(row.id)

    def full_label(self, row: Any) -> str:
        """Return what distinguishes a row from another of the same name, wherever somebody is about to act on it."""
        return self.label_of(row)

    def journal_id(self, row: Any) -> object:
        """Return the id under which the journal knows a row."""
        return row.id

    def row_links(self, row: Any) -> list[tuple[str, str]]:
        """Return more links of a row's page, as (label, address)."""
        return []

    def row_actions(self, row: Any) -> list[tuple[str, str]]:
        """Return more actions of a row, offered in the list and on its page, as (label, address)."""
        return []

    def list_links(self) -> list[tuple[str, str]]:
        """Return more links above the list, as (label, address)."""
        return []

    def creation_gate(self) -> list[dict[str, str]]:
        """Return why nothing can be created here now, for the button that waits (`gated_button`); empty when it can."""
        return []

    def has_row_actions(self, rows: Sequence[Any]) -> bool:
        """Return whether the list offers an action on one of its rows."""
        return False

    @property
    def can_export(self) -> bool:  # type: ignore[override]
        """Return whether the person signed in may export rows."""
        return may(self.export_permission)

    # --- Reading ---------------------------------------------------------------------------------------------------

    @expose("/")
    def index_view(self) -> ResponseReturnValue:
        """Show the list."""
        listing = self._listing()
        rows = self._rows(listing)
        total = self._count(listing)
        self._announce_search(listing)
        return render_page(
            "screens/list.html",
            screen=self,
            listing=listing,
            columns=[column for column in self.columns if column.in_list],
            rows=rows,
            gate=self.creation_gate(),
            total=total,
            max_rows=MAX_ROWS,
            last_page=max(1, -(-min(total, MAX_ROWS) // listing.size)),
            page_sizes=PAGE_SIZES,
            bulk_actions=self.open_bulk_actions(),
            untickable=self._untickable(rows),
            admin_view=self,
        )

    @expose("/details/")
    def details_view(self) -> ResponseReturnValue:
        """Show one row, and what the journal records of it."""
        row = self.asked_row()
        self._announce(
            events.record_opened,
            object_type=self.object_type,
            object_id=str(self.journal_id(row)),
            object_label=self.label_of(row),
        )
        return self.details_page(row)

    def details_page(self, row: Any, *, refusal_text: str = "", status: int = 200) -> ResponseReturnValue:
        """Render the page of a row, with the sentence that refused an action on it if there was one."""
        return render_page(
            "screens/details.html",
            screen=self,
            row=row,
            refusal_text=refusal_text,
            status=status,
            values=[(column.label, column.value(row)) for column in self.columns if column.in_details],
            sections=registry().object_sections(self.object_type, str(self.journal_id(row))),
            admin_view=self,
        )

    @expose("/export/<any(csv, xlsx):export_type>/")
    def export(self, export_type: str) -> ResponseReturnValue:
        """Send the rows of the list as a file that no spreadsheet executes."""
        self.demand(self.can_export)
        listing = self._listing()
        self._announce(events.exported, screen=self.title, sought=listing.phrase(), file_format=export_type)
        rows = self._table(listing)
        # Made whole before it is sent: an error half-way is an error, not a file cut short.
        content = "".join(csv_lines(rows)).encode() if export_type == "csv" else xlsx_file(rows, title=self.title)
        answer = Response(content, mimetype=_MIMETYPES[export_type])
        name = f"{self.endpoint}-{clock.utcnow():%Y-%m-%d}.{export_type}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    # --- Shared with the writing half ------------------------------------------------------------------------------

    def asked_row(self) -> Any:
        """Return the row of the address or of the form, or raise `NotFound`: a word is no id, another's row no row.

        A unit of work forgets what was read before it, related rows too: what writes asks again once inside.
        """
        row_id = read_id(request.values.get("id", ""))
        row = None if row_id is None else self.find_row(row_id)
        if row is None:
            raise NotFound("Cette fiche n’existe pas, ou n’est pas de votre établissement.")
        return row

    def find_row(self, row_id: int) -> Any | None:
        """Return a row with what the screen shows of it, or None."""
        return queries.find_row(self.model, row_id, self.options)

    def open_bulk_actions(self) -> list[BulkAction]:
        """Return the actions on several rows that the person signed in may make."""
        return [action for action in self.bulk_actions if may(action.permission)]

    def _untickable(self, rows: Sequence[Any]) -> dict[int, str]:
        """Return the rows that no action on several rows takes, by id, with why."""
        actions = self.open_bulk_actions()
        refused = [action.left_out(rows, by=current_actor(), together=False) for action in actions]
        return {
            row.id: " ".join(dict.fromkeys(each[row.id] for each in refused))
            for row in rows
            if refused and all(row.id in each for each in refused)
        }

    def demand(self, power: bool) -> None:
        """Raise `Forbidden` when the person signed in lacks a power."""
        if not power:
            raise Forbidden("Votre compte n’a pas ce droit sur ces fiches.")

    def _announce(self, fact: Any, **details: Any) -> None:
        principal: Principal | None = current_principal()
        fact.send(self, principal=principal, origin=remote_address(), now=clock.utcnow(), **details)

    # --- Private ---------------------------------------------------------------------------------------------------

    def _listing(self) -> Listing:
        return Listing.read(request.args, base=self.get_url(".index_view"), columns=self.columns, filters=self.filters)

    def _conditions(self, listing: Listing) -> list[Any]:
        words = listing.words if self.search_keys else []
        return [*listing.conditions(), *(queries.hold_word(self.search_keys, word) for word in words)]

    def _statement(self, listing: Listing) -> Any:
        order = listing.order() or self.default_order
        return queries.select_rows(self.model, self._conditions(listing), order, self.options)

    def _rows(self, listing: Listing) -> Sequence[Any]:
        return queries.read_page(self._statement(listing), size=listing.size, offset=listing.offset)

    def _count(self, listing: Listing) -> int:
        """Return how many rows are listed, counting no further than one beyond `MAX_ROWS`."""
        return queries.count_rows(self.model, self._conditions(listing), most=MAX_ROWS + 1)

    def _table(self, listing: Listing) -> Iterator[list[str]]:
        """Yield the titles, then every row."""
        columns = [column for column in self.columns if column.in_list or column.in_details]
        yield [column.label for column in columns]
        for row in queries.read_all(self._statement(listing)):
            yield [column.value(row) for column in columns]

    def _announce_search(self, listing: Listing) -> None:
        if listing.is_narrowed:
            self._announce(events.search_made, screen=self.title, sought=listing.phrase())


def may(permission: Permission | None) -> bool:
    """Return whether the person signed in has a permission; one that was not named, nobody has."""
    return permission is not None and can(current_principal(), permission)
