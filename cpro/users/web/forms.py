"""Forms of the sign-in, of the activation and of one's own account: shape only."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, Form, HiddenField, PasswordField, StringField
from wtforms.validators import StopValidation, ValidationError

from cpro.core.validators import normalise_email
from cpro.core.web.forms import BaseForm, VersionedForm, checked, required, text_rule
from cpro.users.passkeys.operations import LONGEST_NAME

#: Longer than any identifier; what is typed beyond is a mistake or an attack.
_LONGEST = 254
_LONGEST_SECRET = 200


def _short(limit: int) -> Any:
    def validate(form: Form, field: Any) -> None:
        if len(field.data or "") > limit:
            raise ValidationError(f"C’est trop long : {limit} caractères au plus.")
        if "\x00" in (field.data or ""):
            raise ValidationError("Un caractère invisible interdit s’y est glissé : effacez et tapez à nouveau.")

    return validate


def _new_password() -> PasswordField:
    return PasswordField("Nouveau mot de passe", [required("Choisissez un mot de passe."), _short(_LONGEST_SECRET)])


def _same_again() -> PasswordField:
    return PasswordField("Le même, une seconde fois", [required("Tapez le mot de passe une seconde fois."), _is_same])


def _is_same(form: Form, field: Any) -> None:
    if field.data != form["password"].data:
        raise ValidationError("Les deux mots de passe ne sont pas les mêmes.")


def _unless_passkey(form: Form, field: Any) -> None:
    if form["passkey"].data:
        raise StopValidation


class SignInForm(BaseForm):
    """Who, in which school."""

    establishment = StringField(
        "Établissement",
        [_short(_LONGEST)],
        description="Son code ou son UAI. Laissez vide pour un compte d’inspecteur ou du support.",
    )
    login = StringField("Identifiant", [required("Indiquez votre identifiant."), _short(_LONGEST)])
    remember_school = BooleanField(
        "Garder ce code sur cet appareil",
        description="Pour ne pas le taper la prochaine fois\u202f: rien de vous n’est gardé.",
    )
    password = PasswordField("Mot de passe", [required("Indiquez votre mot de passe."), _short(_LONGEST_SECRET)])


class ActivationForm(BaseForm):
    """A code received, and the password chosen."""

    establishment = StringField(
        "Établissement",
        [_short(_LONGEST)],
        description="Son code ou son UAI. Laissez vide pour un compte d’inspecteur ou du support.",
    )
    login = StringField("Identifiant", [required("Indiquez votre identifiant."), _short(_LONGEST)])
    code = StringField(
        "Code d’activation",
        [required("Indiquez le code qui vous a été remis."), _short(40)],
        description="Douze lettres et chiffres, par exemple ABCD-EFGH-JKMN.",
    )
    password = _new_password()
    password_confirm = _same_again()


class SecondFactorForm(BaseForm):
    """A code of the second factor."""

    code = StringField("Code à six chiffres", [required("Indiquez le code que montre votre application."), _short(40)])


class CodeAgainForm(SecondFactorForm):
    """The code asked again; a recovery code is taken too, and what a passkey signed."""

    code = StringField(
        "Code",
        [
            _unless_passkey,
            required("Indiquez le code que montre votre application, ou un code de secours."),
            _short(40),
        ],
        description="Les six chiffres de votre application, ou l’un de vos codes de secours.",
    )
    passkey = HiddenField()


class SignInCodeForm(CodeAgainForm):
    """The code asked at the sign-in."""

    trust = BooleanField("Ne plus demander de code sur cet appareil pendant 30 jours")


class PasskeyForm(BaseForm):
    """A new passkey: its name, and what the browser answered."""

    name = StringField(
        "Nom de la clé",
        [required("Donnez un nom à cette clé."), text_rule(LONGEST_NAME)],
        description="Pour la reconnaître : « clé USB », « téléphone de service »…",
    )
    passkey = HiddenField()


class ForgottenForm(BaseForm):
    """Whose password was forgotten."""

    establishment = StringField(
        "Établissement",
        [_short(_LONGEST)],
        description="Son code ou son UAI. Laissez vide pour un compte d’inspecteur ou du support.",
    )
    login = StringField("Identifiant", [required("Indiquez votre identifiant."), _short(_LONGEST)])


class OwnPasswordForm(BaseForm):
    """One's own password."""

    current_password = PasswordField(
        "Mot de passe actuel", [required("Indiquez votre mot de passe actuel."), _short(_LONGEST_SECRET)]
    )
    password = _new_password()
    password_confirm = _same_again()


class OwnEmailForm(VersionedForm):
    """One's own e-mail address."""

    email = StringField(
        "Adresse électronique",
        [_short(_LONGEST), checked(normalise_email)],
        description="Elle reçoit le code de « Mot de passe oublié ». Laissez vide pour n’en avoir aucune.",
    )
    current_password = PasswordField(
        "Mot de passe actuel", [required("Indiquez votre mot de passe actuel."), _short(_LONGEST_SECRET)]
    )
