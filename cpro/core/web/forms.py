"""What every form of ours shares: shape of the input, the errors of the rules, the version it was opened on."""

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
    """What was typed on this page and is not saved yet; with what is said beside the fields, if it was refused."""

    sentences: Mapping[str, list[str]] | None = None

    def show_sentences(self, form: Any) -> None:
        """Say again beside the fields why they were refused; a sentence without a field is above the form."""
        if self.sentences is None:
            return
        for field in form:
            field.errors = list(self.sentences.get(field.name, ()))
        form.form_errors = list(self.sentences.get("", ()))


class BaseForm(FlaskForm):
    """A form whose token is checked by the guard, and which shows again what a rule refused.

    Raises nothing: whatever is posted, a field ends with a value or a French sentence.
    """

    class Meta:
        """Leave the token to the guard; French messages; the fields posted, without the files."""

        csrf = False
        locales = ("fr",)

        def wrap_formdata(self, form: FlaskForm, formdata: Any) -> Any:
            """Return the fields that the browser posted; a file sent under the name of a field is none of them."""
            if formdata is _Auto:
                return request.form if form.is_submitted() else None
            return formdata

    #: whether it holds what was posted
    is_posted = False
    #: what refused it, once it was blamed for it
    refusal: DomainError | None = None

    def __init__(self, formdata: Any = _Auto, **kwargs: Any) -> None:
        super().__init__(formdata=formdata, **kwargs)
        if formdata is _Auto and self.is_submitted():
            self.is_posted, g.posted_form = True, self
        if isinstance(formdata, TypedForm):
            formdata.show_sentences(self)

    def blame(self, refusal: DomainError) -> None:
        """Put the sentences of a refusal beside the fields they name, the rest above the form."""
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
        """Return the status of the page that shows the form: that of its refusal, 422 for what its fields refuse."""
        if self.refusal is not None:
            return self.refusal.status
        return 422 if self.is_posted else 200


#: What the choice between two values of a field posts, under the name of `choice_name`.
KEEP_THEIRS, KEEP_MINE = "enregistre", "saisie"


def choice_name(field: str) -> str:
    """Return the name under which the choice between two values of a field is posted."""
    return f"choix-{field}"


class VersionedForm(BaseForm):
    """A form that knows which values it was opened on (see `core.concurrency`).

    Once posted it holds the values to save: those its reader changed, and for the rest those stored by now.
    """

    version = HiddenField()

    #: fields that two people changed, to different values: their readers choose, nothing is saved before
    clashes: tuple[str, ...] = ()
    #: fields whose reader had not touched them, and that another person changed
    kept: tuple[str, ...] = ()
    #: the fingerprint as it was posted
    opened_on: str = ""
    #: what was typed in it: where the choices of its reader are looked for
    typed: Mapping[str, str] = ImmutableMultiDict()
    #: what the form is about, as the journal names it: (object type, object id)
    about: tuple[str, object] | None = None

    @classmethod
    def opened(
        cls,
        stored: Mapping[str, Any],
        typed: ImmutableMultiDict[str, str] | None = None,
        *,
        about: tuple[str, object] | None = None,
    ) -> Self:
        """Return the form of stored values, or what was typed on this page and is not saved yet (`typed`: a draft).

        One that was refused comes back as it was: with what is said beside its fields, and what there is to choose.
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
        """Return the form that was posted, its values reconciled with those stored now.

        A text that was not posted keeps its stored value, unless `keeps_absent` is false. `prepare` completes the
        form before it is compared.
        """
        form = cls(data=stored if keeps_absent else None)
        form.about, form.typed = about, request.form
        if prepare is not None:
            prepare(form)
        form.reconcile(stored)
        return form

    def reconcile(self, stored: Mapping[str, Any]) -> None:
        """Take the stored value of each field that only another person changed; note those that both changed.

        The form then carries the fingerprint of what is stored: posted again, it saves what it shows.
        """
        self.opened_on = str(self.version.data or "")
        if not self.opened_on:
            return
        super().validate()  # the rules write each value in its one form: « 0387000000 » is « 03 87 00 00 00 »
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
        """Return whether the form can be saved: each field by its rule, and nothing left to choose."""
        return bool(super().validate(*args, **kwargs)) and not self.clashes

    def chose_theirs(self, name: str) -> bool:
        """Tell whether, of the two values of a field, its reader chose the stored one."""
        return self.typed.get(choice_name(name)) == KEEP_THEIRS

    @property
    def status(self) -> int:
        """Return the status of the page that shows the form: 409 while there is something to choose."""
        return 409 if self.clashes and self.refusal is None else super().status


def _take(field: Any, value: Any) -> None:
    """Give a field a stored value in place of the posted one."""
    if hasattr(field, "take"):
        field.take(value)
    else:
        field.data = value


#: Refuse a text that can be no password, before it is compared at length.
plausible_password = Regexp(rf"[^\x00]{{0,{PASSWORD_MAX_LENGTH}}}\Z", message="Le mot de passe n’est pas le bon.")


class MayAskPassword(BaseForm):
    """A form of which some changes ask for the password again: its field is shown once it has been asked for."""

    current_password = PasswordField("Votre mot de passe", [plausible_password])

    #: whether it was typed and right, once it was compared
    password_was_given = False
    #: the hash that it was compared with: what changes the password checks that it is still the one
    compared: str | None = None

    def compare_password(self) -> None:
        """Compare the password, if one was typed, with that of the person signed in; outside any unit of work.

        Raises a `DomainError`, on its field for a wrong one.
        """
        if typed := self.current_password.data:
            self.compared = registry().check_password(typed)
            self.password_was_given = True


class PasswordForm(MayAskPassword):
    """The password of the person signed in, asked again before what a borrowed browser must not do."""

    current_password = PasswordField(
        "Votre mot de passe", [DataRequired("Tapez votre mot de passe."), plausible_password]
    )

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Judge the fields, then compare the password: only once all the rest is right, and once only.

        A comparison is slow and counts as an attempt; a validator of the field would make it beside other mistakes, and
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
    """A day as the browser's own calendar gives it: yyyy-mm-dd, in text, judged by the operation.

    One typed otherwise, where there is no calendar, is brought to that form; what is no day stays as it was typed.
    """

    widget = DateInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was posted."""
        day = read_day(valuelist[0]) if valuelist else None
        super().process_formdata([day.isoformat()] if day else valuelist)

    def as_text(self, value: str | None) -> str:
        """Return a day as people read it, to compare two; what is no day stays as it was typed."""
        day = read_day(value)
        return format_date(day) if day else value or ""


def typed_before_sign_in() -> TypedForm | None:
    """Return what was typed on this page and is not saved: before the sign-in ended, or in a form that was refused."""
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
    """Return the validator of a plain line of text: trimmed, no control characters, bounded."""
    return checked(lambda text: clean_text(text, max_length=max_length))


def marked_required(form: Form, field: Any) -> None:
    """Mark a field as required for people and browsers; the operation refuses a blank one, with the rest."""


marked_required.field_flags = {"required": True}  # type: ignore[attr-defined]
