"""What an analysis finds is kept in short transactions: nothing is computed while others wait to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import time_machine

from cpro.core.transactions import unit_of_work
from cpro.imports.models import ImportChange, ImportRun, RunState
from cpro.imports.runs import deposits
from tests.factories import NOW
from tests.helpers.browser import Browser
from tests.helpers.deposits import analyse
from tests.helpers.imports import Desk
from tests.helpers.records import rows

As = Callable[..., Browser]


@pytest.fixture(autouse=True)
def october() -> Iterator[None]:
    """Let it be the day of the files."""
    with time_machine.travel(NOW, tick=True):
        yield


def pupils(desk: Desk, number: int) -> Path:
    """Return an export of that many pupils."""
    return desk.file_of(*({"id": str(rank), "NOM_DE_FAMILLE": "TESTEUR" + "A" * rank} for rank in range(1, number + 1)))


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers of rows put in form, each seen outside any transaction that writes."""
    numbers = list[int]()
    put_in_form = deposits._list_rows

    def watch(run_id: int, found: list[object]) -> object:
        with unit_of_work():  # refused inside another one
            numbers.append(len(found))
        return put_in_form(run_id, found)  # type: ignore[arg-type]

    monkeypatch.setattr(deposits, "_list_rows", watch)
    monkeypatch.setattr(deposits, "_BATCH", 4)
    return numbers


def test_deposit_of_many_lines_is_kept_a_batch_at_a_time(as_: As, desk: Desk, transactions: list[int]) -> None:
    path = pupils(desk, 9)

    analyse(as_("administrator"), path)

    assert transactions, "some rows were kept"
    assert max(transactions) <= 4
    (run,) = rows(desk.app, ImportRun)
    assert run["state_value"] == RunState.ANALYSED.value
    assert sum(each["object_type"] == "student" for each in rows(desk.app, ImportChange)) == 9
