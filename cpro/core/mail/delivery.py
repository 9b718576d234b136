"""The job that delivers a message, and the nightly one that deletes old messages."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cpro.core import tenancy
from cpro.core.formatting import plural
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import job, nightly
from cpro.core.mail import operations, transport
from cpro.core.mail.models import MailMessage, MailState
from cpro.core.mail.transport import Outcome
from cpro.core.secrets import Unreadable, unseal
from cpro.core.transactions import platform_unit_of_work

logger = logging.getLogger(__name__)

#: Longer than the slowest SMTP session: otherwise another worker would send the message again.
_LEASE = timedelta(minutes=10)
#: High, because a worker's death does not mean that the message is at fault.
_ATTEMPTS = 50
_UNREADABLE = "son contenu n’est plus lisible, la clé secrète du serveur ayant changé depuis : demandez un nouvel envoi"


def register() -> None:
    """Declare the jobs."""
    job(operations.DELIVER, label="Envoi d’un message", summary=_describe_result, lease=_LEASE, attempts=_ATTEMPTS)(
        deliver
    )
    nightly("mail:forget", label="Oubli des anciens messages", summary=_describe_forgetting)(_forget)


def _describe_result(result: Mapping[str, Any]) -> str:
    sent = plural(result.get("sent", 0), "message envoyé", "messages envoyés")
    return f"{sent}." if result.get("sent") else f"{sent} : il a été refusé, ou n’était plus à envoyer."


def _describe_forgetting(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('forgotten', 0), 'ancien message oublié', 'anciens messages oubliés')}."


def deliver(context: JobContext, message_id: int) -> None:
    """Try to send a waiting message; the result, and the end of the job or its next attempt, are one commit.

    No transaction is open while the server is contacted.
    """
    with tenancy.platform_session(context.reason) as session:
        message = session.get(MailMessage, message_id)
        if message is None or message.state is not MailState.WAITING:
            return
    outcome = _try(message)
    with platform_unit_of_work(context.reason) as work:
        message = work.session.get_one(MailMessage, message_id, with_for_update=True)
        if outcome.is_accepted or outcome.is_final:
            state = MailState.SENT if outcome.is_accepted else MailState.REFUSED
            message.tries += 1
            operations.finish_message(message, state, now=context.now, answer=outcome.answer)
            due = None
        else:
            due = operations.put_off(message, answer=outcome.answer, now=context.now)
        work.session.flush()
        if due is None:
            context.finish_within(work.session, {"sent": 1 if outcome.is_accepted else 0})
        else:
            context.postpone_within(work.session, due)


def _try(message: MailMessage) -> Outcome:
    """Send a message; an unexpected error is logged and retried, like an unreachable server."""
    try:
        body = unseal(operations.PURPOSE, message.sealed_body)
        letter = transport.compose(
            to=message.to,
            subject=message.subject,
            body=body,
            message_id=message.message_id,
            date=message.created_at,
        )
        outcome = transport.deliver(letter)
    except Unreadable:
        return Outcome(_UNREADABLE)
    except Exception as defect:
        # The text of an unexpected error may quote the message: only its type and line are logged.
        place = defect.__traceback__.tb_lineno if defect.__traceback__ else 0
        logger.error("message %d could not be sent: %s (line %d)", message.id, type(defect).__name__, place)
        return Outcome("une erreur inattendue a empêché l’envoi", is_final=False)
    return Outcome(_without_secrets(outcome.answer, body), outcome.is_final)


def _without_secrets(answer: str, body: str) -> str:
    """Return a server's answer without what it quotes of the body: codes and addresses that contain digits."""
    return " ".join(
        "…" if len(word) >= 8 and re.search(r"\d", word) and word.strip("<>()[].,;:") in body else word
        for word in answer.split(" ")
    )


def _forget(context: JobContext) -> dict[str, int]:
    with platform_unit_of_work(context.reason) as work:
        return {"forgotten": operations.forget_old(work.session, now=context.now)}
