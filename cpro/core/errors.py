"""Refusals that carry the French sentence a person reads.

A rule raises a `DomainError`; the view shows its sentence beside the field it names, the command line prints it.
Anything else that is raised is a defect: it is logged and answered by the 500 page, never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence


class DomainError(Exception):
    """Refuse an action, in one French sentence, naming the field it concerns where there is one.

    A refusal that always says the same declares `message`, `field` and `status` in its class.
    """

    status = 422
    message = ""
    field: str | None = None
    #: after which to ask again, where time alone lifts the refusal
    seconds: int | None = None

    def __init__(self, message: str = "", *, field: str | None = None) -> None:
        self.message = message or self.message
        self.field = field or self.field
        super().__init__(self.message)

    @property
    def errors(self) -> Mapping[str, str]:
        """Return the sentence of each refused field; the key is empty when no field is to blame."""
        return {self.field or "": self.message}


class FieldErrors(DomainError):
    """Refuse several fields at once, each with its own sentence."""

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
    """Say that the object does not exist, for this person at least: another school's object does not."""

    status = 404


class Forbidden(DomainError):
    """Refuse a right that the person lacks in their own school."""

    status = 403


class Conflict(DomainError):
    """Refuse to overwrite what another person saved since the form was opened."""

    status = 409


class MaybeThere(Conflict):
    """Ask, before a row is created, whether it is one that is there already: those of `ids`.

    The same call, `confirmed`, creates it all the same.
    """

    def __init__(self, message: str, ids: Sequence[int]) -> None:
        super().__init__(message)
        self.ids = ids


class PasswordNeeded(DomainError):
    """Ask for the password of the person signed in before a change that a borrowed browser must not make."""

    def __init__(self, purpose: str) -> None:
        super().__init__(f"{purpose}, tapez votre mot de passe.", field="current_password")


def refusal_of(rule: Callable[..., object], *args: object, **values: object) -> DomainError | None:
    """Return what a rule raises, or None: for pages that promise an action only where its operation would accept it.

    The rule is the function that the operation itself calls first; it writes nothing.
    """
    try:
        rule(*args, **values)
    except DomainError as refusal:
        return refusal
    return None
