"""The life of a message's row: written, retried, sent, refused, deleted."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cpro.core import jobs
from cpro.core.errors import DomainError
from cpro.core.jobs.models import Job, JobState
from cpro.core.jobs.runner import Runner
from cpro.core.mail.models import ANSWER_MAX_LENGTH, DELAYS, GIVEN_UP_AFTER, Mail, MailMessage, MailState
from cpro.core.mail.transport import is_folder, new_message_id
from cpro.core.permissions import Actor
from cpro.core.secrets import seal
from cpro.core.tenancy import scope_of
from cpro.core.transactions import after_commit
from cpro.core.validators import normalise_email
from cpro.extensions import application, db

#: The kind of job that delivers a message.
DELIVER = "mail:deliver"
#: The encryption purpose of messages' bodies.
PURPOSE = "mail"

_NO_ANSWER = "aucun serveur n’a accepté ce message"
#: How long the outcome of a message can be read.
_KEPT = timedelta(days=30)
#: Beyond this age a message will never be retried, whatever happened to its job.
_LOST_AFTER = GIVEN_UP_AFTER + timedelta(days=2)


def enqueue(
    mail: Mail,
    *,
    by: Actor,
    now: datetime,
    session: Session | None = None,
    establishment_id: int | None = None,
    about: tuple[str, object] | None = None,
) -> MailMessage:
    """Write a message in the transaction of the action that sends it, and return its row.

    In a school's session the message belongs to that school; in a platform session, to `establishment_id`, or to the
    platform. `about` is the type and id of the object whose page shows its state. An invalid address is refused at
    once: the row says why.
    """
    target: Session = session or db.session()
    scope = scope_of(target)
    message = MailMessage(
        establishment_id=establishment_id if scope.is_platform else scope.establishment_id,
        object_type=about[0] if about else "",
        object_id=str(about[1]) if about else "",
        to=mail.to[:254],
        subject=" ".join(mail.subject.splitlines())[:300],
        sealed_body=seal(PURPOSE, mail.body),
        message_id=new_message_id(),
        state=MailState.WAITING,
        tries=0,
        last_answer="",
        created_at=now,
    )
    try:
        message.to = normalise_email(mail.to)
    except DomainError as refusal:
        finish_message(message, MailState.REFUSED, now=now, answer=refusal.message)
    target.add(message)
    target.flush()
    if message.state is MailState.WAITING:
        job = jobs.operations.enqueue(
            DELIVER,
            {"message_id": message.id},
            by=by,
            now=now,
            session=target,
            establishment_id=message.establishment_id,
        )
        if is_folder():
            after_commit(target, partial(Runner(application.flask, threading.Event()).do, job.id))
    return message


def finish_message(message: MailMessage, state: MailState, *, now: datetime, answer: str = "") -> None:
    """Mark a message as sent, or as refused with the server's `answer`, and erase its body."""
    message.state, message.settled_at, message.last_answer = state, now, answer[:ANSWER_MAX_LENGTH]
    message.sealed_body, message.next_try_at = "", None


def put_off(message: MailMessage, *, answer: str, now: datetime) -> datetime | None:
    """Record a failed try; return when the next is due, or None if the message is abandoned, after two days."""
    message.tries += 1
    deadline = message.created_at + GIVEN_UP_AFTER
    if now >= deadline:
        finish_message(message, MailState.REFUSED, now=now, answer=f"abandonné après deux jours d’essais ; {answer}")
        return None
    due = min(now + DELAYS[min(message.tries, len(DELAYS)) - 1], deadline)
    message.last_answer, message.next_try_at = answer[:ANSWER_MAX_LENGTH], due
    return due


def forget_old(session: Session, *, now: datetime) -> int:
    """Delete month-old finished messages and their jobs, and abandon those that will never be retried.

    Return how many messages were deleted.
    """
    for lost in session.scalars(
        select(MailMessage).where(MailMessage.state == MailState.WAITING, MailMessage.created_at < now - _LOST_AFTER)
    ):
        finish_message(lost, MailState.REFUSED, now=now, answer=lost.last_answer or _NO_ANSWER)
    finished = [state for state in JobState if state.is_finished]
    session.execute(delete(Job).where(Job.kind == DELIVER, Job.state.in_(finished), Job.created_at < now - _KEPT))
    forgotten = session.scalars(
        delete(MailMessage).where(MailMessage.settled_at < now - _KEPT).returning(MailMessage.id)
    )
    return len(forgotten.all())
