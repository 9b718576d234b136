"""What every form of ours shares: shape of the input, the errors of the rules, the version it was opened on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import g, request
from flask_wtf import FlaskForm
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import Form, HiddenField, PasswordField, StringField
from wtforms.validators import StopValidation, ValidationError
from wtforms.widgets import DateInput

from cpro.core.errors import DomainError
from cpro.core.formatting import format_date
from cpro.core.validators import clean_text


class BaseForm(FlaskForm):
    """A form whose token is checked by the guard, and which shows again what a rule refused.

    Raises nothing: whatever is posted, a field ends with a value or a French sentence.
    """

    class Meta:
        """Leave the token to the guard; French messages."""

        csrf = False
        locales = ("fr",)

    def __init__(self, formdata: Any = None, **kwargs: Any) -> None:
        super().__init__(formdata=formdata, **kwargs)

    def blame(self, refusal: DomainError) -> None:
        """Put the sentences of a refusal beside the fields they name, the rest above the form."""
        for name, sentence in refusal.errors.items():
            if name in self._fields:
                field = self._fields[name]
                field.errors = [*field.errors, sentence]
            else:
                self.form_errors.append(sentence)


class VersionedForm(BaseForm):
    """A form that knows which values it was opened on (see `core.concurrency`)."""

    version = HiddenField()


def required(message: str) -> Callable[[Form, Any], None]:
    """Return the validator of a field that cannot be blank; marks the field as required for people and browsers."""

    def validate(form: Form, field: Any) -> None:
        if not (field.data or "").strip():
            raise StopValidation(message)

    validate.field_flags = {"required": True}  # type: ignore[attr-defined]
    return validate


#: What is typed beyond is no password of anybody's.
LONGEST_PASSWORD = 200


def bounded_password(form: Form, field: Any) -> None:
    """Refuse a password that nobody's can be, before it is compared at length."""
    if len(field.data or "") > LONGEST_PASSWORD or "\x00" in (field.data or ""):
        raise ValidationError("Le mot de passe n’est pas le bon.")


class PasswordForm(BaseForm):
    """The password of the person signed in, asked again before what a borrowed browser must not do."""

    current_password = PasswordField("Votre mot de passe", [required("Tapez votre mot de passe."), bounded_password])


class MayAskPassword(BaseForm):
    """A form of which some changes ask for the password again: its field is shown once it has been asked for."""

    current_password = PasswordField("Votre mot de passe", [bounded_password])

    #: whether it was typed and right, once a page has compared it
    password_was_given = False


class DayField(StringField):
    """A day as the browser's own calendar gives it: yyyy-mm-dd, in text, judged by the operation."""

    widget = DateInput()

    def as_text(self, value: str | None) -> str:
        """Return a day as people read it, for whoever compares two; what is no day stays as it was typed."""
        try:
            return format_date(date.fromisoformat(value or ""))
        except ValueError:
            return value or ""


def posted() -> ImmutableMultiDict[str, str]:
    """Return the fields that the browser posted; a file sent under the name of a field is none of them."""
    return request.form


def typed_before_sign_in() -> ImmutableMultiDict[str, str] | None:
    """Return what was typed on this page before the sign-in ended, or None."""
    fields = g.get("typed_form")
    return ImmutableMultiDict(fields) if fields else None


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
