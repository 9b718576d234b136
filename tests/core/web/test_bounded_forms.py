"""A form of too many fields is refused before any of them is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug import formparser

from cpro.core.web.bounded_forms import MOST_FIELDS
from tests.helpers.answers import PARTICULARS
from tests.helpers.browser import Browser

_FORM = "application/x-www-form-urlencoded"
#: pupils × competences × (level, remark, what they were)
_GRID = 35 * 12 * 4


def _fields(number: int) -> str:
    return "&".join(f"f{each}=x" for each in range(number))


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the length of each form that Werkzeug reads field by field."""
    read, lengths = formparser.parse_qsl, []

    def note(text: str, **more: object) -> list[tuple[str, str]]:
        lengths.append(len(text))
        return read(text, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(formparser, "parse_qsl", note)
    return lengths


@pytest.mark.parametrize("number", [MOST_FIELDS + 1, 100_000])
def test_bounded_forms_too_many_fields_of_anybody_are_refused_unread(
    browser: Callable[[], Browser], parsed: list[int], number: int
) -> None:
    answer = browser().client.post("/connexion", data=_fields(number), content_type=_FORM)

    assert answer.status_code == 413
    assert "Envoi trop volumineux" in answer.text
    assert parsed == []


def test_bounded_forms_too_many_fields_of_somebody_signed_in_are_refused_unread(
    as_: Callable[..., Browser], parsed: list[int]
) -> None:
    answer = as_("administrator").client.post(PARTICULARS, data=_fields(MOST_FIELDS + 1), content_type=_FORM)

    assert answer.status_code == 413
    assert parsed == []


@pytest.mark.parametrize("number", [400, _GRID, MOST_FIELDS - 1])
def test_bounded_forms_the_largest_that_pages_send_are_read(
    as_: Callable[..., Browser], parsed: list[int], number: int
) -> None:
    answer = as_("administrator").post(PARTICULARS, {f"f{each}": "x" for each in range(number)})

    assert answer.status_code != 413
    assert parsed
