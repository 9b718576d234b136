"""Deposit files through the page, as a browser does, and run the worker's jobs."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from cpro.core.jobs.runner import Runner
from tests.helpers.browser import Browser
from tests.helpers.imports import Desk
from tests.helpers.siecle import structures, student, students_xml

IMPORTS = "/admin/imports"
#: One pupil, in the format of a SIECLE export.
ONE = ("eleves.xml", students_xml(student(), structures("1", "2MELEC")).encode("iso-8859-15"))


def send(browser: Browser, *files: Path | tuple[str, bytes], **fields: str) -> TestResponse:
    """Post files, each a path or (name, content), with other fields of the form."""
    sent = [
        (io.BytesIO(each.read_bytes()), each.name) if isinstance(each, Path) else (io.BytesIO(each[1]), each[0])
        for each in files
    ]
    data: dict[str, Any] = {"files": sent, **fields}
    return browser.post(IMPORTS, data, content_type="multipart/form-data")


def analyse(browser: Browser, *files: Path | tuple[str, bytes], **fields: str) -> str:
    """Deposit files that are accepted, and return the address of their analysis."""
    answer = send(browser, *files, **fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def apply(app: Flask, browser: Browser, address: str, *confirmations: str) -> TestResponse:
    """Apply an import from its page, run the worker, and return the page of its report."""
    version = browser.form(address)["version"]
    answer = browser.post(f"{address}/appliquer", {"version": version, "confirmations": list(confirmations)})
    assert answer.status_code == 303, answer.text
    drain(app)
    return browser.get(address)


def drain(app: Flask) -> None:
    """Run the pending jobs."""
    Runner(app, threading.Event()).drain()


def job_page(desk: Desk, run_id: int = 1) -> str:
    """Return the address of an import's job page, which its report does not need."""
    return f"/admin/travaux/{desk.run(run_id).job_id}"


def kept_files(app: Flask) -> list[str]:
    """Return the files of imports kept on the disk."""
    root = Path(app.config["CPRO_UPLOADS"]) / "imports"
    return sorted(path.name for path in root.rglob("*") if path.is_file())
