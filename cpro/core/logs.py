"""Configure all logs, from the first line: JSON for programs, plain text on a terminal.

A line contains the application's own numbers and names (request, school, account, route), never users' input: SQL
parameters are hidden (`config.FIXED_SETTINGS`), and a request is named by its route, without the values in its URL.
"""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs() -> None:
    """Send every log to standard error: libraries' warnings, and CPro's messages from INFO up."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_for_a_terminal() if sys.stderr.isatty() else _for_programs()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("cpro").setLevel(logging.INFO)


def _for_a_terminal() -> list[structlog.typing.Processor]:
    return [structlog.dev.ConsoleRenderer()]


def _for_programs() -> list[structlog.typing.Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
