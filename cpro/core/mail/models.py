"""The messages: to whom, about what, and its state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned
from cpro.core.types import EnumValue, LabelledEnum, UTCDateTime
from cpro.extensions import Model

#: Time left between two tries, the first after the first failure; the last one repeats.
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
#: A message is given up once it has been tried for as long.
GIVEN_UP_AFTER = timedelta(days=2)
#: Characters of a server's answer that are kept.
ANSWER_MAX_LENGTH = 300


@dataclass(frozen=True)
class Mail:
    """One message in plain text, as a feature writes it."""

    to: str
    subject: str
    body: str


class MailState(LabelledEnum):
    """Life of a message; values are what the database keeps."""

    WAITING = "waiting", "en attente"
    SENT = "sent", "envoyé"
    REFUSED = "refused", "refusé par le serveur"


class MailMessage(Owned, Model):
    """One message, from the action that asked for it to its sending or its refusal."""

    __tablename__ = "mail_message"
    __table_args__ = (
        Index("ix_mail_message_about", "establishment_id", "object_type", "object_id", "id"),
        Index("ix_mail_message_settled", "settled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the school on whose behalf it leaves; empty for a message of the platform, which no school sees
    establishment_id: Mapped[int | None] = mapped_column(  # type: ignore[assignment]
        ForeignKey("establishment.id"), index=True
    )
    #: what it is about, as the journal names objects ("account", its id); empty for what no page shows
    object_type: Mapped[str] = mapped_column(String(40), default="")
    object_id: Mapped[str] = mapped_column(String(40), default="")
    to: Mapped[str] = mapped_column("recipient", String(254))
    subject: Mapped[str] = mapped_column(String(300))
    #: the body, encrypted; empty once the message is sent or given up
    sealed_body: Mapped[str] = mapped_column(Text)
    #: drawn once, so that receivers recognise a message that reaches them twice
    message_id: Mapped[str] = mapped_column(String(300))
    state: Mapped[MailState] = mapped_column("state_value", EnumValue(MailState, 16), default=MailState.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    #: what the last try met, where it failed: a server's words, or ours
    last_answer: Mapped[str] = mapped_column(String(ANSWER_MAX_LENGTH), default="")
    next_try_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: when it was sent or given up
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def sent_at(self) -> datetime | None:
        """Return when a server accepted it, None if none did."""
        return self.settled_at if self.state is MailState.SENT else None

    @property
    def refusal(self) -> str:
        """Return why it was refused or given up, "" while it was not."""
        return self.last_answer if self.state is MailState.REFUSED else ""
