"""Forms of the sign-in, of the activation and of one's own account; the operations validate."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, Form, HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, EqualTo, Length, Regexp, StopValidation

from cpro.config import INACTIVITY_LIMIT, SIGN_IN_LIFE, TRUSTED_DEVICE_LIFE
from cpro.core.formatting import describe_duration
from cpro.core.passwords import PASSWORD_MAX_LENGTH
from cpro.core.validators import normalise_email
from cpro.core.web.forms import BaseForm, PasswordForm, VersionedForm, checked, text_rule
from cpro.users.passkeys.operations import LONGEST_NAME

#: Longer than any identifier: a longer input is a mistake or an attack.
_LONGEST = 254
_NO_NUL = Regexp(r"[^\x00]*\Z", message="Un caractère invisible interdit s’y est glissé : effacez et tapez à nouveau.")


def _at_most(limit: int) -> tuple[Length, Regexp]:
    length = Length(max=limit, message="C’est trop long : %(max)d caractères au plus.")
    # No `maxlength`: browsers silently truncate pasted text to it, which would change a password.
    length.field_flags = {}
    return length, _NO_NUL


def _new_password() -> PasswordField:
    return PasswordField(
        "Nouveau mot de passe", [DataRequired("Choisissez un mot de passe."), *_at_most(PASSWORD_MAX_LENGTH)]
    )


def _present_password() -> PasswordField:
    return PasswordField(
        "Mot de passe actuel", [DataRequired("Indiquez votre mot de passe actuel."), *_at_most(PASSWORD_MAX_LENGTH)]
    )


def _same_again() -> PasswordField:
    return PasswordField(
        "Le même, une seconde fois",
        [
            DataRequired("Tapez le mot de passe une seconde fois."),
            EqualTo("password", "Les deux mots de passe ne sont pas les mêmes."),
        ],
    )


def _unless_passkey(form: Form, field: Any) -> None:
    """Skip the code's other validators if a passkey answered."""
    if form["passkey"].data:
        raise StopValidation


class AccountForm(BaseForm):
    """The account, and its school."""

    establishment = StringField(
        "Établissement",
        [*_at_most(_LONGEST)],
        description="Son code ou son UAI. Laissez vide pour un compte d’inspecteur ou du support.",
    )
    login = StringField("Identifiant", [DataRequired("Indiquez votre identifiant."), *_at_most(_LONGEST)])


class SignInForm(AccountForm):
    """The account, and its password."""

    remember_school = BooleanField(
        "Garder ce code sur cet appareil",
        description="Pour ne pas le taper la prochaine fois\u202f: rien de vous n’est gardé.",
    )
    password = PasswordField(
        "Mot de passe", [DataRequired("Indiquez votre mot de passe."), *_at_most(PASSWORD_MAX_LENGTH)]
    )


class ActivationForm(AccountForm):
    """A received code, and the new password."""

    code = StringField(
        "Code d’activation",
        [DataRequired("Indiquez le code qui vous a été remis."), *_at_most(40)],
        description="Douze lettres et chiffres, par exemple ABCD-EFGH-JKMN.",
    )
    password = _new_password()
    password_confirm = _same_again()


class SecondFactorForm(BaseForm):
    """A second-factor code."""

    code = StringField(
        "Code à six chiffres", [DataRequired("Indiquez le code que montre votre application."), *_at_most(40)]
    )


class CodeAgainForm(SecondFactorForm):
    """The code required again; a recovery code or a passkey's answer is accepted too."""

    code = StringField(
        "Code",
        [
            _unless_passkey,
            DataRequired("Indiquez le code que montre votre application, ou un code de secours."),
            *_at_most(40),
        ],
        description="Les six chiffres de votre application, ou l’un de vos codes de secours.",
    )
    passkey = HiddenField()


class SignInCodeForm(CodeAgainForm):
    """The code required at sign-in."""

    trust = BooleanField(
        f"Ne plus demander de code sur cet appareil pendant {describe_duration(TRUSTED_DEVICE_LIFE)}",
        description="Sur un appareil de confiance, qui n’est qu’à vous. Une session peut y durer aussi longtemps, "
        f"au lieu de {describe_duration(SIGN_IN_LIFE)}\u202f; elle prend toujours fin après "
        f"{describe_duration(INACTIVITY_LIMIT)} sans activité.",
    )


class PasskeyForm(BaseForm):
    """A new passkey: its name, and the browser's answer."""

    name = StringField(
        "Nom de la clé",
        [DataRequired("Donnez un nom à cette clé."), text_rule(LONGEST_NAME)],
        description="Pour la reconnaître : « clé USB », « téléphone de service »…",
    )
    passkey = HiddenField()


class ForgottenForm(AccountForm):
    """The account whose password was forgotten."""


class OwnPasswordForm(PasswordForm):
    """A change of one's own password."""

    current_password = _present_password()
    password = _new_password()
    password_confirm = _same_again()


class OwnEmailForm(PasswordForm, VersionedForm):
    """A change of one's own e-mail address."""

    email = StringField(
        "Adresse électronique",
        [*_at_most(_LONGEST), checked(normalise_email)],
        description="Elle reçoit le code de « Mot de passe oublié ». Laissez vide pour n’en avoir aucune.",
    )
    current_password = _present_password()
