"""Mail hooks: the state of a message as text, and the section « Messages envoyés » of an object's page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Flask

from cpro.core import clock
from cpro.core.formatting import format_instant
from cpro.core.mail.models import MailMessage, MailState
from cpro.core.mail.queries import list_messages_about
from cpro.core.web.registry import registry

#: How long a message that no worker has taken yet is described as leaving.
_AT_ONCE = timedelta(minutes=2)


def register_hooks(app: Flask) -> None:
    """Show the messages about an object on its page."""
    registry(app).add_object_section(_section)


def describe_state(message: MailMessage, timezone: str, *, now: datetime) -> str:
    """Describe the state of a message: « envoyé le … », « en attente … », « refusé par le serveur : … »."""
    if message.state is MailState.SENT and message.settled_at:
        return f"envoyé le {format_instant(message.settled_at, timezone)}"
    if message.state is MailState.REFUSED:
        return f"{message.state.label}\u202f: {message.refusal}"
    if message.next_try_at is None:
        return "part à l’instant" if now - message.created_at < _AT_ONCE else message.state.label
    return (
        f"{message.state.label}\u202f: nouvel essai le {format_instant(message.next_try_at, timezone)} "
        f"({message.last_answer})"
    )


def _section(object_type: str, object_id: str) -> tuple[str, dict[str, Any]] | None:
    messages = list_messages_about(object_type, object_id)
    if not messages:
        return None
    timezone, now = registry().timezone(), clock.utcnow()
    lines = [
        {
            "subject": message.subject,
            "to": message.to,
            "asked": format_instant(message.created_at, timezone),
            "state": describe_state(message, timezone, now=now),
            "is_refused": message.state is MailState.REFUSED,
        }
        for message in messages
    ]
    return "mail/_messages.html", {"lines": lines}
