"""Show a form, save it, and show it again when it is refused: what every page that edits something does.

A page is declared by its form, the values that it shows, the operation that saves and the context of its template. What
two people change, what was typed before a sign-in ended and drafts are the same on all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from flask.typing import ResponseReturnValue

from cpro.core.drafts.operations import DraftKey
from cpro.core.errors import DomainError
from cpro.core.transactions import unit_of_work
from cpro.core.web import drafts
from cpro.core.web.conflicts import explain
from cpro.core.web.forms import VersionedForm, typed_before_sign_in
from cpro.core.web.pages import back_to, render_page

EditForm = TypeVar("EditForm", bound=VersionedForm)


class EditPage(Generic[EditForm]):
    """One form of one object; made for a request, with what it is about already read (`load`)."""

    form_class: type[EditForm]
    template: str
    #: what the form is about, as the journal names it: (object type, object id)
    about: tuple[str, object] | None = None
    #: the key of its drafts; None for a form that keeps none
    draft: DraftKey | None = None
    #: whether a text that was not posted keeps its stored value
    keeps_absent = True

    def __init__(self) -> None:
        self.load()

    # --- What a page declares --------------------------------------------------------------------------------------

    def load(self) -> None:
        """Read what the page is about, or read it again: a unit of work forgets what was read before it."""

    def check(self) -> None:
        """Raise a refusal when the person may not save; called before the form is shown, not before it is saved."""

    def values(self) -> Mapping[str, Any] | None:
        """Return what is stored, as the form shows it; None for an object that is not written yet."""
        raise NotImplementedError

    def first_values(self) -> Mapping[str, Any]:
        """Return what the form of an object that is not written yet shows."""
        return {}

    def complete(self, form: EditForm) -> None:
        """Complete a form that was posted, before it is compared and judged."""

    def before_save(self, form: EditForm) -> ResponseReturnValue | None:
        """Do what a valid form asks outside any unit of work; return what to answer instead of saving it, a question.

        Raises `DomainError`.
        """
        return None

    def save(self, form: EditForm) -> tuple[str, str]:
        """Save a form within a unit of work; return the address it leads to, and the message. Raises `DomainError`."""
        raise NotImplementedError

    def told(self, message: str) -> str:
        """Return the message of what is saved, completed with what is known once it is committed."""
        return message

    def is_final(self, refusal: DomainError) -> bool:
        """Return whether a refusal is answered alone, without the form."""
        return False

    def offer(self, form: EditForm) -> None:
        """Give the form its choices and labels, before it is shown."""

    def context(self, form: EditForm) -> Mapping[str, Any]:
        """Return the context of the template, besides `form` and `conflict`."""
        raise NotImplementedError

    # --- What its views call ---------------------------------------------------------------------------------------

    def show(self) -> ResponseReturnValue:
        """Show the form as it is saved, or as it was typed and not saved yet."""
        self.check()
        stored = self.values()
        typed = drafts.typed(self.draft) if self.draft else typed_before_sign_in()
        if stored is None:
            return self.page(self.form_class(typed, data=self.first_values()))
        return self.page(self.form_class.opened(stored, typed, about=self.about))

    def answer(self) -> ResponseReturnValue:
        """Save the form that was posted, or keep it as a draft; show it again if it is refused."""
        if self.draft and drafts.is_asked():
            self.check()
            return drafts.answer(self.draft, again=self.show_posted)
        creates = self.values() is None
        form = self._sent()
        if not form.validate():
            self.check()
            return self.page(form, form.status)
        try:
            question = self.before_save(form)
            if question is not None:
                return question
            with unit_of_work():
                address, message = self.save(form)
                if self.draft:
                    drafts.saved(self.draft, creates=creates)
        except DomainError as refusal:
            if self.is_final(refusal):
                raise
            self.load()
            return self.page(form, refusal.status, refusal)
        return back_to(address, self.told(message))

    def show_posted(self) -> ResponseReturnValue:
        """Show the form as it was posted, neither judged nor saved."""
        self.load()
        return self.page(self.form_class())

    def page(self, form: EditForm, status: int = 200, refusal: DomainError | None = None) -> ResponseReturnValue:
        """Render the page of a form, with what refused it if anything did."""
        self.offer(form)
        conflict = explain(form, refusal, stored=self.values() or {})
        return render_page(self.template, form=form, conflict=conflict, status=status, **self.context(form))

    def _sent(self) -> EditForm:
        stored = self.values()
        if stored is not None:
            return self.form_class.sent(stored, about=self.about, keeps_absent=self.keeps_absent, prepare=self.complete)
        form = self.form_class()
        self.complete(form)
        return form
