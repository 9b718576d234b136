"""A screen's list as each account arranges it: saved under a name, with chosen columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from wtforms import BooleanField, Field, StringField

from cpro.core.counts import Counted
from cpro.core.errors import DomainError, Forbidden
from cpro.core.habits import operations
from cpro.core.habits.models import KeptList
from cpro.core.habits.operations import LONGEST_NAME
from cpro.core.habits.queries import find_habits, select_habits
from cpro.core.lists import Page, find_page_from
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_account_id
from cpro.core.web.forms import BaseForm, marked_required
from cpro.core.web.pages import OWN, back_to, render_page
from cpro.core.web.screens import above, queries, remembered
from cpro.core.web.screens.exported import ExportedScreen
from cpro.core.web.screens.listing import Listing
from cpro.core.web.screens.parts import Column

_GONE = "Un filtre ou un tri de cette liste n’existe plus, ou votre compte n’y a pas droit."

#: Attributes that limit the typed name of a list in browsers.
_SHORT = {"maxlength": LONGEST_NAME}


class KeepForm(BaseForm):
    """The name under which a list is saved."""

    name = StringField("Nom de la liste", [marked_required], render_kw=_SHORT)


@dataclass(frozen=True)
class Habits:
    """What an account keeps of a list: saved lists, and the keys of the chosen columns, if any."""

    lists: Sequence[KeptList] = ()
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class ListedPage:
    """What one page of a list has read: rows, other counts (`DeclaredScreen.counts`), the account's habits."""

    page: Page[Any]
    counts: Mapping[str, int]
    habits: Habits


@dataclass(frozen=True)
class Kept:
    """A saved list, checked against the current columns and filters."""

    id: str
    name: str
    #: the URL of the list, without the parameters that are no longer valid
    url: str
    phrase: str
    #: why it is not the saved list any more, in sentences
    problems: Sequence[str]
    is_current: bool

    @classmethod
    def of(cls, kept: KeptList, read: Listing, current: Mapping[str, str]) -> Kept:
        """Return a saved list, its parameters parsed again."""
        known = {each.key for each in read.filters}
        lost = [key for key in kept.asked if key not in read.kept() and key not in known]
        problems = [*read.problems, *([_GONE] if lost else [])]
        return cls(kept.id, kept.name, read.url(), read.phrase(sorted_too=True), problems, kept.asked == current)


@dataclass(frozen=True)
class Arranged:
    """What the page of a list shows about saved lists and columns."""

    lists: Sequence[Kept]
    keep: KeepForm
    #: whether the current list can be saved under a name
    may_keep: bool
    #: each column besides the first, and whether it is shown; below, whether the account chose the columns
    choices: Sequence[tuple[Column, bool]]
    is_chosen: bool


