"""Dates, counts, names and sizes as a French reader expects them."""

from __future__ import annotations

import datetime as dt

import pytest

from cpro.core.formatting import (
    MoreThan,
    describe_age,
    describe_change,
    format_count,
    format_date,
    format_day_of,
    format_hour,
    format_instant,
    format_school_year,
    format_size,
    format_time,
    join_french,
    of_name,
    person_name,
    plural,
    the_school,
)


class TestDescribeAge:
    @pytest.mark.parametrize(("seconds", "expected"), [(59, "59 secondes"), (60, "1 minute"), (109, "2 minutes")])
    def test_describe_age_counts_minutes_from_one_on(self, seconds: int, expected: str) -> None:
        assert describe_age(dt.timedelta(seconds=seconds)) == expected


class TestFormatDate:
    @pytest.mark.parametrize(
        ("day", "expected"),
        [
            (dt.date(2026, 11, 23), "23/11/2026"),
            (dt.date(2026, 3, 1), "01/03/2026"),
            (dt.date(987, 1, 2), "02/01/0987"),
        ],
    )
    def test_format_date_writes_day_month_year(self, day: dt.date, expected: str) -> None:
        assert format_date(day) == expected

    def test_format_date_refuses_an_instant(self) -> None:
        with pytest.raises(TypeError, match="time zone"):
            format_date(dt.datetime(2026, 11, 23, 21, 30, tzinfo=dt.UTC))


class TestFormatDayOf:
    @pytest.mark.parametrize(
        ("timezone_name", "expected"),
        [("Europe/Paris", "28/11/2026"), ("", "28/11/2026"), ("America/Cayenne", "27/11/2026")],
    )
    def test_format_day_of_reads_the_clock_of_the_school(self, timezone_name: str, expected: str) -> None:
        assert format_day_of(dt.datetime(2026, 11, 27, 23, 30, tzinfo=dt.UTC), timezone_name) == expected


class TestFormatSchoolYear:
    def test_format_school_year_names_both_calendar_years(self) -> None:
        assert format_school_year(2026) == "2026-2027"


class TestFormatTime:
    @pytest.mark.parametrize(
        ("time", "expected"),
        [
            (dt.time(14, 30), "14\u00a0h\u00a030"),
            (dt.time(8, 5), "8\u00a0h\u00a005"),
            (dt.time(0, 0), "0\u00a0h\u00a000"),
            (dt.datetime(2026, 11, 23, 17, 45), "17\u00a0h\u00a045"),
        ],
    )
    def test_format_time_keeps_the_hour_and_minutes_together(self, time: dt.time | dt.datetime, expected: str) -> None:
        assert format_time(time) == expected


