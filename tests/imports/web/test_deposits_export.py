"""The file of a very large import is sent in bounded memory, whole."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable

from cpro.core.bulk_writes import bulk_insert
from cpro.imports.models import ImportFinding, RunState
from tests.factories import make_import
from tests.helpers.browser import Browser
from tests.helpers.imports import Desk

ROWS = 15_000


def test_export_all_of_it_is_sent_and_never_held(desk: Desk, as_: Callable[..., Browser]) -> None:
    with desk.open() as session:
        run = make_import(desk.world.a.id, state=RunState.APPLIED, counts={"students": {"created": 1}})
        session.add(run)
        session.flush()
        common = {"run_id": run.id, "severity": "WARNING", "code": "INE_MISSING", "file_kind": "Élèves (SIECLE)"}
        rows = ({**common, "line": line, "sentence": "L’INE est absent. " * 22} for line in range(ROWS))
        bulk_insert(session, ImportFinding, rows)
        address = f"/admin/imports/{run.id}/export/csv"
    browser = as_("administrator")

    tracemalloc.start()
    try:
        answer = browser.client.get(address, buffered=False)
        size, lines = measured(answer.iter_encoded())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (lines, size) == (ROWS + 1, answer.content_length)
    assert peak < size


def measured(pieces: Iterable[bytes]) -> tuple[int, int]:
    """Return how many bytes and lines there are, without keeping them."""
    size = lines = 0
    for piece in pieces:
        size, lines = size + len(piece), lines + piece.count(b"\r\n")
    return size, lines
