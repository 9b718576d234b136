"""Base classes of all forms: validation of the input, errors of the operations, the version a form was opened on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from flask import g, request
from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import Form, HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, Regexp, ValidationError
from wtforms.widgets import DateInput

from cpro.core.concurrency import Verdict, compare, fingerprint
from cpro.core.errors import DomainError
from cpro.core.formatting import format_date
from cpro.core.parsing import read_day
from cpro.core.passwords import PASSWORD_MAX_LENGTH
from cpro.core.validators import clean_text
from cpro.core.web.headers import note_wait
from cpro.core.web.registry import registry


class TypedForm(ImmutableMultiDict[str, str]):
    """Unsaved input typed on this page, with the messages beside its fields if it was refused."""

    sentences: Mapping[str, list[str]] | None = None

    def show_sentences(self, form: Any) -> None:
        """Restore the error messages beside the fields; a message without a field goes above the form."""
        if self.sentences is None:
            return
        for field in form:
            field.errors = list(self.sentences.get(field.name, ()))
        form.form_errors = list(self.sentences.get("", ()))


class BaseForm(FlaskForm):
    """A form whose token is checked by the guard, and which can show the refusal of an operation.

    Never raises: whatever is posted, each field ends with a value or a French error message.
    """

    class Meta:
        """Leave the token to the guard; French messages; posted fields only, without the files."""

        csrf = False
        locales = ("fr",)

        def wrap_formdata(self, form: FlaskForm, formdata: Any) -> Any:
            """Return the posted fields; a file sent under the name of a field is ignored."""
            if formdata is _Auto:
                return request.form if form.is_submitted() else None
            return formdata

    #: whether the form contains posted values
    is_posted = False
    #: the refusal passed to `blame`, if any
    refusal: DomainError | None = None

    def __init__(self, formdata: Any = _Auto, **kwargs: Any) -> None:
        super().__init__(formdata=formdata, **kwargs)
        if formdata is _Auto and self.is_submitted():
            self.is_posted, g.posted_form = True, self
        if isinstance(formdata, TypedForm):
            formdata.show_sentences(self)

    def blame(self, refusal: DomainError) -> None:
        """Attach the messages of a refusal to the fields they name, the rest above the form."""
        self.refusal = refusal
        note_wait(refusal)
        for name, sentence in refusal.errors.items():
            if name in self._fields:
                field = self._fields[name]
                field.errors = [*field.errors, sentence]
            else:
                self.form_errors.append(sentence)

    @property
    def status(self) -> int:
        """Return the status of the page that shows the form: that of its refusal, 422 for invalid fields."""
        if self.refusal is not None:
            return self.refusal.status
        return 422 if self.is_posted else 200


#: Values posted for the choice between two values of a field, under the name `choice_name`.
KEEP_THEIRS, KEEP_MINE = "enregistre", "saisie"


def choice_name(field: str) -> str:
    """Return the name under which the choice between two values of a field is posted."""
    return f"choix-{field}"


class VersionedForm(BaseForm):
    """A form that knows the values it was opened on (see `core.concurrency`).

    Once posted it contains the values to save: those the user changed, and the currently stored ones for the rest.
    """

    version = HiddenField()

    #: fields that two people changed to different values: the user must choose before anything is saved
    clashes: tuple[str, ...] = ()
    #: fields that the user left alone and that another person changed
    kept: tuple[str, ...] = ()
    #: the posted fingerprint
    opened_on: str = ""
    #: the typed values, which contain the user's choices
    typed: Mapping[str, str] = ImmutableMultiDict()
    #: the edited object, as the journal names it: (object type, object id)
    about: tuple[str, object] | None = None

    @classmethod
    def opened(
        cls,
        stored: Mapping[str, Any],
        typed: ImmutableMultiDict[str, str] | None = None,
        *,
        about: tuple[str, object] | None = None,
    ) -> Self:
        """Return a form with the stored values, or with unsaved input of this page (`typed`, such as a draft).

        A refused form is restored with the messages beside its fields and the choices to make.
        """
        shown = typed if typed is not None else typed_before_sign_in()
        form = cls(shown, data={**stored, "version": fingerprint(stored)})
        form.about = about
        if isinstance(shown, TypedForm) and shown.sentences is not None:
            form.typed = shown
            form.reconcile(stored)
            shown.show_sentences(form)
        return form

    @classmethod
    def sent(
        cls,
        stored: Mapping[str, Any],
        *,
        about: tuple[str, object] | None = None,
        keeps_absent: bool = True,
        prepare: Callable[[Self], object] | None = None,
    ) -> Self:
        """Return the posted form, its values reconciled with the currently stored ones.

        A text that was not posted keeps its stored value, unless `keeps_absent` is false. `prepare` completes the form
        before it is compared.
        """
        form = cls(data=stored if keeps_absent else None)
        form.about, form.typed = about, request.form
        if prepare is not None:
            prepare(form)
        form.reconcile(stored)
        return form

    def reconcile(self, stored: Mapping[str, Any]) -> None:
        """Take the stored value of each field that only another person changed; note the fields that both changed.

        The form then has the fingerprint of the stored values: posted again, it saves what it shows.
        """
        self.opened_on = str(self.version.data or "")
        if not self.opened_on:
            return
        super().validate()  # normalises each value: « 0387000000 » becomes « 03 87 00 00 00 »
        clashes, kept = [], []
        for name in (name for name in stored if name in self._fields):
            field, theirs = self._fields[name], stored[name]
            if field.process_errors:
                continue
            verdict = compare(self.opened_on, name, mine=field.data, theirs=theirs)
            if verdict is Verdict.MINE and self.chose_theirs(name):
                _take(field, theirs)
            elif verdict is Verdict.THEIRS:
                _take(field, theirs)
                kept.append(name)
            elif verdict is Verdict.CLASH:
                clashes.append(name)
        self.clashes, self.kept = tuple(clashes), (*self.kept, *kept)
        self.version.data = fingerprint(stored)
        g.merged_form = self

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Return whether the form can be saved: each field is valid and no choice is left to make."""
        return bool(super().validate(*args, **kwargs)) and not self.clashes

    def chose_theirs(self, name: str) -> bool:
        """Return whether the user chose the stored value of a field."""
        return self.typed.get(choice_name(name)) == KEEP_THEIRS

    @property
    def status(self) -> int:
        """Return the status of the page that shows the form: 409 while there is a choice to make."""
        return 409 if self.clashes and self.refusal is None else super().status


