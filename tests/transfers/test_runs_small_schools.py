"""Runs over many small schools: few transactions, and in each school what it would have had alone."""

from __future__ import annotations

from itertools import chain

import pytest
from flask import Flask

from cpro.audit.models import AuditEntry
from cpro.transfers import runs
from cpro.transfers.pairs import Pair
from tests.helpers.records import rows
from tests.helpers.transfers import Exchange, check_complete, check_soundness


def received(school: int, pupils: int) -> list[Pair]:
    return [Pair(school, school * 1000 + number, 99, school * 1000 + number + 500) for number in range(pupils)]


@pytest.mark.parametrize(
    ("pupils", "expected"),
    [
        ((15,) * 8, [90, 30]),  # six schools in a transaction, then the two others
        ((100, 1), [100, 1]),
        ((1, 100), [1, 100]),  # a school is not cut to fill a transaction: it has one line in its journal
        ((250,), [100, 100, 50]),
        ((250, 30, 40), [100, 100, 80, 40]),
        ((), []),
    ],
)
def test_run_judges_small_schools_together(pupils: tuple[int, ...], expected: list[int]) -> None:
    pairs = sorted(chain.from_iterable(received(school, number) for school, number in enumerate(pupils, 1)))

    batches = list(runs._batches(pairs))

    assert [len(batch) for batch in batches] == expected
    assert list(chain.from_iterable(batches)) == pairs


def test_run_writes_in_each_small_school_its_own_lines(app: Flask, exchange: Exchange) -> None:
    for destination, pupils in (("b", 2), ("c", 1)):
        for _ in range(pupils):
            ine = exchange.ine()
            left = exchange.enrol("a", ine)
            exchange.fill("a", left)
            exchange.depart(left)
            exchange.enrol(destination, ine)
    ine = exchange.ine()
    left = exchange.enrol("b", ine)
    exchange.depart(left)
    exchange.enrol("c", ine)

    exchange.run()
    exchange.run()

    lines = [row for row in rows(app, AuditEntry) if row["action"] in ("transfer:received", "transfer:sent")]
    told = sorted((row["action"], str(row["object_id"]), row["changes"]["pupils"][1]) for row in lines)
    schools = {name: str(exchange.ids[name]) for name in "abc"}
    assert told == sorted(
        [
            ("transfer:received", schools["b"], 2),
            ("transfer:received", schools["c"], 2),
            ("transfer:sent", schools["a"], 3),
            ("transfer:sent", schools["b"], 1),
        ]
    )
    with exchange.look() as session:
        check_soundness(session)
        check_complete(session)
