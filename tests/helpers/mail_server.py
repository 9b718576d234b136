"""A real mail server on this machine."""

from __future__ import annotations

import email
from collections.abc import Callable
from email import policy
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.helpers.platform import free_port


class Sink:
    """A mail server: `taken` is what it accepted, `answers` its replies to the next recipients, "" to accept."""

    def __init__(self) -> None:
        self.port = free_port()
        self.taken: list[Any] = []
        self.answers: list[str] = []
        self.content_answers: list[str] = []
        self.farewell = "221 Bye"
        #: called when the server has received a message and not yet confirmed it
        self.before_answer: Callable[[], object] = lambda: None
        #: called when a recipient is named
        self.at_recipient: Callable[[], object] = lambda: None
        self._controller: Controller | None = None

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.at_recipient()
        answer = self.answers.pop(0) if self.answers else ""
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.content_answers.pop(0) if self.content_answers else ""
        if answer:
            return answer
        assert isinstance(envelope.content, bytes)
        self.taken.append(email.message_from_bytes(envelope.content, policy=policy.default))
        self.before_answer()
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self.farewell

    def start(self) -> None:
        """Listen."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening."""
        if self._controller:
            self._controller.stop()
            self._controller = None

    @property
    def url(self) -> str:
        """Return the value of `CPRO_MAIL_URL`."""
        return f"smtp+plain://127.0.0.1:{self.port}?from=cpro@platform.example"