class TestFormatInstant:
    @pytest.mark.parametrize(
        ("timezone_name", "expected"),
        [
            ("Europe/Paris", "23/11/2026 à 22\u00a0h\u00a030"),
            ("", "23/11/2026 à 22\u00a0h\u00a030"),
            ("Indian/Reunion", "24/11/2026 à 1\u00a0h\u00a030"),
            ("America/Cayenne", "23/11/2026 à 18\u00a0h\u00a030"),
        ],
    )
    def test_format_instant_reads_the_clock_of_the_school(self, timezone_name: str, expected: str) -> None:
        instant = dt.datetime(2026, 11, 23, 21, 30, tzinfo=dt.UTC)

        assert format_instant(instant, timezone_name) == expected

    @pytest.mark.parametrize(
        ("timezone_name", "expected"), [("", "22\u00a0h\u00a030"), ("Indian/Reunion", "1\u00a0h\u00a030")]
    )
    def test_format_hour_reads_the_clock_of_the_school(self, timezone_name: str, expected: str) -> None:
        assert format_hour(dt.datetime(2026, 11, 23, 21, 30, tzinfo=dt.UTC), timezone_name) == expected

    def test_format_instant_follows_summer_time(self) -> None:
        instant = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)

        assert format_instant(instant, "Europe/Paris") == "01/07/2026 à 14\u00a0h\u00a000"

    def test_format_instant_refuses_an_instant_without_offset(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            format_instant(dt.datetime(2026, 11, 23, 21, 30), "Europe/Paris")


class TestFormatCount:
    @pytest.mark.parametrize(
        ("number", "expected"), [(0, "0"), (999, "999"), (1234, "1\u202f234"), (1234567, "1\u202f234\u202f567")]
    )
    def test_format_count_sets_the_thousands_apart(self, number: int, expected: str) -> None:
        assert format_count(number) == expected

    def test_format_count_says_where_counting_stopped_in_a_sum_too(self) -> None:
        assert format_count(MoreThan(10_000)) == "plus de 10\u202f000"
        assert format_count(sum([12, MoreThan(1000), 5])) == "plus de 1\u202f017"
        assert plural(MoreThan(10_000), "élève", "élèves") == "plus de 10\u202f000 élèves"


class TestPlural:
    @pytest.mark.parametrize(
        ("number", "expected"),
        [
            (0, "0 apprenant"),
            (1, "1 apprenant"),
            (2, "2 apprenants"),
            (118, "118 apprenants"),
            (1234, "1\u202f234 apprenants"),
        ],
    )
    def test_plural_is_singular_below_two(self, number: int, expected: str) -> None:
        assert plural(number, "apprenant", "apprenants") == expected


class TestPersonName:
    @pytest.mark.parametrize(
        ("last_name", "first_name", "expected"),
        [
            ("Dupont", "Zoé", "DUPONT Zoé"),
            ("lefèvre-œil", "Jean-Noël", "LEFÈVRE-ŒIL Jean-Noël"),
            ("d’Aÿ", "Anne Sophie", "D’AŸ Anne Sophie"),
            (" Martin ", "", "MARTIN"),
            ("", "Zoé", "Zoé"),
        ],
    )
    def test_person_name_puts_the_last_name_first_in_accented_capitals(
        self, last_name: str, first_name: str, expected: str
    ) -> None:
        assert person_name(last_name, first_name) == expected


class TestJoinFrench:
    @pytest.mark.parametrize(
        ("items", "expected"),
        [
            ([], ""),
            (["le nom"], "le nom"),
            (["le nom", "l’UAI"], "le nom et l’UAI"),
            (["le nom", "l’adresse", "l’UAI"], "le nom, l’adresse et l’UAI"),
        ],
    )
    def test_join_french_puts_et_before_the_last_item_only(self, items: list[str], expected: str) -> None:
        assert join_french(items) == expected


class TestFormatSize:
    @pytest.mark.parametrize(
        ("size", "expected"),
        [
            (0, "0\u00a0o"),
            (1023, "1\u202f023\u00a0o"),
            (1024, "1\u00a0ko"),
            (1536, "1,5\u00a0ko"),
            (1024 * 1024 - 1, "1\u00a0Mo"),
            (5 * 1024 * 1024, "5\u00a0Mo"),
            (5 * 1024 * 1024 + 300_000, "5,3\u00a0Mo"),
            (3 * 1024**3, "3\u00a0Go"),
            (2000 * 1024**3, "2\u202f000\u00a0Go"),
        ],
    )
    def test_format_size_uses_french_units_and_a_comma(self, size: int, expected: str) -> None:
        assert format_size(size) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Noé AGATE", "de Noé AGATE"),
        ("Éloïse AMBRE", "d’Éloïse AMBRE"),
        ("AGATE Noé", "d’AGATE Noé"),
        ("Œdipe", "d’Œdipe"),
        ("Yves", "d’Yves"),
        ("Yanis", "de Yanis"),
        ("Hugo", "de Hugo"),
        ("", "de "),
    ],
)
def test_of_name_elides_before_a_vowel(name: str, expected: str) -> None:
    assert of_name(name) == expected


class TestDescribeChange:
    @pytest.mark.parametrize(
        ("number", "before", "expected"),
        [
            (12, 9, ", 3 de plus que hier"),
            (9, 12, ", 3 de moins que hier"),
            (9, 9, ", autant que hier"),
            (0, 1200, ", 1\u202f200 de moins que hier"),
            (9, 0, ""),
            (MoreThan(10), 9, ""),
            (9, MoreThan(10), ""),
        ],
    )
    def test_describe_change_says_nothing_of_what_was_not_counted(
        self, number: int, before: int, expected: str
    ) -> None:
        assert describe_change(number, before, "hier") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Lycée Ada Lovelace", "le lycée Ada Lovelace"),
        ("École de la Marine", "l’école de la Marine"),
        ("Les Grandes Rives", "l’établissement Les Grandes Rives"),
    ],
)
def test_the_school_names_a_school_with_its_article(name: str, expected: str) -> None:
    assert the_school(name) == expected
