"""What the forms of the sign-in refuse before anything is compared."""

from __future__ import annotations

import pytest
from flask import Flask

from cpro.core.passwords import PASSWORD_MAX_LENGTH
from cpro.core.web.forms import PasswordForm
from cpro.users.web.forms import ActivationForm, SignInForm

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "Indiquez votre mot de passe."),
        ("x" * (PASSWORD_MAX_LENGTH + 1), "C’est trop long : 200 caractères au plus."),
        ("x\x00y", "Un caractère invisible interdit s’y est glissé : effacez et tapez à nouveau."),
    ],
)
def test_sign_in_form_says_what_is_wrong_with_a_password(app: Flask, password: str, sentence: str) -> None:
    with app.test_request_context(method="POST", data={"login": "zoe", "password": password}):
        form = SignInForm()

        assert not form.validate()

    assert form.errors == {"password": [sentence]}


def test_sign_in_form_lets_no_browser_cut_a_password_that_is_pasted(app: Flask) -> None:
    with app.test_request_context():
        assert "maxlength" not in SignInForm().password()


@pytest.mark.parametrize("password", ["x" * (PASSWORD_MAX_LENGTH + 1), "x\x00y", "x\n\x00"])
def test_password_form_refuses_what_can_be_no_password(app: Flask, password: str) -> None:
    with app.test_request_context(method="POST", data={"current_password": password}):
        form = PasswordForm()

        assert not form.validate()

    assert form.errors == {"current_password": ["Le mot de passe n’est pas le bon."]}


def test_activation_form_refuses_two_passwords_that_differ(app: Flask) -> None:
    fields = {"login": "zoe", "code": "ABCD-EFGH-JKMN", "password": "a" * 12, "password_confirm": "b" * 12}
    with app.test_request_context(method="POST", data=fields):
        form = ActivationForm()

        assert not form.validate()

    assert form.errors == {"password_confirm": ["Les deux mots de passe ne sont pas les mêmes."]}
