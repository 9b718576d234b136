"""The base class of the pages that edit something: show a form, save it, show it again if it is refused.

A page declares its form, the values that it shows, the operation that saves them and the context of its template.
Edit conflicts, input typed before a sign-in ended and drafts are handled here, the same way for all.
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
    """One form of one object; created for each request, with its object already read (`load`)."""

    form_class: type[EditForm]
    template: str
    #: the edited object, as the journal names it: (object type, object id)
    about: tuple[str, object] | None = None
    #: the key of its drafts; None for a form without drafts
    draft: DraftKey | None = None
    #: whether a text field that was not posted keeps its stored value
    keeps_absent = True

    def __init__(self) -> None:
        self.load()

    # --- What a page declares --------------------------------------------------------------------------------------

    def load(self) -> None:
        """Read the edited object, or read it again: a unit of work expires what was read before it."""

    def check(self) -> None:
        """Raise a refusal if the person may not save; called before the form is shown, not before it is saved."""

    def values(self) -> Mapping[str, Any] | None:
        """Return the stored values, as the form shows them; None for an object that does not exist yet."""
        raise NotImplementedError

    def first_values(self) -> Mapping[str, Any]:
        """Return the initial values of the form for an object that does not exist yet."""
        return {}

    def complete(self, form: EditForm) -> None:
        """Complete a posted form, before it is compared and validated."""

    def before_save(self, form: EditForm) -> ResponseReturnValue | None:
        """Run the steps of a valid form that need no unit of work; return a response, such as a question, to stop here.

        Raises `DomainError`.
        """
        return None

    def save(self, form: EditForm) -> tuple[str, str]:
        """Save a form within a unit of work; return the URL to redirect to and the message. Raises `DomainError`."""
        raise NotImplementedError

    def describe_saved(self, message: str) -> str:
        """Return the message of a save, completed with what is known only after the commit."""
        return message

    def is_final(self, refusal: DomainError) -> bool:
        """Return whether a refusal is shown on its own page, without the form."""
        return False

    def offer(self, form: EditForm) -> None:
        """Set the choices and labels of the form, before it is shown."""

    def context(self, form: EditForm) -> Mapping[str, Any]:
        """Return the context of the template, besides `form` and `conflict`."""
        raise NotImplementedError

    # --- What its views call ---------------------------------------------------------------------------------------

    def show(self) -> ResponseReturnValue:
        """Show the form with its saved values, or with unsaved input."""
        self.check()
        stored = self.values()
        typed = drafts.typed(self.draft) if self.draft else typed_before_sign_in()
        if stored is None:
            return self.page(self.form_class(typed, data=self.first_values()))
        return self.page(self.form_class.opened(stored, typed, about=self.about))

    def answer(self) -> ResponseReturnValue:
        """Save the posted form, or keep it as a draft; show it again if it is refused."""
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
        return back_to(address, self.describe_saved(message))

    def show_posted(self) -> ResponseReturnValue:
        """Show the form as it was posted, neither validated nor saved."""
        self.load()
        return self.page(self.form_class())

    def page(self, form: EditForm, status: int = 200, refusal: DomainError | None = None) -> ResponseReturnValue:
        """Render the page of a form, with its refusal if there is one."""
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
