"""A form loads what was posted by itself, and knows the status of the page that shows it."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask
from wtforms import BooleanField, StringField
from wtforms.validators import DataRequired

from cpro.core.errors import Conflict
from cpro.core.web.forms import BaseForm, PasswordForm
from cpro.core.web.registry import Registry

pytestmark = pytest.mark.any_database


class _Form(BaseForm):
    name = StringField("Nom", [DataRequired("Indiquez un nom.")])
    ticked = BooleanField("Case", default=True)


def test_base_form_loads_what_was_posted_and_an_empty_post_unticks(app: Flask) -> None:
    with app.test_request_context(method="POST", data={"name": "Zoé"}):
        form = _Form(data={"name": "Léa"})

    assert (form.name.data, form.ticked.data) == ("Zoé", False)
    with app.test_request_context(method="POST"):
        assert not _Form().ticked.data


def test_base_form_takes_no_file_for_the_value_of_a_field(app: Flask) -> None:
    with app.test_request_context(method="POST", data={"name": (BytesIO(b"%PDF"), "Zoe.pdf")}):
        form = _Form()

    assert form.name.data is None


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_base_form_stays_blank_without_form_data(app: Flask, method: str) -> None:
    with app.test_request_context(method=method, data={"name": "Zoé"}):
        form = _Form() if method == "GET" else _Form(formdata=None)

    assert (form.name.data, form.ticked.data, form.status) == (None, True, 200)


def test_base_form_status_is_that_of_what_refused_it(app: Flask) -> None:
    with app.test_request_context():
        form = _Form()
        assert (form.validate_on_submit(), form.status) == (False, 200)
    with app.test_request_context(method="POST"):
        form = _Form()
        assert (form.validate_on_submit(), form.status) == (False, 422)
        form.blame(Conflict("Quelqu’un a été plus rapide."))
        assert form.status == 409


def test_password_form_is_never_right_while_no_feature_compares_passwords(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "cpro_registry", Registry())
    with (
        app.test_request_context(method="POST", data={"current_password": "Grès-vif-42-marne!"}),
        pytest.raises(NotImplementedError),
    ):
        PasswordForm().validate()
