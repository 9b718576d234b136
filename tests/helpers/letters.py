"""Content of the mailboxes, the links in it, and the nightly job of changed addresses."""

from __future__ import annotations

import re
import threading
from datetime import datetime
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from cpro.core import tenancy
from cpro.core.jobs.models import Job
from cpro.core.jobs.operations import enqueue
from cpro.core.jobs.runner import Runner
from cpro.core.transactions import platform_unit_of_work
from tests.factories import TESTER
from tests.helpers.browser import Browser
from tests.helpers.office import Office

#: A private mailbox of the administrator.
TYPED = "alix@boite.example"
LINK = re.compile(r"https://cpro\.example(/adresse/\S+)")


def letters(office: Office, to: str) -> list[str]:
    """Return the messages received by a mailbox."""
    return [text for address, text in office.mails() if address == to]


def link_in(office: Office, to: str) -> str:
    """Return the only link received by a mailbox."""
    [link] = [found for text in letters(office, to) for found in LINK.findall(text)]
    return str(link)


def answer(browser: Browser, link: str, word: str) -> TestResponse:
    """Open a link as its recipient does, and press one of its buttons."""
    assert browser.get(link).status_code == 200
    return browser.post(link, {"reponse": word})


def run_night(app: Flask, now: datetime) -> dict[str, Any]:
    """Run the nightly job of changed addresses at an instant; return its result."""
    with time_machine.travel(now, tick=False):
        with app.app_context(), platform_unit_of_work("test") as work:
            job_id = enqueue("users:addresses", by=TESTER, now=now, session=work.session).id
        Runner(app, threading.Event()).drain()
    with app.app_context(), tenancy.platform_session("test") as session:
        return dict(session.scalars(select(Job.result).where(Job.id == job_id)).one() or {})
