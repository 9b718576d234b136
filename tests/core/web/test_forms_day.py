"""A day is posted in one form, whatever the browser that typed it."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form

from cpro.core.web.forms import DayField


class _DayForm(Form):
    day = DayField("Jour")


@pytest.mark.parametrize(
    ("posted", "data"),
    [
        ("2026-12-31", "2026-12-31"),
        ("31/12/2026", "2026-12-31"),
        (" 1.9.2026 ", "2026-09-01"),
        ("31/02/2026", "31/02/2026"),
        ("demain", "demain"),
        ("", ""),
    ],
)
def test_day_field_brings_a_day_typed_by_hand_to_the_form_of_the_calendar(posted: str, data: str) -> None:
    assert _DayForm(MultiDict({"day": posted})).day.data == data
