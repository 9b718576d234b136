"""E-mails: a row written in the transaction of the action, delivered by a job, retried for two days.

`enqueue` writes a `MailMessage` and enqueues the job `mail:deliver`: no commit, no message. A message accepted by a
server is not sent again, except when the worker is killed between that acceptance and its commit; the duplicate then
has the same `Message-ID`, which lets the receiver drop it. A message refused permanently by a server ends at once,
any other failure is retried with growing delays (`models.DELAYS`). Its body may contain an activation code: it is
stored encrypted under the application's key (`core.secrets.seal`), erased as soon as the message is sent or
abandoned, and never present in a job's arguments, a log or an error.

With `CPRO_MAIL_URL` the worker delivers: `smtp://user:password@host:587?from=cpro@school.example` uses STARTTLS,
`smtps://` TLS from the start, `smtp+plain://` neither (a relay on the same machine). Without it, the message is a
file of `instance/mail/`: the same job runs at once, after the commit, in the process that enqueued it, so that a
single-machine platform needs no worker for its messages; if that process dies first, a worker runs it later.

A feature keeps the texts of its messages in its own `messages.py` and gives their subject object (`about=`), so that
the page of that object shows their state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cpro.core.mail.models import Mail, MailMessage, MailState
from cpro.core.mail.operations import enqueue
from cpro.core.mail.transport import is_folder, public_link

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["Mail", "MailMessage", "MailState", "enqueue", "is_folder", "public_link", "register"]


def register(app: Flask) -> None:
    """Register e-mails in the application: their jobs, their state in pages, `flask mail test`."""
    from cpro.core.mail import commands, delivery
    from cpro.core.web import mail as mail_page

    delivery.register()
    mail_page.register_hooks(app)
    app.cli.add_command(commands.group)
