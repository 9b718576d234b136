"""Numbers and days that somebody typed: with bounds, or none."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from cpro.core.clock import end_of, start_of
from cpro.core.parsing import read_day, read_id, read_instant, read_integer, read_list, read_number, read_page


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1", 1),
        ("2147483647", 2**31 - 1),
        ("0", None),
        ("-1", None),
        ("2147483648", None),
        ("9" * 5000, None),
        ("٣", None),
        ("²", None),
        ("1.0", None),
        (" 1", None),
        ("", None),
        (None, None),
        (12, 12),
    ],
)
def test_read_id(text: object, found: int | None) -> None:
    assert read_id(text) == found


def test_read_integer_has_the_bounds_it_is_given() -> None:
    assert read_integer("-5", smallest=-5) == -5
    assert read_integer("-6", smallest=-5) is None
    assert read_integer("11", largest=10) is None


@pytest.mark.parametrize(
    ("text", "page"),
    [("2", 2), ("9", 7), ("9" * 30, 7), ("0", 1), ("000", 1), ("-1", 1), ("deux", 1), ("٣", 1), (None, 1), ("", 1)],
)
def test_read_page_a_page_too_far_is_the_last(text: object, page: int) -> None:
    assert read_page(text, last=7) == page


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1.5", 1.5),
        ("-2", -2.0),
        ("1e3", 1000.0),
        ("1e400", None),
        ("NaN", None),
        ("inf", None),
        ("1_0", None),
        ("٣", None),
        ("9" * 5000, None),
        ("1e16", None),
        ("", None),
        (".", None),
    ],
)
def test_read_number(text: str, found: float | None) -> None:
    assert read_number(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-26", date(2026, 11, 26)),
        ("0001-01-01", date(1, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
        (" 2026-11-26 ", date(2026, 11, 26)),
        ("31/12/2026", date(2026, 12, 31)),
        ("1/9/2026", date(2026, 9, 1)),
        ("01.09.2026", date(2026, 9, 1)),
        ("01-09-2026", date(2026, 9, 1)),
        ("31/12/26", None),
        ("12/31/2026", None),
        ("٣١/١٢/٢٠٢٦", None),
        ("2026-02-30", None),
        ("0000-01-01", None),
        ("20261126", None),
        ("2026-W01-1", None),
        ("10000-01-01", None),
        ("٢٠٢٦-٠١-٠١", None),
        (None, None),
    ],
)
def test_read_day(text: str | None, found: date | None) -> None:
    assert read_day(text) == found


def test_read_instant_has_an_offset_and_a_year_that_no_time_zone_overflows() -> None:
    assert read_instant("2026-11-26T10:00:00+00:00") == datetime(2026, 11, 26, 10, tzinfo=UTC)
    for text in ("2026-11-26T10:00:00", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00", "hier"):
        assert read_instant(text) is None


@pytest.mark.parametrize("zone", ["Europe/Paris", "Pacific/Noumea", "Pacific/Tahiti", ""])
@pytest.mark.parametrize("day", [date.min, date.max, date(2026, 11, 26)])
def test_start_of_and_end_of_each_day_begins_and_ends_in_each_time_zone(zone: str, day: date) -> None:
    assert start_of(day, zone) < end_of(day, zone)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("2MELEC, 1MELEC;CAP1", ["2MELEC", "1MELEC", "CAP1"]),
        ("2MELEC et 1MELEC / CAP1 | TMELEC", ["2MELEC", "1MELEC", "CAP1", "TMELEC"]),
        ("2/A, SETE", ["2/A", "SETE"]),
        (" 2 MELEC ,, 2 MELEC ;", ["2 MELEC"]),
        ("", []),
    ],
)
def test_read_list_takes_what_people_put_between_names(text: str, names: list[str]) -> None:
    assert read_list(text) == names
