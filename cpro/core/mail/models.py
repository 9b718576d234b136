"""The model of messages: the recipient, the subject object, the state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned
from cpro.core.types import EnumValue, LabelledEnum, UTCDateTime
from cpro.extensions import Model

#: Delays before each retry; the last one repeats.
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
#: A message is abandoned once it has been retried for this long.
GIVEN_UP_AFTER = timedelta(days=2)
#: How many characters of a server's answer are stored.
ANSWER_MAX_LENGTH = 300


@dataclass(frozen=True)
class Mail:
    """A plain-text message, as written by a feature."""

    to: str
    subject: str
    body: str


class MailState(LabelledEnum):
    """The states of a message; values are stored in the database."""

    WAITING = "waiting", "en attente"
    SENT = "sent", "envoyé"
    REFUSED = "refused", "refusé par le serveur"


class MailMessage(Owned, Model):
    """One message, from the action that created it to its sending or refusal."""

    __tablename__ = "mail_message"
    __table_args__ = (
        Index("ix_mail_message_about", "establishment_id", "object_type", "object_id", "id"),
        Index("ix_mail_message_settled", "settled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the school that sends it; NULL for a platform message, which no school sees
    establishment_id: Mapped[int | None] = mapped_column(  # type: ignore[assignment]
        ForeignKey("establishment.id"), index=True
    )
    #: its subject object, named as in the journal ("account", its id); empty if no page shows it
    object_type: Mapped[str] = mapped_column(String(40), default="")
    object_id: Mapped[str] = mapped_column(String(40), default="")
    to: Mapped[str] = mapped_column("recipient", String(254))
    subject: Mapped[str] = mapped_column(String(300))
    #: the body, encrypted; empty once the message is sent or abandoned
    sealed_body: Mapped[str] = mapped_column(Text)
    #: generated once, so that receivers recognise a message received twice
    message_id: Mapped[str] = mapped_column(String(300))
    state: Mapped[MailState] = mapped_column("state_value", EnumValue(MailState, 16), default=MailState.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    #: why the last try failed: the server's answer, or our own text
    last_answer: Mapped[str] = mapped_column(String(ANSWER_MAX_LENGTH), default="")
    next_try_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: when it was sent or abandoned
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def sent_at(self) -> datetime | None:
        """Return when a server accepted it, or None."""
        return self.settled_at if self.state is MailState.SENT else None

    @property
    def refusal(self) -> str:
        """Return why it was refused or abandoned, or ""."""
        return self.last_answer if self.state is MailState.REFUSED else ""
