"""Logs: one line of JSON each, numbers of ours, nothing that people typed."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
from structlog.contextvars import bound_contextvars

from cpro.core.logs import configure_logs


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Yield what is written to standard error, logs configured as a server's; the suite's own come back."""
    root, ours = logging.getLogger(), logging.getLogger("cpro")
    kept = root.handlers[:], root.level, ours.level
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs()
    yield stream
    root.handlers[:] = kept[0]
    root.setLevel(kept[1])
    ours.setLevel(kept[2])


class TestConfigureLogs:
    def test_configure_logs_a_line_is_one_object_with_what_it_is_about(self, written: io.StringIO) -> None:
        with bound_contextvars(request="abc"):
            logging.getLogger("cpro.requests").info("request", extra={"status": 200})

        line = json.loads(written.getvalue())
        assert (line["event"], line["status"], line["request"], line["level"]) == ("request", 200, "abc", "info")
        assert line["logger"] == "cpro.requests"
        assert line["timestamp"].endswith("Z")

    def test_configure_logs_a_failure_stands_in_its_one_line(self, written: io.StringIO) -> None:
        try:
            raise ValueError("é")
        except ValueError:
            logging.getLogger("cpro").exception("broken")

        [line] = written.getvalue().splitlines()
        assert "ValueError: é" in json.loads(line)["exception"]

    def test_configure_logs_libraries_say_their_warnings_alone(self, written: io.StringIO) -> None:
        logging.getLogger("somebody").info("chatter")
        logging.getLogger("somebody").warning("careful")

        assert [json.loads(line)["event"] for line in written.getvalue().splitlines()] == ["careful"]
