"""Send messages by SMTP, or write them as files of the instance folder. Nothing here uses the database."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import smtplib
import ssl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit

from cpro.extensions import application

logger = logging.getLogger(__name__)

_TIMEOUT = 20  # seconds, for each exchange with the server
_HOST = re.compile(r"[A-Za-z0-9.-]+")


@dataclass(frozen=True)
class Outcome:
    """The result of one try: `answer` is empty when the message was sent, `is_final` when retrying is pointless."""

    answer: str = ""
    is_final: bool = True

    @property
    def is_accepted(self) -> bool:
        """Return whether the message was sent."""
        return not self.answer


def is_folder() -> bool:
    """Return whether messages are files of the instance folder."""
    return not application.mail_url


def public_link(path: str, **query: str) -> str:
    """Return an absolute URL of this site for messages and documents, never built from the request's own headers."""
    address = f"{application.public_url}{path}"
    return f"{address}?{urlencode(query)}" if query else address


def new_message_id() -> str:
    """Return a new `Message-ID`, under this site's host name."""
    return f"<{uuid.uuid4()}@{_public_host()}>"


def compose(*, to: str, subject: str, body: str, message_id: str, date: datetime) -> EmailMessage:
    """Return a message ready to send: plain text, dated, marked as auto-generated."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = _sender(), to, subject
    message["Date"], message["Message-ID"] = format_datetime(date), message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message


def deliver(message: EmailMessage) -> Outcome:
    """Try once to send a message. A file is named after its `Message-ID`, so that a second try overwrites it."""
    url = application.mail_url
    if url:
        return _send_by_smtp(message, urlsplit(url))
    _write(message, application.instance / "mail")
    return Outcome()


def _public_host() -> str:
    host = urlsplit(application.public_url).hostname or ""
    return host if _HOST.fullmatch(host) else "localhost"


def _sender() -> str:
    url = urlsplit(application.mail_url)
    return parse_qs(url.query).get("from", [f"cpro@{url.hostname or _public_host()}"])[0]


def _write(message: EmailMessage, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{message['Message-ID'].strip('<>').partition('@')[0]}.eml"
    draft = path.with_suffix(".part")  # so that a reader of the folder never sees a partial message
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(message.as_bytes())
    draft.replace(path)


def _send_by_smtp(message: EmailMessage, url: SplitResult) -> Outcome:
    """Send a message to the server, distinguishing permanent refusals from temporary ones.

    Permanent: a 5xx for the recipient or the content. Any other failure may succeed later, once the server or our
    settings (sender, password, certificate) are fixed.
    """
    try:
        with _connection(url) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as refusal:
        ((code, words),) = refusal.recipients.values()
        return Outcome(_spoken(code, words), is_final=code >= 500)
    except smtplib.SMTPDataError as refusal:
        return Outcome(_spoken(refusal.smtp_code, refusal.smtp_error), is_final=refusal.smtp_code >= 500)
    except smtplib.SMTPResponseException as refusal:
        answer = _spoken(refusal.smtp_code, refusal.smtp_error)
        logger.warning("the mail server refused to work: %s %s", type(refusal).__name__, answer)
        return Outcome(answer, is_final=False)
    except (OSError, smtplib.SMTPException) as failure:
        logger.warning("the mail server could not be spoken to: %s: %s", type(failure).__name__, failure)
        return Outcome("le serveur de messagerie ne répond pas", is_final=False)
    return Outcome()


@contextmanager
def _connection(url: SplitResult) -> Iterator[smtplib.SMTP]:
    """Open a session with the server. An error on closing it is ignored: what was accepted is accepted."""
    context, host = ssl.create_default_context(), url.hostname or ""
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, url.port or 465, timeout=_TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, url.port or 587, timeout=_TIMEOUT)
    try:
        if url.scheme == "smtp":
            server.starttls(context=context)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        yield server
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()
    finally:
        server.close()


def _spoken(code: int, words: bytes | str) -> str:
    """Return a server's answer as a single line."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(f"{code} {text}".split())
