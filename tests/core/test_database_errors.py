"""What each error of the database means."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError, TimeoutError

from cpro.core.database_errors import is_busy


class TestIsBusy:
    @pytest.mark.parametrize(
        "error",
        [
            IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed")),
            OperationalError("SELECT", {}, Exception("no such table: student")),
            ZeroDivisionError(),
            None,
        ],
    )
    def test_is_busy_a_defect_is_not(self, error: BaseException | None) -> None:
        assert not is_busy(error)

    def test_is_busy_no_connection_left_is(self) -> None:
        assert is_busy(TimeoutError())
