"""E-mails: a row written in the transaction of the action, delivered by a job, retried for two days.

`enqueue` writes a `MailMessage` and asks for the job `mail:deliver`: no commit, no message. What is promised: a
message that a server accepted once is not sent again, except when the worker is killed between that acceptance and its
commit; the duplicate then carries the same `Message-ID`, which lets the receiver drop it. A message that a server
refuses for good ends at once, any other failure is tried again with growing delays (`models.DELAYS`). Its body may
hold an activation code: it is kept encrypted under the application's key (`core.secrets.seal`) and erased as soon as
the message is sent or given up, and it is neither in a job's arguments, nor in a log, nor in an error.

With `CPRO_MAIL_URL` the worker delivers: `smtp://user:password@host:587?from=cpro@school.example` speaks STARTTLS,
`smtps://` TLS from the start, `smtp+plain://` neither (a relay on the same machine). Without it, the message is a file
of `instance/mail/`: the same job is done at once, after the commit, in the process that asked for it, so that a
platform of one machine needs no worker for its messages; if that process dies first, a worker does it later.

A feature keeps the texts of its messages in a `messages.py` of its own and says what they are about (`about=`), so
that the page of that object shows their state.
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
    """Register e-mails in the application: their jobs, what pages say of them, `flask mail test`."""
    from cpro.core.mail import commands, delivery
    from cpro.core.web import mail as mail_page

    delivery.register()
    mail_page.register_hooks(app)
    app.cli.add_command(commands.group)
