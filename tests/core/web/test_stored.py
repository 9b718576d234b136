"""Exports that are read little by little."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cpro.audit.models import AuditEntry
from cpro.core import spreadsheets
from cpro.core.web.screens import stored
from cpro.students.models import Student
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.records import rows
from tests.helpers.screens import screens

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
CSV = "/admin/eleves/export/csv/"
#: Lists that grow with a school: no object is made of their rows.
LARGE = {"Élèves", "Utilisateurs", "Journal", "Transferts", "Divisions", "Formations (MEF)", "Diplômes"}


@pytest.fixture(autouse=True)
def few_rows_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read exports two rows at a time."""
    monkeypatch.setattr(stored, "_BLOCK", 2)
    monkeypatch.setattr(stored, "_FIRST", 2)


@pytest.fixture
def seven(world: World, arrange: Look) -> list[str]:
    """Return the names of seven pupils, some without birth date, some of the same day; another school has one."""
    days = [date(2009, 5, 2), None, date(2009, 5, 2), date(2008, 1, 1), None, date(2009, 5, 2), date(2010, 7, 7)]
    with arrange() as session:
        session.query(Student).delete()
        session.add_all(
            make_student(world.a.id, last_name=f"NOM{number}", birth_date=day) for number, day in enumerate(days)
        )
        session.add(make_student(world.b.id, last_name="AILLEURS", birth_date=days[0]))
    return [f"NOM{number}" for number in range(len(days))]


def names(answer: TestResponse) -> list[str]:
    return [line.split(";")[0] for line in answer.text.splitlines()[1:]]


def sent(browser: Browser, path: str) -> Iterator[bytes]:
    """Yield what the server sends of a page, as it sends it."""
    answer = browser.client.get(path, buffered=False)
    try:
        yield from answer.iter_encoded()
    finally:
        answer.close()


class TestReadBlocks:
    @pytest.mark.parametrize("query", ["", "?tri=name", "?tri=name&ordre=desc"])
    def test_read_blocks_every_row_once_in_the_order_of_the_list(
        self, as_: As, seven: list[str], query: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = as_("administrator")

        found = names(browser.get(CSV + query))
        monkeypatch.setattr(stored, "_BLOCK", 100)

        assert sorted(found) == seven
        assert found == names(browser.get(CSV + query))

    def test_read_blocks_the_first_rows_leave_before_the_others_are_read(
        self, as_: As, seven: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = counted_blocks(monkeypatch)
        chunks = sent(as_("administrator"), CSV)

        first = next(chunks).decode()

        assert [line.split(";")[0] for line in first.splitlines()] == ["\ufeffNom", *seven[:2]]
        assert len(read) == 1
        assert b"".join(chunks).count(b"\r\n") == len(seven) - 2

    def test_read_blocks_whoever_stops_half_way_leaves_nothing_open(
        self, migrated_app: Flask, as_: As, seven: list[str]
    ) -> None:
        browser = as_("administrator")
        chunks = sent(browser, CSV)
        next(chunks)

        chunks.close()  # type: ignore[attr-defined]

        assert names(browser.get(CSV)) == seven

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_read_blocks_a_failure_half_way_ends_no_file(
        self, as_: As, seven: list[str], monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        counted_blocks(monkeypatch, fails_at=2)
        received = []

        with pytest.raises(ZeroDivisionError):
            received.extend(sent(as_("administrator"), f"/admin/eleves/export/{kind}/"))

        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(b"".join(received)))

    def test_read_blocks_a_list_longer_than_a_worksheet_is_no_workbook(
        self, app: Flask, as_: As, seven: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = as_("administrator")
        monkeypatch.setattr(spreadsheets, "MOST_ROWS", len(seven) - 1)

        refused = browser.get("/admin/eleves/export/xlsx/")

        assert refused.status_code == 422
        assert "exportez-la en CSV" in refused.text
        assert [row for row in rows(app, AuditEntry) if row["action"] == "list:exported"] == []
        assert names(browser.get(CSV)) == seven
        monkeypatch.setattr(spreadsheets, "MOST_ROWS", len(seven))
        assert browser.get("/admin/eleves/export/xlsx/").status_code == 200

    def test_read_blocks_make_no_object_of_the_rows_of_lists_that_grow(self, migrated_app: Flask) -> None:
        found = {
            screen.title
            for screen in screens(migrated_app)
            if all(column.stored or column.needs for column in screen.columns)
        }

        assert LARGE <= found


def counted_blocks(monkeypatch: pytest.MonkeyPatch, fails_at: int = 0) -> list[int]:
    """Return the numbers of the blocks read from now on; the one of a number fails."""
    read: list[int] = []
    select_values = stored._select_values

    def select(*asked: Any, **more: Any) -> Any:
        statement, read_block = select_values(*asked, **more)

        def counted(rows: Any) -> Any:
            read.append(len(read) + 1)
            if read[-1] == fails_at:
                raise ZeroDivisionError
            return read_block(rows)

        return statement, counted

    monkeypatch.setattr(stored, "_select_values", select)
    return read