class ArrangedScreen(ExportedScreen):
    """The list of a screen as each account of a school arranged it."""

    def get_list(self, *_asked: Any, **_more: Any) -> tuple[int, ListedPage]:
        """Return the number of rows for the URL, counted up to a limit, and one page of them; in one statement.

        `Listing` parses the URL, in French and with limits; what Flask-Admin parsed is ignored.
        """
        listing, account_id = self._listing(), current_account_id()
        selection = self._selection(listing)
        # The count has the order too: without statistics, SQLite would choose any other index of the school.
        every = selection.statement.order_by(*selection.order).with_only_columns(self.model.id)
        asked = {"rows": Counted(every, listing.most_counted), **self.counts()}
        beside: list[Any] = [each.number for each in asked.values()]
        beside += () if account_id is None else select_habits(self.endpoint, account_id=account_id)
        values: Sequence[Any] = ()

        def read(found: Any) -> list[Any]:
            nonlocal values
            rows, values = queries.read_beside(found, beside)
            return rows

        page = find_page_from(
            listing,
            selection.statement.options(*self.options),
            *selection.order,
            place_of=selection.place_of,
            read=read,
            by_name=selection.is_by_name,
        )
        numbers, kept = values[: len(asked)], values[len(asked) :]
        counts = {name: each.read(number) for (name, each), number in zip(asked.items(), numbers, strict=True)}
        return counts["rows"], ListedPage(page, counts, self._habits_of(*kept))

    def left_listing(self) -> Listing:
        """Return the parent list of this page, as the user left it."""
        return self._read_listing(above.recall_list(self.endpoint), self.get_url(".index_view"))

    def last_narrowed(self) -> Listing | None:
        """Return the list with its last search and filters, or None."""
        found = self._read_listing(remembered.recall_narrowed(self.endpoint), self.get_url(".index_view"))
        return found if found.is_narrowed else None

    def shown_columns(self, habits: Habits) -> list[Column]:
        """Return the columns of the list: the first, which names the row, then the chosen ones, or the default ones."""
        first, *others = self.open_columns()
        chosen = habits.columns
        return [first, *(each for each in others if (each.key in chosen if chosen else each.in_list))]

    def printed_columns(self) -> Sequence[Column]:
        """Return the columns of the page to print: the chosen ones, or all."""
        habits = self._habits()
        return self.shown_columns(habits) if habits.columns else self.open_columns()

    def arranged(self, listing: Listing, habits: Habits, refused: KeepForm | None) -> Arranged | None:
        """Return what the page shows about saved lists; None for platform accounts, who save nothing in a school.

        `refused` is the form that saves the list, if it was just refused.
        """
        if current_account_id() is None:
            return None
        asked, shown = _asked_of(listing), self.shown_columns(habits)
        lists = self._read_lists(habits, asked)
        return Arranged(
            lists,
            refused or KeepForm(formdata=None),
            bool(refused) or (bool(asked) and not any(each.is_current for each in lists)),
            [(each, each in shown) for each in self.open_columns()[1:]],
            bool(habits.columns),
        )

    @expose("/listes/garder/", methods=("POST",))
    def keep_list(self) -> ResponseReturnValue:
        """Save the list of the URL under a name, or show it again with the refusal."""
        account_id, listing, form = self._own_account(), self._listing(), KeepForm()
        try:
            with unit_of_work():
                kept = operations.keep_list(
                    self.endpoint, form.name.data or "", _asked_of(listing), account_id=account_id
                )
        except DomainError as refusal:
            form.blame(refusal)
            count, data = self.get_list()
            return self.render(  # type: ignore[no-any-return]
                self.list_template, count=count, data=data, refused_name=form, status=refusal.status
            )
        return back_to(
            listing.url(), f"Liste gardée\u202f: {kept.name}. Vous seul la voyez, au-dessus de ces lignes.", OWN
        )

    @expose("/listes/")
    def kept_lists(self) -> ResponseReturnValue:
        """Show the saved lists, to rename or delete them."""
        self._own_account()
        habits = self._habits()
        return self._lists_page(habits, _form_of(habits.lists))

    @expose("/listes/changer/", methods=("POST",))
    def change_lists(self) -> ResponseReturnValue:
        """Rename saved lists, and delete the ticked ones."""
        account_id, habits = self._own_account(), self._habits()
        form = _form_of(habits.lists)
        names = {each.id: form[f"name_{each.id}"].data or "" for each in habits.lists}
        gone = [each.id for each in habits.lists if form[f"gone_{each.id}"].data]
        try:
            with unit_of_work():
                operations.update_lists(self.endpoint, names, gone, account_id=account_id)
        except DomainError as refusal:
            form.blame(refusal)
            return self._lists_page(habits, form, status=refusal.status)
        return back_to(self.left_listing().url(), "Vos listes gardées sont enregistrées.", OWN)

    @expose("/colonnes/", methods=("POST",))
    def choose_columns(self) -> ResponseReturnValue:
        """Set the columns of the list to the ticked ones, or to the default; the first is always shown."""
        account_id, others = self._own_account(), self.open_columns()[1:]
        wanted = [] if "habituelles" in request.form else request.form.getlist("colonne")
        ticked = [each.key for each in others if each.key in wanted]
        usual = [each.key for each in others if each.in_list]
        with unit_of_work():
            is_usual = operations.choose_columns(self.endpoint, ticked, usual=usual, account_id=account_id)
        said = "Les colonnes habituelles sont montrées." if is_usual else "Vos colonnes sont enregistrées."
        return back_to(self._listing().url(), said, OWN)

    def _own_account(self) -> int:
        """Return the account that saves lists. Raises `Forbidden` for platform accounts, which only read here."""
        account_id = current_account_id()
        if account_id is None:
            raise Forbidden("Seuls les comptes de l’établissement gardent des listes et choisissent des colonnes.")
        return account_id

    def _habits(self) -> Habits:
        """Return the current account's habits for this list."""
        account_id = current_account_id()
        found = None if account_id is None else find_habits(self.endpoint, account_id=account_id)
        return self._habits_of(found.columns, found.kept) if found else Habits()

    def _habits_of(
        self, columns: Sequence[str] | None = None, kept: Sequence[Mapping[str, Any]] | None = None
    ) -> Habits:
        """Return the habits read from the stored ones, if any; columns that no longer exist are ignored."""
        keys = {each.key for each in self.open_columns()[1:]}
        return Habits([KeptList(**each) for each in kept or ()], [key for key in columns or () if key in keys])

    def _read_lists(self, habits: Habits, current: Mapping[str, str]) -> list[Kept]:
        base = self.get_url(".index_view")
        return [Kept.of(each, self._read_listing(each.asked, base), current) for each in habits.lists]

    def _lists_page(self, habits: Habits, form: BaseForm, *, status: int = 200) -> ResponseReturnValue:
        lists = [(each, form[f"name_{each.id}"], form[f"gone_{each.id}"]) for each in self._read_lists(habits, {})]
        return render_page("screens/kept_lists.html", screen=self, form=form, lists=lists, status=status)


def _asked_of(listing: Listing) -> dict[str, str]:
    """Return the parameters of a list, without its page."""
    return {name: str(value) for name, value in listing.kept().items()}


def _form_of(lists: Sequence[KeptList]) -> BaseForm:
    """Return the form that renames and deletes lists, with two fields for each."""
    fields: dict[str, Field] = {}
    for each in lists:
        called = f"«\u202f{each.name}\u202f»"
        fields[f"name_{each.id}"] = StringField(
            f"Nom de {called}", [marked_required], default=each.name, render_kw=_SHORT
        )
        fields[f"gone_{each.id}"] = BooleanField(f"Supprimer {called}")
    made: type[BaseForm] = type("KeptListsForm", (BaseForm,), fields)
    return made()
