"""Errors whose message is the French sentence shown to the user.

A rule raises a `DomainError`; the view shows its sentence beside the field it names, the command line prints it. Any
other exception is a defect: it is logged and answered by the 500 page, never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cpro.core.permissions import Actor


class DomainError(Exception):
    """An action refused, in one French sentence, naming the field it concerns if there is one.

    A refusal whose message never varies declares `message`, `field` and `status` in its class.
    """

    status = 422
    message = ""
    field: str | None = None
    #: seconds after which to retry, where waiting is enough
    seconds: int | None = None

    def __init__(self, message: str = "", *, field: str | None = None) -> None:
        self.message = message or self.message
        self.field = field or self.field
        super().__init__(self.message)

    @property
    def errors(self) -> Mapping[str, str]:
        """Return the sentence of each refused field; the key is empty when no field is concerned."""
        return {self.field or "": self.message}


class FieldErrors(DomainError):
    """Several fields refused at once, each with its own sentence."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self._errors = dict(errors)

    @property
    def errors(self) -> Mapping[str, str]:
        """Return the sentence of each refused field."""
        return self._errors


def check_no_error(errors: Mapping[str, str]) -> None:
    """Raise `FieldErrors` if there are errors, {field: sentence}."""
    if errors:
        raise FieldErrors(errors)


class NotFound(DomainError):
    """The object does not exist, or not for this user: another school's object is reported the same way."""

    status = 404


class Forbidden(DomainError):
    """The user lacks a right in their own school."""

    status = 403


class Conflict(DomainError):
    """Another user saved changes since the form was opened; they are not overwritten."""

    status = 409


class MaybeThere(Conflict):
    """The row to create may already exist: `ids` are the candidates.

    The same call with `confirmed` creates it all the same.
    """

    def __init__(self, message: str, ids: Sequence[int]) -> None:
        super().__init__(message)
        self.ids = ids


class PasswordNeeded(DomainError):
    """The signed-in user must enter their password before a change that a borrowed browser must not make."""

    def __init__(self, purpose: str) -> None:
        super().__init__(f"{purpose}, tapez votre mot de passe.", field="current_password")


def check_password_given(given: bool, purpose: str, *, by: Actor) -> None:
    """Raise `PasswordNeeded` unless the actor gave their own password; tasks and the command line have none.

    `purpose` begins the sentence: « Pour réinitialiser ce compte ».
    """
    if not given and by.kind != "system":
        raise PasswordNeeded(purpose)


def refusal_of(rule: Callable[..., object], *args: object, **values: object) -> DomainError | None:
    """Return the `DomainError` that a rule raises, or None; a page then offers only actions that would be accepted.

    The rule is the function that the operation itself calls first; it writes nothing.
    """
    try:
        rule(*args, **values)
    except DomainError as refusal:
        return refusal
    return None