def _take(field: Any, value: Any) -> None:
    """Replace the posted value of a field with the stored one."""
    if hasattr(field, "take"):
        field.take(value)
    else:
        field.data = value


#: Refuses a text that cannot be a password, before the slow comparison.
plausible_password = Regexp(rf"[^\x00]{{0,{PASSWORD_MAX_LENGTH}}}\Z", message="Le mot de passe n’est pas le bon.")


class MayAskPassword(BaseForm):
    """A form where some changes require the password again: its field is shown once the password was requested."""

    current_password = PasswordField("Votre mot de passe", [plausible_password])

    #: whether the right password was given; set by `compare_password`
    password_was_given = False
    #: the hash it was compared with: an operation that changes the password checks that it is still the current one
    compared: str | None = None

    def compare_password(self) -> None:
        """Compare the password, if one was typed, with that of the signed-in person; outside any unit of work.

        Raises a `DomainError`, on the password's field if it is wrong.
        """
        if typed := self.current_password.data:
            self.compared = registry().check_password(typed)
            self.password_was_given = True


class PasswordForm(MayAskPassword):
    """The password of the signed-in person, required again for actions that a borrowed browser must not allow."""

    current_password = PasswordField(
        "Votre mot de passe", [DataRequired("Tapez votre mot de passe."), plausible_password]
    )

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Validate the fields, then compare the password: only if all the rest is valid, and only once.

        A comparison is slow and counts as an attempt; a validator of the field would run it even with other errors, and
        again when a `VersionedForm` is reconciled.
        """
        if not super().validate(*args, **kwargs):
            return False
        try:
            self.compare_password()
        except DomainError as refusal:
            self.blame(refusal)
            return False
        return True


class DayField(StringField):
    """A day as the browser's date input gives it: yyyy-mm-dd, as text, validated by the operation.

    Other formats, typed where there is no date input, are converted; a text that is no day is left as typed.
    """

    widget = DateInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the posted text."""
        day = read_day(valuelist[0]) if valuelist else None
        super().process_formdata([day.isoformat()] if day else valuelist)

    def as_text(self, value: str | None) -> str:
        """Return a day as displayed, to compare two; a text that is no day is left as typed."""
        day = read_day(value)
        return format_date(day) if day else value or ""


def typed_before_sign_in() -> TypedForm | None:
    """Return the unsaved input of this page: from before the sign-in ended, or from a refused form."""
    fields = g.get("typed_form")
    if not fields:
        return None
    typed = TypedForm(fields)
    typed.sentences = g.get("typed_errors")
    return typed


def checked(rule: Callable[[str], str]) -> Callable[[Form, Any], None]:
    """Turn a rule of `core.validators` into a WTForms validator, which also stores the normalised text."""

    def validate(form: Form, field: Any) -> None:
        try:
            field.data = rule(field.data or "")
        except DomainError as refusal:
            raise ValidationError(refusal.message) from None

    return validate


def text_rule(max_length: int) -> Callable[[Form, Any], None]:
    """Return the validator of a plain line of text: trimmed, no control characters, limited length."""
    return checked(lambda text: clean_text(text, max_length=max_length))


def marked_required(form: Form, field: Any) -> None:
    """Mark a field as required for people and browsers; the operation refuses a blank one with the other errors."""


marked_required.field_flags = {"required": True}  # type: ignore[attr-defined]
