"""The ids of ticked rows: what is read, and what is refused."""

from __future__ import annotations

import pytest

from cpro.core.ticked_rows import (
    MOST_AT_ONCE,
    NoRowTicked,
    NoSuchRow,
    TooManyRows,
    check_not_too_many,
    check_ticked_rows,
    read_ticked_ids,
)


class TestReadTickedIds:
    @pytest.mark.parametrize(
        ("values", "ids"),
        [([], []), ([""], []), ([" , "], []), (["3"], [3]), (["3", "1"], [3, 1]), (["3, 1", "3"], [3, 1])],
    )
    def test_read_ticked_ids_once_each_in_their_order(self, values: list[str], ids: list[int]) -> None:
        assert read_ticked_ids(values) == ids

    @pytest.mark.parametrize("odd", ["mot", "", "0", "-1", "1.5", "٣", "2147483648", "9" * 5000])
    def test_read_ticked_ids_malformed(self, odd: str) -> None:
        for values in (["1", odd], [f"1,{odd}"]):
            with pytest.raises(NoSuchRow):
                read_ticked_ids(values)

    def test_read_ticked_ids_too_many(self) -> None:
        assert len(read_ticked_ids(map(str, range(1, MOST_AT_ONCE + 1)))) == MOST_AT_ONCE
        with pytest.raises(TooManyRows):
            read_ticked_ids([",".join(map(str, range(1, MOST_AT_ONCE + 2)))])


def test_check_not_too_many() -> None:
    check_not_too_many(range(MOST_AT_ONCE))
    with pytest.raises(TooManyRows):
        check_not_too_many(range(MOST_AT_ONCE + 1))


def test_check_ticked_rows() -> None:
    check_ticked_rows(2, [1, 2, 1])
    with pytest.raises(NoRowTicked):
        check_ticked_rows(0, [])
    with pytest.raises(NoSuchRow):
        check_ticked_rows(1, [1, 2])
