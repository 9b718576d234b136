"""What a pupil is called."""

from __future__ import annotations

import pytest

from cpro.students.models import Student


@pytest.mark.unit
@pytest.mark.parametrize(("usage_name", "expected"), [("Agate", "Agate"), ("", "Basalte")])
def test_shown_name_is_the_usage_name_where_there_is_one(usage_name: str, expected: str) -> None:
    assert Student(last_name="Basalte", usage_name=usage_name, first_name="Noé").shown_name == expected
