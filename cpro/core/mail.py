"""E-mails: written to the instance folder by default, sent by SMTP when `CPRO_MAIL_URL` says so.

`smtp://user:password@host:587?from=cpro@school.example` speaks STARTTLS, `smtps://` TLS from the start, and
`smtp+plain://` neither (a relay on the same machine). Messages leave from a thread of their own: how long a server
takes to answer must not tell whether an account exists.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit

from flask import current_app

logger = logging.getLogger(__name__)
_sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")
_TIMEOUT = 20  # seconds


@dataclass(frozen=True)
class Mail:
    """One message in plain text."""

    to: str
    subject: str
    body: str


def send(mail: Mail) -> None:
    """Hand a message over for delivery; call it after the commit of the gesture it tells."""
    url = current_app.config["CPRO_MAIL_URL"]
    message = EmailMessage()
    message["To"], message["Subject"] = mail.to, mail.subject
    message.set_content(mail.body)
    if url:
        _sender.submit(_send_by_smtp, message, urlsplit(url))
    else:
        message["From"] = "cpro@localhost"
        _write(message, Path(current_app.config["CPRO_INSTANCE"]) / "mail")


def public_link(path: str, **query: str) -> str:
    """Return an absolute address of this site for messages and papers; never built from what a browser says."""
    address = f"{current_app.config['CPRO_PUBLIC_URL']}{path}"
    return f"{address}?{urlencode(query)}" if query else address


def _write(message: EmailMessage, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / f"{uuid.uuid4()}.eml").write_bytes(message.as_bytes())


def _send_by_smtp(message: EmailMessage, url: SplitResult) -> None:
    message["From"] = parse_qs(url.query).get("from", [f"cpro@{url.hostname}"])[0]
    context = ssl.create_default_context()
    try:
        if url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                url.hostname or "", url.port or 465, timeout=_TIMEOUT, context=context
            )
        else:
            server = smtplib.SMTP(url.hostname or "", url.port or 587, timeout=_TIMEOUT)
        with server:
            if url.scheme == "smtp":
                server.starttls(context=context)
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(message)
    except (OSError, smtplib.SMTPException):
        logger.exception("the message « %s » could not be sent", message["Subject"])
